//! What a start reads of the journal.
//!
//! A drop that is over for good has a seal, and its rows are left alone: of those a start looks at the
//! last one only. Everything else is read from the commit on in which the oldest of the other drops begins.

use std::{borrow::Borrow, collections::HashSet, collections::VecDeque, sync::Arc};

use rusqlite::Connection;
use stampede_domain::{DropId, DurationMs, UnixMillis};

use super::{
    columns::Columns,
    failure::in_table,
    reader::{JournalReader, Projection, ReadError},
    recovery::Aired,
    rows::{RowKey, journal_row},
};
use crate::{CommitKey, Row, Seal, Sealed, record::codec};

/// Keys that one statement fetches at most.
const CHUNK_KEYS: i64 = 1_024;
/// Bytes of bodies after which a statement fetches no more.
const CHUNK_BYTES: usize = 4 << 20;

/// What a start reads.
#[derive(Debug, Default)]
pub(super) struct StartRange {
    /// From this commit on every key is read, before it only the house's rows.
    pub(super) from: CommitKey,
    /// Drops whose rows are left alone.
    sealed: HashSet<DropId>,
}

impl StartRange {
    /// Decides by the seals. Drops that settled within `kept` before the last row are read, as their
    /// orders are still shown, and those that `orders` may lack something of.
    pub(super) fn of(
        seals: &[Seal],
        projection: &Projection,
        last_at: UnixMillis,
        kept: DurationMs,
    ) -> Self {
        let is_over = |seal: &&Seal| {
            let last = RowKey::in_commit(seal.last, seal.drop);
            seal.settled_at.plus(kept) <= last_at && last <= projection.row
        };
        let sealed: HashSet<_> = seals.iter().filter(is_over).map(|seal| seal.drop).collect();
        // Drops begin in the order of their numbers: none that has no seal begins before the last of
        // those that all have one.
        let unbroken = (1..).zip(seals).take_while(|(id, seal)| seal.drop == DropId::new(*id));
        let mut from = unbroken.last().map(|(_, seal)| seal.first).unwrap_or_default();
        let read = seals.iter().filter(|seal| !sealed.contains(&seal.drop));
        from = read.map(|seal| seal.first).fold(from, CommitKey::min);
        Self { from, sealed }
    }

    /// The range with those left alone that ran beside a drop that is read, in the same stream: which of them
    /// goes on air depends on both. `None` if there are none.
    pub(super) fn widened(&self, left_alone: &[Sealed], aired: &Aired) -> Option<Self> {
        let mut wider = Self { from: self.from, sealed: self.sealed.clone() };
        for Sealed { seal, summary } in left_alone {
            let since = aired.get(&(summary.stream.clone(), summary.mode));
            if since.is_some_and(|since| seal.last >= *since) {
                wider.sealed.remove(&seal.drop);
                wider.from = wider.from.min(seal.first);
            }
        }
        (wider.sealed.len() < self.sealed.len()).then_some(wider)
    }

    /// Whether the rows of this drop are read.
    pub(super) fn reads(&self, drop: DropId) -> bool {
        !self.sealed.contains(&drop)
    }
}

/// When the last row was written, as far as it can be read; what is wrong with it is found later.
pub(super) fn last_at(connection: &Connection) -> UnixMillis {
    let sql = "SELECT incarnation, seq, drop_id, node, records, body, prev_hash, hash FROM journal
               ORDER BY incarnation DESC, seq DESC, drop_id DESC LIMIT 1";
    let found = super::columns::all(connection, "journal", sql, journal_row);
    let Ok(Some(row)) = found.map(|mut rows| rows.pop()) else { return UnixMillis::default() };
    codec::body(&row.body).map(|(header, _)| header.at).unwrap_or_default()
}

/// What the journal has at one key.
#[derive(Debug)]
pub(super) enum Found {
    /// A row that is read.
    Row(Box<Row>),
    /// The key of one that is left alone.
    Key(RowKey),
}

/// Where a start's reading stands.
pub(super) struct StartCursor {
    range: Arc<StartRange>,
    after: RowKey,
    /// Still before the range.
    in_house: bool,
    fetched: VecDeque<Found>,
    has_ended: bool,
}

impl StartCursor {
    pub(super) fn new(range: Arc<StartRange>) -> Self {
        let in_house = range.from > CommitKey::default();
        let (after, fetched) = (RowKey::default(), VecDeque::new());
        Self { range, after, in_house, fetched, has_ended: false }
    }

    pub(super) fn next(&mut self, connection: &Connection) -> Option<Result<Found, ReadError>> {
        while self.fetched.is_empty() && !self.has_ended {
            match self.fetch(connection) {
                Ok(0) if self.in_house => {
                    self.in_house = false;
                    self.after = RowKey::before(self.range.from);
                }
                Ok(keys) => self.has_ended = keys == 0,
                // Rows before the damage still come out first.
                Err(error) if self.fetched.is_empty() => {
                    self.has_ended = true;
                    return Some(Err(error));
                }
                Err(_) => {}
            }
        }
        self.fetched.pop_front().map(Ok)
    }

    fn fetch(&mut self, connection: &Connection) -> Result<usize, ReadError> {
        let fail = in_table("journal");
        let sql = if self.in_house {
            "SELECT rowid, incarnation, seq, drop_id FROM journal
             WHERE drop_id = 0 AND (incarnation, seq) > (?1, ?2) AND (incarnation, seq) < (?3, ?4)
             ORDER BY incarnation, seq LIMIT ?5"
        } else {
            "SELECT rowid, incarnation, seq, drop_id FROM journal
             WHERE (incarnation, seq, drop_id) > (?1, ?2, ?3)
             ORDER BY incarnation, seq, drop_id LIMIT ?4"
        };
        let mut statement = connection.prepare_cached(sql).map_err(&fail)?;
        let (incarnation, seq) = (self.after.incarnation, self.after.seq.cast_signed());
        let (end_incarnation, end_seq) = self.range.from;
        let end = (end_incarnation.get(), end_seq.get().cast_signed());
        let found = if self.in_house {
            statement.query((incarnation, seq, end.0, end.1, CHUNK_KEYS))
        } else {
            statement.query((incarnation, seq, self.after.drop, CHUNK_KEYS))
        };
        let mut found = found.map_err(&fail)?;
        let (mut keys, mut bytes) = (0, 0);
        while bytes < CHUNK_BYTES {
            let Some(row) = found.next().map_err(&fail)? else { break };
            let number = |column| row.get::<_, i64>(column).map_err(&fail);
            let (place, key) = (number(0)?, [number(1)?, number(2)?, number(3)?]);
            let drop = u32::try_from(key[2]).ok().map(DropId::new);
            let found = if drop.is_some_and(|drop| !self.range.reads(drop)) {
                let [incarnation, seq] = [key[0], key[1]].map(i64::cast_unsigned);
                let incarnation = u32::try_from(incarnation).unwrap_or(u32::MAX);
                Found::Key(RowKey { incarnation, seq, drop: drop.map_or(0, DropId::get) })
            } else {
                let row = fetch_row(connection, place, key)?;
                bytes += row.body.len();
                Found::Row(Box::new(row))
            };
            self.after = match &found {
                Found::Row(row) => RowKey::of(row),
                Found::Key(key) => *key,
            };
            self.fetched.push_back(found);
            keys += 1;
        }
        Ok(keys)
    }
}

/// The row at a place of the table; the key is the index's.
fn fetch_row(connection: &Connection, place: i64, key: [i64; 3]) -> Result<Row, ReadError> {
    let sql =
        "SELECT ?2, ?3, ?4, node, records, body, prev_hash, hash FROM journal WHERE rowid = ?1";
    let fail = in_table("journal");
    let mut statement = connection.prepare_cached(sql).map_err(&fail)?;
    let mut found = statement.query((place, key[0], key[1], key[2])).map_err(&fail)?;
    let row = found.next().map_err(&fail)?;
    let row = row.ok_or(rusqlite::Error::QueryReturnedNoRows).map_err(&fail)?;
    journal_row(&Columns { table: "journal", row })
}

/// The rows that a start reads, in commit order.
pub(super) struct StartRows<R> {
    reader: R,
    cursor: StartCursor,
}

impl<R: Borrow<JournalReader>> StartRows<R> {
    pub(super) fn new(reader: R, range: Arc<StartRange>) -> Self {
        Self { reader, cursor: StartCursor::new(range) }
    }
}

impl<R: Borrow<JournalReader>> Iterator for StartRows<R> {
    type Item = Result<Row, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.cursor.next(&self.reader.borrow().connection)? {
                Ok(Found::Row(row)) => return Some(Ok(*row)),
                Ok(Found::Key(_)) => {}
                Err(error) => return Some(Err(error)),
            }
        }
    }
}
