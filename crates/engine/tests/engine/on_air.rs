//! Which drop of a stream is on air, by command or by itself, over restarts too.

use std::sync::Arc;

use stampede_domain::{DropId, DropPlan, Mode, Phase};
use stampede_engine::{Action, BrakeAction, CommandRefusal, DropAction, Role};
use stampede_ledger::{Record, fake::Fault};

use crate::{
    brake::records,
    support::{World, plan, plan_with_countdown, wait_for},
};

fn rehearsal(supply: u32) -> DropPlan {
    DropPlan { mode: Mode::Rehearsal, ..plan(supply) }
}

fn planned(world: &mut World, plan: DropPlan) -> DropId {
    world.give(Action::Plan { plan: Arc::new(plan) }).get().unwrap().drop
}

fn give(world: &mut World, drop: DropId, action: DropAction) {
    world.give(action.on(drop)).get().unwrap();
}

fn on_air(world: &World) -> Vec<DropId> {
    let drops = (1..).map(DropId::new).map_while(|id| world.engine.sale(id));
    drops.filter(|sale| sale.is_featured()).map(|sale| sale.id()).collect()
}

/// Waits until exactly these are on air; they are after a restart too.
fn airs(world: World, drops: &[DropId]) -> World {
    wait_for(&format!("{drops:?} on air"), || (on_air(&world) == drops).then_some(()));
    let world = world.restart(1);
    assert_eq!(on_air(&world), drops, "after a restart");
    world
}

#[test]
fn a_rehearsal_leaves_the_live_drop_on_air() {
    let mut world = World::new();
    let live = world.open_drop(plan(5));
    let trial = world.open_drop(rehearsal(5));
    let mut world = airs(world, &[live, trial]);
    give(&mut world, trial, DropAction::Close);
    airs(world, &[live, trial]);
}

#[test]
fn the_end_of_the_drop_on_air_leads_back_to_the_latest_that_is_open() {
    let mut world = World::new();
    let drops: Vec<DropId> = (0..4).map(|_| world.open_drop(plan(5))).collect();
    let mut world = airs(world, &drops[3..]);
    give(&mut world, drops[2], DropAction::Pause);
    give(&mut world, drops[3], DropAction::Close);
    world.wait_phase(drops[3], Phase::Settled);
    let mut world = airs(world, &drops[1..2]);
    // A pause leaves it on air, and what was not on air ends without a word.
    give(&mut world, drops[1], DropAction::Pause);
    give(&mut world, drops[2], DropAction::Close);
    let mut world = airs(world, &drops[1..2]);
    give(&mut world, drops[1], DropAction::Close);
    airs(world, &drops[..1]);
}

#[test]
fn a_countdown_that_is_called_off_gives_the_air_back() {
    let mut world = World::new();
    let first = world.open_drop(plan(5));
    let second = planned(&mut world, plan_with_countdown(5));
    give(&mut world, second, DropAction::StartCountdown);
    let mut world = airs(world, &[second]);
    give(&mut world, second, DropAction::CancelCountdown);
    let mut world = airs(world, &[first]);
    give(&mut world, second, DropAction::StartCountdown);
    let world = airs(world, &[second]);
    // An outage over its end calls it off too.
    let world = world.restart(60_000);
    airs(world, &[first]);
}

#[test]
fn staff_choose_what_is_on_air() {
    let mut world = World::new();
    let first = world.open_drop(plan(5));
    let second = world.open_drop(plan(5));
    let third = planned(&mut world, plan_with_countdown(5));
    give(&mut world, third, DropAction::StartCountdown);
    let mut world = airs(world, &[third]);
    give(&mut world, first, DropAction::Feature);
    let world = airs(world, &[first]);
    // The countdown had begun before staff chose.
    world.advance(10_000);
    world.wait_phase(third, Phase::Open);
    let mut world = airs(world, &[first]);
    let chosen = records(&world.ledger, first);
    assert!(chosen.contains(&Record::Featured), "the choice is on record");
    give(&mut world, second, DropAction::Feature);
    let mut world = airs(world, &[second]);
    give(&mut world, second, DropAction::Close);
    airs(world, &[first]);
}

#[test]
fn only_a_drop_that_goes_on_can_be_chosen_and_not_by_everybody() {
    let mut world = World::new();
    let drop = planned(&mut world, plan(5));
    let refused = world.give(DropAction::Feature.on(drop)).get();
    let wrong = CommandRefusal::WrongPhase { action: "feature", phase: Phase::Scheduled };
    assert_eq!(refused, Err(wrong));
    let drop = world.open_drop(plan(5));
    for (role, may) in
        [(Role::Host, true), (Role::Merchant, true), (Role::Ops, false), (Role::Platform, false)]
    {
        let answer = world.give_as(role, role.name(), DropAction::Feature.on(drop)).unwrap().get();
        assert_eq!(answer.is_ok(), may, "{role}: {answer:?}");
    }
    give(&mut world, drop, DropAction::Close);
    world.give(DropAction::Feature.on(drop)).get().unwrap_err();
}

#[test]
fn drops_that_begin_at_once_are_on_air_in_the_order_of_their_commands_after_a_restart_too() {
    let mut world = World::new();
    let [first, second] = [9, 8].map(|order| {
        let plan = DropPlan { running_order: order, ..plan_with_countdown(5) };
        planned(&mut world, plan)
    });
    // Both wait behind a commit that hangs, so that one commit could take them together.
    world.ledger.order(world.ledger.commits() + 1, Fault::Hang);
    let hanging = world.give(Action::Plan { plan: Arc::new(plan(5)) });
    world.ledger.wait_until_hanging();
    let later = [second, first].map(|drop| world.give(DropAction::StartCountdown.on(drop)));
    // What forbids is seen at once: by then the others are decided.
    let stop = world.give(BrakeAction::Halt { expires_in: None });
    wait_for("a stop", || world.engine.brake().is_halted().then_some(()));
    world.ledger.release();
    for answer in [hanging, stop].into_iter().chain(later) {
        answer.get().unwrap();
    }
    let _world = airs(world, &[first]);
}
