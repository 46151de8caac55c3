//! Drops of which viewers hear nothing until their countdown begins.

use std::sync::Arc;

use stampede_domain::{DropId, DropPlan, Phase, Refusal, limits::SETTLED_KEPT_MS};
use stampede_engine::{Action, Buy, DropAction};
use stampede_ledger::fake::Fault;

use crate::support::{World, plan_with_countdown, wait_for};

fn hidden(supply: u32) -> Arc<DropPlan> {
    Arc::new(DropPlan { hidden: true, ..plan_with_countdown(supply) })
}

fn planned(world: &mut World) -> DropId {
    let drop = world.give(Action::Plan { plan: hidden(5) }).get().unwrap().drop;
    wait_for("the plan", || world.engine.sale(drop));
    drop
}

/// Whether viewers hear nothing of it, and whether staff are told so.
fn marks(world: &World, drop: DropId) -> [bool; 2] {
    let sale = world.engine.sale(drop).unwrap();
    [sale.is_hidden(), sale.standing().hidden]
}

#[test]
fn whoever_guesses_the_id_learns_nothing() {
    let mut world = World::new();
    let drop = planned(&mut world);
    let ann = world.viewer("ann");
    assert_eq!(world.buy(0, &ann, drop, 1, "a"), Buy::Refused(Refusal::UnknownDrop));
    assert!(world.engine.sale(drop).unwrap().totals().is_empty(), "nothing is counted");
    world.give(DropAction::StartCountdown.on(drop)).get().unwrap();
    world.wait_phase(drop, Phase::Countdown);
    assert_eq!(world.buy(0, &ann, drop, 1, "a"), Buy::Refused(Refusal::NotOpen));
}

#[test]
fn a_drop_that_was_called_off_tells_nothing_either() {
    let mut world = World::new();
    let drop = planned(&mut world);
    world.give(DropAction::Cancel.on(drop)).get().unwrap();
    world.wait_phase(drop, Phase::Cancelled);
    assert_eq!(marks(&world, drop), [true, false], "nobody is to wait for it");
    let ann = world.viewer("ann");
    assert_eq!(world.buy(0, &ann, drop, 1, "a"), Buy::Refused(Refusal::UnknownDrop));
    world.advance(SETTLED_KEPT_MS + 1_000);
    wait_for("the drop to leave memory", || world.engine.sale(drop).is_none().then_some(()));
    assert_eq!(world.buy(0, &ann, drop, 1, "a"), Buy::Refused(Refusal::UnknownDrop));
    assert!(world.engine.over(drop).unwrap().was_hidden);
    let world = world.restart(100);
    assert!(world.engine.over(drop).unwrap().was_hidden, "its seal says so");
}

#[test]
fn it_stays_hidden_over_a_restart_and_shown_over_another() {
    let mut world = World::new();
    let drop = planned(&mut world);
    assert_eq!(marks(&world, drop), [true, true]);
    let version = world.engine.sale(drop).unwrap().version();
    let mut world = world.restart(100);
    assert_eq!(marks(&world, drop), [true, true]);
    world.give(DropAction::StartCountdown.on(drop)).get().unwrap();
    world.wait_phase(drop, Phase::Countdown);
    assert_eq!(marks(&world, drop), [false, false]);
    assert!(world.engine.sale(drop).unwrap().version() > version);
    world.give(DropAction::CancelCountdown.on(drop)).get().unwrap();
    world.wait_phase(drop, Phase::Scheduled);
    assert_eq!(marks(&world, drop), [false, false], "viewers know it");
    let again = DropAction::Edit { plan: hidden(6) };
    world.give(again.on(drop)).get().unwrap();
    wait_for("the edit", || (world.engine.sale(drop)?.revision() == 2).then_some(()));
    assert_eq!(marks(&world, drop), [false, false], "an edit cannot hide it");
    let world = world.restart(100);
    assert_eq!(marks(&world, drop), [false, false]);
    assert_eq!(world.engine.sale(drop).unwrap().phase(), Phase::Scheduled);
}

#[test]
fn nothing_is_shown_before_the_countdown_is_durable() {
    let mut world = World::new();
    let drop = planned(&mut world);
    world.ledger.order(world.ledger.commits() + 1, Fault::Hang);
    let opened = world.give(DropAction::StartCountdown.on(drop));
    let cancelled = world.give(DropAction::CancelCountdown.on(drop));
    world.ledger.wait_until_hanging();
    assert_eq!(marks(&world, drop), [true, true]);
    world.ledger.release();
    opened.get().unwrap();
    cancelled.get().unwrap();
    // The countdown was overtaken, and is on record all the same.
    wait_for("viewers to hear of it", || (marks(&world, drop) == [false, false]).then_some(()));
    let world = world.restart(100);
    assert_eq!(marks(&world, drop), [false, false]);
}
