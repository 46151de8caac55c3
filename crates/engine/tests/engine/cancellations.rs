//! Units of orders are cancelled, money is given back.

use stampede_domain::{
    DropId, HoldId, PaymentEvent, PaymentFact, PaymentId, Phase, RefundReason,
    limits::SETTLED_KEPT_MS,
};
use stampede_engine::{
    Action, CancelOrder, CommandOutcome, CommandRefusal, DropAction, MatterKind, Role, read_money,
};
use stampede_ledger::{PaymentChange, Record};
use stampede_testkit::euros;

use crate::support::{Waiting, World, plan, wait_for};

/// An order of two mugs, paid by `p1`.
fn ordered(world: &mut World, drop: DropId) -> HoldId {
    let ann = world.viewer("ann");
    let hold = world.hold(&ann, drop, 2, "a");
    let payment = PaymentId::new("platform", "p1").unwrap();
    let event = PaymentEvent::Paid { amount: euros(3_980) };
    let fact = PaymentFact { payment, event, holds: vec![hold], mode: None, order_reference: None };
    Waiting(world.engine.payment(fact).unwrap()).get().unwrap();
    world.wait_ordered(hold);
    hold
}

fn cancel(order: HoldId, units: u32, restock: bool) -> Action {
    let cancel = CancelOrder { order, units, amount: None, restock, seen: None };
    DropAction::CancelOrder(cancel).on(order.drop_id())
}

fn give(world: &World, key: &str, action: Action) -> CommandOutcome {
    world.give_as(Role::Admin, key, action).unwrap().get()
}

fn refund(world: &World, order: HoldId) -> Option<u64> {
    let money = Waiting(world.engine.money_of(order).unwrap()).get();
    match money.matters[..] {
        [] => None,
        [ref matter] => match matter.kind {
            MatterKind::Refund { amount, reason } => {
                assert_eq!(reason, RefundReason::Cancelled);
                Some(amount.minor())
            }
            other => panic!("{other:?}"),
        },
        ref other => panic!("{other:?}"),
    }
}

fn leave_memory(world: &World, drop: DropId) {
    world.advance(SETTLED_KEPT_MS);
    wait_for("the drop to be over", || world.engine.over(drop).map(|_| ()));
}

fn reopen(world: &World, drop: DropId) -> bool {
    let read = read_money(&world.ledger.journal(), drop).unwrap().unwrap();
    Waiting(world.engine.reopen(read).unwrap()).get()
}

/// Chains of the records about cancelled units.
fn chains(world: &World) -> Vec<DropId> {
    let rows = world.ledger.rows();
    let records = rows.iter().flat_map(|row| row.decode().map(|record| (row.drop, record)));
    let cancelled = records.filter(|(_, record)| match record.as_ref().unwrap() {
        Record::Payment(payment) => matches!(payment.change, PaymentChange::Cancelled(_)),
        _ => false,
    });
    cancelled.map(|(chain, _)| chain).collect()
}

#[test]
fn cancelled_units_go_back_on_sale_and_their_price_back_to_the_buyer() {
    let mut world = World::new();
    let drop = world.open_drop(plan(2));
    let order = ordered(&mut world, drop);
    assert_eq!(world.figures(drop), [2, 0, 0, 2]);
    let done = give(&world, "c1", cancel(order, 1, true)).unwrap();
    assert_eq!((done.drop, done.lot, done.replayed), (drop, Some(2), false));
    wait_for("the lot", || (world.figures(drop) == [3, 1, 0, 2]).then_some(()));
    assert_eq!(refund(&world, order), Some(1_990));
    let bob = world.viewer("bob");
    world.hold(&bob, drop, 1, "b");
    let again = give(&world, "c1", cancel(order, 1, true)).unwrap();
    assert_eq!((again.lot, again.replayed), (Some(2), true));
    assert_eq!(give(&world, "c1", cancel(order, 2, true)), Err(CommandRefusal::KeyReused));
    let world = world.restart(1_000);
    let again = give(&world, "c1", cancel(order, 1, true)).unwrap();
    assert_eq!((again.lot, again.replayed), (Some(2), true));
    assert_eq!(world.figures(drop), [3, 0, 1, 2]);
    assert_eq!(refund(&world, order), Some(1_990));
    assert!(matches!(give(&world, "c2", cancel(order, 2, false)), Err(CommandRefusal::Cancel(_))));
    let other = DropAction::CancelOrder(CancelOrder {
        order,
        units: 1,
        amount: None,
        restock: false,
        seen: None,
    });
    let other = other.on(DropId::new(drop.get() + 1));
    assert_eq!(give(&world, "c3", other), Err(CommandRefusal::UnknownDrop));
}

#[test]
fn an_order_that_took_its_units_again_is_cancelled_by_either_name() {
    let mut world = World::new();
    let drop = world.open_drop(plan(2));
    let ann = world.viewer("ann");
    let hold = world.hold(&ann, drop, 2, "a");
    world.advance(plan(1).hold_ttl.get());
    world.wait_expired(hold);
    let payment = PaymentId::new("platform", "p1").unwrap();
    let event = PaymentEvent::Paid { amount: euros(3_980) };
    let fact = PaymentFact { payment, event, holds: vec![hold], mode: None, order_reference: None };
    Waiting(world.engine.payment(fact).unwrap()).get().unwrap();
    let money = Waiting(world.engine.money_of(hold).unwrap()).get();
    let order = money.account.unwrap().retaken.expect("the units were there");
    give(&world, "by-hold", cancel(hold, 1, true)).unwrap();
    assert_eq!(refund(&world, order), Some(1_990));
    give(&world, "by-order", cancel(order, 1, false)).unwrap();
    assert_eq!(refund(&world, order), Some(3_980));
    assert!(give(&world, "more", cancel(hold, 1, false)).is_err());
}

#[test]
fn money_goes_back_long_after_the_drop() {
    let mut world = World::new();
    let drop = world.open_drop(plan(2));
    let order = ordered(&mut world, drop);
    world.give(DropAction::Close.on(drop)).get().unwrap();
    world.wait_phase(drop, Phase::Settled);
    give(&world, "settled", cancel(order, 1, false)).unwrap();
    leave_memory(&world, drop);
    assert_eq!(give(&world, "over", cancel(order, 1, false)), Err(CommandRefusal::MoneyNotLoaded));
    assert!(reopen(&world, drop));
    let done = give(&world, "over", cancel(order, 1, false)).unwrap();
    assert_eq!((done.drop, done.lot, done.replayed), (drop, None, false));
    assert_eq!(chains(&world), [drop.adjustments(); 2]);
    assert_eq!(refund(&world, order), Some(3_980));
    let no_more = give(&world, "more", cancel(order, 1, false));
    assert!(matches!(no_more, Err(CommandRefusal::Cancel(_))), "{no_more:?}");

    let world = world.restart(1_000);
    for key in ["settled", "over"] {
        let again = give(&world, key, cancel(order, 1, false)).unwrap();
        assert_eq!((again.drop, again.replayed), (drop, true), "{key}");
    }
    assert!(reopen(&world, drop), "the commands count among what was read");
    assert_eq!(refund(&world, order), Some(3_980));
    assert!(give(&world, "more", cancel(order, 1, false)).is_err());
}
