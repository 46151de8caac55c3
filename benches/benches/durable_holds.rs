//! Durable holds per second through the engine into SQLite, by distinct viewers with their links.
//!
//! One core takes; a fixed number of its takes is under way at any time. Each hold is a first buy of
//! a viewer nobody has seen, with a limit and a key, on a ledger in a temporary directory. The time
//! runs from the first take until the last is durable.

#![allow(clippy::unwrap_used, reason = "a bench that meets the unexpected should stop there")]
#![allow(clippy::disallowed_methods, reason = "a bench measures time")]
#![allow(clippy::cast_precision_loss, reason = "figures are printed with three digits")]

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use hdrhistogram::Histogram;
use parking_lot::Mutex;
use stampede_domain::{
    ChannelId, DropId, DropPlan, DurationMs, IdempotencyKey, Mode, Phase, SkuPlan, StreamId, Units,
    UnixMillis,
};
use stampede_engine::{
    Action, Buy, BuyRequest, Clock, CorePort, DropAction, Engine, EngineConfig, Role, StaffCommand,
    Viewer, Wake,
};
use stampede_ledger::{Batch, DataDir, Idle, SqliteLedger, Store, StoreError};
use stampede_testkit::{plan_of, sku};

const VIEWERS: usize = 1_000_000;
const IN_FLIGHT: [usize; 3] = [200, 2_000, 20_000];
const ROUNDS: usize = 3;
/// Channels that the viewers' tickets name; 0 for tickets without one.
const CHANNELS: [usize; 2] = [0, 100];

struct WallClock(Instant);

impl Clock for WallClock {
    fn now(&self) -> UnixMillis {
        let elapsed = u64::try_from(self.0.elapsed().as_millis()).unwrap();
        UnixMillis::new(1_700_000_000_000 + elapsed)
    }
}

/// The real store with a watch beside it.
struct Timed {
    store: Box<dyn Store>,
    commit_us: Arc<Mutex<Histogram<u64>>>,
}

impl Store for Timed {
    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        let started = Instant::now();
        let done = self.store.commit(batch);
        let us = u64::try_from(started.elapsed().as_micros()).unwrap();
        self.commit_us.lock().record(us.max(1)).unwrap();
        done
    }

    fn tend(&mut self) -> Result<(), StoreError> {
        self.store.tend()
    }

    fn idle(&mut self) -> Result<Idle, StoreError> {
        self.store.idle()
    }

    fn close(&mut self) -> Result<(), StoreError> {
        self.store.close()
    }
}

struct Measured {
    per_s: f64,
    commits: u64,
    commit_us_p50: u64,
    commit_us_p99: u64,
}

fn main() {
    println!("durable holds by {VIEWERS} distinct viewers, links written, synchronous=FULL");
    println!(
        "{:>9} {:>8} {:>12} {:>9} {:>14} {:>14}",
        "in flight", "channels", "holds/s", "commits", "commit p50 us", "commit p99 us"
    );
    for in_flight in IN_FLIGHT {
        // Few in flight means many commits: fewer takes keep the run short.
        let takes = if in_flight < 1_000 { VIEWERS / 5 } else { VIEWERS };
        for channels in CHANNELS.iter().copied().cycle().take(CHANNELS.len() * ROUNDS) {
            let m = measure(in_flight, takes, channels);
            println!(
                "{in_flight:>9} {channels:>8} {:>12.0} {:>9} {:>14} {:>14}",
                m.per_s, m.commits, m.commit_us_p50, m.commit_us_p99
            );
        }
    }
}

fn measure(in_flight: usize, takes: usize, channels: usize) -> Measured {
    let dir = tempfile::tempdir().unwrap();
    let data = DataDir::lock(dir.path()).unwrap();
    let mut ledger = SqliteLedger::open(&data, &"bench".parse().unwrap()).unwrap();
    let commit_us = Arc::new(Mutex::new(Histogram::new(3).unwrap()));
    ledger.store = Box::new(Timed { store: ledger.store, commit_us: Arc::clone(&commit_us) });
    let ring_entries_max = in_flight.next_power_of_two();
    let config = EngineConfig { cores: 1, ring_entries_max, ..EngineConfig::default() };
    let taker = thread::current();
    let wake: Wake = Arc::new(move || taker.unpark());
    let clock = Arc::new(WallClock(Instant::now()));
    let (engine, mut ports) = stampede_engine::start(config, ledger, clock, vec![wake]).unwrap();
    let mut port = ports.pop().unwrap();
    let stream: StreamId = "show".parse().unwrap();
    let drop = open(&engine, takes);
    let viewers: Vec<Arc<Viewer>> = (0_u64..)
        .take(takes)
        .map(|n| port.join(&format!("viewer-{n:07}").parse().unwrap(), (&stream, Mode::Live), n))
        .collect();
    // As tickets do, each viewer brings a name of its own.
    let tickets: Vec<Option<ChannelId>> = (0..takes)
        .map(|n| (channels > 0).then(|| format!("creator-{}", n % channels).parse().unwrap()))
        .collect();
    commit_us.lock().reset();

    let elapsed = take_all(&mut port, &viewers, &tickets, drop, in_flight);
    let per_s = takes as f64 / elapsed.as_secs_f64();
    engine.shutdown();
    let commit_us = commit_us.lock();
    Measured {
        per_s,
        commits: commit_us.len(),
        commit_us_p50: commit_us.value_at_quantile(0.5),
        commit_us_p99: commit_us.value_at_quantile(0.99),
    }
}

fn take_all(
    port: &mut CorePort,
    viewers: &[Arc<Viewer>],
    tickets: &[Option<ChannelId>],
    drop: DropId,
    in_flight: usize,
) -> Duration {
    let key: IdempotencyKey = "first-click".parse().unwrap();
    let stream: StreamId = "show".parse().unwrap();
    let limit = u64::try_from(in_flight).unwrap();
    let (mut taken, mut last) = (port.durable().get(), port.durable());
    let started = Instant::now();
    for (viewer, channel) in viewers.iter().zip(tickets) {
        while taken - port.durable().get() >= limit {
            port.flush();
            thread::park();
        }
        let channel = channel.as_ref();
        let request = BuyRequest { drop, sku: "unit", units: 1, key: &key, channel };
        match port.buy(viewer, &stream, Mode::Live, request) {
            Buy::Pending { position, .. } => (taken, last) = (position.get(), position),
            other => panic!("expected a hold, got {other:?}"),
        }
    }
    port.flush();
    while port.durable() < last {
        thread::park();
    }
    started.elapsed()
}

fn open(engine: &Engine, units: usize) -> DropId {
    let units = Units::new(u32::try_from(units).unwrap()).unwrap();
    let give = |key: &str, action| {
        let command = StaffCommand {
            actor: "bench".into(),
            role: Role::Admin,
            merchant: None,
            streams: stampede_engine::StreamScope::All,
            key: key.parse().unwrap(),
            reason: None,
            action,
        };
        engine.command(command).unwrap().blocking_recv().unwrap().unwrap().drop
    };
    let drop = give("plan", Action::Plan { plan: Arc::new(plan(units)) });
    give("open", DropAction::StartCountdown.on(drop));
    while engine.sale(drop).unwrap().phase() != Phase::Open {
        thread::yield_now();
    }
    drop
}

fn plan(supply: Units) -> DropPlan {
    let unit = SkuPlan { limit_per_viewer: Units::ONE, ..sku("unit", supply.get()) };
    DropPlan {
        limit_per_viewer: Units::ONE,
        hold_ttl: DurationMs::from_secs(3_600),
        ..plan_of([unit])
    }
}
