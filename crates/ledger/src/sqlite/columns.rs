//! Reads columns into types, naming what is out of range.

use rusqlite::Connection;
use stampede_domain::{ChannelId, Incarnation, NodeId, PoolIndex, Seq, SkuIndex};

use super::failure::in_table;
use crate::{ReadError, RowHash};

/// A row of a result, with the name of the table for errors.
pub(super) struct Columns<'a> {
    pub(super) table: &'static str,
    pub(super) row: &'a rusqlite::Row<'a>,
}

impl Columns<'_> {
    pub(super) fn value<V: rusqlite::types::FromSql>(&self, column: usize) -> Result<V, ReadError> {
        self.row.get(column).map_err(in_table(self.table))
    }

    pub(super) fn number<V: TryFrom<i64>>(
        &self,
        column: usize,
        name: &'static str,
    ) -> Result<V, ReadError> {
        let number: i64 = self.value(column)?;
        V::try_from(number).map_err(|_| self.range(name))
    }

    pub(super) fn range(&self, column: &'static str) -> ReadError {
        let key = (0..3).map(|at| match self.row.get_ref(at) {
            Ok(rusqlite::types::ValueRef::Integer(number)) => number.to_string(),
            Ok(rusqlite::types::ValueRef::Text(text)) => String::from_utf8_lossy(text).into_owned(),
            _ => "?".into(),
        });
        let row = key.collect::<Vec<_>>().join("/");
        ReadError::Column { table: self.table, row, column }
    }
}

pub(super) fn incarnation(row: &Columns<'_>, column: usize) -> Result<Incarnation, ReadError> {
    let number = row.number(column, "incarnation")?;
    Incarnation::new(number).ok_or_else(|| row.range("incarnation"))
}

pub(super) fn seq(row: &Columns<'_>, column: usize) -> Result<Seq, ReadError> {
    let number = row.number(column, "seq")?;
    Seq::new(number).ok_or_else(|| row.range("seq"))
}

pub(super) fn pool(row: &Columns<'_>, column: usize) -> Result<PoolIndex, ReadError> {
    let number = row.number(column, "pool")?;
    PoolIndex::new(number).ok_or_else(|| row.range("pool"))
}

pub(super) fn sku(row: &Columns<'_>, column: usize) -> Result<SkuIndex, ReadError> {
    let number = row.number(column, "sku")?;
    SkuIndex::new(number).ok_or_else(|| row.range("sku"))
}

pub(super) fn node(row: &Columns<'_>, column: usize) -> Result<NodeId, ReadError> {
    let name: String = row.value(column)?;
    NodeId::new(&name).map_err(|_| row.range("node"))
}

pub(super) fn channel(row: &Columns<'_>, column: usize) -> Result<Option<ChannelId>, ReadError> {
    let name: Option<String> = row.value(column)?;
    name.map(|name| ChannelId::new(&name)).transpose().map_err(|_| row.range("channel"))
}

pub(super) fn hash(
    row: &Columns<'_>,
    column: usize,
    name: &'static str,
) -> Result<RowHash, ReadError> {
    let bytes: Vec<u8> = row.value(column)?;
    let bytes = <[u8; 32]>::try_from(bytes).map_err(|_| row.range(name))?;
    Ok(RowHash::from_bytes(bytes))
}

pub(super) fn all<V>(
    connection: &Connection,
    table: &'static str,
    sql: &str,
    read: impl Fn(&Columns<'_>) -> Result<V, ReadError>,
) -> Result<Vec<V>, ReadError> {
    let fail = in_table(table);
    let mut statement = connection.prepare_cached(sql).map_err(&fail)?;
    let mut found = statement.query(()).map_err(&fail)?;
    let mut values = Vec::new();
    while let Some(row) = found.next().map_err(&fail)? {
        values.push(read(&Columns { table, row })?);
    }
    Ok(values)
}
