//! Drops that sell on what comes back, then close by themselves.

use stampede_domain::{DropId, DurationMs, Phase};
use stampede_engine::{CommandRefusal, DropAction, WindDownRefusal};

use crate::support::{World, plan, wait_for};

fn winds_down_in(world: &World, drop: DropId) -> Option<DurationMs> {
    world.engine.sale(drop).unwrap().view(world.engine.moment()).winds_down_in()
}

#[test]
fn what_comes_back_is_sold_for_two_hold_times_over_a_restart() {
    let mut world = World::new();
    let drop = world.open_drop(plan(1));
    let ttl = world.engine.sale(drop).unwrap().plan().hold_ttl.get();
    let ann = world.viewer("ann");
    let held = world.hold(&ann, drop, 1, "a");
    world.give(DropAction::WindDown.on(drop)).get().unwrap();
    assert_eq!(winds_down_in(&world, drop), Some(DurationMs::new(2 * ttl)));
    let refused = world.give(DropAction::WindDown.on(drop)).get().unwrap_err();
    assert_eq!(refused, CommandRefusal::WindDown(WindDownRefusal::Already));
    world.advance(ttl);
    world.wait_expired(held);
    let mut world = world.restart(0);
    world.wait_phase(drop, Phase::Open);
    let view = world.engine.sale(drop).unwrap().view(world.engine.moment());
    assert_eq!(
        (view.winds_down_in(), view.closes_in()),
        (Some(DurationMs::new(ttl)), view.winds_down_in())
    );
    let bob = world.viewer("bob");
    world.hold(&bob, drop, 1, "b");
    world.advance(ttl);
    world.wait_phase(drop, Phase::Settled);
    assert_eq!(winds_down_in(&world, drop), None);
}

#[test]
fn the_last_order_closes_it_and_the_next_drop_is_on_air() {
    let mut world = World::new();
    let (next, drop) = (world.open_drop(plan(1)), world.open_drop(plan(1)));
    let is_on_air = |world: &World, drop| world.engine.sale(drop).unwrap().is_featured();
    assert!(is_on_air(&world, drop));
    let ann = world.viewer("ann");
    let held = world.hold(&ann, drop, 1, "a");
    world.give(DropAction::WindDown.on(drop)).get().unwrap();
    wait_for("the next on air", || is_on_air(&world, next).then_some(()));
    world.pay(held);
    world.wait_phase(drop, Phase::Settled);
    assert!(is_on_air(&world, next));
}
