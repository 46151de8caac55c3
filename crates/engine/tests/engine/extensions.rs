//! Staff give every live hold more time.

use stampede_domain::{DropId, DropPlan, DurationMs, HoldId, PaymentTerms, Phase};
use stampede_engine::{Buy, DropAction, HoldLook};
use stampede_ledger::fake::Fault;

use crate::support::{ORDERED, World, plan};

fn left(world: &World, hold: HoldId) -> u64 {
    let HoldLook::Known(status) = world.look(hold) else { panic!("{hold} is held") };
    status.deadline.since(world.engine.now()).get()
}

fn extend(drop: DropId, secs: u64) -> stampede_engine::Action {
    DropAction::Extend { by: DurationMs::from_secs(secs) }.on(drop)
}

/// Any answer shows that the steward has looked around.
fn look_around(world: &mut World, drop: DropId) {
    world.give(DropAction::StartCountdown.on(drop)).get().unwrap_err();
}

#[test]
fn holds_taken_before_expire_at_the_moved_deadline() {
    let mut world = World::new();
    let drop = world.open_drop(plan(3));
    let [ann, bob] = ["ann", "bob"].map(|name| world.viewer(name));
    let before = world.hold(&ann, drop, 1, "a");
    world.advance(50_000);
    world.give(extend(drop, 30)).get().unwrap();
    world.wait_held(before);
    assert_eq!(left(&world, before), 40_000);
    let after = world.hold(&bob, drop, 1, "b");
    assert_eq!(left(&world, after), 60_000, "it has its own time");
    world.advance(39_999);
    look_around(&mut world, drop);
    assert!(matches!(world.look(before), HoldLook::Known(_)));
    world.advance(1);
    world.wait_expired(before);
    world.advance(20_000);
    world.wait_expired(after);
}

#[test]
fn a_restart_leaves_extended_holds_their_time() {
    let mut world = World::new();
    let drop = world.open_drop(plan(3));
    let [ann, bob] = ["ann", "bob"].map(|name| world.viewer(name));
    let before = world.hold(&ann, drop, 1, "a");
    world.advance(1_000);
    world.give(extend(drop, 30)).get().unwrap();
    let after = world.hold(&bob, drop, 1, "b");
    world.advance(1_000);
    world.give(extend(drop, 5)).get().unwrap();
    let mut world = world.restart(0);
    assert_eq!([left(&world, before), left(&world, after)], [93_000, 64_000]);
    world.advance(1_000);
    world.give(extend(drop, 10)).get().unwrap();
    assert_eq!([left(&world, before), left(&world, after)], [102_000, 73_000]);
    let _ann = world.viewer("ann");
    world.advance(101_999);
    look_around(&mut world, drop);
    assert!(matches!(world.look(before), HoldLook::Known(_)));
    world.advance(1);
    world.wait_expired(before);
}

#[test]
fn viewers_see_an_extension_once_it_is_durable_and_nothing_expires_before() {
    let mut world = World::new();
    let drop = world.open_drop(plan(3));
    let ann = world.viewer("ann");
    let [paid, held] = ["a", "b"].map(|key| world.hold(&ann, drop, 1, key));
    world.advance(59_000);
    world.ledger.order(world.ledger.commits() + 1, Fault::Hang);
    let extended = world.give(extend(drop, 30));
    world.ledger.wait_until_hanging();
    assert_eq!(left(&world, paid), 1_000);
    world.advance(20_000);
    let confirmed = world.start_to_pay(paid);
    let asked = world.give(DropAction::StartCountdown.on(drop));
    assert_eq!(left(&world, held), 0, "viewers know nothing of it");
    world.ledger.release();
    extended.get().unwrap();
    asked.get().unwrap_err();
    assert_eq!(confirmed.outcome(), ORDERED, "it was in time");
    world.wait_held(held);
    assert_eq!(left(&world, held), 11_000);
}

#[test]
fn a_take_on_its_way_to_the_ledger_is_extended_too() {
    let mut world = World::new();
    let drop = world.open_drop(plan(3));
    let ann = world.viewer("ann");
    world.ledger.order(world.ledger.commits() + 1, Fault::Hang);
    let Buy::Pending { hold, position } = world.buy(0, &ann, drop, 1, "a") else { panic!("held") };
    world.ledger.wait_until_hanging();
    world.advance(1);
    let extended = world.give(extend(drop, 30));
    world.ledger.release();
    world.wait_durable(0, position);
    extended.get().unwrap();
    assert_eq!(left(&world, hold), 89_999);
    let world = world.restart(0);
    assert_eq!(left(&world, hold), 89_999);
}

#[test]
fn the_grace_moves_along_while_a_drop_is_closed() {
    let mut world = World::new();
    let (grace, stretch) = (DurationMs::from_secs(3), DurationMs::ZERO);
    let payment_terms = Some(PaymentTerms { grace, stretch });
    let drop = world.open_drop(DropPlan { payment_terms, ..plan(3) });
    let ann = world.viewer("ann");
    let hold = world.hold(&ann, drop, 1, "a");
    world.give(DropAction::Close.on(drop)).get().unwrap();
    world.advance(1);
    world.give(extend(drop, 10)).get().unwrap();
    world.advance(72_998);
    world.give(DropAction::Close.on(drop)).get().unwrap_err();
    assert!(matches!(world.look(hold), HoldLook::Known(_)), "the grace is not over");
    world.advance(1);
    world.wait_expired(hold);
    world.wait_phase(drop, Phase::Settled);
    world.give(extend(drop, 10)).get().unwrap_err();
}
