//! The two clocks apart: what goes by which.

use std::sync::Arc;

use crate::support::{World, plan, plan_with_countdown, wait_for};
use stampede_domain::{DropPlan, DurationMs, Phase, UnixMillis};
use stampede_engine::{Action, BrakeAction, CommandRefusal, DropAction, HoldLook};

const HOUR_MS: i64 = 3_600_000;

/// A world whose sale's clock is ahead of the wall clock by eight hours.
fn eight_hours_ahead() -> World {
    let world = World::new();
    world.advance(100 * HOUR_MS.unsigned_abs());
    world.set_wall(-8 * HOUR_MS);
    world
}

fn wall_in(world: &World, millis: u64) -> UnixMillis {
    world.engine.wall().plus(DurationMs::new(millis))
}

#[test]
fn a_planned_start_comes_by_the_wall_clock() {
    let mut world = eight_hours_ahead();
    let starts_at = Some(wall_in(&world, 15_000));
    let plan = DropPlan { starts_at, ..plan_with_countdown(5) };
    let drop = world.give(Action::Plan { plan: Arc::new(plan) }).get().unwrap().drop;
    world.advance(5_000);
    world.wait_phase(drop, Phase::Countdown);
    let sale = world.engine.sale(drop).unwrap();
    let left = || sale.standing().opens_in(world.engine.moment());
    wait_for("the countdown", || (left() == Some(DurationMs::from_secs(10))).then_some(()));
    world.advance(10_000);
    world.wait_phase(drop, Phase::Open);
}

#[test]
fn a_start_follows_a_wall_clock_that_is_set() {
    let mut world = World::new();
    let starts_at = Some(wall_in(&world, 600_000));
    let plan = DropPlan { starts_at, ..plan(5) };
    let drop = world.give(Action::Plan { plan: Arc::new(plan) }).get().unwrap().drop;
    // The machine was nearly ten minutes slow.
    world.set_wall(599_000);
    world.advance(1_000);
    world.wait_phase(drop, Phase::Open);
}

#[test]
fn planned_times_are_past_by_the_wall_clock() {
    let mut world = eight_hours_ahead();
    let now = world.engine.wall();
    let at = |millis| Some(UnixMillis::new(millis));
    for (starts_at, ends_at, is_past) in [
        (at(now.get() + 1_000_000), at(now.get() + 2_000_000), false),
        (at(now.get() - 1), None, true),
        (None, at(now.get()), true),
    ] {
        let plan = DropPlan { starts_at, ends_at, ..plan(5) };
        let planned = world.give(Action::Plan { plan: Arc::new(plan) }).get();
        let refused = matches!(planned, Err(CommandRefusal::InThePast { .. }));
        assert_eq!(refused, is_past, "{starts_at:?} {ends_at:?}: {planned:?}");
    }
}

#[test]
fn a_drop_ends_by_the_wall_clock() {
    let mut world = eight_hours_ahead();
    let ends_at = Some(wall_in(&world, 60_000));
    let drop = world.open_drop(DropPlan { ends_at, ..plan(5) });
    world.advance(59_000);
    // Two answers show that the steward has looked at its timers in the meantime.
    for _ in 0..2 {
        world.give(DropAction::StartCountdown.on(drop)).get().unwrap_err();
    }
    assert_eq!(world.engine.sale(drop).unwrap().phase(), Phase::Open);
    world.set_wall(1_000);
    world.wait_phase(drop, Phase::Settled);
}

#[test]
fn what_holds_the_sale_back_ends_by_the_wall_clock() {
    let mut world = World::new();
    let expires_in = Some(DurationMs::from_secs(600));
    world.give(BrakeAction::Halt { expires_in }).get().unwrap();
    let view = world.engine.brake().view().halt.unwrap();
    assert_eq!(view.expires_at, Some(wall_in(&world, 600_000)));
    world.set_wall(600_000);
    wait_for("the end of the stop", || (!world.engine.brake().is_halted()).then_some(()));
}

#[test]
fn a_hold_keeps_its_time_when_the_wall_clock_is_set() {
    for by in [HOUR_MS, -HOUR_MS / 6] {
        let mut world = World::new();
        let drop = world.open_drop(plan(2));
        let ann = world.viewer("ann");
        let hold = world.hold(&ann, drop, 1, "a1");
        world.set_wall(by);
        world.advance(59_000);
        for _ in 0..2 {
            world.give(DropAction::StartCountdown.on(drop)).get().unwrap_err();
        }
        assert!(matches!(world.look(hold), HoldLook::Known(_)), "moved by {by}");
        world.advance(1_000);
        world.wait_expired(hold);
    }
}

#[test]
fn a_ledger_ahead_of_the_wall_clock_sells_on() {
    let mut world = World::new();
    world.advance(8 * HOUR_MS.unsigned_abs());
    let drop = world.open_drop(plan(2));
    let before = world.engine.now();
    world.set_back(8 * HOUR_MS.unsigned_abs());
    let mut world = world.restart(0);
    let moment = world.engine.moment();
    assert!(moment.sale >= before, "never backwards, also over a restart");
    assert!((8 * HOUR_MS - moment.ahead_ms()).abs() < 1_000, "{moment:?}");
    let ann = world.viewer("ann");
    world.hold(&ann, drop, 1, "a1");
}
