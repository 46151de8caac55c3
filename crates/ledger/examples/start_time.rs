//! Measures how long a start takes, with the rows of drops that are over left alone or read.
//!
//! `cargo run --release -p stampede-ledger --example start_time -- [drops] [takes of each] [dir]`

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use stampede_domain::{
    DropId, DropPlan, DurationMs, HoldId, Incarnation, KeyFingerprint, Money, PoolIndex, SkuPlan,
    SlotIndex, TakeNumber, Units, UnixMillis, ViewerId, ViewerNumber,
};
use stampede_ledger::{
    Applier, DataDir, Entry, HoldRecord, Link, OpenLedger, PhaseRecord, Producer, Record,
    RingConfig, SqliteLedger, SqliteOptions, StoreError, ViewerLink, Writer,
};
use stampede_testkit::{plan_of, sku};

/// Longer ago than any drop was settled.
const EVER: DurationMs = DurationMs::from_secs(1 << 30);

struct Nothing;

impl Applier<()> for Nothing {
    fn applied(&mut self, _entries: &mut Vec<Entry<()>>) {}

    fn poisoned(&mut self, why: &StoreError) {
        panic!("{why}");
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut number =
        |default: u32| arguments.next().map_or(default, |text| text.parse().expect("a number"));
    let (drops, takes) = (number(5_000), number(200));
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let path = arguments.next().map_or(temporary.path().to_owned(), PathBuf::from);
    sell(open(&path, EVER), drops, takes);
    for _round in 0..3 {
        for (kept, what) in [(EVER, "every row"), (DurationMs::ZERO, "seals")] {
            let opening = instant();
            let opened = open(&path, kept);
            let seconds = opening.elapsed().as_secs_f64();
            let (sealed, links) = (opened.sealed.len(), opened.links.viewers.len());
            let folding = instant();
            let rows = opened.history.map(|row| row.expect("a sound row").decode().count()).sum();
            let (rows, folded): (usize, _) = (rows, folding.elapsed().as_secs_f64());
            println!(
                "by {what}: {seconds:.3} s, {sealed} drops sealed, {links} links; \
                 {rows} records decoded again in {folded:.3} s"
            );
        }
    }
}

fn open(path: &Path, settled_kept: DurationMs) -> OpenLedger {
    let data = DataDir::lock(path).expect("a free directory");
    let options = SqliteOptions { settled_kept, ..SqliteOptions::default() };
    let node = "bench".parse().expect("a node id");
    SqliteLedger::open_with(&data, &node, &options).expect("a sound ledger")
}

/// Sells that many drops out, one after the other, and settles each.
fn sell(opened: OpenLedger, drops: u32, takes: u32) {
    let incarnation = opened.chains.incarnation;
    let this = std::thread::current();
    let rings = [16, 4_096].map(|entries_max| {
        let this = this.clone();
        RingConfig { entries_max, wake: Arc::new(move || this.unpark()) }
    });
    let (writer, mut producers) =
        Writer::spawn(opened.store, opened.chains, Box::new(Nothing), Arc::new(now), rings.into())
            .expect("a thread");
    let producer = &mut producers[1];
    for drop in (1..=drops).map(DropId::new) {
        let plan = Arc::new(plan());
        let mut records =
            vec![Record::Planned { plan, revision: 1 }, Record::Phase(PhaseRecord::Opened)];
        records.push(Record::Lot { pool: pool(), units: Units::MAX, lot: 1 });
        let takes = (0..takes).map(|n| taken(drop, incarnation, n));
        let begins = records.into_iter().map(|record| (record, None));
        // A drop is settled once all its holds have ended, in a commit of its own.
        push(producer, drop, begins.chain(takes.flatten()));
        push(
            producer,
            drop,
            [Record::Phase(PhaseRecord::Closed), Record::Phase(PhaseRecord::Settled)]
                .map(|record| (record, None)),
        );
    }
    writer.shutdown().expect("a sound writer");
}

fn push(
    producer: &mut Producer<()>,
    drop: DropId,
    records: impl IntoIterator<Item = (Record, Option<Link>)>,
) {
    for (record, link) in records {
        while producer.room() == 0 {
            std::thread::park();
        }
        producer.push(Entry { drop, record, link, tag: () });
    }
    let pushed = producer.pushed();
    while producer.durable() < pushed {
        std::thread::park();
    }
}

fn pool() -> PoolIndex {
    PoolIndex::new(0).expect("the first pool")
}

/// A take with its link, and the order that follows.
fn taken(drop: DropId, incarnation: Incarnation, n: u32) -> [(Record, Option<Link>); 2] {
    let number = u64::from(drop.get()) << 32 | u64::from(n);
    let viewer = ViewerNumber::new(number).expect("64 bits");
    let id = ViewerId::new(&format!("viewer-{number:x}")).expect("a short id");
    let slot = SlotIndex::new(n).expect("below 2^24");
    let take = TakeNumber::new(u64::from(n) + 1).expect("below 2^38");
    let hold = HoldId::new(drop, incarnation, pool(), slot, take);
    let (units, taken_at) = (Units::ONE, now());
    let deadline = taken_at.plus(DurationMs::from_secs(60));
    let key = KeyFingerprint::from_bits(u128::from(number));
    let amount = Money::new(1_990, "EUR".parse().expect("a currency")).expect("a price");
    let link = Link::Viewer(Arc::new(ViewerLink { number: viewer, id }));
    let channel = None;
    let take =
        Record::Hold(HoldRecord::Taken { hold, viewer, key, units, taken_at, deadline, channel });
    let order = Record::Hold(HoldRecord::Confirmed { hold, viewer, units, amount, channel: None });
    [(take, Some(link)), (order, None)]
}

fn plan() -> DropPlan {
    let mug = SkuPlan { limit_per_viewer: Units::ONE, ..sku("mug", Units::MAX.get()) };
    DropPlan { limit_per_viewer: Units::ONE, holds_per_viewer_max: 1, ..plan_of([mug]) }
}

#[allow(clippy::disallowed_methods, reason = "a measurement reads the clock")]
fn instant() -> Instant {
    Instant::now()
}

#[allow(clippy::disallowed_methods, reason = "a measurement reads the clock")]
fn now() -> UnixMillis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    UnixMillis::new(u64::try_from(since.as_millis()).expect("64 bits"))
}
