//! Checks what a start reads before anything builds on it.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use rusqlite::Connection;
use stampede_domain::{BanId, DropId, Incarnation, Mode, PoolIndex, StreamId, UnixMillis};

use super::{
    commits::{Commits, damage},
    damage::Wrong,
    open_error::OpenError,
    projector::Projector,
    range::{Found, StartCursor, StartRange},
    reader::{IncarnationRow, NodeRow, Projection, SupplyRow},
    rows::RowKey,
    sealed,
};
use crate::{
    BanScope, BrakePart, ChainSums, CommandKey, CommitKey, NewOrder, Record, Row, RowHash, Seal,
    Sealed, SupplyDelta, record::codec,
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
    /// Seals of those read that have ended.
    pub(super) seals: Vec<Seal>,
    /// Drops whose rows were left alone.
    pub(super) sealed: Vec<Sealed>,
    /// Time of the last commit of the latest start that had written a heartbeat.
    pub(super) worked_until: Option<UnixMillis>,
    /// Commits of all bans.
    pub(super) bans: BanCommits,
    /// Since when some drop that was read could be on air, by stream.
    pub(super) aired: Aired,
}

/// By stream and mode, the commit in which a drop went on air or was about to.
pub(super) type Aired = HashMap<(StreamId, Mode), CommitKey>;

/// Where bans stand.
#[derive(Default)]
pub(super) struct BanCommits {
    /// Commits of all bans, lifted or not.
    pub(super) all: Vec<CommitKey>,
    /// Bans of viewers that are in force.
    pub(super) viewers: HashMap<BanId, CommitKey>,
}

/// What a start finds beside the journal.
pub(super) struct Beside<'a> {
    pub(super) node: Option<&'a NodeRow>,
    pub(super) ended: &'a [IncarnationRow],
    pub(super) supply: &'a [SupplyRow],
    pub(super) seals: &'a [Seal],
    pub(super) projection: Projection,
    /// Whether a table of bound keys is still to be made.
    pub(super) wants_keys: bool,
}

/// Checks what the range names; where drops that are over had to do with which of those read is on air,
/// they are read as well.
pub(super) fn check_all(
    connection: &Connection,
    range: StartRange,
    beside: &Beside<'_>,
) -> Result<(Arc<StartRange>, Checked), OpenError> {
    let range = Arc::new(range);
    let checked = check(connection, &range, beside)?;
    match range.widened(&checked.sealed, &checked.aired) {
        None => Ok((range, checked)),
        Some(wider) => {
            let wider = Arc::new(wider);
            let checked = check(connection, &wider, beside)?;
            Ok((wider, checked))
        }
    }
}

/// Reads once what the range names, in commit order.
fn check(
    connection: &Connection,
    range: &Arc<StartRange>,
    beside: &Beside<'_>,
) -> Result<Checked, OpenError> {
    let commits = Commits::new(beside.node, beside.ended, range.from);
    let mut checker = Checker::new(commits, Projector::new(beside.projection));
    checker.keys = beside.wants_keys.then(Vec::new);
    let mut cursor = StartCursor::new(Arc::clone(range));
    while let Some(found) = cursor.next(connection) {
        match found? {
            Found::Row(row) => checker.row(&row)?,
            Found::Key(key) => checker.commits.skipped(key).map_err(OpenError::Damage)?,
        }
    }
    let mut sealed = Vec::new();
    for seal in beside.seals.iter().filter(|seal| !range.reads(seal.drop)) {
        sealed.push(sealed::check_end(connection, seal)?);
    }
    checker.commits.finish().map_err(OpenError::Damage)?;
    compare_supply(&checker.supply, beside.supply, &sealed)?;
    let worked_in = checker.worked_in.and_then(|start| checker.commits.last_of(start));
    let worked_until = worked_in.map(|last| sealed::time_of(connection, last)).transpose()?;
    let mut checked = checker.finish();
    let last_of_all = sealed.iter().map(|sealed| sealed.seal.settled_at).max();
    checked.last_at = checked.last_at.max(last_of_all.unwrap_or_default());
    (checked.sealed, checked.worked_until) = (sealed, worked_until.flatten());
    Ok(checked)
}

/// Follows rows in commit order.
pub(super) struct Checker {
    pub(super) commits: Commits,
    heads: HashMap<DropId, RowHash>,
    /// Units supplied and taken, summed from the records.
    supply: BTreeMap<(DropId, PoolIndex), (i64, i64)>,
    projector: Projector,
    /// Number of each drop's latest lot.
    latest_lots: HashMap<DropId, u32>,
    /// Only where there is no table of them yet: the migration fills it.
    keys: Option<Vec<CommandKey>>,
    /// Sums of each drop, with the commit and the time of its latest row.
    tallied: BTreeMap<DropId, (ChainSums, CommitKey, UnixMillis)>,
    /// The latest start that has written a heartbeat.
    worked_in: Option<Incarnation>,
    bans: BanCommits,
    /// The commit in which each drop went on air first.
    aired: HashMap<DropId, CommitKey>,
}

impl Checker {
    pub(super) fn new(commits: Commits, projector: Projector) -> Self {
        Self {
            commits,
            heads: HashMap::new(),
            supply: BTreeMap::new(),
            projector,
            latest_lots: HashMap::new(),
            keys: None,
            tallied: BTreeMap::new(),
            worked_in: None,
            bans: BanCommits::default(),
            aired: HashMap::new(),
        }
    }

    pub(super) fn row(&mut self, row: &Row) -> Result<(), OpenError> {
        let fail = |wrong| OpenError::Damage(damage(row, wrong));
        let (header, records) = codec::body(&row.body).map_err(|e| fail(Wrong::Body(e)))?;
        self.commits.row(row, header).map_err(OpenError::Damage)?;
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

    /// Drops that rows were read of.
    pub(super) fn drops(&self) -> Vec<DropId> {
        self.tallied.keys().copied().collect()
    }

    /// The seal of a drop whose chain has ended; nothing is kept of the drop then.
    pub(super) fn take_ended(&mut self, drop: DropId) -> Option<Seal> {
        let (tallied, last, at) = self.tallied.get(&drop)?;
        let seal = tallied.seal(drop, *last, *self.heads.get(&drop)?, *at)?;
        self.tallied.remove(&drop);
        self.heads.remove(&drop);
        self.aired.remove(&drop);
        self.latest_lots.remove(&drop);
        while let Some(pool) = self.supply.range((drop, PoolIndex::default())..).next()
            && pool.0.0 == drop
        {
            let pool = *pool.0;
            self.supply.remove(&pool);
        }
        Some(seal)
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
        let commit = (row.incarnation, row.seq);
        match record {
            Record::Lot { lot, .. } => {
                self.latest_lots.insert(row.drop, *lot);
            }
            Record::Countdown { .. } | Record::Opened | Record::Featured => {
                self.aired.entry(row.drop).or_insert(commit);
            }
            Record::Heartbeat(_) => self.worked_in = Some(row.incarnation),
            Record::Banned(banned) => {
                self.bans.all.push(commit);
                if matches!(banned.scope, BanScope::Viewer(_)) {
                    self.bans.viewers.insert(banned.ban, commit);
                }
            }
            Record::Lifted { part: BrakePart::Ban(ban), .. } => {
                self.bans.viewers.remove(ban);
            }
            _ => {}
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

    fn finish(self) -> Checked {
        let Self { commits, heads, projector, keys, tallied, bans, aired: drops, .. } = self;
        let mut aired = Aired::new();
        for (drop, commit) in drops {
            if let Some(scene) = tallied.get(&drop).and_then(|(sums, ..)| sums.scene()) {
                let first = aired.entry(scene).or_insert(commit);
                *first = commit.min(*first);
            }
        }
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
        let (last_at, keys) = (commits.last_at(), keys.unwrap_or_default());
        let (sealed, worked_until) = (Vec::new(), None);
        Checked { heads, last_at, projector, keys, sums, seals, sealed, worked_until, bans, aired }
    }
}

/// Units supplied and taken of each drop whose rows are left alone stand in its seal.
fn compare_supply(
    counted: &BTreeMap<(DropId, PoolIndex), (i64, i64)>,
    stored: &[SupplyRow],
    sealed: &[Sealed],
) -> Result<(), OpenError> {
    let signed = |units: u64| i64::try_from(units).unwrap_or(i64::MAX);
    let mut left: HashMap<DropId, (u64, u64)> =
        sealed.iter().map(|sealed| (sealed.seal.drop, (0, 0))).collect();
    let mut read = BTreeMap::new();
    for row in stored {
        if let Some((supplied, taken)) = left.get_mut(&row.drop) {
            *supplied = supplied.saturating_add(row.supplied);
            *taken = taken.saturating_add(row.taken);
        } else {
            read.insert((row.drop, row.pool), (signed(row.supplied), signed(row.taken)));
        }
    }
    for Sealed { seal, .. } in sealed {
        let (supplied, taken) = left[&seal.drop];
        for (field, found, of_seal) in [
            ("units supplied", supplied, seal.units_supplied),
            ("units sold", taken, seal.units_sold),
        ] {
            if found != of_seal {
                return Err(OpenError::SealSupply { drop: seal.drop, field, found, of_seal });
            }
        }
    }
    let keys = counted.keys().chain(read.keys());
    for key in keys {
        let count = counted.get(key).copied().unwrap_or_default();
        let store = read.get(key).copied().unwrap_or_default();
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
