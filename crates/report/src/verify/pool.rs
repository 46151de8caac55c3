//! One pool's takes: numbers, slots, sums.

use std::collections::{HashMap, HashSet};

use stampede_domain::{
    DurationMs, HoldId, PoolIndex, SkuIndex, TakeNumber, Units, UnixMillis, ViewerNumber,
};
use stampede_ledger::RecoveredPool;

use super::{
    LATE_MS_MAX,
    finding::{Findings, Place},
    holds::{HoldEnd, HoldFault},
};

type FastMap<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

/// A hold as its take left it.
#[derive(Clone, Copy, Debug)]
pub(super) struct TakenHold {
    pub(super) hold: HoldId,
    pub(super) viewer: ViewerNumber,
    pub(super) units: Units,
    /// Deadline without the outages that had passed when it was taken, with its stretch.
    pub(super) deadline_base: UnixMillis,
    /// When the stock word moved.
    pub(super) since: UnixMillis,
    /// The commit; with the hold's incarnation it names the row.
    pub(super) seq: u64,
    pub(super) end: Option<HoldEnd>,
    /// An attempt to pay has moved its deadline.
    pub(super) is_stretched: bool,
}

/// The takes of one pool.
#[derive(Debug)]
pub(super) struct PoolBook {
    pool: PoolIndex,
    /// Every hold by its take number.
    holds: FastMap<u64, TakenHold>,
    /// Take numbers of the slots that have not come back.
    slots: FastMap<u32, u64>,
    /// Highest number that a restart has accounted for.
    floor: u64,
    /// Numbers recorded since, with the time of their commit.
    since: Vec<(u64, UnixMillis)>,
    lost: HashSet<u64>,
    pub(super) held: u64,
    pub(super) sold: u64,
    /// Largest excess over supply that was reported.
    excess: u64,
}

impl PoolBook {
    pub(super) fn new(pool: PoolIndex) -> Self {
        Self {
            pool,
            holds: FastMap::default(),
            slots: FastMap::default(),
            floor: 0,
            since: Vec::new(),
            lost: HashSet::new(),
            held: 0,
            sold: 0,
            excess: 0,
        }
    }

    /// Counts a take. Its number must be new, its slot free, its units supplied.
    pub(super) fn take(
        &mut self,
        taken: TakenHold,
        supplied: u64,
        at: UnixMillis,
        place: Place,
        findings: &mut Findings,
    ) {
        let hold = taken.hold;
        self.held += u64::from(taken.units.get());
        self.check_supply(supplied, place, findings);
        let number = hold.take().get();
        if number <= self.floor {
            findings.add(place, HoldFault::NumberPassed { hold, reached: self.floor });
        }
        if let Some(first) = self.holds.get(&number).map(|first| first.hold) {
            return findings.add(place, HoldFault::NumberRepeated { hold, first });
        }
        self.since.push((number, at));
        self.holds.insert(number, taken);
        let slot = hold.slot();
        if let Some(other) = self.slots.insert(slot.get(), number)
            && let Some(other) = self.holds.get(&other).map(|other| other.hold)
        {
            findings.add(place, HoldFault::SlotBusy { hold, slot, other });
        }
    }

    /// The highest number of a take so far.
    pub(super) fn highest_take(&self) -> u64 {
        self.since.iter().map(|(number, _)| *number).fold(self.floor, u64::max)
    }

    /// Units were withdrawn, which leaves so many supplied: they must have been free.
    pub(super) fn withdraw(
        &mut self,
        units: Units,
        supplied: u64,
        place: Place,
        findings: &mut Findings,
    ) {
        let excess = (self.held + self.sold).saturating_sub(supplied);
        if excess > self.excess {
            self.excess = excess;
            let (pool, held, sold) = (self.pool, self.held, self.sold);
            let fault = HoldFault::WithdrawnNotFree { pool, units, supplied, held, sold };
            findings.add(place, fault);
        }
    }

    fn check_supply(&mut self, supplied: u64, place: Place, findings: &mut Findings) {
        let excess = (self.held + self.sold).saturating_sub(supplied);
        if excess > self.excess {
            self.excess = excess;
            let (pool, held, sold) = (self.pool, self.held, self.sold);
            findings.add(place, HoldFault::Oversold { pool, supplied, held, sold });
        }
    }

    /// Ends a hold; returns it as taken, unless there is no such live hold.
    pub(super) fn end(
        &mut self,
        hold: HoldId,
        end: HoldEnd,
        units: Units,
        place: Place,
        findings: &mut Findings,
    ) -> Option<TakenHold> {
        let count = u64::from(units.get());
        self.held = self.held.saturating_sub(count);
        if end == HoldEnd::Confirmed {
            self.sold += count;
        }
        let number = hold.take().get();
        let Some(taken) = self.holds.get_mut(&number).filter(|taken| taken.hold == hold) else {
            findings.add(place, HoldFault::NeverTaken { hold, end });
            return None;
        };
        if let Some(first) = taken.end {
            findings.add(place, HoldFault::EndedTwice { hold, first, end });
            return None;
        }
        taken.end = Some(end);
        if taken.units != units {
            let taken = taken.units;
            findings.add(place, HoldFault::UnitsDiffer { hold, end, taken, units });
        }
        // A confirmed hold keeps its slot for ever.
        if end != HoldEnd::Confirmed && self.slots.get(&hold.slot().get()) == Some(&number) {
            self.slots.remove(&hold.slot().get());
        }
        Some(*taken)
    }

    /// Holds what a restart says about the pool against the takes recorded before it. Returns how
    /// many numbers it lists as lost.
    pub(super) fn recovered(
        &mut self,
        stated: &RecoveredPool,
        place: Place,
        findings: &mut Findings,
    ) -> u64 {
        let pool = self.pool;
        let listed: Vec<u64> = stated.lost.iter().map(|number| number.get()).collect();
        let gaps = self.gaps();
        for number in &listed {
            let is_gap = gaps.iter().any(|(first, last, _)| (*first..=*last).contains(number));
            if !is_gap && !self.lost.contains(number) {
                findings.add(place, HoldFault::NotLost { pool, number: *number });
            }
        }
        for (first, last, _) in gaps {
            self.missing(first, last, &listed, place, findings);
        }
        let found = self.last_take();
        if stated.last_take.get() != found {
            let stated = stated.last_take.get();
            findings.add(place, HoldFault::LastTake { pool, stated, found });
        }
        self.floor = found;
        self.since.clear();
        let before = self.lost.len();
        self.lost.extend(listed);
        u64::try_from(self.lost.len() - before).expect("a set in memory fits 64 bits")
    }

    /// Reports the numbers of a gap that are not listed as lost, run by run.
    fn missing(
        &self,
        first: u64,
        last: u64,
        listed: &[u64],
        place: Place,
        findings: &mut Findings,
    ) {
        let pool = self.pool;
        let mut from = first;
        for number in listed.iter().filter(|number| (first..=last).contains(*number)) {
            if from < *number {
                let last = number - 1;
                findings.add(place, HoldFault::NumbersMissing { pool, first: from, last });
            }
            from = number + 1;
        }
        if from <= last {
            findings.add(place, HoldFault::NumbersMissing { pool, first: from, last });
        }
    }

    /// Runs of numbers that were not recorded although a higher one was, each with the earliest
    /// commit of a higher number.
    fn gaps(&mut self) -> Vec<(u64, u64, UnixMillis)> {
        self.since.sort_unstable();
        let mut gaps = Vec::new();
        let mut next_at = UnixMillis::new(u64::MAX);
        for at in (0..self.since.len()).rev() {
            let (number, time) = self.since[at];
            next_at = next_at.min(time);
            let before = at.checked_sub(1).map_or(self.floor, |below| self.since[below].0);
            if number > before + 1 {
                gaps.push((before + 1, number - 1, next_at));
            }
        }
        gaps.reverse();
        gaps
    }

    fn last_take(&self) -> u64 {
        self.since.iter().map(|(number, _)| *number).fold(self.floor, u64::max)
    }

    /// At the end of a drop every number must be there, and no hold may live.
    pub(super) fn settle(&mut self, place: Place, findings: &mut Findings) {
        for (first, last, _) in self.gaps() {
            findings.add(place, HoldFault::NumbersMissing { pool: self.pool, first, last });
        }
        self.floor = self.last_take();
        self.holds = FastMap::default();
        self.slots = FastMap::default();
        self.since = Vec::new();
    }

    /// At the end of a journal numbers may be on their way, if the commits that overtook them are
    /// young: `waited_ms` says for how long the start went on since. Returns how many are.
    pub(super) fn finish(
        &mut self,
        waited_ms: impl Fn(UnixMillis) -> u64,
        place: Place,
        findings: &mut Findings,
    ) -> u64 {
        let mut under_way = 0;
        for (first, last, overtaken_at) in self.gaps() {
            if waited_ms(overtaken_at) > LATE_MS_MAX {
                findings.add(place, HoldFault::NumbersMissing { pool: self.pool, first, last });
            } else {
                under_way += last - first + 1;
            }
        }
        under_way
    }

    /// A hold as its take left it, ended ones included.
    pub(super) fn taken(&self, hold: HoldId) -> Option<&TakenHold> {
        self.holds.get(&hold.take().get()).filter(|taken| taken.hold == hold)
    }

    /// Whether a take number had become durable when the drop ended.
    pub(super) fn had(&self, number: u64) -> bool {
        (1..=self.floor).contains(&number) && !self.lost.contains(&number)
    }

    /// Who took a hold.
    pub(super) fn taker(&self, hold: HoldId) -> Option<ViewerNumber> {
        self.taken(hold).map(|taken| taken.viewer)
    }

    /// An attempt to pay moved a hold's deadline.
    pub(super) fn stretch(&mut self, hold: HoldId, span: DurationMs) {
        let taken = self.holds.get_mut(&hold.take().get()).filter(|taken| taken.hold == hold);
        if let Some(taken) = taken {
            taken.deadline_base = taken.deadline_base.plus(span);
            taken.is_stretched = true;
        }
    }

    /// Holds that have not ended.
    pub(super) fn live(&self) -> u64 {
        let live = self.holds.values().filter(|taken| taken.end.is_none()).count();
        u64::try_from(live).expect("a map in memory fits 64 bits")
    }
}

const _: () = assert!(TakeNumber::BITS < u64::BITS, "one more than a take number never overflows");

/// A pool that no plan has stands under its own number.
pub(super) fn own_number(pool: PoolIndex) -> SkuIndex {
    SkuIndex::new(pool.get()).expect("both numbers have 8 bits")
}
