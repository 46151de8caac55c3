//! Checks a whole journal before anything builds on it.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
};

use rusqlite::Connection;
use stampede_domain::{DropId, HoldId, Incarnation, NodeId, PoolIndex, Seq, UnixMillis};

use super::{
    open::OpenError,
    projector::Projector,
    reader::{IncarnationRow, NodeRow, ReadError, SupplyRow, projection},
    rows::{RowCursor, RowKey},
};
use crate::{CommandKey, NewOrder, Record, RecordError, Row, RowHash, SupplyDelta, codec};

/// A journal row that is not what was written, or is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The row's drop; for a missing row, the drop of the row found in its place, if any.
    pub drop: Option<DropId>,
    /// The row's start.
    pub incarnation: Incarnation,
    /// The row's commit.
    pub seq: Seq,
    /// What is wrong.
    pub wrong: Wrong,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.drop {
            Some(drop) => write!(f, "journal row {drop}")?,
            None => write!(f, "journal commit")?,
        }
        write!(f, " incarnation {} seq {}: {}", self.incarnation, self.seq, self.wrong)
    }
}

/// What is wrong with a journal row.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// The row does not follow on the last one that was read.
    #[error("found where incarnation {incarnation} seq {seq} must follow")]
    Gap {
        /// Start of the missing commit.
        incarnation: Incarnation,
        /// The missing commit.
        seq: Seq,
    },
    /// The journal ends before the last commit that the node or incarnation table names.
    #[error("missing: the incarnation's last commit is {last_seq}")]
    Tail {
        /// The last commit.
        last_seq: Seq,
    },
    /// The start is not in the tables of starts.
    #[error("the incarnation has never been started")]
    UnknownIncarnation,
    /// A commit has fewer or more rows than its header says.
    #[error("the commit has {found} rows, its header says {expected}")]
    Rows {
        /// Rows found.
        found: u16,
        /// Rows that were written.
        expected: u16,
    },
    /// Another node's name.
    #[error("written by node {found}, the incarnation is {expected}'s")]
    Node {
        /// The name found.
        found: NodeId,
        /// The name of the incarnation's node.
        expected: NodeId,
    },
    /// The row does not continue the drop's previous row.
    #[error("previous hash is {found}, the chain's head is {expected}")]
    PrevHash {
        /// The hash found.
        found: RowHash,
        /// The hash of the previous row.
        expected: RowHash,
    },
    /// The row's hash is not the hash of its content.
    #[error("hash is {found}, the content gives {computed}")]
    Hash {
        /// The hash found.
        found: RowHash,
        /// The hash of the content.
        computed: RowHash,
    },
    /// The body cannot be read.
    #[error("body: {0}")]
    Body(RecordError),
    /// The body has another number of records.
    #[error("the body has {found} records, the row says {expected}")]
    Records {
        /// Records in the body.
        found: u32,
        /// Records that the column names.
        expected: u32,
    },
    /// A hold of another drop, or a take of another start.
    #[error("hold {hold} does not belong here")]
    Hold {
        /// The hold.
        hold: HoldId,
    },
    /// The row's time, or that of another row of the commit, runs backwards.
    #[error("time {at} is before {before}")]
    Time {
        /// The row's time.
        at: UnixMillis,
        /// The time of the row before.
        before: UnixMillis,
    },
}

/// What a sound journal leaves behind.
pub(super) struct Checked {
    pub(super) heads: HashMap<DropId, RowHash>,
    pub(super) last_at: UnixMillis,
    pub(super) projector: Projector,
    /// Keys that the commands of drops have bound.
    pub(super) keys: Vec<CommandKey>,
}

/// Reads every row once, in commit order.
pub(super) fn check(
    connection: &Connection,
    node: Option<&NodeRow>,
    ended: &[IncarnationRow],
    supply: &[SupplyRow],
) -> Result<Checked, OpenError> {
    let mut starts: BTreeMap<Incarnation, (NodeId, Seq)> = ended
        .iter()
        .map(|start| (start.incarnation, (start.node.clone(), start.last_seq)))
        .collect();
    if let Some(node) = node {
        starts.insert(node.incarnation, (node.node.clone(), node.last_seq));
    }
    let mut checker = Checker {
        starts,
        heads: HashMap::new(),
        supply: BTreeMap::new(),
        projector: Projector::new(projection(connection)?),
        commit: None,
        last_at: UnixMillis::default(),
        latest_lots: HashMap::new(),
        keys: Vec::new(),
    };
    let mut cursor = RowCursor::new(RowKey::default());
    while let Some(row) = cursor.next(connection) {
        checker.row(&row?)?;
    }
    checker.finish(supply)
}

struct Checker {
    /// Every start with its node and last commit.
    starts: BTreeMap<Incarnation, (NodeId, Seq)>,
    heads: HashMap<DropId, RowHash>,
    /// Units supplied and taken, summed from the records.
    supply: BTreeMap<(DropId, PoolIndex), (i64, i64)>,
    projector: Projector,
    commit: Option<Commit>,
    last_at: UnixMillis,
    /// Number of each drop's latest lot.
    latest_lots: HashMap<DropId, u32>,
    keys: Vec<CommandKey>,
}

/// The commit whose rows are being read.
struct Commit {
    incarnation: Incarnation,
    seq: Seq,
    rows: u16,
    found: u16,
    at: UnixMillis,
}

impl Checker {
    fn row(&mut self, row: &Row) -> Result<(), OpenError> {
        let fail = |wrong| OpenError::Damage(damage(row, wrong));
        let (header, records) = codec::body(&row.body).map_err(|e| fail(Wrong::Body(e)))?;
        self.place(row, header.rows, header.at)?;
        let Some((node, _)) = self.starts.get(&row.incarnation) else {
            return Err(fail(Wrong::UnknownIncarnation));
        };
        if row.node != *node {
            return Err(fail(Wrong::Node { found: row.node.clone(), expected: node.clone() }));
        }
        let expected = self.heads.get(&row.drop).copied();
        let expected = expected.unwrap_or_else(|| RowHash::genesis(row.drop));
        if row.prev_hash != expected {
            return Err(fail(Wrong::PrevHash { found: row.prev_hash, expected }));
        }
        let computed = row.computed_hash();
        if row.hash != computed {
            return Err(fail(Wrong::Hash { found: row.hash, computed }));
        }
        self.heads.insert(row.drop, row.hash);
        let mut found = 0;
        for record in records {
            let record = record.map_err(|e| fail(Wrong::Body(e)))?;
            self.record(row, found, header.at, &record).map_err(fail)?;
            found += 1;
        }
        if found != row.records {
            return Err(fail(Wrong::Records { found, expected: row.records }));
        }
        self.projector.saw(RowKey::of(row), found);
        Ok(())
    }

    /// Checks that the row is the next one: the next of its commit, or the first of the next.
    fn place(&mut self, row: &Row, rows: u16, at: UnixMillis) -> Result<(), OpenError> {
        let fail = |wrong| Err(OpenError::Damage(damage(row, wrong)));
        if let Some(commit) = &mut self.commit
            && (commit.incarnation, commit.seq) == (row.incarnation, row.seq)
        {
            commit.found = commit.found.saturating_add(1);
            if rows != commit.rows {
                return fail(Wrong::Rows { found: rows, expected: commit.rows });
            }
            if at != commit.at {
                return fail(Wrong::Time { at, before: commit.at });
            }
            return Ok(());
        }
        self.commit_is_whole()?;
        let (incarnation, seq) = self.expected_commit(row.incarnation);
        if (row.incarnation, row.seq) != (incarnation, seq) {
            return fail(Wrong::Gap { incarnation, seq });
        }
        if at < self.last_at {
            return fail(Wrong::Time { at, before: self.last_at });
        }
        self.last_at = at;
        self.commit =
            Some(Commit { incarnation: row.incarnation, seq: row.seq, rows, found: 1, at });
        Ok(())
    }

    /// The commit that must come next, where the next row is of `incarnation`.
    fn expected_commit(&self, incarnation: Incarnation) -> (Incarnation, Seq) {
        let after = |seq: Seq| seq.next().unwrap_or(Seq::MAX);
        let mut done = Seq::default();
        let mut from = Incarnation::default();
        if let Some(commit) = &self.commit {
            if commit.incarnation == incarnation {
                return (incarnation, after(commit.seq));
            }
            from = commit.incarnation;
            done = commit.seq;
        }
        // Every start up to this one must have been read to its end.
        for (start, (_, last_seq)) in self.starts.range(from..incarnation) {
            let read = if *start == from { done } else { Seq::default() };
            if read < *last_seq {
                return (*start, after(read));
            }
        }
        (incarnation, after(Seq::default()))
    }

    fn commit_is_whole(&self) -> Result<(), OpenError> {
        match &self.commit {
            Some(commit) if commit.found != commit.rows => Err(OpenError::Damage(Damage {
                drop: None,
                incarnation: commit.incarnation,
                seq: commit.seq,
                wrong: Wrong::Rows { found: commit.found, expected: commit.rows },
            })),
            _ => Ok(()),
        }
    }

    fn record(
        &mut self,
        row: &Row,
        place: u32,
        at: UnixMillis,
        record: &Record,
    ) -> Result<(), Wrong> {
        match record {
            Record::Taken { hold, .. } if hold.incarnation() != row.incarnation => {
                return Err(Wrong::Hold { hold: *hold });
            }
            Record::Taken { hold, .. }
            | Record::Confirmed { hold, .. }
            | Record::Released { hold, .. }
            | Record::Expired { hold, .. }
                if hold.drop_id() != row.drop =>
            {
                return Err(Wrong::Hold { hold: *hold });
            }
            _ => {}
        }
        if let Some(order) = NewOrder::of(record, place) {
            self.projector.catch_up(row, at, order);
        }
        if let Record::Lot { lot, .. } = record {
            self.latest_lots.insert(row.drop, *lot);
        }
        let latest_lot = self.latest_lots.get(&row.drop).copied();
        self.keys.extend(CommandKey::of(row.drop, record, latest_lot));
        if let Some(delta) = SupplyDelta::of(record) {
            let (supplied, taken) = self.supply.entry((row.drop, delta.pool)).or_default();
            *supplied += delta.supplied;
            *taken += delta.taken;
        }
        Ok(())
    }

    fn finish(self, supply: &[SupplyRow]) -> Result<Checked, OpenError> {
        self.commit_is_whole()?;
        // Whatever start comes last: a commit behind the last row read must not be named anywhere.
        let beyond = self.starts.last_key_value().and_then(|(last, _)| last.next());
        if let Some(beyond) = beyond {
            let (incarnation, seq) = self.expected_commit(beyond);
            if let Some((_, last_seq)) = self.starts.get(&incarnation) {
                let wrong = Wrong::Tail { last_seq: *last_seq };
                return Err(OpenError::Damage(Damage { drop: None, incarnation, seq, wrong }));
            }
        }
        self.commit_is_not_beyond_its_start()?;
        compare_supply(&self.supply, supply)?;
        let Self { heads, last_at, projector, keys, .. } = self;
        Ok(Checked { heads, last_at, projector, keys })
    }

    fn commit_is_not_beyond_its_start(&self) -> Result<(), OpenError> {
        let Some(commit) = &self.commit else { return Ok(()) };
        let last = self.starts.get(&commit.incarnation).map(|(_, last_seq)| *last_seq);
        match last {
            Some(last_seq) if commit.seq > last_seq => Err(OpenError::Damage(Damage {
                drop: None,
                incarnation: commit.incarnation,
                seq: commit.seq,
                wrong: Wrong::Tail { last_seq },
            })),
            _ => Ok(()),
        }
    }
}

fn compare_supply(
    counted: &BTreeMap<(DropId, PoolIndex), (i64, i64)>,
    stored: &[SupplyRow],
) -> Result<(), OpenError> {
    let signed = |units: u64| i64::try_from(units).unwrap_or(i64::MAX);
    let stored: BTreeMap<_, _> = stored
        .iter()
        .map(|row| ((row.drop, row.pool), (signed(row.supplied), signed(row.taken))))
        .collect();
    let keys = counted.keys().chain(stored.keys());
    for key in keys {
        let count = counted.get(key).copied().unwrap_or_default();
        let store = stored.get(key).copied().unwrap_or_default();
        if count != store {
            return Err(OpenError::Supply {
                drop: key.0,
                pool: key.1,
                counted_supplied: count.0,
                counted_taken: count.1,
                stored_supplied: store.0,
                stored_taken: store.1,
            });
        }
    }
    Ok(())
}

fn damage(row: &Row, wrong: Wrong) -> Damage {
    Damage { drop: Some(row.drop), incarnation: row.incarnation, seq: row.seq, wrong }
}

impl From<ReadError> for OpenError {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}
