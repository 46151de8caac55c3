//! Iterates over the journal in bounded pieces.

use std::{borrow::Borrow, collections::VecDeque};

use rusqlite::Connection;
use stampede_domain::DropId;

use super::{
    columns::{Columns, hash, in_table, incarnation, node, seq},
    reader::{JournalReader, ReadError},
};
use crate::Row;

/// Rows that one statement fetches at most: readers stay short, so that the log can be reset.
const CHUNK_ROWS: usize = 256;
/// Bytes of bodies after which a statement fetches no more.
const CHUNK_BYTES: usize = 4 << 20;

/// Key of a journal row; the order of keys is the order of commits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowKey {
    /// The start.
    pub incarnation: u32,
    /// The commit.
    pub seq: u64,
    /// The drop.
    pub drop: u32,
}

impl RowKey {
    /// The key of a row.
    pub const fn of(row: &Row) -> Self {
        Self { incarnation: row.incarnation.get(), seq: row.seq.get(), drop: row.drop.get() }
    }
}

/// Iterator over journal rows; fetches in bounded pieces, ends after the first error.
pub struct Rows<R> {
    reader: R,
    cursor: RowCursor,
}

impl<R: Borrow<JournalReader>> Rows<R> {
    pub(super) fn new(reader: R, after: RowKey) -> Self {
        Self { reader, cursor: RowCursor::new(after) }
    }
}

impl<R: Borrow<JournalReader>> Iterator for Rows<R> {
    type Item = Result<Row, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.cursor.next(&self.reader.borrow().connection)
    }
}

/// Where an iteration over the journal stands.
pub(super) struct RowCursor {
    after: RowKey,
    fetched: VecDeque<Row>,
    ended: bool,
}

impl RowCursor {
    pub(super) const fn new(after: RowKey) -> Self {
        Self { after, fetched: VecDeque::new(), ended: false }
    }

    pub(super) fn next(&mut self, connection: &Connection) -> Option<Result<Row, ReadError>> {
        if self.fetched.is_empty() && !self.ended {
            match self.fetch(connection) {
                Ok(()) => self.ended = self.fetched.is_empty(),
                // Rows before the damage still come out first.
                Err(error) if self.fetched.is_empty() => {
                    self.ended = true;
                    return Some(Err(error));
                }
                Err(_) => {}
            }
        }
        self.fetched.pop_front().map(Ok)
    }

    fn fetch(&mut self, connection: &Connection) -> Result<(), ReadError> {
        let sql = "SELECT incarnation, seq, drop_id, node, records, body, prev_hash, hash
                   FROM journal WHERE (incarnation, seq, drop_id) > (?1, ?2, ?3)
                   ORDER BY incarnation, seq, drop_id LIMIT ?4";
        let fail = in_table("journal");
        let mut statement = connection.prepare_cached(sql).map_err(&fail)?;
        let after = self.after;
        let key = (after.incarnation, after.seq.cast_signed(), after.drop);
        let limit = i64::try_from(CHUNK_ROWS).unwrap_or(i64::MAX);
        let mut found = statement.query((key.0, key.1, key.2, limit)).map_err(&fail)?;
        let mut bytes = 0;
        while bytes < CHUNK_BYTES {
            let Some(row) = found.next().map_err(&fail)? else { break };
            let row = journal_row(&Columns { table: "journal", row })?;
            bytes += row.body.len();
            self.after = RowKey::of(&row);
            self.fetched.push_back(row);
        }
        Ok(())
    }
}

fn journal_row(row: &Columns<'_>) -> Result<Row, ReadError> {
    Ok(Row {
        incarnation: incarnation(row, 0)?,
        seq: seq(row, 1)?,
        drop: DropId::new(row.number(2, "drop_id")?),
        node: node(row, 3)?,
        records: row.number(4, "records")?,
        body: row.value(5)?,
        prev_hash: hash(row, 6, "prev_hash")?,
        hash: hash(row, 7, "hash")?,
    })
}
