//! Follows the rows of a journal, in commit order, with everything that their records sum up to.

use std::collections::{BTreeMap, HashMap};

use stampede_domain::{BanId, DropId, Incarnation, PoolIndex, UnixMillis};

use super::{
    commits::{Commits, damage},
    damage::Wrong,
    error::OpenError,
    range::Aired,
};
use crate::{
    BanScope, BrakePart, BrakeRecord, ChainSums, CommandKey, CommitKey, DeadlineRecord, HoldRecord,
    LatestResult, PhaseRecord, Record, Row, RowHash, RowKey, Seal, SealedDrop, SupplyDelta,
    drop_pools::DropPools, projector::Projector, record::codec,
};

/// What a sound journal leaves behind.
pub(crate) struct CheckedJournal {
    pub(crate) heads: HashMap<DropId, RowHash>,
    pub(crate) last_at: UnixMillis,
    pub(crate) projector: Projector,
    /// Keys that the commands of drops have bound, where there is no table of them yet.
    pub(crate) keys: Vec<CommandKey>,
    /// Sums of the chains that go on.
    pub(crate) sums: HashMap<DropId, ChainSums>,
    /// Seals of those read that have ended.
    pub(crate) seals: Vec<Seal>,
    /// Drops whose rows were left alone.
    pub(crate) sealed: Vec<SealedDrop>,
    /// Time of the last commit of the latest start that had written a heartbeat.
    pub(crate) worked_until: Option<UnixMillis>,
    /// Commits of all bans.
    pub(crate) bans: BanCommits,
    /// Since when some drop that was read could be on air, by stream.
    pub(crate) aired: Aired,
}

/// Where bans stand.
#[derive(Default)]
pub(crate) struct BanCommits {
    /// Commits of all bans, lifted or not.
    pub(crate) all: Vec<CommitKey>,
    /// Bans of viewers that are in force.
    pub(crate) viewers: HashMap<BanId, CommitKey>,
}

impl BanCommits {
    fn record(&mut self, record: &BrakeRecord, commit: CommitKey) {
        match record {
            BrakeRecord::Banned(banned) => {
                self.all.push(commit);
                if matches!(banned.scope, BanScope::Viewer(_)) {
                    self.viewers.insert(banned.ban, commit);
                }
            }
            BrakeRecord::Lifted { part: BrakePart::Ban(ban), .. } => {
                self.viewers.remove(ban);
            }
            BrakeRecord::Lifted { part: BrakePart::Halt | BrakePart::Rates, .. }
            | BrakeRecord::Halted(_)
            | BrakeRecord::RatesSet(_) => {}
        }
    }
}

/// Follows rows in commit order.
pub(crate) struct Checker {
    pub(crate) commits: Commits,
    heads: HashMap<DropId, RowHash>,
    /// Units supplied and taken, summed from the records.
    pub(crate) supply: BTreeMap<(DropId, PoolIndex), (i64, i64)>,
    projector: Projector,
    /// What the commands of each drop that is not over have resulted in last: its latest lot, withdrawal or undo.
    latest_results: HashMap<DropId, LatestResult>,
    /// Only where there is no table of them yet: the migration fills it.
    pub(crate) keys: Option<Vec<CommandKey>>,
    /// Sums of each drop, with the commit and the time of its latest row.
    tallied: BTreeMap<DropId, (ChainSums, CommitKey, UnixMillis)>,
    /// The latest start that has written a heartbeat.
    pub(crate) worked_in: Option<Incarnation>,
    bans: BanCommits,
    /// The commit in which each drop went on air first.
    aired: HashMap<DropId, CommitKey>,
}

impl Checker {
    pub(crate) fn new(commits: Commits, projector: Projector) -> Self {
        Self {
            commits,
            heads: HashMap::new(),
            supply: BTreeMap::new(),
            projector,
            latest_results: HashMap::new(),
            keys: None,
            tallied: BTreeMap::new(),
            worked_in: None,
            bans: BanCommits::default(),
            aired: HashMap::new(),
        }
    }

    /// Drops whose rows are left alone have ended with these hashes.
    pub(crate) fn know_ends(&mut self, seals: &[Seal], is_read: impl Fn(DropId) -> bool) {
        let left_alone = seals.iter().filter(|seal| !is_read(seal.drop));
        self.heads.extend(left_alone.map(|seal| (seal.drop, seal.head)));
    }

    pub(crate) fn row(&mut self, row: &Row) -> Result<(), OpenError> {
        let fail = |wrong| OpenError::Damage(damage(row, wrong));
        let (header, records) = codec::body(&row.body).map_err(|e| fail(Wrong::Body(e)))?;
        self.commits.row(row, header).map_err(OpenError::Damage)?;
        // Adjustments begin where their drop has ended.
        let expected = self.heads.get(&row.drop).or_else(|| self.heads.get(&row.drop.sale()));
        let expected = expected.copied().unwrap_or_else(|| RowHash::genesis(row.drop));
        if row.prev_hash != expected {
            return Err(fail(Wrong::PrevHash { found: row.prev_hash, expected }));
        }
        let computed = row.computed_hash();
        if row.hash != computed {
            return Err(fail(Wrong::Hash { found: row.hash, computed }));
        }
        self.heads.insert(row.drop, row.hash);
        if row.drop != DropId::HOUSE && !row.drop.is_adjustments() {
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
    pub(crate) fn drops(&self) -> Vec<DropId> {
        self.tallied.keys().copied().collect()
    }

    /// The seal of a drop whose chain has ended; only the hash that it ends with is kept of the drop then.
    pub(crate) fn take_ended(&mut self, drop: DropId) -> Option<Seal> {
        let (tallied, last, at) = self.tallied.get(&drop)?;
        let seal = tallied.seal(drop, *last, *self.heads.get(&drop)?, *at)?;
        self.tallied.remove(&drop);
        self.aired.remove(&drop);
        self.latest_results.remove(&drop);
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
        check_hold(row, record)?;
        let of_house = DropPools::default();
        let pools = match self.tallied.get_mut(&row.drop) {
            Some((sums, ..)) => {
                sums.record(record, at);
                sums.pools()
            }
            None => &of_house,
        };
        self.projector.catch_up(row, at, (record, place), pools);
        let commit = (row.incarnation, row.seq);
        match record {
            Record::Phase(PhaseRecord::Countdown { .. } | PhaseRecord::Opened)
            | Record::Featured => {
                self.aired.entry(row.drop).or_insert(commit);
            }
            Record::Heartbeat(_) => self.worked_in = Some(row.incarnation),
            Record::Brake(record) => self.bans.record(record, commit),
            Record::Phase(
                PhaseRecord::CountdownCancelled
                | PhaseRecord::Paused
                | PhaseRecord::Resumed
                | PhaseRecord::Closed
                | PhaseRecord::Settled
                | PhaseRecord::Cancelled
                | PhaseRecord::UndoBegun { .. }
                | PhaseRecord::Voided,
            )
            | Record::Planned { .. }
            | Record::Lot { .. }
            | Record::Hold(_)
            | Record::Payment(_)
            | Record::Deadline(_)
            | Record::Correction(_)
            | Record::Request(_)
            | Record::Unmatched(_)
            | Record::Stream(_)
            | Record::Suspended { .. }
            | Record::Recovered(_)
            | Record::Tally(_)
            | Record::Command(_)
            | Record::Room(_) => {}
        }
        if let Some(keys) = &mut self.keys {
            let latest_result = self.latest_results.entry(row.drop).or_default();
            latest_result.follow(record);
            keys.extend(CommandKey::of(row.drop, record, *latest_result));
        }
        if let Some(delta) = SupplyDelta::of(record, pools) {
            let (supplied, taken) = self.supply.entry((row.drop, delta.pool)).or_default();
            *supplied += delta.supplied;
            *taken += delta.taken;
        }
        Ok(())
    }

    pub(crate) fn finish(self) -> CheckedJournal {
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
        CheckedJournal {
            heads,
            last_at,
            projector,
            keys,
            sums,
            seals,
            sealed,
            worked_until,
            bans,
            aired,
        }
    }
}

/// A record's hold is of the row's drop, a take's also of the row's start.
fn check_hold(row: &Row, record: &Record) -> Result<(), Wrong> {
    let hold = match record {
        Record::Hold(record) => record.hold(),
        Record::Payment(record) => record.hold,
        Record::Deadline(DeadlineRecord::Stretched { hold, .. }) => *hold,
        _ => return Ok(()),
    };
    let is_take = matches!(record, Record::Hold(HoldRecord::Taken { .. }));
    if hold.drop_id() != row.drop.sale() || is_take && hold.incarnation() != row.incarnation {
        return Err(Wrong::Hold { hold });
    }
    Ok(())
}
