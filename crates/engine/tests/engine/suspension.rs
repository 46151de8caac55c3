//! The node runs, yet nobody is served: the machine sleeps, another program keeps the ledger locked.

use std::{collections::HashSet, sync::Arc};

use crate::support::{ORDERED, World, plan, plan_with_countdown, wait_for};
use stampede_domain::{DropId, DropPlan, DurationMs, HoldId, Phase, UnixMillis, WhenOffline};
use stampede_engine::{
    Action, Buy, CoreEvent, DropAction, Health, HoldLook, StreamAction, ViewerEvent,
};
use stampede_ledger::{Record, fake::Fault};

const HOURS_8_MS: u64 = 8 * 3_600_000;
/// The wall clock between two looks of the steward, in milliseconds.
const LOOK_MS: u64 = 1_000;

fn left(world: &World, hold: HoldId) -> u64 {
    let HoldLook::Known(status) = world.look(hold) else { panic!("{hold} is held") };
    status.deadline.since(world.engine.now()).get()
}

/// When the drop's stream was reported offline, by the wall clock.
fn offline_since(world: &World, drop: DropId) -> Option<UnixMillis> {
    let sale = world.engine.sale(drop).unwrap();
    sale.standing().stream_offline_since(world.engine.moment())
}

/// Spans of the suspensions in a drop's chain.
fn spans(world: &World, of: DropId) -> Vec<u64> {
    let rows = world.ledger.rows();
    let records = rows.iter().filter(|row| row.drop == of).flat_map(stampede_ledger::Row::decode);
    let span = |record| match record {
        Record::Suspended { span, .. } => Some(span.get()),
        _ => None,
    };
    records.filter_map(|record| span(record.unwrap())).collect()
}

fn wait_suspended(world: &World, drop: DropId, expected: &[u64]) {
    wait_for("the record", || (spans(world, drop) == expected).then_some(()));
}

fn look_twice(world: &mut World, drop: DropId) {
    for _ in 0..2 {
        world.give(DropAction::StartCountdown.on(drop)).get().unwrap_err();
    }
}

/// Waits until buys are refused, because the ledger's thread has met another program's lock.
fn notice_lock(world: &mut World, drop: DropId) {
    let mut late = 0;
    wait_for("the lock noticed", || {
        late += 1;
        let viewer = world.viewer(&format!("late-{late}"));
        matches!(world.buy(1, &viewer, drop, 1, "l1"), Buy::Refused(_)).then_some(())
    });
}

#[test]
fn a_machine_that_slept_takes_no_time_from_a_hold() {
    let mut world = World::new();
    let drop = world.open_drop(plan(2));
    let ann = world.viewer("ann");
    let hold = world.hold(&ann, drop, 1, "a1");
    world.advance(10_000);
    world.sleep(HOURS_8_MS);
    wait_suspended(&world, drop, &[HOURS_8_MS]);
    assert_eq!(left(&world, hold), 50_000);
    world.wait_held(hold);
    // A take after the sleep has its own time, no more.
    let bob = world.viewer("bob");
    let later = world.hold(&bob, drop, 1, "b1");
    assert_eq!(left(&world, later), 60_000);
    let mut world = world.restart(5_000);
    assert!(left(&world, hold).abs_diff(50_000) <= LOOK_MS, "{}", left(&world, hold));
    assert!(left(&world, later).abs_diff(60_000) <= LOOK_MS, "{}", left(&world, later));
    world.viewer("ann");
    world.advance(40_000);
    look_twice(&mut world, drop);
    assert!(matches!(world.look(hold), HoldLook::Known(_)));
    world.advance(11_000);
    world.wait_expired(hold);
}

#[test]
fn a_take_on_its_way_to_the_ledger_sleeps_too() {
    let mut world = World::new();
    let drop = world.open_drop(plan(2));
    let ann = world.viewer("ann");
    world.ledger.order(world.ledger.commits() + 1, Fault::Hang);
    let Buy::Pending { hold, position } = world.buy(0, &ann, drop, 1, "a1") else { panic!("held") };
    world.ledger.wait_until_hanging();
    world.sleep(HOURS_8_MS);
    // Any answer shows that the steward has looked around.
    let asked = world.give(DropAction::StartCountdown.on(drop));
    world.ledger.release();
    asked.get().unwrap_err();
    world.wait_durable(0, position);
    wait_suspended(&world, drop, &[HOURS_8_MS]);
    assert_eq!(left(&world, hold), 60_000);
    let world = world.restart(0);
    assert!(left(&world, hold).abs_diff(60_000) <= LOOK_MS, "{}", left(&world, hold));
}

#[test]
fn a_sleep_moves_what_a_stream_may_be_offline() {
    let mut world = World::new();
    let pause_after = DurationMs::from_secs(60);
    let when_offline = Some(WhenOffline { pause_after, resume: true });
    let drop = world.open_drop(DropPlan { when_offline, ..plan(2) });
    let stream = || "show".parse().unwrap();
    world.give(StreamAction::Offline.on(stream())).get().unwrap();
    world.advance(50_000);
    world.sleep(HOURS_8_MS);
    wait_suspended(&world, drop, &[HOURS_8_MS]);
    world.advance(9_000);
    look_twice(&mut world, drop);
    assert_eq!(world.engine.sale(drop).unwrap().phase(), Phase::Open);
    world.advance(1_000);
    world.wait_phase(drop, Phase::Paused);
}

#[test]
fn a_start_that_fell_into_a_sleep_waits_for_the_host() {
    let mut world = World::new();
    let counting = world.give(Action::Plan { plan: Arc::new(plan_with_countdown(5)) });
    let counting = counting.get().unwrap().drop;
    world.give(DropAction::StartCountdown.on(counting)).get().unwrap();
    world.wait_phase(counting, Phase::Countdown);
    let starts_at = Some(world.engine.wall().plus(DurationMs::from_secs(600)));
    let planned = DropPlan { starts_at, ..plan(5) };
    let planned = world.give(Action::Plan { plan: Arc::new(planned) }).get().unwrap().drop;
    let later = Some(world.engine.wall().plus(DurationMs::new(2 * HOURS_8_MS)));
    let later = DropPlan { starts_at: later, ..plan(5) };
    let later = world.give(Action::Plan { plan: Arc::new(later) }).get().unwrap().drop;
    world.sleep(HOURS_8_MS);
    world.wait_phase(counting, Phase::Scheduled);
    let missed = |drop| world.engine.sale(drop).unwrap().standing().start_missed;
    wait_for("both starts told", || missed(counting).and(missed(planned)));
    assert_eq!(missed(planned), starts_at);
    assert_eq!(missed(later), None);
    world.advance(HOURS_8_MS);
    world.wait_phase(later, Phase::Open);
}

#[test]
fn a_wait_for_a_locked_ledger_takes_no_time_from_a_hold() {
    let mut world = World::new();
    let drop = world.open_drop(plan(500));
    let [ann, bob, carl] = ["ann", "bob", "carl"].map(|name| world.viewer(name));
    let before = world.hold(&ann, drop, 1, "a1");
    let paid = world.hold(&carl, drop, 1, "c1");
    world.advance(50_000);
    world.ledger.order(world.ledger.commits() + 1, Fault::Busy);
    let Buy::Pending { hold, position } = world.buy(0, &bob, drop, 1, "b1") else { panic!("held") };
    world.ledger.wait_until_hanging();
    notice_lock(&mut world, drop);
    // Longer than any of the holds has left.
    world.advance(120_000);
    let confirmed = world.start_to_pay(paid);
    world.ledger.release();
    world.wait_durable(0, position);
    assert!(left(&world, hold) > 59_000, "all of its time: {}", left(&world, hold));
    assert_eq!(confirmed.outcome(), ORDERED, "it was in time");
    wait_for("the record", || (spans(&world, drop).len() == 1).then_some(()));
    let span = spans(&world, drop)[0];
    assert!((119_000..=121_000).contains(&span), "{span}");
    assert!(left(&world, before).abs_diff(10_000) <= LOOK_MS, "{}", left(&world, before));
    let mut world = world.restart(3_000);
    assert!(left(&world, before).abs_diff(10_000) <= LOOK_MS, "{}", left(&world, before));
    assert!(left(&world, hold).abs_diff(60_000) <= LOOK_MS, "{}", left(&world, hold));
    world.viewer("ann");
    world.advance(11_000);
    world.wait_expired(before);
}

#[test]
fn a_sleep_while_the_ledger_is_locked_moves_deadlines_once() {
    let mut world = World::new();
    let drop = world.open_drop(plan(5));
    let [ann, bob] = ["ann", "bob"].map(|name| world.viewer(name));
    let hold = world.hold(&ann, drop, 1, "a1");
    world.ledger.order(world.ledger.commits() + 1, Fault::Busy);
    let Buy::Pending { position, .. } = world.buy(0, &bob, drop, 1, "b1") else { panic!("held") };
    world.ledger.wait_until_hanging();
    notice_lock(&mut world, drop);
    world.advance(5_000);
    world.sleep(HOURS_8_MS);
    world.advance(5_000);
    world.ledger.release();
    world.wait_durable(0, position);
    wait_for("the records", || (spans(&world, drop).len() == 2).then_some(()));
    let sum: u64 = spans(&world, drop).iter().sum();
    assert!(sum.abs_diff(HOURS_8_MS + 10_000) <= LOOK_MS, "{:?}", spans(&world, drop));
    assert!(left(&world, hold).abs_diff(60_000) <= LOOK_MS, "{}", left(&world, hold));
}

#[test]
fn everybody_connected_learns_of_the_time_that_a_sleep_gave() {
    const BUYERS: u32 = 1_500;
    let mut world = World::new();
    let drop = world.open_drop(plan(BUYERS));
    let mut buy = |n| {
        let viewer = world.viewer(&format!("v{n}"));
        let bought = world.buy(0, &viewer, drop, 1, "k");
        let Buy::Pending { hold, position } = bought else { panic!("{bought:?}") };
        (hold, position)
    };
    let bought: Vec<_> = (0..BUYERS).map(&mut buy).collect();
    let (ended, last) = *bought.last().unwrap();
    world.wait_durable(0, last);
    let paid = world.start_to_pay(ended);
    assert_eq!(paid.outcome(), ORDERED);
    world.advance(10_000);
    world.sleep(HOURS_8_MS);
    wait_suspended(&world, drop, &[HOURS_8_MS]);
    let mut told = HashSet::new();
    let mut events = Vec::new();
    wait_for("a message to each", || {
        // A portion goes out in its turn.
        world.advance(10);
        world.ports[0].drain(&mut events);
        for event in events.drain(..) {
            if let CoreEvent::Viewer { event: ViewerEvent::Held(hold), .. } = event {
                assert!(told.insert(hold), "{hold} was told twice");
            }
        }
        (told.len() == bought.len() - 1).then_some(())
    });
    assert!(!told.contains(&ended), "an order has no deadline");
}

#[test]
fn the_records_of_one_sleep_are_one_commit() {
    let mut world = World::new();
    let drops: Vec<DropId> = (0..20).map(|_| world.open_drop(plan(2))).collect();
    // Its next commit is the last before a crash.
    world.ledger.order(world.ledger.commits() + 1, Fault::After);
    world.sleep(HOURS_8_MS);
    wait_for("the crash", || (world.engine.health() == Health::Poisoned).then_some(()));
    for drop in drops {
        assert_eq!(spans(&world, drop), [HOURS_8_MS], "{drop}");
    }
}

#[test]
fn a_stream_that_goes_offline_behind_a_lock_has_its_time_from_the_locks_end() {
    let mut world = World::new();
    let pause_after = DurationMs::from_secs(60);
    let when_offline = Some(WhenOffline { pause_after, resume: true });
    let drop = world.open_drop(DropPlan { when_offline, ..plan(500) });
    let ann = world.viewer("ann");
    world.ledger.order(world.ledger.commits() + 1, Fault::Busy);
    let Buy::Pending { position, .. } = world.buy(0, &ann, drop, 1, "a1") else { panic!("held") };
    world.ledger.wait_until_hanging();
    notice_lock(&mut world, drop);
    world.advance(100_000);
    let reported = world.give(StreamAction::Offline.on("show".parse().unwrap()));
    wait_for("the report", || offline_since(&world, drop));
    world.advance(20_000);
    world.ledger.release();
    world.wait_durable(0, position);
    reported.get().unwrap();
    wait_for("the record", || (spans(&world, drop).len() == 1).then_some(()));
    let end = world.engine.wall();
    let since = || offline_since(&world, drop);
    wait_for("the stream's time moved", || since().filter(|at| at.get() + LOOK_MS >= end.get()));
    assert!(since().unwrap().get().abs_diff(end.get()) <= LOOK_MS, "{:?} {end:?}", since());
    let world = world.restart(0);
    let since = offline_since(&world, drop).unwrap();
    assert!(since.get().abs_diff(end.get()) <= LOOK_MS, "{since:?} {end:?}");
}
