//! Crowds that buy on every core while a host puts their drop right: each unit is somewhere once, each take keeps to the
//! limits of its moment, and the verifier, which shares no code with the engine, finds the same.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use stampede_domain::{DropId, DropPlan, Mode, Refusal, Units};
use stampede_engine::{
    AmendTerms, Buy, BuyRequest, CommandRefusal, CorePort, DropAction, EngineConfig, Position,
    StockRefusal, TakeBack, Viewer,
};
use stampede_ledger::fake::FakeLedger;
use stampede_report::verify_journal;

use crate::support::{HandClock, World, plan, wait_for};

const CORES: usize = 4;

fn units(count: u32) -> Units {
    Units::new(count).unwrap()
}

fn crowded() -> World {
    let config = EngineConfig { cores: CORES, ..EngineConfig::default() };
    let ledger = FakeLedger::new("n1".parse().unwrap());
    World::start_with(config, ledger, Arc::new(HandClock::at(1_000_000)))
}

/// Has each core's crowd buy on a thread of its own while the host works on this one; returns what they came to.
fn while_crowds_buy<C: Send, H>(
    world: &mut World,
    crowd: impl Fn(&mut CorePort) -> C + Sync,
    host: impl FnOnce(&mut World) -> H,
) -> (Vec<C>, H) {
    let mut ports = std::mem::take(&mut world.ports);
    let came_to = thread::scope(|scope| {
        let crowds: Vec<_> = ports.iter_mut().map(|port| scope.spawn(|| crowd(port))).collect();
        let host = host(world);
        (crowds.into_iter().map(|crowd| crowd.join().unwrap()).collect(), host)
    });
    world.ports = ports;
    came_to
}

fn join(port: &mut CorePort, number: usize) -> Arc<Viewer> {
    let id = format!("v{}-{number}", port.core()).parse().unwrap();
    port.join(&id, (&"show".parse().unwrap(), Mode::Live), number as u64)
}

fn buy(port: &mut CorePort, viewer: &Viewer, drop: DropId, units: u32, key: &str) -> Buy {
    let key = key.parse().unwrap();
    let request = BuyRequest { drop, sku: "mug", units: units.into(), key: &key, channel: None };
    let bought = port.buy(viewer, &"show".parse().unwrap(), Mode::Live, request);
    port.flush();
    bought
}

fn wait_until_durable(port: &CorePort, last: Position) {
    wait_for("durability", || (port.durable() >= last).then_some(()));
}

fn verify(world: &World) {
    let found = verify_journal(&world.ledger.journal()).unwrap();
    assert!(found.ok, "{:?}", found.findings);
}

/// What a host did to the stock of a drop.
#[derive(Debug, Default)]
struct Stock {
    added: u32,
    taken_back: u32,
    reserve: u32,
}

impl Stock {
    fn take_back(&mut self, world: &mut World, drop: DropId, count: Option<u32>, to_reserve: bool) {
        let (sku, units) = ("mug".parse().unwrap(), count.map(units));
        let take_back = DropAction::TakeBack(TakeBack { sku, units, to_reserve });
        match world.give(take_back.on(drop)).get() {
            Ok(done) => {
                let taken = done.units.unwrap();
                assert!(units.is_none_or(|units| units == taken));
                self.taken_back += taken.get();
                self.reserve += if to_reserve { taken.get() } else { 0 };
            }
            Err(CommandRefusal::Stock(
                StockRefusal::NotFree { .. } | StockRefusal::NoneFree { .. },
            )) => {}
            Err(other) => panic!("{other}"),
        }
    }

    fn restock(&mut self, world: &mut World, drop: DropId, count: u32) {
        let (sku, units) = ("mug".parse().unwrap(), units(count));
        world.give(DropAction::Restock { sku, units }.on(drop)).get().unwrap();
        self.added += count;
        self.reserve -= self.reserve.min(count);
    }
}

#[test]
fn two_thousand_buyers_and_a_host_share_every_unit_once() {
    const BUYERS_PER_CORE: usize = 500;
    const SUPPLY: u32 = 2_400;
    let mut world = crowded();
    let drop = world.open_drop(plan(SUPPLY));
    // Each waits for the other where it is far ahead, so that commands fall among buys from the first to the last.
    let (buys, commands) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let crowd = |port: &mut CorePort| {
        let (mut bought, mut last) = (0, Position::default());
        for number in 0..BUYERS_PER_CORE {
            let has_turn = || commands.load(Ordering::Relaxed) >= number / 10;
            wait_for("the host", || has_turn().then_some(()));
            let viewer = join(port, number);
            let wanted = if number % 2 == 0 { 1 } else { 2 };
            match buy(port, &viewer, drop, wanted, "k") {
                Buy::Pending { position, .. } => (bought, last) = (bought + wanted, position),
                Buy::Refused(Refusal::SoldOut | Refusal::NotEnough { .. }) => {}
                other => panic!("{other:?}"),
            }
            buys.fetch_add(1, Ordering::Relaxed);
        }
        wait_until_durable(port, last);
        bought
    };
    let host = |world: &mut World| {
        let mut stock = Stock::default();
        for turn in 0..BUYERS_PER_CORE * CORES / 5 {
            let has_turn = || buys.load(Ordering::Relaxed) >= turn * 5;
            wait_for("the buyers", || has_turn().then_some(()));
            match turn % 8 {
                5 => stock.take_back(world, drop, Some(2), false),
                6 => stock.take_back(world, drop, None, true),
                7 => stock.restock(world, drop, stock.reserve.max(1)),
                even if even % 2 == 0 => stock.take_back(world, drop, Some(3), true),
                _ => stock.restock(world, drop, 4),
            }
            commands.fetch_add(1, Ordering::Relaxed);
        }
        stock
    };
    let (bought, mut stock) = while_crowds_buy(&mut world, crowd, host);
    let bought: u32 = bought.iter().sum();
    let figures = |world: &World, stock: &Stock| {
        let supplied = SUPPLY + stock.added - stock.taken_back;
        assert_eq!(world.figures(drop), [supplied, supplied - bought, bought, 0]);
        let reserve = world.engine.sale(drop).unwrap().figures()[0].reserve;
        assert_eq!(reserve.get(), stock.reserve);
        verify(world);
    };
    figures(&world, &stock);
    stock.take_back(&mut world, drop, None, true);
    assert_eq!(world.figures(drop), [bought, 0, bought, 0], "all that nobody has taken");
    let mut world = world.restart(100);
    figures(&world, &stock);
    let late = join(&mut world.ports[0], BUYERS_PER_CORE);
    let refused = buy(&mut world.ports[0], &late, drop, 1, "k");
    assert_eq!(refused, Buy::Refused(Refusal::SoldOut));
}

/// Limits of a drop that change in each of so many pauses, while crowds buy.
struct Pauses {
    drop: DropId,
    takes: AtomicUsize,
    over: AtomicUsize,
    crowds_over: AtomicUsize,
}

impl Pauses {
    const COUNT: usize = 60;
    const LIMITS: [u32; 6] = [12, 3, 6, 1, 9, 2];
    const GROUPS_MAX: usize = 250;

    /// A few viewers buy again and again, then others in their place, until the pauses are over.
    fn crowd(&self, port: &mut CorePort) -> u32 {
        let (mut bought, mut last) = (0, Position::default());
        for group in 0..Self::GROUPS_MAX {
            let viewers: Vec<_> = (0..8).map(|place| join(port, group * 8 + place)).collect();
            for (key, place) in (0..12).flat_map(|key| (0..8).map(move |place| (key, place))) {
                let wanted = if (key + place) % 3 == 0 { 2 } else { 1 };
                match buy(port, &viewers[place], self.drop, wanted, &format!("k{key}")) {
                    Buy::Pending { position, .. } => {
                        (bought, last) = (bought + wanted, position);
                        self.takes.fetch_add(1, Ordering::Relaxed);
                    }
                    Buy::Refused(
                        Refusal::Paused
                        | Refusal::OverViewerLimit { .. }
                        | Refusal::UnitsOutOfRange { .. }
                        | Refusal::Busy { .. },
                    ) => {}
                    other => panic!("{other:?}"),
                }
            }
            if self.over.load(Ordering::Relaxed) == Self::COUNT {
                break;
            }
        }
        self.crowds_over.fetch_add(1, Ordering::Relaxed);
        wait_until_durable(port, last);
        bought
    }

    fn host(&self, world: &mut World) {
        for pause in 1..=Self::COUNT {
            let seen = self.takes.load(Ordering::Relaxed);
            wait_for("takes under these limits", || {
                let has_some = self.takes.load(Ordering::Relaxed) > seen + 20;
                (has_some || self.crowds_over.load(Ordering::Relaxed) == CORES).then_some(())
            });
            let limit_per_viewer = Some(units(Self::limit(pause)));
            let wanted = AmendTerms { limit_per_viewer, ..AmendTerms::default() };
            let actions = [DropAction::Pause, DropAction::Amend(wanted), DropAction::Resume];
            // None waits for the one before: the resume is decided while the limits are on their way to the ledger.
            let answers = actions.map(|action| world.give(action.on(self.drop)));
            for answer in answers {
                answer.get().unwrap();
            }
            self.over.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn limit(pause: usize) -> u32 {
        Self::LIMITS[pause % Self::LIMITS.len()]
    }
}

/// Limits change while a drop is paused. Whoever buys in the moment of the pause, or of the resume, keeps to those of then.
#[test]
fn a_crowd_that_races_pauses_keeps_to_the_limits_of_each_moment() {
    let mut world = crowded();
    let (supply, limit_per_viewer) = (100_000, units(Pauses::limit(0)));
    let mut terms = DropPlan { holds_per_viewer_max: 24, limit_per_viewer, ..plan(supply) };
    terms.skus[0].limit_per_viewer = limit_per_viewer;
    let drop = world.open_drop(terms);
    let [takes, over, crowds_over] = [const { AtomicUsize::new(0) }; 3];
    let pauses = Pauses { drop, takes, over, crowds_over };
    let crowd = |port: &mut CorePort| pauses.crowd(port);
    let (bought, ()) = while_crowds_buy(&mut world, crowd, |world| pauses.host(world));
    let bought: u32 = bought.iter().sum();
    verify(&world);
    assert_eq!(world.figures(drop), [supply, supply - bought, bought, 0]);
    let world = world.restart(100);
    assert_eq!(world.figures(drop), [supply, supply - bought, bought, 0]);
    let limit = world.engine.sale(drop).unwrap().terms().limit_per_viewer;
    assert_eq!(limit.get(), Pauses::limit(Pauses::COUNT));
    verify(&world);
}
