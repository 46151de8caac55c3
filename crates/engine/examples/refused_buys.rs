//! Nanoseconds that a core needs for a buy that a sold-out drop refuses, by how many channels the
//! tickets name.
//!
//! `cargo run --release -p stampede-engine --example refused_buys -- [BUYS [CHANNELS]]`
//!
//! One core decides; the steward beside it tallies as in a sale. Each line has the median of its rounds
//! with the best one.

#![allow(clippy::unwrap_used, reason = "a measurement that meets the unexpected should stop there")]
#![allow(clippy::disallowed_methods, reason = "a measurement goes by the clock")]
#![allow(clippy::cast_precision_loss, reason = "figures are printed with one digit")]

use std::{sync::Arc, thread, time::Instant};

use stampede_domain::{
    ChannelId, DropId, IdempotencyKey, Mode, Phase, Refusal, StreamId, Units, UnixMillis,
};
use stampede_engine::{
    Action, Buy, BuyRequest, Clock, CorePort, DropAction, Engine, EngineConfig, Role, StaffCommand,
    StreamScope, Viewer, Wake,
};
use stampede_ledger::{DataDir, SqliteLedger};
use stampede_testkit::{plan_of, sku};

/// Buys of a round if the first argument does not say.
const BUYS: usize = 2_000_000;
const VIEWERS: usize = 1_000;
const ROUNDS: usize = 7;
/// Channels that the viewers' tickets name if the second argument does not say; 0 for tickets without one.
const CHANNELS: [usize; 4] = [0, 1, 100, 20_000];

struct WallClock(Instant);

impl Clock for WallClock {
    fn now(&self) -> UnixMillis {
        let elapsed = u64::try_from(self.0.elapsed().as_millis()).unwrap();
        UnixMillis::new(1_700_000_000_000 + elapsed)
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1).map(|number| number.parse().unwrap());
    let buys = arguments.next().unwrap_or(BUYS);
    let channels = arguments.next().map_or_else(|| CHANNELS.to_vec(), |channels| vec![channels]);
    println!("a buy that a sold-out drop refuses, {buys} a round, {ROUNDS} rounds");
    println!("{:>8} {:>10} {:>8}", "channels", "median ns", "best ns");
    for channels in channels {
        let mut rounds = measure(channels, buys);
        rounds.sort_unstable_by(f64::total_cmp);
        println!("{channels:>8} {:>10.1} {:>8.1}", rounds[rounds.len() / 2], rounds[0]);
    }
}

fn measure(channels: usize, buys: usize) -> Vec<f64> {
    let dir = tempfile::tempdir().unwrap();
    let data = DataDir::lock(dir.path()).unwrap();
    let ledger = SqliteLedger::open(&data, &"bench".parse().unwrap()).unwrap();
    let config = EngineConfig { cores: 1, ..EngineConfig::default() };
    let clock = Arc::new(WallClock(Instant::now()));
    let wake: Wake = Arc::new(|| {});
    let (engine, mut ports) = stampede_engine::start(config, ledger, clock, vec![wake]).unwrap();
    let mut port = ports.pop().unwrap();
    let stream: StreamId = "show".parse().unwrap();
    let drop = open(&engine);
    let viewers: Vec<Arc<Viewer>> = (0_u64..)
        .take(VIEWERS)
        .map(|n| port.join(&format!("viewer-{n:07}").parse().unwrap(), (&stream, Mode::Live), n))
        .collect();
    // As tickets do, each click brings a name of its own.
    let tickets: Vec<Option<ChannelId>> = (0..VIEWERS.max(channels))
        .map(|n| (channels > 0).then(|| format!("creator-{}", n % channels).parse().unwrap()))
        .collect();
    let winner = port.join(&"winner".parse().unwrap(), (&stream, Mode::Live), 1 << 40);
    assert!(matches!(buy(&mut port, &winner, None, drop), Buy::Pending { .. }));
    port.flush();
    let mut round = || refuse_all(&mut port, (&viewers, &tickets), drop, buys);
    let rounds = (0..ROUNDS).map(|_| round()).collect();
    engine.shutdown();
    rounds
}

/// Nanoseconds a buy.
fn refuse_all(
    port: &mut CorePort,
    (viewers, tickets): (&[Arc<Viewer>], &[Option<ChannelId>]),
    drop: DropId,
    buys: usize,
) -> f64 {
    let started = Instant::now();
    let clicks = viewers.iter().cycle().zip(tickets.iter().cycle());
    for (viewer, channel) in clicks.take(buys) {
        let found = buy(port, viewer, channel.as_ref(), drop);
        assert_eq!(found, Buy::Refused(Refusal::SoldOut));
    }
    started.elapsed().as_nanos() as f64 / buys as f64
}

fn buy(port: &mut CorePort, viewer: &Viewer, channel: Option<&ChannelId>, drop: DropId) -> Buy {
    let key: IdempotencyKey = "first-click".parse().unwrap();
    let stream: StreamId = "show".parse().unwrap();
    let request = BuyRequest { drop, sku: "unit", units: 1, key: &key, channel };
    port.buy(viewer, &stream, Mode::Live, request)
}

fn open(engine: &Engine) -> DropId {
    let give = |key: &str, action| {
        let command = StaffCommand {
            actor: "bench".into(),
            role: Role::Admin,
            merchant: None,
            streams: StreamScope::All,
            key: key.parse().unwrap(),
            reason: None,
            action,
        };
        engine.command(command).unwrap().blocking_recv().unwrap().unwrap().drop
    };
    let plan = plan_of([sku("unit", Units::ONE.get())]);
    let drop = give("plan", Action::Plan { plan: Arc::new(plan) });
    give("open", DropAction::StartCountdown.on(drop));
    while engine.sale(drop).unwrap().phase() != Phase::Open {
        thread::yield_now();
    }
    drop
}
