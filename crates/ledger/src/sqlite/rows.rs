//! Iterates over the journal in bounded pieces.

use std::{borrow::Borrow, collections::VecDeque};

use rusqlite::Connection;
use stampede_domain::DropId;

use super::{
    columns::{Columns, hash, incarnation, node, seq},
    failure::in_table,
    reader::{JournalReader, ReadError},
};
use crate::{CommitKey, Row};

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

    /// The key of a drop's row in a commit.
    pub(super) const fn in_commit((incarnation, seq): CommitKey, drop: DropId) -> Self {
        Self { incarnation: incarnation.get(), seq: seq.get(), drop: drop.get() }
    }

    /// A key behind all rows of earlier commits, and before those of this one.
    pub(super) const fn before((incarnation, seq): CommitKey) -> Self {
        let seq = seq.get().saturating_sub(1);
        Self { incarnation: incarnation.get(), seq, drop: u32::MAX }
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

impl JournalReader {
    /// The rows of one drop in commit order. Rows of others are passed by in the index of keys; where the
    /// drop has a seal, only what lies between its first and its last row.
    ///
    /// # Errors
    /// As for every read.
    pub fn chain(&self, drop: DropId) -> Result<Rows<&Self>, ReadError> {
        let seal = self.seal(drop)?;
        let after = seal.as_ref().map(|seal| RowKey::before(seal.first)).unwrap_or_default();
        let last = seal.map_or(END, |seal| RowKey::in_commit(seal.last, drop));
        Ok(Rows { reader: self, cursor: RowCursor::of_drop(drop, after, last) })
    }
}

/// Behind every row.
const END: RowKey = RowKey { incarnation: u32::MAX, seq: i64::MAX.cast_unsigned(), drop: u32::MAX };

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
    chain: Option<Chain>,
}

/// The rows of one drop, up to a key.
struct Chain {
    drop: u32,
    last: RowKey,
}

impl RowCursor {
    pub(super) const fn new(after: RowKey) -> Self {
        Self { after, fetched: VecDeque::new(), ended: false, chain: None }
    }

    /// The rows of one drop behind a key, up to another.
    pub(super) const fn of_drop(drop: DropId, after: RowKey, last: RowKey) -> Self {
        let chain = Some(Chain { drop: drop.get(), last });
        Self { after, fetched: VecDeque::new(), ended: false, chain }
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
        let fail = in_table("journal");
        let sql = match self.chain {
            None => {
                "SELECT incarnation, seq, drop_id, node, records, body, prev_hash, hash
                 FROM journal WHERE (incarnation, seq, drop_id) > (?1, ?2, ?3)
                 ORDER BY incarnation, seq, drop_id LIMIT ?4"
            }
            Some(_) => {
                "SELECT incarnation, seq, drop_id, node, records, body, prev_hash, hash
                 FROM journal WHERE (incarnation, seq, drop_id) > (?1, ?2, ?3) AND drop_id = ?5
                 AND (incarnation, seq, drop_id) <= (?6, ?7, ?5)
                 ORDER BY incarnation, seq, drop_id LIMIT ?4"
            }
        };
        let mut statement = connection.prepare_cached(sql).map_err(&fail)?;
        let after = self.after;
        let key = (after.incarnation, after.seq.cast_signed(), after.drop);
        let limit = i64::try_from(CHUNK_ROWS).unwrap_or(i64::MAX);
        let found = match &self.chain {
            None => statement.query((key.0, key.1, key.2, limit)),
            Some(Chain { drop, last }) => {
                let last = (last.incarnation, last.seq.cast_signed());
                statement.query((key.0, key.1, key.2, limit, drop, last.0, last.1))
            }
        };
        let mut found = found.map_err(&fail)?;
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

/// One row by its key.
pub(super) fn row_at(connection: &Connection, key: RowKey) -> Result<Option<Row>, ReadError> {
    let sql = "SELECT incarnation, seq, drop_id, node, records, body, prev_hash, hash
               FROM journal WHERE incarnation = ?1 AND seq = ?2 AND drop_id = ?3";
    let fail = in_table("journal");
    let mut statement = connection.prepare_cached(sql).map_err(&fail)?;
    let key = (key.incarnation, key.seq.cast_signed(), key.drop);
    let mut found = statement.query(key).map_err(&fail)?;
    let row = found.next().map_err(&fail)?;
    row.map(|row| journal_row(&Columns { table: "journal", row })).transpose()
}

pub(super) fn journal_row(row: &Columns<'_>) -> Result<Row, ReadError> {
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
