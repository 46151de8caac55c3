//! Measures the writer alone: durable takes per second by viewers who are all new.
//!
//! `cargo run --release -p stampede-ledger --example writer_rate -- [takes] [in flight] [dir]`

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use stampede_domain::{
    DropId, DurationMs, HoldId, Incarnation, KeyFingerprint, PoolIndex, SlotIndex, TakeNumber,
    Units, UnixMillis, ViewerId, ViewerNumber,
};
use stampede_ledger::{
    Applier, DataDir, Entry, HoldRecord, Link, Producer, Record, RingConfig, SqliteLedger,
    StoreError, ViewerLink, Writer,
};

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
        |default: usize| arguments.next().map_or(default, |text| text.parse().expect("a number"));
    let (takes, in_flight) = (number(1_000_000), number(20_000));
    let temporary = tempfile::tempdir().expect("a temporary folder");
    let path = arguments.next().map_or(temporary.path().to_owned(), PathBuf::from);
    let data = DataDir::lock(&path).expect("a free directory");
    let node = "bench".parse().expect("a node id");
    let opening = instant();
    let opened = SqliteLedger::open(&data, &node).expect("a sound ledger");
    println!(
        "opened with {} links in {:.2} s",
        opened.links.viewers.len(),
        opening.elapsed().as_secs_f64()
    );
    let incarnation = opened.chains.incarnation;
    let entries = entries(takes, incarnation);
    let this = std::thread::current();
    let rings = [16, in_flight.max(1)].map(|entries_max| {
        let this = this.clone();
        RingConfig { entries_max, wake: Arc::new(move || this.unpark()) }
    });
    let (writer, mut producers) =
        Writer::spawn(opened.store, opened.chains, Box::new(Nothing), Arc::new(now), rings.into())
            .expect("a thread");
    let producer = &mut producers[1];
    let drop = DropId::new(1);
    let lot = Record::Lot { pool: pool(), units: Units::MAX, lot: 1 };
    let first = producer.push(Entry { drop, record: lot, link: None, tag: () });
    wait(producer, first.get());

    let started = instant();
    for entry in entries {
        while producer.room() == 0
            || producer.pushed().get() - producer.durable().get() >= in_flight as u64
        {
            std::thread::park();
        }
        producer.push(entry);
    }
    wait(producer, takes as u64 + 1);
    let seconds = started.elapsed().as_secs_f64();
    let closing = instant();
    writer.shutdown().expect("a sound writer");
    println!(
        "{takes} takes, {in_flight} in flight: {:.0}/s ({seconds:.2} s, closing {:.2} s)",
        rate(takes, seconds),
        closing.elapsed().as_secs_f64(),
    );
}

fn wait<T>(producer: &Producer<T>, position: u64) {
    while producer.durable().get() < position {
        std::thread::park();
    }
}

fn pool() -> PoolIndex {
    PoolIndex::new(0).expect("the first pool")
}

fn entries(count: usize, incarnation: Incarnation) -> Vec<Entry<()>> {
    let drop = DropId::new(1);
    let at = now();
    (0..count as u64)
        .map(|n| {
            let number = ViewerNumber::new(n.wrapping_mul(0x9e37_79b9_7f4a_7c15)).expect("64 bits");
            let id = ViewerId::new(&format!("viewer-{n:08}")).expect("a short id");
            let slot = SlotIndex::new(u32::try_from(n).expect("few")).expect("below 2^24");
            let take = TakeNumber::new(n + 1).expect("below 2^38");
            let record = Record::Hold(HoldRecord::Taken {
                hold: HoldId::new(drop, incarnation, pool(), slot, take),
                viewer: number,
                key: KeyFingerprint::from_bits(u128::from(number.get()) << 64 | u128::from(n)),
                units: Units::ONE,
                taken_at: at,
                deadline: at.plus(DurationMs::from_secs(60)),
                channel: None,
            });
            Entry {
                drop,
                record,
                link: Some(Link::Viewer(Arc::new(ViewerLink { number, id }))),
                tag: (),
            }
        })
        .collect()
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

fn rate(count: usize, seconds: f64) -> f64 {
    f64::from(u32::try_from(count).expect("below 2^32")) / seconds
}
