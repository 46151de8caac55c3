//! One drop of a sale as its maker remembers it.

use std::{collections::BTreeSet, sync::Arc};

use stampede_domain::{
    Amendment, DropPlan, DurationMs, HoldId, Phase, PoolIndex, RefusalCode, SlotIndex, TakeNumber,
    UnixMillis, ViewerLimits,
};
use stampede_ledger::{Amended, RecoveredDrop, RecoveredPool, Tally};
use stampede_testkit::units;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Pending,
    Held,
    Confirmed,
    Released,
    Expired,
}

#[derive(Clone, Debug)]
pub struct Hold {
    pub id: HoldId,
    pub viewer: u64,
    pub units: u32,
    pub taken_at: UnixMillis,
    pub deadline: UnixMillis,
    pub state: State,
    pub key: String,
    /// An end that is decided but not durable.
    pub ending: Option<State>,
}

#[derive(Debug)]
pub struct Sale {
    pub plan: Arc<DropPlan>,
    pub phase: Phase,
    pub holds: Vec<Hold>,
    pub supplied: Vec<u32>,
    pub lots: u32,
    pub tallied: Tally,
    pub opened_at: Option<UnixMillis>,
    pub restarts: u64,
    pub outage_ms: u64,
    pub last_take: Vec<u64>,
    pub floor: Vec<u64>,
    pub tally: Tally,
}

pub fn pool(number: usize) -> PoolIndex {
    PoolIndex::new(u8::try_from(number).unwrap()).unwrap()
}

/// Counts clicks in an ascending list.
pub fn count_clicks<K: Ord>(list: &mut Vec<(K, u64)>, key: K, times: u64) {
    match list.binary_search_by(|(known, _)| known.cmp(&key)) {
        Ok(place) => list[place].1 += times,
        Err(place) => list.insert(place, (key, times)),
    }
}

impl Sale {
    pub fn pool_holds(&self, number: usize) -> impl Iterator<Item = &Hold> + '_ {
        self.holds.iter().filter(move |hold| usize::from(hold.id.pool().get()) == number)
    }

    /// Units that memory has not given back: ends count only when they are durable.
    pub fn out(&self, number: usize) -> u32 {
        let out = |hold: &&Hold| !matches!(hold.state, State::Released | State::Expired);
        self.pool_holds(number).filter(out).map(|hold| hold.units).sum()
    }

    /// Units that nobody has taken.
    pub fn free(&self, number: usize) -> u32 {
        self.supplied[number] - self.out(number)
    }

    pub fn free_slot(&self, number: usize) -> SlotIndex {
        let out = |hold: &&Hold| !matches!(hold.state, State::Released | State::Expired);
        let used: BTreeSet<u32> =
            self.pool_holds(number).filter(out).map(|hold| hold.id.slot().get()).collect();
        let places = 0..=SlotIndex::MAX.get();
        SlotIndex::new(places.into_iter().find(|slot| !used.contains(slot)).unwrap()).unwrap()
    }

    pub fn may_take(&self, who: u64, number: usize, count: u32) -> Result<(), RefusalCode> {
        let mine = |hold: &&Hold| hold.viewer == who;
        let counts = |hold: &&Hold| !matches!(hold.state, State::Released | State::Expired);
        let all: u32 = self.holds.iter().filter(mine).filter(counts).map(|hold| hold.units).sum();
        let sku: u32 = self.pool_holds(number).filter(mine).filter(counts).map(|h| h.units).sum();
        let plan = &self.plan;
        if self.phase != Phase::Open {
            return Err(if self.phase == Phase::Paused {
                RefusalCode::Paused
            } else {
                RefusalCode::Closed
            });
        }
        if all + count > plan.limit_per_viewer.get()
            || sku + count > plan.skus[number].limit_per_viewer.get()
        {
            return Err(RefusalCode::OverViewerLimit);
        }
        if self.holds.iter().filter(mine).count() >= usize::from(plan.holds_per_viewer_max) {
            return Err(RefusalCode::HoldsCapped);
        }
        match self.free(number) {
            0 => Err(RefusalCode::SoldOut),
            left if left < count => Err(RefusalCode::NotEnough),
            _ => Ok(()),
        }
    }
}

impl Sale {
    pub fn amend(&mut self, of_drop: u32, of_first: u32) -> Amended {
        let mut limits = ViewerLimits::of(&self.plan);
        (limits.of_drop, limits.of_skus[0]) = (units(of_drop), units(of_first));
        let amendment = Amendment { limits: Some(limits), end: None };
        self.plan = Arc::new(amendment.apply_to(&self.plan));
        let last_takes = self.last_take.iter().map(|take| TakeNumber::new(*take).unwrap());
        Amended { amendment, last_takes: last_takes.collect() }
    }

    pub fn recover(&mut self, outage: DurationMs) -> RecoveredDrop {
        self.restarts += 1;
        self.outage_ms += outage.get();
        self.holds.retain(|hold| hold.state != State::Pending);
        self.tally = Tally::default();
        for hold in self.holds.iter_mut().filter(|hold| hold.state == State::Held) {
            hold.deadline = hold.deadline.plus(outage);
        }
        let mut pools = Vec::new();
        for number in 0..self.last_take.len() {
            let durable: BTreeSet<u64> =
                self.pool_holds(number).map(|hold| hold.id.take().get()).collect();
            let last = durable.last().copied().unwrap_or(0).max(self.floor[number]);
            let lost = (self.floor[number] + 1..=last).filter(|take| !durable.contains(take));
            let lost = lost.map(|take| TakeNumber::new(take).unwrap()).collect();
            self.last_take[number] = last;
            self.floor[number] = last;
            let last_take = TakeNumber::new(last).unwrap();
            pools.push(RecoveredPool { pool: pool(number), last_take, lost });
        }
        RecoveredDrop { outage, pools }
    }
}
