//! Planned starts: what is due happens, however late the steward is; an outage leaves it to the host.

use std::sync::Arc;

use stampede_domain::{DropId, DropPlan, DurationMs, Phase, SkuPlan, UnixMillis, WhenOffline};
use stampede_engine::{Action, CommandRefusal, DropAction, SaleDrop, StreamAction};
use stampede_ledger::{PhaseRecord, Record};

use crate::support::{World, plan, plan_with_countdown, wait_for};

fn start_in(world: &World, millis: u64) -> UnixMillis {
    world.engine.wall().plus(DurationMs::new(millis))
}

fn planned(world: &mut World, plan: DropPlan) -> DropId {
    world.give(Action::Plan { plan: Arc::new(plan) }).get().unwrap().drop
}

fn sale(world: &World, drop: DropId) -> Arc<SaleDrop> {
    world.engine.sale(drop).unwrap()
}

fn opens_in(world: &World, drop: DropId) -> Option<u64> {
    sale(world, drop).standing().opens_in(world.engine.moment()).map(DurationMs::get)
}

/// The phase, once the steward has looked at its timers: between two answers in a row.
fn phase_now(world: &mut World, drop: DropId) -> Phase {
    for _ in 0..2 {
        world.give(DropAction::Pause.on(DropId::new(999))).get().unwrap_err();
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
        assert_eq!(sale(&world, drop).standing().start_missed, None);
    }
}

#[test]
fn an_opening_with_all_its_lots_is_one_commit() {
    let mut world = World::new();
    let starts_at = Some(start_in(&world, 60_000));
    let sku = plan(1).skus.remove(0);
    let named = |n: u32| SkuPlan { id: format!("mug-{n}").parse().unwrap(), ..sku.clone() };
    let drops: Vec<DropId> = (0..20)
        .map(|n: u32| {
            let stream = format!("s{n}").parse().unwrap();
            let skus = (0..60).map(named).collect();
            planned(&mut world, DropPlan { stream, skus, starts_at, ..plan(1) })
        })
        .collect();
    world.advance(60_000);
    for drop in drops {
        world.wait_phase(drop, Phase::Open);
    }
    let mut opened = 0;
    for row in world.ledger.rows() {
        let records: Vec<Record> = row.decode().map(Result::unwrap).collect();
        let count = |wanted: fn(&Record) -> bool| records.iter().filter(|r| wanted(r)).count();
        let lots = count(|record| matches!(record, Record::Lot { .. }));
        let openings = count(|record| matches!(record, Record::Phase(PhaseRecord::Opened)));
        assert_eq!(lots, openings * 60, "a crash could leave {} without its lots", row.drop);
        opened += openings;
    }
    assert_eq!(opened, 20);
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
    let told = |world: &World| (sale(world, drop).standing().start_missed, opens_in(world, drop));
    assert_eq!(told(&world), (Some(starts_at), None), "nobody waits for 0 ms for ever");
    // Another restart knows it as well.
    let mut world = world.restart(10);
    assert_eq!(phase_now(&mut world, drop), Phase::Scheduled);
    assert_eq!(told(&world), (Some(starts_at), None));
    world.give(DropAction::StartCountdown.on(drop)).get().unwrap();
    world.wait_phase(drop, Phase::Countdown);
    assert_eq!(told(&world), (None, Some(10_000)));
    world.advance(10_000);
    world.wait_phase(drop, Phase::Open);
}

#[test]
fn a_countdown_that_ended_within_an_outage_is_told_too() {
    let mut world = World::new();
    let drop = planned(&mut world, plan_with_countdown(1));
    world.give(DropAction::StartCountdown.on(drop)).get().unwrap();
    world.wait_phase(drop, Phase::Countdown);
    let opens_at = sale(&world, drop).opens_at();
    let mut world = world.restart(60_000);
    assert_eq!(phase_now(&mut world, drop), Phase::Scheduled);
    assert_eq!(sale(&world, drop).standing().start_missed, opens_at);
    let mut world = world.restart(60_000);
    assert_eq!(sale(&world, drop).standing().start_missed, opens_at);
    // What the host calls off was not missed.
    world.give(DropAction::StartCountdown.on(drop)).get().unwrap();
    world.wait_phase(drop, Phase::Countdown);
    world.give(DropAction::CancelCountdown.on(drop)).get().unwrap();
    assert_eq!(sale(&world, drop).standing().start_missed, None);
    let world = world.restart(60_000);
    assert_eq!((sale(&world, drop).standing().start_missed, opens_in(&world, drop)), (None, None));
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
    world.give(DropAction::CancelCountdown.on(drop)).get().unwrap();
    assert_eq!((opens_in(&world, drop), sale(&world, drop).standing().start_missed), (None, None));
    let mut world = world.restart(10);
    assert_eq!((opens_in(&world, drop), sale(&world, drop).standing().start_missed), (None, None));
    // An edit is a plan of its own.
    let starts_at = Some(start_in(&world, 20_000));
    let plan = Arc::new(DropPlan { starts_at, ..plan_with_countdown(1) });
    world.give(DropAction::Edit { plan }.on(drop)).get().unwrap();
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
    world.give(StreamAction::Offline.on(stream)).get().unwrap();
    world.advance(14_999);
    assert_eq!(phase_now(&mut world, drop), Phase::Scheduled);
    assert_eq!(
        (opens_in(&world, drop), sale(&world, drop).standing().start_missed),
        (Some(1), None)
    );
    world.advance(100);
    wait_for("the news", || {
        sale(&world, drop).standing().start_missed.filter(|at| *at == starts_at)
    });
    assert_eq!(opens_in(&world, drop), None);
    let stream = "show".parse().unwrap();
    world.give(StreamAction::Online.on(stream)).get().unwrap();
    assert_eq!(phase_now(&mut world, drop), Phase::Scheduled);
}

fn refused(world: &mut World, action: impl Into<Action>) -> CommandRefusal {
    world.give(action).get().unwrap_err()
}

#[test]
fn an_end_that_leaves_no_time_to_buy_is_refused_while_it_can_be_edited() {
    let mut world = World::new();
    let at = |world: &World, ends_in| {
        let ends_at = Some(start_in(world, ends_in));
        Arc::new(DropPlan { ends_at, ..plan_with_countdown(1) })
    };
    let too_soon = |world: &World, ends_in| {
        let opens_at = start_in(world, 10_000).get();
        let ends_at = start_in(world, ends_in).get();
        CommandRefusal::EndsTooSoon { opens_at, ends_at, min_ms: 1_000 }
    };
    let plan = at(&world, 10_999);
    let expected = too_soon(&world, 10_999);
    assert_eq!(refused(&mut world, Action::Plan { plan }), expected);
    // A planned start counts like one by hand: it is one rule with one refusal.
    let starts_at = start_in(&world, 20_000);
    let ends_at = start_in(&world, 20_999);
    let with_start =
        DropPlan { starts_at: Some(starts_at), ends_at: Some(ends_at), ..plan_with_countdown(1) };
    let (opens_at, ends_at, min_ms) = (starts_at.get(), ends_at.get(), 1_000);
    let expected = CommandRefusal::EndsTooSoon { opens_at, ends_at, min_ms };
    let plan = Arc::new(with_start);
    assert_eq!(refused(&mut world, Action::Plan { plan }), expected);
    let plan = at(&world, 11_000);
    let drop = planned(&mut world, DropPlan::clone(&plan));
    let plan = at(&world, 5_000);
    let expected = too_soon(&world, 5_000);
    assert_eq!(refused(&mut world, DropAction::Edit { plan }.on(drop)), expected);
    // The end has come closer since.
    world.advance(1);
    let expected = too_soon(&world, 10_999);
    assert_eq!(refused(&mut world, DropAction::StartCountdown.on(drop)), expected);
    let plan = at(&world, 11_000);
    world.give(DropAction::Edit { plan }.on(drop)).get().unwrap();
    world.give(DropAction::StartCountdown.on(drop)).get().unwrap();
    world.advance(10_000);
    world.wait_phase(drop, Phase::Open);
    world.advance(1_000);
    world.wait_phase(drop, Phase::Settled);
}

#[test]
fn times_in_microseconds_are_refused() {
    let mut world = World::new();
    let furthest = 366 * 86_400_000;
    for (starts_at, ends_at, field) in [
        (Some(start_in(&world, furthest + 1)), None, "starts_at_ms"),
        (None, Some(UnixMillis::new(world.engine.wall().get() * 1_000_000)), "ends_at_ms"),
    ] {
        let plan = Arc::new(DropPlan { starts_at, ends_at, ..plan(1) });
        let refusal = refused(&mut world, Action::Plan { plan });
        let far = matches!(refusal, CommandRefusal::TooFarAhead { field: f, .. } if f == field);
        assert!(far, "{refusal:?}");
        assert!(refusal.to_string().contains("in milliseconds since 1970"), "{refusal}");
    }
    let starts_at = Some(start_in(&world, furthest));
    planned(&mut world, DropPlan { starts_at, ..plan(1) });
}

#[test]
fn a_start_later_than_its_end_leaves_the_drop_to_be_edited() {
    let mut world = World::new();
    let (starts_at, ends_at) = (start_in(&world, 15_000), start_in(&world, 16_000));
    let times = |plan| DropPlan { starts_at: Some(starts_at), ends_at: Some(ends_at), ..plan };
    let late = planned(&mut world, times(plan_with_countdown(1)));
    world.advance(16_000);
    wait_for("the news", || {
        sale(&world, late).standing().start_missed.filter(|at| *at == starts_at)
    });
    assert_eq!(phase_now(&mut world, late), Phase::Scheduled);
    // The end comes while the countdown runs: the wall clock was set.
    let ends_at = Some(start_in(&world, 20_000));
    let drop = planned(&mut world, DropPlan { ends_at, ..plan_with_countdown(1) });
    world.give(DropAction::StartCountdown.on(drop)).get().unwrap();
    world.wait_phase(drop, Phase::Countdown);
    world.set_wall(10_000);
    world.advance(10_000);
    world.wait_phase(drop, Phase::Scheduled);
    wait_for("the news", || sale(&world, drop).standing().start_missed);
    let plan = Arc::new(plan_with_countdown(1));
    world.give(DropAction::Edit { plan }.on(drop)).get().unwrap();
    world.give(DropAction::StartCountdown.on(drop)).get().unwrap();
    world.advance(10_000);
    world.wait_phase(drop, Phase::Open);
}
