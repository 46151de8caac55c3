//! The video's delay: a host has time to say the word so that viewers hear it as the drop opens.

use std::sync::Arc;

use stampede_domain::{DropId, DropPlan, DurationMs, Phase};
use stampede_engine::{
    Action, CommandOutcome, CommandRefusal, DropAction, Role, StreamAction, VideoRefusal,
};

use crate::support::{World, plan, plan_with_countdown};

fn planned(world: &mut World, plan: DropPlan) -> DropId {
    world.give(Action::Plan { plan: Arc::new(plan) }).get().unwrap().drop
}

fn set_delay(world: &mut World, millis: u64) -> CommandOutcome {
    let (stream, delay) = ("show".parse().unwrap(), DurationMs::new(millis));
    world.give(StreamAction::SetVideoDelay { delay }.on(stream)).get()
}

fn open_after(world: &mut World, drop: DropId, millis: u64) -> CommandOutcome {
    let countdown = DurationMs::new(millis);
    world.give(DropAction::StartCountdownFor { countdown }.on(drop)).get()
}

fn code(outcome: CommandOutcome) -> String {
    outcome.unwrap_err().code().to_owned()
}

fn shown(world: &World, drop: DropId) -> u64 {
    world.engine.sale(drop).unwrap().standing().video_delay.get()
}

#[test]
fn a_delay_is_none_or_two_to_sixty_seconds_and_survives_a_restart() {
    let mut world = World::new();
    assert_eq!(code(set_delay(&mut world, 6_000)), "unknown_room");
    let drop = planned(&mut world, plan(5));
    assert_eq!(code(set_delay(&mut world, 0)), "room_unchanged");
    for wrong in [1, 1_999, 60_001, u64::MAX] {
        assert_eq!(code(set_delay(&mut world, wrong)), "video_delay_out_of_range");
    }
    for right in [2_000, 60_000, 0, 6_000] {
        set_delay(&mut world, right).unwrap();
        assert_eq!(shown(&world, drop), right);
    }
    let mut world = world.restart(1);
    let stream = "show".parse().unwrap();
    assert_eq!(world.engine.room(&stream).unwrap().video_delay.get(), 6_000);
    assert_eq!((world.engine.video_delay(&stream).get(), shown(&world, drop)), (6_000, 6_000));
    // One that is edited, or planned later, stands in the same stream.
    let edit = DropAction::Edit { plan: Arc::new(plan_with_countdown(7)) };
    world.give(edit.on(drop)).get().unwrap();
    let later = planned(&mut world, plan(1));
    assert_eq!((shown(&world, drop), shown(&world, later)), (6_000, 6_000));
    assert_eq!(code(open_after(&mut world, drop, 8_999)), "countdown_too_short");
}

#[test]
fn a_countdown_leaves_the_host_time_to_speak() {
    let mut world = World::new();
    let drop = planned(&mut world, plan_with_countdown(5));
    let at_once = planned(&mut world, plan(5));
    set_delay(&mut world, 8_000).unwrap();
    let refused = world.give(DropAction::StartCountdown.on(drop)).get().unwrap_err();
    let expected = VideoRefusal::CountdownTooShort {
        stream: "show".parse().unwrap(),
        delay_ms: 8_000,
        countdown_ms: 10_000,
        min_ms: 11_000,
    };
    assert_eq!(refused, CommandRefusal::Video(expected));
    assert!(refused.to_string().contains("use 11000 ms or more"), "{refused}");
    assert_eq!(
        code(world.give(DropAction::StartCountdown.on(at_once)).get()),
        "countdown_too_short"
    );
    assert_eq!(code(open_after(&mut world, drop, 600_001)), "invalid_plan");
    open_after(&mut world, drop, 11_000).unwrap();
    let opens_in = |world: &World| {
        let standing = world.engine.sale(drop).unwrap().standing();
        standing.opens_in(world.engine.moment()).map(DurationMs::get)
    };
    assert_eq!(opens_in(&world), Some(11_000));
    // The host's cue does not jump; a cancelled countdown is none.
    assert_eq!(code(set_delay(&mut world, 3_000)), "countdown_runs");
    world.give(DropAction::CancelCountdown.on(drop)).get().unwrap();
    set_delay(&mut world, 0).unwrap();
    world.give(DropAction::StartCountdown.on(at_once)).get().unwrap();
    world.wait_phase(at_once, Phase::Open);
}

#[test]
fn a_planned_start_has_its_whole_cue() {
    let mut world = World::new();
    let starts_at = Some(world.engine.wall().plus(DurationMs::from_secs(60)));
    let drop = planned(&mut world, DropPlan { starts_at, ..plan(5) });
    set_delay(&mut world, 6_000).unwrap();
    world.advance(51_500);
    world.wait_phase(drop, Phase::Countdown);
    let standing = || world.engine.sale(drop).unwrap().standing();
    let now = world.engine.moment();
    assert_eq!(standing().opens_in(now), Some(DurationMs::new(8_500)));
    assert_eq!(standing().opened_ago(now), None);
    world.advance(8_600);
    world.wait_phase(drop, Phase::Open);
    let opened = standing().opened_ago(world.engine.moment()).map(DurationMs::get);
    assert!(opened.is_some_and(|ago| ago <= 100), "{opened:?}");
}

#[test]
fn whoever_speaks_for_the_room_says_how_late_it_is_seen() {
    let mut world = World::new();
    planned(&mut world, plan(5));
    let roles = [
        (Role::Host, true),
        (Role::Merchant, true),
        (Role::Platform, true),
        (Role::Creator, false),
        (Role::Ops, false),
        (Role::Stage, false),
    ];
    for (place, (role, may)) in (2_u64..).zip(roles) {
        let (stream, delay) = ("show".parse().unwrap(), DurationMs::from_secs(place));
        let action = StreamAction::SetVideoDelay { delay }.on(stream);
        let given = world.give_as(role, &format!("k{place}"), action).unwrap().get();
        assert_eq!(given.is_ok(), may, "{role}: {given:?}");
    }
}
