//! Records, entries, appliers that the tests share.
#![allow(dead_code, reason = "each test program uses its own part")]
#![allow(unreachable_pub, reason = "a module of several programs, none of which has a public")]

use std::{
    sync::Arc,
    thread::{self, Thread},
};

use parking_lot::Mutex;
use stampede_domain::{
    DropId, DropPlan, DurationMs, HoldId, Incarnation, KeyFingerprint, Money, NodeId, PaymentTerms,
    PoolIndex, SkuOption, SkuPlan, SlotIndex, StockDisplay, TakeNumber, Units, UnixMillis,
    ViewerId, ViewerNumber, WhenOffline,
};
use stampede_ledger::{
    Applier, Entry, HoldRecord, Link, Now, OpenLedger, Producer, Record, RingConfig, StoreError,
    ViewerLink, Wake, Writer, WriterHandle,
};
use stampede_testkit::{plan_of, sku};

pub const DROP: DropId = DropId::new(1);
pub const AT_MS: u64 = 1_800_000_000_000;

pub fn node() -> NodeId {
    "n1".parse().unwrap()
}

pub fn units(count: u32) -> Units {
    Units::new(count).unwrap()
}

pub fn pool(index: u8) -> PoolIndex {
    PoolIndex::new(index).unwrap()
}

pub fn plan() -> DropPlan {
    DropPlan {
        running_order: 3,
        title: "Mugs \u{2615}".into(),
        limit_per_viewer: units(3),
        countdown: DurationMs::from_secs(10),
        ends_at: Some(UnixMillis::new(AT_MS + 1)),
        ends_after_opening: None,
        ..plan_of([SkuPlan {
            title: "Red mug".into(),
            options: vec![SkuOption { name: "colour".into(), value: "red".into() }],
            image: Some("https://example.org/red.png".into()),
            ..sku("red", 100)
        }])
    }
}

/// The same with everything that a plan may say beyond its terms.
pub fn plan_with_options() -> DropPlan {
    DropPlan {
        stock_display: Some(StockDisplay { rounded_above: units(300), round_to: units(100) }),
        when_offline: Some(WhenOffline { pause_after: DurationMs::from_secs(30), resume: true }),
        ..plan()
    }
}

/// The same with how its holds wait for payments, and numbers for its units.
pub fn plan_with_payment_terms() -> DropPlan {
    let (grace, stretch) = (DurationMs::from_secs(3), DurationMs::from_secs(60));
    let mut plan = DropPlan { payment_terms: Some(PaymentTerms { grace, stretch }), ..plan() };
    plan.skus[0].numbered = true;
    plan
}

pub fn money(minor: u64) -> Money {
    Money::new(minor, "EUR".parse().unwrap()).unwrap()
}

pub fn hold(incarnation: Incarnation, number: u32) -> HoldId {
    hold_in(DROP, incarnation, number)
}

pub fn hold_in(drop: DropId, incarnation: Incarnation, number: u32) -> HoldId {
    let slot = SlotIndex::new(number).unwrap();
    let take = TakeNumber::new(u64::from(number)).unwrap();
    HoldId::new(drop, incarnation, pool(0), slot, take)
}

pub fn viewer(number: u32) -> ViewerNumber {
    ViewerNumber::new(u64::from(number) << 32 | 7).unwrap()
}

pub fn lot(count: u32) -> Record {
    Record::Lot { pool: pool(0), units: units(count), lot: 1 }
}

pub fn taken(hold: HoldId) -> Record {
    let number = u32::try_from(hold.take().get()).unwrap();
    let taken_at = UnixMillis::new(AT_MS);
    Record::Hold(HoldRecord::Taken {
        hold,
        viewer: viewer(number),
        key: KeyFingerprint::from_bits(u128::from(number)),
        units: Units::ONE,
        taken_at,
        deadline: taken_at.plus(DurationMs::from_secs(60)),
        channel: None,
    })
}

pub fn confirmed(hold: HoldId) -> Record {
    let number = u32::try_from(hold.take().get()).unwrap();
    let (viewer, amount) = (viewer(number), money(1990));
    Record::Hold(HoldRecord::Confirmed { hold, viewer, units: Units::ONE, amount, channel: None })
}

pub fn expired(hold: HoldId) -> Record {
    Record::Hold(HoldRecord::Expired { hold, units: Units::ONE })
}

/// An entry of drop 1; takes bring their viewer's link.
pub fn entry(record: Record) -> Entry<u64> {
    entry_in(DROP, record)
}

pub fn entry_in(drop: DropId, record: Record) -> Entry<u64> {
    let link = match record {
        Record::Hold(HoldRecord::Taken { viewer, .. }) => {
            let id = ViewerId::new(&format!("viewer-{viewer}")).unwrap();
            Some(Link::Viewer(Arc::new(ViewerLink { number: viewer, id })))
        }
        _ => None,
    };
    Entry { drop, record, link, tag: 0 }
}

/// What the applier saw, shared with the test.
#[derive(Clone, Default)]
pub struct ApplierLog(Arc<Mutex<SeenState>>);

#[derive(Default)]
struct SeenState {
    batches: Vec<Vec<Record>>,
    poisoned: Vec<String>,
    is_busy: bool,
}

impl ApplierLog {
    pub fn batches(&self) -> Vec<Vec<Record>> {
        self.0.lock().batches.clone()
    }

    pub fn records(&self) -> usize {
        self.0.lock().batches.iter().map(Vec::len).sum()
    }

    pub fn is_busy(&self) -> bool {
        self.0.lock().is_busy
    }

    pub fn poisoned(&self) -> Vec<String> {
        self.0.lock().poisoned.clone()
    }
}

impl Applier<u64> for ApplierLog {
    fn applied(&mut self, entries: &mut Vec<Entry<u64>>) {
        self.0.lock().batches.push(entries.drain(..).map(|entry| entry.record).collect());
    }

    fn busy(&mut self, _since: UnixMillis) {
        self.0.lock().is_busy = true;
    }

    fn free(&mut self, since: UnixMillis, now: UnixMillis) {
        assert!(since <= now);
        self.0.lock().is_busy = false;
    }

    fn poisoned(&mut self, why: &StoreError) {
        self.0.lock().poisoned.push(why.to_string());
    }
}

/// A writer with the steward's ring and one core's.
pub struct Rig {
    pub writer: WriterHandle,
    pub steward: Producer<u64>,
    pub core: Producer<u64>,
    pub seen: ApplierLog,
    pub incarnation: Incarnation,
}

impl Rig {
    pub fn start(opened: OpenLedger) -> Self {
        Self::start_with_room(opened, 4096)
    }

    pub fn start_with_room(opened: OpenLedger, entries_max: usize) -> Self {
        let seen = ApplierLog::default();
        let incarnation = opened.chains.incarnation;
        let rings = [0, 1].map(|_ring| RingConfig { entries_max, wake: wake(thread::current()) });
        let (writer, producers) = Writer::spawn(
            opened.store,
            opened.chains,
            Box::new(seen.clone()),
            fixed_now(),
            rings.into(),
        )
        .unwrap();
        let [steward, core] = producers.try_into().unwrap_or_else(|_| unreachable!("two rings"));
        Self { writer, steward, core, seen, incarnation }
    }

    /// Pushes on the core's ring, then waits for durability.
    pub fn commit(&mut self, records: Vec<Record>) {
        for record in records {
            self.core.push(entry(record));
        }
        let pushed = self.core.pushed();
        wait(|| self.core.durable() >= pushed);
    }

    pub fn take(&mut self, numbers: std::ops::Range<u32>) {
        let incarnation = self.incarnation;
        self.commit(numbers.map(|n| taken(hold(incarnation, n))).collect());
    }
}

pub fn wake(thread: Thread) -> Wake {
    Arc::new(move || thread.unpark())
}

pub fn fixed_now() -> Now {
    Arc::new(|| UnixMillis::new(AT_MS + 5))
}

/// Waits for a condition that a wake of this thread announces.
pub fn wait(mut condition: impl FnMut() -> bool) {
    for _ in 0..1_000 {
        if condition() {
            return;
        }
        thread::park_timeout(std::time::Duration::from_millis(20));
    }
    panic!("the condition did not come true within 20 s");
}
