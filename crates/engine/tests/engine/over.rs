//! Drops that are over: how long they stay in memory, what answers for them after that.

use std::sync::Arc;

use crate::support::{ORDERED, World, plan, wait_for};
use stampede_domain::{
    DropId, HoldId, Mode, Phase, Refusal, Units, UnixMillis, limits::SETTLED_KEPT_MS,
};
use stampede_engine::{
    Action, Buy, CommandRefusal, CorePort, DropAction, HoldLook, HoldOutcome, Role,
};
use stampede_ledger::{PhaseRecord, Record};
use stampede_testkit::euros;

/// A settled drop of three units with one order, of ann's.
fn settled(world: &mut World) -> (DropId, HoldId) {
    let drop = world.open_drop(plan(3));
    let ann = world.viewer("ann");
    let hold = world.hold(&ann, drop, 1, "a1");
    let ordered = world.pay(hold);
    assert_eq!(ordered, ORDERED);
    world.ports[0].leave(&ann, 1);
    world.give(DropAction::Close.on(drop)).get().unwrap();
    world.wait_phase(drop, Phase::Settled);
    (drop, hold)
}

fn orders_of(port: &mut CorePort, name: &str) -> usize {
    let stream = "show".parse().unwrap();
    let viewer = port.join(&name.parse().unwrap(), (&stream, Mode::Live), 7);
    let orders = port.holds_of(&viewer, &stream).len();
    port.leave(&viewer, 7);
    orders
}

fn wait_over(world: &World, drop: DropId) {
    wait_for("the summary", || {
        (world.engine.sale(drop).is_none() && world.engine.over(drop).is_some()).then_some(())
    });
}

/// The time of the row that opened a drop.
fn opened_at(world: &World, drop: DropId) -> UnixMillis {
    let opened = Ok(Record::Phase(PhaseRecord::Opened));
    let rows = world.ledger.rows();
    let row = rows.iter().find(|row| row.drop == drop && row.decode().any(|found| found == opened));
    row.unwrap().header().unwrap().at
}

/// supplied and sold of the only SKU.
fn final_figures(world: &World, drop: DropId) -> [u32; 2] {
    let figures = world.engine.over(drop).unwrap().skus[0];
    [figures.supplied, figures.sold].map(Units::get)
}

#[test]
fn a_settled_drop_leaves_memory_after_ten_minutes() {
    let mut world = World::new();
    let (drop, _) = settled(&mut world);
    let memory = Arc::downgrade(&world.engine.sale(drop).unwrap());
    assert_eq!(orders_of(&mut world.ports[0], "ann"), 1);
    world.advance(SETTLED_KEPT_MS - 1);
    // A command is decided after the timers of its turn, so they have had their chance.
    world.give(Action::Plan { plan: Arc::new(plan(1)) }).get().unwrap();
    assert!(world.engine.sale(drop).is_some());
    assert_eq!(orders_of(&mut world.ports[1], "ann"), 1);

    let in_stream = |world: &World| {
        let drops = world.engine.stream(&"show".parse().unwrap());
        drops.iter().map(|sale| sale.id()).collect::<Vec<_>>()
    };
    assert_eq!(in_stream(&world), [drop, DropId::new(2)]);
    world.advance(1);
    wait_over(&world, drop);
    assert_eq!(in_stream(&world), [DropId::new(2)]);
    assert_eq!(final_figures(&world, drop), [3, 1]);
    assert_eq!(world.engine.over(drop).unwrap().phase, Phase::Settled);
    for port in 0..2 {
        assert_eq!(orders_of(&mut world.ports[port], "ann"), 0);
    }
    wait_for("the memory", || (memory.strong_count() == 0).then_some(()));
}

#[test]
fn what_is_asked_about_a_drop_that_left_memory_gets_a_true_answer() {
    let mut world = World::new();
    let (drop, hold) = settled(&mut world);
    world.advance(SETTLED_KEPT_MS);
    wait_over(&world, drop);
    let ann = world.viewer("ann");
    assert_eq!(world.buy(0, &ann, drop, 1, "a1"), Buy::Refused(Refusal::Closed));
    let none: DropId = "d99".parse().unwrap();
    assert_eq!(world.buy(0, &ann, none, 1, "a1"), Buy::Refused(Refusal::UnknownDrop));
    assert_eq!(world.look(hold), HoldLook::Unknown);
    let paid = world.pay(hold);
    assert_eq!(paid, HoldOutcome::Over, "its money has to be read first");
    let phase = Phase::Settled;
    let refused = world.give(DropAction::Pause.on(drop)).get().unwrap_err();
    assert_eq!(refused, CommandRefusal::WrongPhase { action: "pause", phase });
    let refused = world.give(DropAction::Pause.on(none)).get().unwrap_err();
    assert_eq!(refused, CommandRefusal::UnknownDrop);
}

#[test]
fn a_winner_is_forgotten_with_the_last_drop_in_memory() {
    let mut world = World::new();
    let other = world.open_drop(plan(3));
    let (drop, _) = settled(&mut world);
    let ann = world.viewer("ann");
    let number = ann.number();
    world.hold(&ann, other, 1, "a2");
    world.ports[0].leave(&ann, 1);
    std::mem::drop(ann);
    world.advance(SETTLED_KEPT_MS);
    wait_over(&world, drop);
    let again = world.viewer("ann");
    assert_eq!(again.number(), number, "a drop that goes on keeps the number");
    world.ports[0].leave(&again, 1);
    std::mem::drop(again);
    world.give(DropAction::Close.on(other)).get().unwrap();
    world.wait_phase(other, Phase::Settled);
    world.advance(SETTLED_KEPT_MS);
    wait_over(&world, other);
    wait_for("a new number", || world.engine.viewer_id(number).is_none().then_some(()));
}

#[test]
fn a_restart_within_ten_minutes_keeps_orders_and_one_after_them_does_not() {
    let mut world = World::new();
    let (drop, _) = settled(&mut world);
    let number = world.viewer("ann").number();
    let mut world = world.restart(SETTLED_KEPT_MS / 2);
    assert_eq!(orders_of(&mut world.ports[0], "ann"), 1);
    assert_eq!(world.figures(drop), [3, 2, 0, 1]);
    world.advance(SETTLED_KEPT_MS / 2);
    wait_over(&world, drop);
    let next = world.give(Action::Plan { plan: Arc::new(plan(1)) }).get().unwrap().drop;

    let opened_and_gross = |world: &World| {
        let over = world.engine.over(drop).unwrap();
        (over.opened_at, over.gross)
    };
    let before = opened_and_gross(&world);
    assert_eq!(before, (Some(opened_at(&world, drop)), Some(euros(1990))));

    let mut world = world.restart(0);
    assert!(world.engine.sale(drop).is_none(), "the start makes no stock of it");
    assert_eq!(final_figures(&world, drop), [3, 1]);
    assert_eq!(opened_and_gross(&world), before);
    assert_eq!(world.engine.viewer_id(number), None, "nor is ann in memory");
    assert_eq!(orders_of(&mut world.ports[0], "ann"), 0);
    let after = world.give(Action::Plan { plan: Arc::new(plan(1)) }).get().unwrap().drop;
    assert!(after > next && next > drop, "ids are never used twice");
}

#[test]
fn a_retried_command_of_a_drop_that_left_memory_acts_once() {
    let mut world = World::new();
    let drop = world.open_drop(plan(3));
    let sku = world.engine.sale(drop).unwrap().plan().skus[0].id.clone();
    let restock = |world: &World| {
        let action = DropAction::Restock { sku: sku.clone(), units: Units::new(2).unwrap() };
        world.give_as(Role::Admin, "lot", action.on(drop)).unwrap().get()
    };
    assert!(restock(&world).is_ok());
    world.give(DropAction::Close.on(drop)).get().unwrap();
    world.wait_phase(drop, Phase::Settled);
    world.advance(SETTLED_KEPT_MS);
    wait_over(&world, drop);
    // The ledger's table has the key now; the engine alone only knows that the drop is over.
    let over = Err(CommandRefusal::WrongPhase { action: "restock", phase: Phase::Settled });
    assert_eq!(restock(&world), over);
    let world = world.restart(0);
    assert_eq!(restock(&world), over);
    assert_eq!(final_figures(&world, drop), [5, 0]);
}

#[test]
fn nothing_follows_the_record_by_which_a_chain_ends() {
    let mut world = World::new();
    let planned = world.give(Action::Plan { plan: Arc::new(plan(1)) }).get().unwrap();
    // Both are decided before the first is durable.
    let first = world.give(DropAction::Cancel.on(planned.drop));
    let second = world.give(DropAction::Cancel.on(planned.drop));
    first.get().unwrap();
    second.get().unwrap_err();
    let rows = world.ledger.rows();
    let last = rows.iter().rfind(|row| row.drop == planned.drop).unwrap();
    let record = last.decode().last().unwrap().unwrap();
    assert_eq!(record, Record::Phase(PhaseRecord::Cancelled));
}
