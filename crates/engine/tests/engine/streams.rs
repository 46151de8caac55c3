//! Streams that go offline: what becomes of their drops, whatever comes in between.

use std::sync::Arc;

use stampede_domain::{DropId, DropPlan, DurationMs, Phase, WhenOffline};
use stampede_engine::{Action, CommandRefusal, DropAction, Role, StreamAction};
use stampede_ledger::{Record, StreamRecord};

use crate::{
    brake::records,
    support::{Waiting, World, plan, plan_with_countdown, wait_for},
};

const ALLOWED_MS: u64 = 30_000;

/// A drop that pauses after 30 seconds offline.
fn pausing(resume: bool) -> DropPlan {
    with_rule(plan(5), resume)
}

fn with_rule(plan: DropPlan, resume: bool) -> DropPlan {
    let rule = WhenOffline { pause_after: DurationMs::new(ALLOWED_MS), resume };
    DropPlan { when_offline: Some(rule), ..plan }
}

fn report(world: &mut World, online: bool) {
    let stream = "show".parse().unwrap();
    let action =
        if online { StreamAction::Online.on(stream) } else { StreamAction::Offline.on(stream) };
    let done = world.give(action).get().unwrap();
    assert_eq!(done.drop, DropId::HOUSE);
}

/// An open drop whose stream has just gone.
fn offline(plan: DropPlan) -> (World, DropId) {
    let mut world = World::new();
    let drop = world.open_drop(plan);
    report(&mut world, false);
    (world, drop)
}

/// A drop that its stream has paused.
fn paused(resume: bool) -> (World, DropId) {
    let (world, drop) = offline(pausing(resume));
    world.advance(ALLOWED_MS);
    world.wait_phase(drop, Phase::Paused);
    (world, drop)
}

fn is_offline(world: &World, drop: DropId) -> bool {
    world
        .engine
        .sale(drop)
        .unwrap()
        .standing()
        .stream_offline_since(world.engine.moment())
        .is_some()
}

fn count(world: &World, drop: DropId, wanted: impl Fn(&Record) -> bool) -> usize {
    records(&world.ledger, drop).iter().filter(|record| wanted(record)).count()
}

fn lapses(world: &World, drop: DropId) -> usize {
    count(world, drop, |record| *record == Record::Stream(StreamRecord::OfflineLapsed))
}

/// The phase, once the steward has looked at its timers: between two answers in a row.
fn phase_now(world: &mut World, drop: DropId) -> Phase {
    for _ in 0..2 {
        world.give(DropAction::Pause.on(DropId::new(999))).get().unwrap_err();
    }
    world.engine.sale(drop).unwrap().phase()
}

#[test]
fn a_drop_pauses_when_its_time_is_over_and_waits_for_the_host() {
    let (mut world, drop) = offline(pausing(false));
    world.advance(ALLOWED_MS - 1);
    assert_eq!(phase_now(&mut world, drop), Phase::Open);
    world.advance(1);
    world.wait_phase(drop, Phase::Paused);
    report(&mut world, true);
    assert_eq!(phase_now(&mut world, drop), Phase::Paused, "the plan leaves it to the host");
    world.give(DropAction::Resume.on(drop)).get().unwrap();
    world.wait_phase(drop, Phase::Open);
    assert_eq!(lapses(&world, drop), 1, "the reason is on record");
}

#[test]
fn a_drop_that_says_so_goes_on_with_its_stream() {
    let (mut world, drop) = paused(true);
    let ann = world.viewer("ann");
    report(&mut world, true);
    world.wait_phase(drop, Phase::Open);
    world.hold(&ann, drop, 1, "a1");
}

#[test]
fn a_drop_without_the_rule_goes_on() {
    let (mut world, drop) = offline(plan(5));
    assert!(is_offline(&world, drop));
    world.advance(10 * ALLOWED_MS);
    assert_eq!(phase_now(&mut world, drop), Phase::Open);
    report(&mut world, true);
    assert!(!is_offline(&world, drop));
}

#[test]
fn back_just_before_the_time_is_over_disarms() {
    let (mut world, drop) = offline(pausing(true));
    world.advance(ALLOWED_MS - 1);
    report(&mut world, true);
    world.advance(1);
    assert_eq!((phase_now(&mut world, drop), lapses(&world, drop)), (Phase::Open, 0));
    // The next report has the whole time again.
    report(&mut world, false);
    world.advance(ALLOWED_MS - 1);
    assert_eq!(phase_now(&mut world, drop), Phase::Open);
    world.advance(1);
    world.wait_phase(drop, Phase::Paused);
}

#[test]
fn a_second_report_does_not_prolong_the_first() {
    let (mut world, drop) = offline(pausing(false));
    world.advance(ALLOWED_MS - 1);
    report(&mut world, false);
    world.advance(1);
    world.wait_phase(drop, Phase::Paused);
    assert_eq!(
        count(&world, drop, |record| matches!(
            record,
            Record::Stream(StreamRecord::Offline { .. })
        )),
        1
    );
}

#[test]
fn a_pause_of_the_host_is_not_ended_by_the_stream() {
    let mut world = World::new();
    let drop = world.open_drop(pausing(true));
    world.give(DropAction::Pause.on(drop)).get().unwrap();
    report(&mut world, false);
    world.advance(ALLOWED_MS);
    wait_for("the time to be over", || (lapses(&world, drop) == 1).then_some(()));
    report(&mut world, true);
    assert_eq!(phase_now(&mut world, drop), Phase::Paused);
}

#[test]
fn the_host_takes_over_a_pause_of_the_stream() {
    let (mut world, drop) = paused(true);
    world.give(DropAction::Pause.on(drop)).get().unwrap();
    let again = world.give(DropAction::Pause.on(drop)).get();
    assert!(matches!(again, Err(CommandRefusal::WrongPhase { .. })), "{again:?}");
    let mut world = world.restart(10);
    report(&mut world, true);
    assert_eq!(phase_now(&mut world, drop), Phase::Paused);
}

#[test]
fn what_the_host_decides_while_offline_stands() {
    let (mut world, drop) = paused(true);
    world.give(DropAction::Resume.on(drop)).get().unwrap();
    world.wait_phase(drop, Phase::Open);
    world.advance(10 * ALLOWED_MS);
    assert_eq!(phase_now(&mut world, drop), Phase::Open);
    let world = world.restart(ALLOWED_MS);
    world.advance(10 * ALLOWED_MS);
    world.wait_phase(drop, Phase::Open);
    assert_eq!(lapses(&world, drop), 1, "also after a restart");
}

#[test]
fn a_restart_keeps_the_report_and_moves_its_time_by_the_outage() {
    let (world, drop) = offline(pausing(true));
    world.advance(ALLOWED_MS - 1_000);
    // A tally within the last second says how long the server was there.
    wait_for("a tally", || {
        let last = world.ledger.rows().last()?.header().unwrap().at;
        (last == world.engine.now()).then_some(())
    });
    let mut world = world.restart(60_000);
    assert!(is_offline(&world, drop));
    assert_eq!(phase_now(&mut world, drop), Phase::Open);
    world.advance(999);
    assert_eq!(phase_now(&mut world, drop), Phase::Open, "the outage is not the stream's");
    world.advance(1);
    world.wait_phase(drop, Phase::Paused);
    // A pause acts before it is durable: a restart before that would not know of it.
    let lapsed = || {
        records(&world.ledger, drop)
            .contains(&Record::Stream(StreamRecord::OfflineLapsed))
            .then_some(())
    };
    wait_for("the pause in the ledger", lapsed);
    let mut world = world.restart(5_000);
    world.wait_phase(drop, Phase::Paused);
    report(&mut world, true);
    world.wait_phase(drop, Phase::Open);
    let world = world.restart(5_000);
    world.wait_phase(drop, Phase::Open);
    assert!(world.engine.sale(drop).unwrap().is_featured());
}

#[test]
fn a_countdown_is_called_off_and_a_start_waits_for_the_stream() {
    let mut world = World::new();
    let countdown = with_rule(plan_with_countdown(5), true);
    let countdown = DropPlan { countdown: DurationMs::from_secs(60), ..countdown };
    let drop = world.give(Action::Plan { plan: Arc::new(countdown) }).get().unwrap().drop;
    let starts_at = Some(world.engine.now().plus(DurationMs::from_secs(120)));
    let timed = DropPlan { starts_at, ..with_rule(plan_with_countdown(5), false) };
    let timed = world.give(Action::Plan { plan: Arc::new(timed) }).get().unwrap().drop;
    report(&mut world, false);
    world.give(DropAction::StartCountdown.on(drop)).get().unwrap();
    world.wait_phase(drop, Phase::Countdown);
    world.advance(ALLOWED_MS);
    world.wait_phase(drop, Phase::Scheduled);
    // 112 seconds later the other drop's countdown is due.
    world.advance(82_000);
    assert_eq!(phase_now(&mut world, timed), Phase::Scheduled);
    report(&mut world, true);
    world.wait_phase(timed, Phase::Countdown);
    assert_eq!(phase_now(&mut world, drop), Phase::Scheduled, "the host starts it again");
    world.advance(8_000);
    world.wait_phase(timed, Phase::Open);
}

#[test]
fn a_drop_planned_or_edited_meanwhile_knows() {
    let mut world = World::new();
    let first = world.open_drop(plan(5));
    report(&mut world, false);
    world.advance(10_000);
    let later = pausing(true);
    let drop = world.give(Action::Plan { plan: Arc::new(later.clone()) }).get().unwrap().drop;
    let edited = DropPlan { title: "Better mugs".into(), ..later };
    world.give(DropAction::Edit { plan: Arc::new(edited) }.on(drop)).get().unwrap();
    world.give(DropAction::StartCountdown.on(drop)).get().unwrap();
    world.wait_phase(drop, Phase::Open);
    let mut world = world.restart(0);
    world.wait_phase(drop, Phase::Open);
    world.advance(ALLOWED_MS - 10_000);
    world.wait_phase(drop, Phase::Paused);
    assert_eq!(phase_now(&mut world, first), Phase::Open);
}

#[test]
fn only_who_is_trusted_reports_and_only_what_is_there() {
    let mut world = World::new();
    let stream = || "show".parse().unwrap();
    let unknown = world.give(StreamAction::Offline.on(stream())).get();
    assert_eq!(unknown, Err(CommandRefusal::UnknownStream { stream: stream() }));
    let drop = world.open_drop(pausing(false));
    let ask = |world: &World, role, key: &str| {
        let action = StreamAction::Offline.on(stream());
        world.give_as(role, key, action).unwrap().get()
    };
    for role in [Role::Host, Role::Merchant] {
        let refused = ask(&world, role, role.name());
        assert!(matches!(refused, Err(CommandRefusal::Forbidden { .. })), "{refused:?}");
    }
    for role in [Role::Platform, Role::Ops, Role::Admin] {
        ask(&world, role, role.name()).unwrap();
    }
    let replayed = ask(&world, Role::Platform, "platform").unwrap();
    assert!(replayed.replayed);
    let forbidden = world.give_as(Role::Platform, "p2", DropAction::Pause.on(drop)).unwrap().get();
    assert!(matches!(forbidden, Err(CommandRefusal::Forbidden { .. })), "{forbidden:?}");
    let bound = stampede_engine::StaffCommand {
        actor: "acme-admin".into(),
        role: Role::Admin,
        merchant: Some("acme".parse().unwrap()),
        streams: stampede_engine::StreamScope::All,
        key: "b1".parse().unwrap(),
        reason: None,
        action: StreamAction::Online.on(stream()),
    };
    let refused = Waiting(world.engine.command(bound).unwrap()).get();
    assert!(matches!(refused, Err(CommandRefusal::BoundToken { .. })), "{refused:?}");
}
