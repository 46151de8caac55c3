//! The figures of a report as tables: the same cells for CSV and for a workbook.

mod cell;
mod drop_tables;
mod workbook;

pub use self::workbook::XlsxError;
use self::{
    cell::{Cell, Column, Kind, Table},
    workbook::{Book, Line},
};
