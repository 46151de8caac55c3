//! Time without a server, as the heartbeats tell it.

use std::sync::Arc;

use crate::support::{World, plan, wait_for};
use stampede_domain::{DropId, DropPlan, DurationMs, HoldId, UnixMillis};
use stampede_engine::HoldLook;
use stampede_ledger::{
    Record,
    fake::{FakeLedger, Fault},
};

/// How far the clock may have gone on between a heartbeat and the look at it, in milliseconds.
const BEAT_MS: u64 = 1_000;

fn count(ledger: &FakeLedger, counts: impl Fn(DropId, &Record) -> bool) -> usize {
    let rows = ledger.rows();
    let records =
        rows.iter().flat_map(|row| row.decode().map(|record| (row.drop, record.unwrap())));
    records.filter(|(drop, record)| counts(*drop, record)).count()
}

fn heartbeats(world: &World) -> usize {
    count(&world.ledger, |_, record| matches!(record, Record::Heartbeat(_)))
}

fn outages(world: &World, of: DropId) -> Vec<u64> {
    let rows = world.ledger.rows();
    let records = rows.iter().filter(|row| row.drop == of).flat_map(stampede_ledger::Row::decode);
    records
        .filter_map(|record| match record.unwrap() {
            Record::Recovered(recovered) => Some(recovered.outage.get()),
            _ => None,
        })
        .collect()
}

fn deadline(world: &World, hold: HoldId) -> UnixMillis {
    let HoldLook::Known(status) = world.look(hold) else { panic!("{hold} is held") };
    status.deadline
}

fn left(world: &World, hold: HoldId) -> u64 {
    deadline(world, hold).since(world.engine.now()).get()
}

/// A drop whose holds last for an hour, with one; then this many minutes in which nothing happens.
fn quiet(minutes: u64) -> (World, DropId, HoldId) {
    let mut world = World::new();
    let hold_ttl = DurationMs::from_secs(3_600);
    let drop = world.open_drop(DropPlan { hold_ttl, ..plan(5) });
    let ann = world.viewer("ann");
    let hold = world.hold(&ann, drop, 1, "a1");
    for _ in 0..minutes {
        let before = heartbeats(&world);
        world.advance(60_000);
        wait_for("a heartbeat", || (heartbeats(&world) > before).then_some(()));
    }
    (world, drop, hold)
}

#[test]
fn ten_quiet_minutes_are_no_outage_nor_is_a_start_that_dies_in_its_recovery() {
    let (world, drop, hold) = quiet(10);
    let left_before = left(&world, hold);
    // The next start dies before its recovery is durable, the one after it right behind the recovery.
    world.advance(20_000);
    let World { ledger, clock, engine, ports, .. } = world;
    std::mem::forget((engine, ports));
    // Opened first: the start before may still beat until then.
    let opened = ledger.open();
    ledger.order(ledger.commits() + 1, Fault::Before);
    let wakes = (0..2).map(|_| Arc::new(|| {}) as stampede_engine::Wake).collect();
    let config = stampede_engine::EngineConfig { cores: 2, ..Default::default() };
    assert!(stampede_engine::start(config, opened, Arc::clone(&clock) as _, wakes).is_err());
    clock.advance(30_000);
    let world = World::start(ledger, clock);
    let late = left_before - left(&world, hold).min(left_before);
    assert!(late <= BEAT_MS, "nothing of its time went by: {late}");
    let gained = left(&world, hold).saturating_sub(left_before);
    assert!(gained <= BEAT_MS, "nor was any added: {gained}");
    let world = world.restart(5_000);
    let [first, second] = outages(&world, drop)[..] else { panic!("two recoveries") };
    assert!((50_000..=50_000 + BEAT_MS).contains(&first), "{first}");
    assert!((5_000..=5_000 + BEAT_MS).contains(&second), "{second}");
}

#[test]
fn a_clock_that_is_set_while_the_server_is_down_is_no_outage() {
    for set in [3_600_000, -300_000] {
        let (world, drop, hold) = quiet(1);
        let left_before = left(&world, hold);
        world.set_system(set);
        let world = world.restart(7_000);
        let outage = outages(&world, drop)[0];
        assert!((7_000..=7_000 + BEAT_MS).contains(&outage), "{outage} after {set}");
        assert!(left(&world, hold).abs_diff(left_before) <= BEAT_MS, "after {set}");
        let ahead_ms = world.engine.moment().ahead_ms();
        assert!((ahead_ms + set).abs() <= 1_000, "the sale goes on by its own clock: {ahead_ms}");
    }
}

#[test]
fn across_starts_of_the_machine_the_wall_clock_tells_the_outage() {
    let (world, drop, hold) = quiet(1);
    let left_before = left(&world, hold);
    world.reboot();
    world.set_system(600_000);
    let world = world.restart(7_000);
    let outage = outages(&world, drop)[0];
    assert!((607_000..=607_000 + BEAT_MS).contains(&outage), "{outage}");
    assert!(left(&world, hold).abs_diff(left_before) <= BEAT_MS);
}

#[test]
fn without_a_deadline_the_sale_goes_on_by_the_wall_clock() {
    let mut world = World::new();
    world.open_drop(plan(5));
    world.set_system(3_600_000);
    let world = world.restart(7_000);
    assert!(world.engine.moment().ahead_ms().abs() <= 1, "nothing keeps it from that");
}

#[test]
fn heartbeats_are_seldom_while_no_deadline_runs() {
    let world = World::new();
    wait_for("the first", || (heartbeats(&world) == 1).then_some(()));
    for (millis, expected) in [(59_000, 1), (1_000, 2), (59_000, 2), (1_000, 3)] {
        world.advance(millis);
        // Two answers show that the steward has looked at its clock in the meantime.
        for key in ["one", "two"] {
            let key = format!("{key}{expected}{millis}");
            let role = stampede_engine::Role::Admin;
            let no_drop = DropId::new(9);
            let asked =
                world.give_as(role, &key, stampede_engine::DropAction::StartCountdown.on(no_drop));
            asked.unwrap().get().unwrap_err();
        }
        wait_for("a heartbeat", || (heartbeats(&world) >= expected).then_some(()));
        assert_eq!(heartbeats(&world), expected);
    }
}

#[test]
fn a_drop_in_which_nothing_happens_writes_nothing() {
    let mut world = World::new();
    let planned = |n: u32| {
        let stream = if n < 50 { "show".to_owned() } else { format!("show-{}", n / 50) };
        DropPlan { stream: stream.parse().unwrap(), ..plan(1) }
    };
    let drops: Vec<DropId> = (0..500).map(|n| world.open_drop(planned(n))).collect();
    let of_drops = |world: &World| count(&world.ledger, |drop, _| drop != DropId::HOUSE);
    let (rows, beats) = (of_drops(&world), heartbeats(&world));
    for minute in 1..=5 {
        world.advance(60_000);
        wait_for("a heartbeat", || (heartbeats(&world) == beats + minute).then_some(()));
    }
    assert_eq!(of_drops(&world), rows, "no record of 500 open drops in five minutes");
    // One click makes one tally of its drop alone, and no second one.
    let ann = world.viewer("ann");
    let refused = world.buy(0, &ann, drops[7], 9, "a1");
    assert!(matches!(refused, stampede_engine::Buy::Refused(_)), "{refused:?}");
    let tallies = |world: &World| {
        count(&world.ledger, |drop, record| matches!(record, Record::Tally(_)) && drop == drops[7])
    };
    for seconds in 1..=3 {
        world.advance(60_000);
        let beats = beats + 5 + seconds;
        wait_for("a heartbeat", || (heartbeats(&world) >= beats).then_some(()));
    }
    wait_for("the tally", || (tallies(&world) == 1).then_some(()));
    assert_eq!(of_drops(&world), rows + 1);
}

#[test]
fn a_click_after_a_quiet_time_is_counted_again() {
    let mut world = World::new();
    let drop = world.open_drop(plan(1));
    let ann = world.viewer("ann");
    let tallies =
        |world: &World| count(&world.ledger, |_, record| matches!(record, Record::Tally(_)));
    for round in 1..=3 {
        let _refused = world.buy(0, &ann, drop, 9, "a1");
        wait_for("its tally", || {
            world.advance(1_000);
            (tallies(&world) == round).then_some(())
        });
        // Long enough for the drop to be left alone again.
        for _ in 0..4 {
            let before = heartbeats(&world);
            world.advance(60_000);
            wait_for("a heartbeat", || (heartbeats(&world) > before).then_some(()));
        }
        assert_eq!(tallies(&world), round);
    }
}
