//! Planned starts: what is due happens, however late the steward is; an outage leaves it to the host.

use std::sync::Arc;

use stampede_domain::{DropId, DropPlan, DurationMs, Phase, UnixMillis, WhenOffline};
use stampede_engine::{Action, SaleDrop};

use crate::support::{World, plan, plan_with_countdown, wait_for};

fn start_in(world: &World, millis: u64) -> UnixMillis {
    world.engine.wall().plus(DurationMs::new(millis))
}

fn planned(world: &mut World, plan: DropPlan) -> DropId {
    world.give(None, Action::Plan { plan: Arc::new(plan) }).get().unwrap().drop
}

fn sale(world: &World, drop: DropId) -> Arc<SaleDrop> {
    world.engine.sale(drop).unwrap()
}

fn opens_in(world: &World, drop: DropId) -> Option<u64> {
    sale(world, drop).opens_in(world.engine.moment()).map(DurationMs::get)
}

/// The phase, once the steward has looked at its timers: between two answers in a row.
fn phase_now(world: &mut World, drop: DropId) -> Phase {
    for _ in 0..2 {
        world.give(Some(DropId::new(999)), Action::Pause).get().unwrap_err();
    }
    sale(world, drop).phase()
}

#[test]
fn a_thousand_starts_at_one_moment_all_open_by_a_late_clock() {
    let mut world = World::new();
    let starts_at = start_in(&world, 60_000);
    let drops: Vec<DropId> = (0..1_000)
        .map(|n: u32| {
            let countdown = DurationMs::new(if n.is_multiple_of(2) { 0 } else { 10_000 });
            let stream = format!("s{n}").parse().unwrap();
            let starts_at = Some(starts_at);
            planned(&mut world, DropPlan { stream, countdown, starts_at, ..plan(1) })
        })
        .collect();
    // The steward looks again only after the moment has passed.
    world.advance(61_234);
    for drop in drops {
        world.wait_phase(drop, Phase::Open);
        assert_eq!(sale(&world, drop).start_missed(), None);
    }
}

#[test]
fn a_late_start_sells() {
    let mut world = World::new();
    let starts_at = Some(start_in(&world, 5_000));
    let drop = planned(&mut world, DropPlan { starts_at, ..plan(1) });
    world.advance(5_001);
    world.wait_phase(drop, Phase::Open);
    let ann = world.viewer("ann");
    world.hold(&ann, drop, 1, "a1");
}

#[test]
fn a_start_within_an_outage_waits_for_the_host_and_is_told() {
    let mut world = World::new();
    let starts_at = start_in(&world, 15_000);
    let drop =
        planned(&mut world, DropPlan { starts_at: Some(starts_at), ..plan_with_countdown(1) });
    assert_eq!(opens_in(&world, drop), Some(15_000));
    let mut world = world.restart(60_000);
    assert_eq!(phase_now(&mut world, drop), Phase::Scheduled);
    let told = |world: &World| (sale(world, drop).start_missed(), opens_in(world, drop));
    assert_eq!(told(&world), (Some(starts_at), None), "nobody waits for 0 ms for ever");
    // Another restart knows it as well.
    let mut world = world.restart(10);
    assert_eq!(phase_now(&mut world, drop), Phase::Scheduled);
    assert_eq!(told(&world), (Some(starts_at), None));
    world.give(Some(drop), Action::Open).get().unwrap();
    world.wait_phase(drop, Phase::Countdown);
    assert_eq!(told(&world), (None, Some(10_000)));
    world.advance(10_000);
    world.wait_phase(drop, Phase::Open);
}

#[test]
fn a_countdown_that_ended_within_an_outage_is_told_too() {
    let mut world = World::new();
    let drop = planned(&mut world, plan_with_countdown(1));
    world.give(Some(drop), Action::Open).get().unwrap();
    world.wait_phase(drop, Phase::Countdown);
    let opens_at = sale(&world, drop).opens_at();
    let mut world = world.restart(60_000);
    assert_eq!(phase_now(&mut world, drop), Phase::Scheduled);
    assert_eq!(sale(&world, drop).start_missed(), opens_at);
    let mut world = world.restart(60_000);
    assert_eq!(sale(&world, drop).start_missed(), opens_at);
    // What the host calls off was not missed.
    world.give(Some(drop), Action::Open).get().unwrap();
    world.wait_phase(drop, Phase::Countdown);
    world.give(Some(drop), Action::CancelCountdown).get().unwrap();
    assert_eq!(sale(&world, drop).start_missed(), None);
    let world = world.restart(60_000);
    assert_eq!((sale(&world, drop).start_missed(), opens_in(&world, drop)), (None, None));
}

#[test]
fn a_start_whose_countdown_began_within_an_outage_is_not_missed() {
    let mut world = World::new();
    let starts_at = Some(start_in(&world, 15_000));
    let drop = planned(&mut world, DropPlan { starts_at, ..plan_with_countdown(1) });
    let world = world.restart(14_999);
    world.wait_phase(drop, Phase::Countdown);
    world.advance(1);
    world.wait_phase(drop, Phase::Open);
}

#[test]
fn a_start_that_the_host_called_off_shows_no_time() {
    let mut world = World::new();
    let starts_at = Some(start_in(&world, 15_000));
    let drop = planned(&mut world, DropPlan { starts_at, ..plan_with_countdown(1) });
    world.advance(6_000);
    world.wait_phase(drop, Phase::Countdown);
    world.give(Some(drop), Action::CancelCountdown).get().unwrap();
    assert_eq!((opens_in(&world, drop), sale(&world, drop).start_missed()), (None, None));
    let mut world = world.restart(10);
    assert_eq!((opens_in(&world, drop), sale(&world, drop).start_missed()), (None, None));
    // An edit is a plan of its own.
    let starts_at = Some(start_in(&world, 20_000));
    let plan = Arc::new(DropPlan { starts_at, ..plan_with_countdown(1) });
    world.give(Some(drop), Action::Edit { plan }).get().unwrap();
    wait_for("the new time", || (opens_in(&world, drop) == Some(20_000)).then_some(()));
}

#[test]
fn a_start_that_passes_while_the_stream_is_away_is_told() {
    let mut world = World::new();
    let rule = WhenOffline { pause_after: DurationMs::ZERO, resume: true };
    let starts_at = start_in(&world, 15_000);
    let with_rule = DropPlan { when_offline: Some(rule), ..plan_with_countdown(1) };
    let drop = planned(&mut world, DropPlan { starts_at: Some(starts_at), ..with_rule });
    let stream = "show".parse().unwrap();
    world.give(None, Action::StreamOffline { stream }).get().unwrap();
    world.advance(14_999);
    assert_eq!(phase_now(&mut world, drop), Phase::Scheduled);
    assert_eq!((opens_in(&world, drop), sale(&world, drop).start_missed()), (Some(1), None));
    world.advance(100);
    wait_for("the news", || sale(&world, drop).start_missed().filter(|at| *at == starts_at));
    assert_eq!(opens_in(&world, drop), None);
    let stream = "show".parse().unwrap();
    world.give(None, Action::StreamOnline { stream }).get().unwrap();
    assert_eq!(phase_now(&mut world, drop), Phase::Scheduled);
}
