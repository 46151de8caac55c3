//! Cells, columns, tables.

use stampede_domain::{DurationMs, Money, UnixMillis};

use crate::{csv, json};

/// What stands in a cell.
#[derive(Clone, Debug)]
pub(crate) enum Cell {
    /// A text, whatever it looks like.
    Text(String),
    /// What has no name: words in a workbook, nothing in CSV, where a program reads it.
    Unnamed(&'static str),
    /// A count.
    Number(u64),
    Money(Money),
    Time(UnixMillis),
    Span(DurationMs),
    /// Nobody knows it, or it has not been.
    Nothing,
}

impl Cell {
    pub(crate) fn text(text: &(impl ToString + ?Sized)) -> Self {
        Self::Text(text.to_string())
    }

    pub(crate) fn count(things: usize) -> Self {
        Self::Number(json::count(things))
    }
}

impl From<Option<u64>> for Cell {
    fn from(count: Option<u64>) -> Self {
        count.map_or(Self::Nothing, Self::Number)
    }
}

impl From<Option<UnixMillis>> for Cell {
    fn from(at: Option<UnixMillis>) -> Self {
        at.map_or(Self::Nothing, Self::Time)
    }
}

impl From<Option<DurationMs>> for Cell {
    fn from(span: Option<DurationMs>) -> Self {
        span.map_or(Self::Nothing, Self::Span)
    }
}

/// What the cells of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Number,
    /// In CSV two columns: in minor units, then with the currency's decimals.
    Money,
    /// In CSV two columns: as people write it, then in milliseconds since 1970.
    Time,
    /// In CSV in milliseconds, in a workbook in seconds.
    Span,
}

/// A column.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Column {
    /// For programs, without a unit.
    pub(crate) name: &'static str,
    /// For people.
    pub(crate) title: &'static str,
    pub(crate) kind: Kind,
}

impl Column {
    pub(crate) const fn new(name: &'static str, title: &'static str, kind: Kind) -> Self {
        Self { name, title, kind }
    }
}

/// A table; each row has a cell for each column.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: Vec<Vec<Cell>>,
}

impl Table {
    /// Appends the table as CSV.
    pub(crate) fn csv(&self, out: &mut Vec<u8>) {
        let mut line = csv::Line::new(out);
        for Column { name, kind, .. } in &self.columns {
            match kind {
                Kind::Text | Kind::Number => line.name(name),
                Kind::Money => {
                    line.name(&format!("{name}_minor"));
                    line.name(name);
                }
                Kind::Time => {
                    line.name(name);
                    line.name(&format!("{name}_ms"));
                }
                Kind::Span => line.name(&format!("{name}_ms")),
            }
        }
        line.end();
        for row in &self.rows {
            let mut line = csv::Line::new(out);
            for (cell, column) in row.iter().zip(&self.columns) {
                put(&mut line, cell, column.kind);
            }
            line.end();
        }
    }
}

fn put(line: &mut csv::Line<'_>, cell: &Cell, kind: Kind) {
    match cell {
        Cell::Text(text) => line.text(text),
        Cell::Unnamed(_) => line.text(""),
        Cell::Number(count) => line.number(json::exact(*count)),
        Cell::Money(amount) => line.money(amount.minor(), amount.currency()),
        Cell::Time(at) => line.time(Some(*at)),
        Cell::Span(span) => line.number(json::span(*span)),
        Cell::Nothing if kind == Kind::Time => line.time(None),
        Cell::Nothing => line.nothing(),
    }
}
