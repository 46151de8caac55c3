//! Checks a whole journal before anything builds on it.

use std::collections::{BTreeMap, HashMap};

use rusqlite::Connection;
use stampede_domain::{DropId, Incarnation, NodeId, PoolIndex, Seq, UnixMillis};

use super::{
    damage::{Damage, Wrong},
    open::OpenError,
    projector::Projector,
    reader::{IncarnationRow, NodeRow, ReadError, SupplyRow, projection},
    rows::{RowCursor, RowKey},
    schema,
};
use crate::{
    ChainSums, CommandKey, CommitKey, NewOrder, Record, Row, RowHash, Seal, SupplyDelta, codec,
};

/// What a sound journal leaves behind.
pub(super) struct Checked {
    pub(super) heads: HashMap<DropId, RowHash>,
    pub(super) last_at: UnixMillis,
    pub(super) projector: Projector,
    /// Keys that the commands of drops have bound, where there is no table of them yet.
    pub(super) keys: Vec<CommandKey>,
    /// Sums of the chains that go on.
    pub(super) sums: HashMap<DropId, ChainSums>,
    /// Seals of those that have ended.
    pub(super) seals: Vec<Seal>,
}

/// Reads every row once, in commit order.
pub(super) fn check(
    connection: &Connection,
    node: Option<&NodeRow>,
    ended: &[IncarnationRow],
    supply: &[SupplyRow],
) -> Result<Checked, OpenError> {
    let (_, version) = schema::marks(connection).map_err(OpenError::sqlite("read version"))?;
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
        keys: (version < 2).then(Vec::new),
        tallied: BTreeMap::new(),
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
    /// Only where there is no table of them yet: the migration fills it.
    keys: Option<Vec<CommandKey>>,
    /// Sums of each drop, with the commit and the time of its latest row.
    tallied: BTreeMap<DropId, (ChainSums, CommitKey, UnixMillis)>,
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
        if row.drop != DropId::HOUSE {
            let commit = (row.incarnation, row.seq);
            let tallied = self.tallied.entry(row.drop);
            let tallied = tallied.or_insert_with(|| (ChainSums::new(commit), commit, header.at));
            tallied.0.row(row.records);
            (tallied.1, tallied.2) = (commit, header.at);
        }
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
        if let Some((sums, ..)) = self.tallied.get_mut(&row.drop) {
            sums.record(record);
        }
        if let Record::Lot { lot, .. } = record {
            self.latest_lots.insert(row.drop, *lot);
        }
        if let Some(keys) = &mut self.keys {
            let latest_lot = self.latest_lots.get(&row.drop).copied();
            keys.extend(CommandKey::of(row.drop, record, latest_lot));
        }
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
        let Self { heads, last_at, projector, keys, tallied, .. } = self;
        let mut seals = Vec::new();
        let mut sums = HashMap::new();
        for (drop, (tallied, last, at)) in tallied {
            match heads.get(&drop).and_then(|head| tallied.seal(drop, last, *head, at)) {
                Some(seal) => seals.push(seal),
                None => {
                    sums.insert(drop, tallied);
                }
            }
        }
        let keys = keys.unwrap_or_default();
        Ok(Checked { heads, last_at, projector, keys, sums, seals })
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
