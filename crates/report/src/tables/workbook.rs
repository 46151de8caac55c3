//! Tables as a workbook (XLSX). Texts are strings whatever they look like, so nothing runs and no leading zero goes.

use std::{borrow::Cow, collections::HashMap};

use rust_xlsxwriter::{
    DocProperties, ExcelDateTime, Format, IgnoreError, Workbook, Worksheet, XlsxError as Failure,
};
use stampede_domain::{Currency, Money, UnixMillis};

use super::{Cell, Column, Kind, Table};
use crate::{json, times::iso_utc};

/// Rows of a table on a sheet at most, the rest stands in CSV alone: a sheet has 1,048,576.
const SHEET_ROWS_MAX: u32 = 1_000_000;
/// Characters in a cell at most.
const CELL_CHARS_MAX: usize = 32_767;
/// Widths of columns, in characters.
const TEXT_WIDTH: u32 = 24;
const FIGURE_WIDTH: u32 = 14;
const TIME_WIDTH: u32 = 20;
const LINE_NAME_WIDTH: u32 = 34;
const LINE_VALUE_WIDTH: u32 = 28;

/// Why there is no workbook.
#[derive(Debug, thiserror::Error)]
#[error("the workbook cannot be made: {0}")]
pub struct XlsxError(#[from] Failure);

/// A figure with its name.
#[derive(Debug)]
pub(crate) struct Line {
    name: Cow<'static, str>,
    figure: Figure,
}

#[derive(Debug)]
enum Figure {
    Cell(Cell),
    /// A difference in minor units.
    Change(i64, Currency),
}

impl Line {
    pub(crate) const fn new(name: &'static str, cell: Cell) -> Self {
        Self { name: Cow::Borrowed(name), figure: Figure::Cell(cell) }
    }

    pub(crate) const fn named(name: String, cell: Cell) -> Self {
        Self { name: Cow::Owned(name), figure: Figure::Cell(cell) }
    }

    /// A difference in minor units.
    pub(crate) const fn change(name: &'static str, minor: i64, currency: Currency) -> Self {
        Self { name: Cow::Borrowed(name), figure: Figure::Change(minor, currency) }
    }
}

/// A workbook in the making.
pub(crate) struct Book {
    workbook: Workbook,
    formats: Formats,
}

impl Book {
    /// An empty workbook; it says that it was made when the report was.
    pub(crate) fn new(title: &str, as_of: UnixMillis) -> Self {
        let mut workbook = Workbook::new();
        let mut properties = DocProperties::new().set_title(title);
        if let Some(at) = moment(as_of) {
            properties = properties.set_creation_datetime(&at);
        }
        workbook.set_properties(&properties);
        Self { workbook, formats: Formats::new() }
    }

    /// A sheet of figures with their names.
    pub(crate) fn lines(&mut self, name: &str, lines: &[Line]) -> Result<(), XlsxError> {
        let Self { workbook, formats } = self;
        let sheet = sheet(workbook, name)?;
        sheet.set_column_width(0, LINE_NAME_WIDTH)?;
        sheet.set_column_width(1, LINE_VALUE_WIDTH)?;
        for (Line { name, figure }, row) in lines.iter().zip(0_u32..) {
            sheet.write_string_with_format(row, 0, name.as_ref(), &formats.bold)?;
            match figure {
                Figure::Cell(cell) => formats.put(sheet, (row, 1), cell)?,
                Figure::Change(minor, currency) => {
                    let major = major(minor.unsigned_abs(), *currency);
                    let signed = if *minor < 0 { -major } else { major };
                    let format = formats.money(*currency);
                    sheet.write_number_with_format(row, 1, signed, format)?;
                }
            }
        }
        Ok(())
    }

    /// A sheet with a table, whose head stays in sight.
    pub(crate) fn table(&mut self, name: &str, table: &Table) -> Result<(), XlsxError> {
        let Self { workbook, formats } = self;
        let sheet = sheet(workbook, name)?;
        for (Column { title, kind, .. }, place) in table.columns.iter().zip(0_u16..) {
            sheet.write_string_with_format(0, place, *title, &formats.bold)?;
            let width = match kind {
                Kind::Text => TEXT_WIDTH,
                Kind::Number | Kind::Money | Kind::Span => FIGURE_WIDTH,
                Kind::Time => TIME_WIDTH,
            };
            sheet.set_column_width(place, width)?;
        }
        sheet.set_freeze_panes(1, 0)?;
        for (cells, row) in table.rows.iter().zip(1..=SHEET_ROWS_MAX) {
            for (cell, column) in cells.iter().zip(0_u16..) {
                formats.put(sheet, (row, column), cell)?;
            }
        }
        Ok(())
    }

    /// The workbook's bytes.
    pub(crate) fn finish(mut self) -> Result<Vec<u8>, XlsxError> {
        Ok(self.workbook.save_to_buffer()?)
    }
}

fn sheet<'a>(workbook: &'a mut Workbook, name: &str) -> Result<&'a mut Worksheet, XlsxError> {
    let sheet = workbook.add_worksheet();
    sheet.set_name(name)?;
    // A code of digits is meant to be a text.
    sheet.ignore_error_range(0, 0, SHEET_ROWS_MAX, 63, IgnoreError::NumberStoredAsText)?;
    Ok(sheet)
}

/// How cells are shown.
struct Formats {
    bold: Format,
    number: Format,
    time: Format,
    span: Format,
    money: HashMap<Currency, Format>,
}

impl Formats {
    fn new() -> Self {
        let shown = |format| Format::new().set_num_format(format);
        Self {
            bold: Format::new().set_bold(),
            number: shown("#,##0"),
            time: shown("yyyy-mm-dd hh:mm:ss"),
            span: shown("0.000"),
            money: HashMap::new(),
        }
    }

    /// With the currency's decimals and its code.
    fn money(&mut self, currency: Currency) -> &Format {
        self.money.entry(currency).or_insert_with(|| {
            let digits = usize::from(currency.minor_digits().unwrap_or(0));
            let point = if digits == 0 { "" } else { "." };
            let decimals = "0".repeat(digits);
            Format::new().set_num_format(format!("#,##0{point}{decimals} \"{currency}\""))
        })
    }

    fn put(
        &mut self,
        sheet: &mut Worksheet,
        (row, column): (u32, u16),
        cell: &Cell,
    ) -> Result<(), XlsxError> {
        match cell {
            Cell::Text(text) => {
                let end =
                    text.char_indices().nth(CELL_CHARS_MAX).map_or(text.len(), |(end, _)| end);
                sheet.write_string(row, column, &text[..end])?
            }
            Cell::Unnamed(words) => sheet.write_string(row, column, *words)?,
            Cell::Number(count) => {
                let count = float(json::exact(*count));
                sheet.write_number_with_format(row, column, count, &self.number)?
            }
            Cell::Money(amount) => {
                let (minor, currency) = (amount.minor(), amount.currency());
                let (major, format) = (major(minor, currency), self.money(currency));
                sheet.write_number_with_format(row, column, major, format)?
            }
            Cell::Time(at) => match moment(*at) {
                Some(at) => sheet.write_datetime_with_format(row, column, &at, &self.time)?,
                None => sheet.write_string(row, column, iso_utc(*at))?,
            },
            Cell::Span(span) => {
                let seconds = float(json::span(*span)) / 1_000.0;
                sheet.write_number_with_format(row, column, seconds, &self.span)?
            }
            Cell::Nothing => sheet,
        };
        Ok(())
    }
}

/// A time to the second, as a workbook has it; `None` beyond the year 9999.
fn moment(at: UnixMillis) -> Option<ExcelDateTime> {
    ExcelDateTime::from_timestamp(i64::try_from(at.get() / 1_000).ok()?).ok()
}

/// An amount in whole units of its currency.
fn major(minor: u64, currency: Currency) -> f64 {
    let digits = currency.minor_digits().unwrap_or(0);
    float(minor.min(Money::MINOR_MAX)) / 10_f64.powi(digits.into())
}

/// An integer of at most 2^53 - 1, which a float has exactly.
fn float(number: u64) -> f64 {
    let (high, low) = (number >> 32, number & u64::from(u32::MAX));
    let part = |part: u64| f64::from(u32::try_from(part).expect("half of 64 bits"));
    part(high) * 4_294_967_296.0 + part(low)
}
