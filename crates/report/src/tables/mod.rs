//! The figures of a report as tables: the same cells for CSV and for a workbook.

mod cell;
mod changes;
mod drop_tables;
mod workbook;

pub use self::workbook::XlsxError;
pub(crate) use self::{
    cell::{Cell, Column, Kind, Table},
    drop_tables::{
        CHANNEL_COLUMNS, SIZE_COLUMNS, adjustment_lines, channel_cells, money_cells, size_rows,
    },
    workbook::{Book, Line},
};
