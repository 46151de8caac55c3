//! Writes a large ledger to measure how fast it is verified.
//!
//! `cargo run --release -p stampede-report --example verify_speed -- 500000` makes two records for
//! each viewer: a take with its link, a confirm.

use std::{path::Path, process::ExitCode, sync::Arc, thread, time::Instant};

use stampede_domain::{
    DropId, DropPlan, DurationMs, HoldId, Incarnation, KeyFingerprint, PoolIndex, SkuPlan,
    SlotIndex, TakeNumber, Units, UnixMillis, ViewerId, ViewerNumber,
};
use stampede_ledger::{
    Applier, DataDir, Entry, HoldRecord, Link, PhaseRecord, Producer, Record, RingConfig,
    SqliteJournal, SqliteLedger, StoreError, ViewerLink, Writer,
};
use stampede_testkit::{plan_of, sku};

const DROP: DropId = DropId::new(1);
const START: UnixMillis = UnixMillis::new(1_763_816_400_000);
const RING_ENTRIES: usize = 20_000;

struct Ignore;

impl Applier<()> for Ignore {
    fn applied(&mut self, entries: &mut Vec<Entry<()>>) {
        entries.clear();
    }

    fn poisoned(&mut self, why: &StoreError) {
        eprintln!("{why}");
    }
}

fn plan(viewers: u32) -> DropPlan {
    DropPlan {
        stream: "friday".parse().expect("an id is valid"),
        limit_per_viewer: Units::ONE,
        holds_per_viewer_max: 1,
        hold_ttl: DurationMs::from_secs(3_600),
        ..plan_of([SkuPlan { limit_per_viewer: Units::ONE, ..sku("mug", viewers) }])
    }
}

/// Pushes when there is room, as a producer does.
fn push(ring: &mut Producer<()>, record: Record, link: Option<Link>) {
    while ring.room() == 0 {
        thread::yield_now();
    }
    ring.push(Entry { drop: DROP, record, link, tag: () });
}

/// Waits until everything pushed is durable: ends follow the takes' commits.
fn settle(ring: &Producer<()>) {
    while ring.durable() < ring.pushed() {
        thread::yield_now();
    }
}

fn write(path: &Path, viewers: u32) {
    let data = DataDir::lock(path).expect("a fresh directory");
    let node = "n1".parse().expect("a node id");
    let ledger = SqliteLedger::open(&data, &node).expect("a fresh ledger");
    let incarnation = ledger.chains.incarnation;
    let rings = vec![RingConfig { entries_max: RING_ENTRIES, wake: Arc::new(|| ()) }];
    let now = Arc::new(|| START);
    let (writer, mut rings) =
        Writer::spawn(ledger.store, ledger.chains, Box::new(Ignore), now, rings).expect("a thread");
    let ring = &mut rings[0];
    let plan = plan(viewers);
    let (price, supply) = (plan.skus[0].price, plan.skus[0].supply);
    let pool = PoolIndex::default();
    push(ring, Record::Planned { plan: plan.into(), revision: 1 }, None);
    push(ring, Record::Phase(PhaseRecord::Countdown { opens_at: START }), None);
    push(ring, Record::Lot { pool, units: supply, lot: 1 }, None);
    push(ring, Record::Phase(PhaseRecord::Opened), None);
    settle(ring);
    for number in 1..=viewers {
        let (record, link) = take(incarnation, number);
        push(ring, record, Some(Link::Viewer(link)));
    }
    settle(ring);
    for number in 1..=viewers {
        let viewer = viewer(number);
        let confirmed = Record::Hold(HoldRecord::Confirmed {
            hold: hold(incarnation, number),
            viewer,
            units: Units::ONE,
            amount: price,
            channel: None,
        });
        push(ring, confirmed, None);
    }
    writer.shutdown().expect("the disk has room");
}

fn hold(incarnation: Incarnation, number: u32) -> HoldId {
    let slot = SlotIndex::new(number - 1).expect("as many slots as units");
    let take = TakeNumber::new(u64::from(number)).expect("few takes");
    HoldId::new(DROP, incarnation, PoolIndex::default(), slot, take)
}

fn viewer(number: u32) -> ViewerNumber {
    // An odd factor spreads the numbers as random ones are.
    ViewerNumber::new(u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15)).expect("64 bits")
}

fn take(incarnation: Incarnation, number: u32) -> (Record, Arc<ViewerLink>) {
    let viewer = viewer(number);
    let record = Record::Hold(HoldRecord::Taken {
        hold: hold(incarnation, number),
        viewer,
        key: KeyFingerprint::from_bits(u128::from(number)),
        units: Units::ONE,
        taken_at: START,
        deadline: START.plus(DurationMs::from_secs(3_600)),
        channel: None,
    });
    let id = ViewerId::new(&format!("viewer-{number}")).expect("a short id");
    (record, Arc::new(ViewerLink { number: viewer, id }))
}

#[allow(clippy::disallowed_methods, reason = "a measurement needs a clock")]
fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let done = work();
    println!("{what:<10} {:>8.3} s", begun.elapsed().as_secs_f64());
    done
}

fn main() -> ExitCode {
    let viewers = std::env::args().nth(1).map_or(Ok(500_000), |count| count.parse());
    let Ok(viewers) = viewers else {
        eprintln!("usage: verify_speed [VIEWERS]");
        return ExitCode::from(2);
    };
    let dir = tempfile::tempdir().expect("a temporary directory");
    timed("write", || write(dir.path(), viewers));
    let journal = SqliteJournal::open(dir.path()).expect("a ledger");
    let verification = timed("verify", || stampede_report::verify_journal(&journal));
    let reports = timed("report", || stampede_report::reports(&journal));
    match (verification, reports) {
        (Ok(verification), Ok(_)) if verification.ok => {
            print!("{verification}");
            ExitCode::SUCCESS
        }
        (verification, reports) => {
            eprintln!("{verification:?} {:?}", reports.err());
            ExitCode::FAILURE
        }
    }
}
