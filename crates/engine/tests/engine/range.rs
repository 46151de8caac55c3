//! A start that reads seals leaves the state that one leaves which reads every row.

use std::{fmt::Write, fs, path::Path, sync::Arc};

use stampede_domain::{BanId, BanTarget, DropId, Phase, limits::SETTLED_KEPT_MS};
use stampede_engine::{Action, BrakeAction, Buy, DropAction, EngineConfig};
use stampede_ledger::{
    DataDir, Journal, LEDGER_FILE, OpenLedger, RowKey, SqliteJournal, SqliteLedger,
    links::{self, Links},
};

use crate::support::{HandClock, World, plan};

const SEEDS: u64 = 8;
const STEPS: u64 = 60;
const VIEWERS: [&str; 5] = ["ann", "bob", "cid", "dan", "eve"];

fn open(path: &Path) -> OpenLedger {
    SqliteLedger::open(&DataDir::lock(path).unwrap(), &"n1".parse().unwrap()).unwrap()
}

/// With every row and every link, as a reader finds them that knows nothing of seals.
fn open_whole(path: &Path) -> OpenLedger {
    let opened = open(path);
    let journal = SqliteJournal::open(path).unwrap();
    let mut links = Links::default();
    for row in journal.links().unwrap() {
        links.append(links::decode(&row.pairs).unwrap());
    }
    let history = Box::new(journal.into_rows(RowKey::default()));
    OpenLedger { links, history, sealed: Vec::new(), worked_until: None, ..opened }
}

fn start(opened: OpenLedger, clock: &Arc<HandClock>) -> World {
    let config = EngineConfig { cores: 2, ..EngineConfig::default() };
    // The copies are made by the test.
    let mut world = World::on(config, OpenLedger { copied_in: None, ..opened }, Arc::clone(clock));
    // What a ban still had to release is released first.
    for _turn in 0..2 {
        drop_done(world.give(BrakeAction::Go).get().ok());
    }
    world
}

/// One step of the splitmix64 generator.
fn dice(state: &mut u64, sides: usize) -> usize {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut bits = *state;
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    usize::try_from((bits ^ (bits >> 31)) % u64::try_from(sides).unwrap()).unwrap()
}

fn step(world: &mut World, seed: &mut u64, number: u64) {
    let live: Vec<DropId> = world.engine.sales().iter().map(|sale| sale.id()).collect();
    let some = (!live.is_empty()).then(|| live[dice(seed, live.len())]);
    let Some(drop) = some.filter(|_| dice(seed, 5) > 0) else {
        world.open_drop(plan(4));
        return;
    };
    let mut give = |action: Action| world.give(action).get().ok();
    match dice(seed, 12) {
        0..=4 => buy(world, drop, VIEWERS[dice(seed, 5)], seed, number),
        5 => drop_done(give(DropAction::Close.on(drop))),
        6 => drop_done(give(DropAction::Pause.on(drop))),
        7 => drop_done(give(DropAction::Resume.on(drop))),
        8 => drop_done(give(DropAction::Feature.on(drop))),
        9 => {
            let target = BanTarget::Viewer(VIEWERS[dice(seed, 5)].parse().unwrap());
            let (release_holds, expires_in) = (dice(seed, 2) == 0, None);
            drop_done(give(BrakeAction::Ban { target, release_holds, expires_in }.into()));
        }
        10 => {
            let ban = BanId::new(u32::try_from(1 + dice(seed, 3)).unwrap());
            drop_done(give(BrakeAction::Unban { ban }.into()));
        }
        _ => {
            world.advance([30_000, SETTLED_KEPT_MS / 2, SETTLED_KEPT_MS + 1_000][dice(seed, 3)]);
            // It is refused, and decided after the timers.
            drop_done(world.give(BrakeAction::Go).get().ok());
        }
    }
}

fn drop_done<T>(_done: T) {}

fn buy(world: &mut World, drop: DropId, viewer: &str, seed: &mut u64, number: u64) {
    let viewer = world.viewer(viewer);
    if let Buy::Pending { hold, position } = world.buy(0, &viewer, drop, 1, &format!("k{number}")) {
        world.wait_durable(0, position);
        if dice(seed, 2) == 0 {
            drop_done(world.pay(hold));
        }
    }
    world.ports[0].leave(&viewer, 1);
}

/// Everything that anybody may ask.
fn state(world: &mut World) -> String {
    let mut text = String::new();
    for sale in world.engine.sales() {
        let (id, phase, on_air) = (sale.id(), sale.phase(), sale.is_featured());
        let figures = sale.figures();
        writeln!(text, "{id} {phase} on air {on_air} {figures:?} {:?}", sale.plan()).unwrap();
    }
    for over in world.engine.all_over() {
        writeln!(text, "{over:?}").unwrap();
    }
    let stream = "show".parse().unwrap();
    writeln!(text, "{:?}", world.engine.room(&stream)).unwrap();
    for ban in world.engine.brake().bans(BanId::default(), 100) {
        writeln!(text, "{ban:?}").unwrap();
    }
    for name in VIEWERS {
        let viewer = world.viewer(name);
        let mut holds = world.ports[0].holds_of(&viewer, &stream);
        holds.sort_unstable_by_key(|held| held.hold);
        writeln!(text, "{name} {holds:?}").unwrap();
        world.ports[0].leave(&viewer, 1);
    }
    text
}

#[test]
fn a_range_start_leaves_the_state_of_a_whole_one() {
    let (mut sealed, mut read) = (0, 0);
    for seed in 0..SEEDS {
        let dirs = [(); 3].map(|()| tempfile::tempdir().unwrap());
        let clock = Arc::new(HandClock::default());
        clock.advance(1_000_000);
        let mut dice = seed;
        let mut world = start(open(dirs[0].path()), &clock);
        for number in 0..STEPS {
            step(&mut world, &mut dice, number);
        }
        world.engine.shutdown();
        drop(world);
        clock.advance(5_000);
        let [by_range, whole] = [&dirs[1], &dirs[2]].map(|dir| {
            fs::copy(dirs[0].path().join(LEDGER_FILE), dir.path().join(LEDGER_FILE)).unwrap();
            dir.path()
        });
        let opened = open(by_range);
        sealed += opened.sealed.len();
        let mut by_range = start(opened, &clock);
        let mut whole = start(open_whole(whole), &clock);
        let open = |world: &World| {
            world.engine.sales().iter().filter(|sale| sale.phase() == Phase::Open).count()
        };
        read += open(&whole);
        assert_eq!(state(&mut by_range), state(&mut whole), "seed {seed}");
        by_range.engine.shutdown();
        whole.engine.shutdown();
    }
    assert!(sealed > 0 && read > 0, "{sealed} drops by their seals, {read} open");
}
