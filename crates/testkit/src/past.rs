//! Sales of the past: a ledger as a server would have left it, with the times that a test chooses.

use std::{path::Path, sync::Arc};

use stampede_domain::{
    ChannelId, DropId, DropPlan, DurationMs, HoldId, IdempotencyKey, PoolIndex, SkuIndex,
    SlotIndex, TakeNumber, Units, UnixMillis, ViewerId, ViewerNumber,
};
use stampede_ledger::{Entry, HoldRecord, Link, PhaseRecord, Record, Tally, ViewerLink};

use crate::{rig::Rig, units};

/// Entries of one commit at most: a ring holds several times as many.
const ENTRIES_PER_COMMIT: usize = 10_000;

/// A ledger that is written from the past to the present.
///
/// What a test tells happens at once, at the time that [`PastLedger::wait`] has come to. Records of one moment may
/// stand in one commit; [`PastLedger::finish`] writes what is left.
pub struct PastLedger {
    rig: Rig,
    now: UnixMillis,
    drops: u32,
    waiting: Vec<Entry<()>>,
    is_first: bool,
}

/// A drop of the past.
pub struct PastDrop {
    /// Its id.
    pub id: DropId,
    plan: Arc<DropPlan>,
    /// By pool: the number of the latest take.
    takes: Vec<u32>,
    lots: u32,
}

/// Units that somebody took.
#[derive(Clone, Debug)]
pub struct PastHold {
    hold: HoldId,
    viewer: ViewerNumber,
    units: Units,
    channel: Option<ChannelId>,
}

impl PastLedger {
    /// Makes a ledger in an empty folder, whose first moment is `from`.
    ///
    /// # Panics
    /// There is one already, or it cannot be written.
    pub fn create(folder: &Path, from: UnixMillis) -> Self {
        let rig = Rig::open(folder);
        Self { rig, now: from, drops: 0, waiting: Vec::new(), is_first: true }
    }

    /// The time that it has come to.
    pub fn now(&self) -> UnixMillis {
        self.now
    }

    /// Time passes.
    pub fn wait(&mut self, ms: u64) {
        self.flush();
        self.now = self.now.plus(DurationMs::new(ms));
    }

    /// Plans a drop.
    ///
    /// # Panics
    /// The plan is not sound.
    pub fn plan(&mut self, plan: DropPlan) -> PastDrop {
        plan.validate().expect("a sound plan");
        self.drops += 1;
        let (id, plan) = (DropId::new(self.drops), Arc::new(plan));
        self.push(id, Record::Planned { plan: Arc::clone(&plan), revision: 1 });
        // The writer sleeps until its first commit, which has one entry.
        if self.is_first {
            self.flush();
        }
        let takes = vec![0; plan.pools().count()];
        PastDrop { id, plan, takes, lots: 0 }
    }

    /// Puts a record of a drop on the ledger.
    pub fn push(&mut self, drop: DropId, record: impl Into<Record>) {
        self.enter(Entry { drop, record: record.into(), link: None, tag: () });
    }

    /// Writes what is left, then lets the ledger go.
    ///
    /// # Panics
    /// It cannot be written.
    pub fn finish(mut self) {
        self.flush();
        self.rig.close();
    }

    fn enter(&mut self, entry: Entry<()>) {
        self.waiting.push(entry);
        if self.waiting.len() == ENTRIES_PER_COMMIT {
            self.flush();
        }
    }

    fn flush(&mut self) {
        if !self.waiting.is_empty() {
            let entries = std::mem::take(&mut self.waiting);
            assert!(self.rig.commit(self.now, entries), "the ledger takes it");
            self.is_first = false;
        }
    }
}

impl PastDrop {
    /// Opens it after its countdown, with all that is planned.
    pub fn open(&mut self, ledger: &mut PastLedger) {
        let opens_at = ledger.now().plus(self.plan.countdown);
        ledger.push(self.id, PhaseRecord::Countdown { opens_at });
        ledger.wait(self.plan.countdown.get());
        for place in 0..self.plan.skus.len() {
            let supply = self.plan.skus[place].supply;
            if !supply.is_zero() {
                self.lot(ledger, place, supply.get());
            }
        }
        self.phase(ledger, PhaseRecord::Opened);
    }

    /// Adds units of the SKU in this place of the plan.
    pub fn lot(&mut self, ledger: &mut PastLedger, sku: usize, count: u32) {
        self.lots += 1;
        let (pool, lot) = (self.pool(sku), self.lots);
        ledger.push(self.id, Record::Lot { pool, units: units(count), lot });
    }

    /// Enters a phase, alone in its commit.
    pub fn phase(&mut self, ledger: &mut PastLedger, record: PhaseRecord) {
        ledger.flush();
        ledger.push(self.id, record);
        ledger.flush();
    }

    /// Viewer `who` takes units of the SKU in this place of the plan; the viewer's id is `v` with the number.
    ///
    /// # Panics
    /// A number is out of range, or the channel's name has no form.
    pub fn take(
        &mut self,
        ledger: &mut PastLedger,
        who: u64,
        (sku, count): (usize, u32),
        channel: Option<&str>,
    ) -> PastHold {
        let pool = self.pool(sku);
        let number = &mut self.takes[usize::from(pool.get())];
        *number += 1;
        let slot = SlotIndex::new(*number).expect("a slot's number");
        let take = TakeNumber::new((*number).into()).expect("a take's number");
        let channel: Option<ChannelId> = channel.map(|name| name.parse().expect("a channel's id"));
        let taken = PastHold {
            hold: HoldId::new(self.id, ledger.rig.incarnation, pool, slot, take),
            viewer: ViewerNumber::new(who).expect("a viewer's number"),
            units: units(count),
            channel,
        };
        let key = format!("{}-{number}", pool.get());
        let record = HoldRecord::Taken {
            hold: taken.hold,
            viewer: taken.viewer,
            key: IdempotencyKey::new(&key).expect("a key").fingerprint(),
            units: taken.units,
            taken_at: ledger.now(),
            deadline: ledger.now().plus(self.plan.hold_ttl),
            channel: taken.channel.clone(),
        };
        let id = ViewerId::new(&format!("v{who}")).expect("a viewer's id");
        let link = Some(Link::Viewer(Arc::new(ViewerLink { number: taken.viewer, id })));
        ledger.enter(Entry { drop: self.id, record: record.into(), link, tag: () });
        taken
    }

    /// A hold becomes an order.
    ///
    /// # Panics
    /// The amount is out of range.
    pub fn confirm(&self, ledger: &mut PastLedger, taken: &PastHold) {
        let sku = self.plan.pools().sku_of(taken.hold.pool()).expect("a pool of the plan");
        let price = self.plan.sku(sku).expect("a SKU of the plan").price;
        let record = HoldRecord::Confirmed {
            hold: taken.hold,
            viewer: taken.viewer,
            units: taken.units,
            amount: price.checked_times(taken.units).expect("an amount within range"),
            channel: taken.channel.clone(),
        };
        ledger.push(self.id, record);
    }

    /// A viewer gives a hold back.
    pub fn release(&self, ledger: &mut PastLedger, taken: &PastHold) {
        ledger.push(self.id, HoldRecord::Released { hold: taken.hold, units: taken.units });
    }

    /// A hold's time is over.
    pub fn expire(&self, ledger: &mut PastLedger, taken: &PastHold) {
        ledger.push(self.id, HoldRecord::Expired { hold: taken.hold, units: taken.units });
    }

    /// What was counted since the tally before.
    pub fn tally(&self, ledger: &mut PastLedger, tally: Tally) {
        ledger.push(self.id, Record::Tally(Box::new(tally)));
    }

    /// Closes, then settles: every hold has ended.
    pub fn settle(&mut self, ledger: &mut PastLedger) {
        self.phase(ledger, PhaseRecord::Closed);
        self.phase(ledger, PhaseRecord::Settled);
    }

    fn pool(&self, sku: usize) -> PoolIndex {
        let place = u8::try_from(sku).ok().and_then(SkuIndex::new).expect("a place in the plan");
        self.plan.pools().common(place).expect("every SKU of a plan has its common pool")
    }
}
