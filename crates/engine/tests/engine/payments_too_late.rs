//! Payments that come too late: their units are taken again, or the money is due back.

use std::sync::Arc;

use stampede_domain::{
    Charges, DropId, DropPlan, HoldId, Mode, PaymentEvent, PaymentFact, PaymentReference, Phase,
    RefundReason, Units, limits::HOLDS_PER_PAYMENT_MAX,
};
use stampede_engine::{
    DropAction, EngineConfig, FactRefusal, HoldLook, HoldOutcome, PartOutcome, PaymentOutcome,
};
use stampede_ledger::fake::{FakeLedger, Fault};
use stampede_testkit::euros;

use crate::{
    payments::{MANY, fact, paid, part, refund_due, report, terms},
    support::{HandClock, Waiting, World, plan, wait_for},
};

/// Units that are ordered, and units that came back.
fn ordered_and_returned(world: &World, drop: DropId) -> (u64, u64) {
    let view = world.engine.sale(drop).unwrap().view(world.engine.moment());
    let paying = view.paying.unwrap();
    (paying.ordered_units, paying.returned_units)
}

/// A drop with these units whose only hold, ann's of one unit, has ended.
fn ended(world: &mut World, units: u32) -> (DropId, HoldId) {
    let drop = world.open_drop(DropPlan { skus: plan(units).skus, ..terms(0, 0) });
    let ann = world.viewer("ann");
    let hold = world.hold(&ann, drop, 1, "a");
    world.advance(plan(1).hold_ttl.get());
    world.wait_expired(hold);
    (drop, hold)
}

/// What a fact came to for its only hold, whose units were taken again.
fn moved(outcome: Result<PaymentOutcome, FactRefusal>) -> (HoldId, PartOutcome) {
    match outcome.unwrap().holds[..] {
        [(_, HoldOutcome::Moved { into, part })] => (into, part),
        ref other => panic!("{other:?}"),
    }
}

#[test]
fn a_payment_that_comes_too_late_takes_the_units_again() {
    let mut world = World::new();
    let (drop, hold) = ended(&mut world, 3);
    assert_eq!(world.figures(drop), [3, 3, 0, 0]);
    assert_eq!(ordered_and_returned(&world, drop), (0, 1));
    let (order, part) = moved(report(&world, fact("p1", paid(1_990), &[hold])));
    assert_eq!(part, PartOutcome::Ordered);
    assert_ne!(order, hold);
    world.wait_ordered(order);
    assert_eq!(world.figures(drop), [3, 2, 0, 1]);
    assert_eq!(ordered_and_returned(&world, drop), (1, 0), "a unit has one fate");
    assert_eq!(world.engine.sale(drop).unwrap().bought_as(order), hold);
    let again = moved(report(&world, fact("p1", paid(1_990), &[hold])));
    assert_eq!(again, (order, PartOutcome::AlreadyOrdered));
    let second = moved(report(&world, fact("p2", paid(1_990), &[hold])));
    assert_eq!(second, (order, refund_due(euros(1_990), RefundReason::SecondPayment)));
    let world = world.restart(1_000);
    let again = moved(report(&world, fact("p1", paid(1_990), &[hold])));
    assert_eq!(again, (order, PartOutcome::AlreadyOrdered));
    assert_eq!(world.engine.sale(drop).unwrap().bought_as(order), hold);
}

#[test]
fn what_its_viewer_gave_back_is_not_taken_again() {
    let mut world = World::new();
    let drop = world.open_drop(terms(0, 0));
    let ann = world.viewer("ann");
    let hold = world.hold(&ann, drop, 1, "a");
    world.ports[0].release(&ann, hold, 1).unwrap();
    world.wait_released(hold);
    let late = part(report(&world, fact("p1", paid(1_990), &[hold])));
    assert_eq!(late, refund_due(euros(1_990), RefundReason::HoldEnded));
    assert_eq!(world.figures(drop), [3, 3, 0, 0]);
}

#[test]
fn a_hold_that_a_restart_found_ended_is_paid_for_too() {
    let mut world = World::new();
    let drop = world.open_drop(terms(0, 0));
    let ann = world.viewer("ann");
    let hold = world.hold(&ann, drop, 2, "a");
    world.advance(plan(1).hold_ttl.get());
    world.wait_expired(hold);
    let mut world = world.restart(1_000);
    world.wait_phase(drop, Phase::Open);
    let ben = world.viewer("ben");
    let other = world.hold(&ben, drop, 1, "b");
    world.ports[0].release(&ben, other, 1).unwrap();
    world.wait_released(other);
    let (order, part) = moved(report(&world, fact("p1", paid(3_980), &[hold])));
    assert_eq!((part, world.figures(drop)), (PartOutcome::Ordered, [3, 1, 0, 2]));
    assert_eq!(
        ordered_and_returned(&world, drop),
        (2, 1),
        "what ended before the start never counted"
    );
    assert!(matches!(world.look(order), HoldLook::Known(status) if status.confirmed));
}

#[test]
fn what_cannot_be_taken_again_is_due_back() {
    let mut world = World::new();
    let drop =
        world.open_drop(DropPlan { limit_per_viewer: Units::new(3).unwrap(), ..terms(0, 0) });
    let [ann, ben] = ["ann", "ben"].map(|name| world.viewer(name));
    let hold = world.hold(&ann, drop, 2, "a");
    world.advance(plan(1).hold_ttl.get());
    world.wait_expired(hold);
    let due = |minor| refund_due(euros(minor), RefundReason::HoldEnded);
    let wrong = part(report(&world, fact("p0", paid(3_979), &[hold])));
    assert_eq!(wrong, due(3_979), "another amount takes nothing");
    let others = world.hold(&ben, drop, 2, "b");
    let gone = part(report(&world, fact("p1", paid(3_980), &[hold])));
    assert_eq!(gone, due(3_980), "one unit is left, two were paid for");
    let again = part(report(&world, fact("p1", paid(3_980), &[hold])));
    assert_eq!(again, due(3_980), "the first answer stands");
    world.ports[0].release(&ben, others, 1).unwrap();
    world.wait_released(others);
    let again = part(report(&world, fact("p1", paid(3_980), &[hold])));
    assert_eq!(again, due(3_980), "also where units are free by now");
    world.give(DropAction::Pause.on(drop)).get().unwrap();
    let paused = part(report(&world, fact("p2", paid(3_980), &[hold])));
    assert_eq!(paused, due(3_980), "nothing is sold in a pause");
    assert_eq!(world.figures(drop), [3, 3, 0, 0]);
}

#[test]
fn a_payment_while_the_units_are_on_their_way_back_waits_for_them() {
    let mut world = World::new();
    let drop = world.open_drop(DropPlan { skus: plan(1).skus, ..terms(0, 0) });
    let ann = world.viewer("ann");
    let hold = world.hold(&ann, drop, 1, "a");
    world.ledger.order(world.ledger.commits() + 1, Fault::Hang);
    world.advance(plan(1).hold_ttl.get());
    world.ledger.wait_until_hanging();
    let answer = Waiting(world.engine.payment(fact("p1", paid(1_990), &[hold])).unwrap());
    assert_eq!(world.figures(drop), [1, 0, 1, 0], "the expiry is not durable");
    world.ledger.release();
    let (order, part) = moved(answer.get());
    assert_eq!(part, PartOutcome::Ordered);
    world.wait_ordered(order);
    assert_eq!(world.figures(drop), [1, 0, 0, 1]);
}

#[test]
fn money_of_the_other_mode_takes_nothing_again() {
    let mut world = World::new();
    let (drop, hold) = ended(&mut world, 3);
    let test = PaymentFact { mode: Some(Mode::Rehearsal), ..fact("p1", paid(1_990), &[hold]) };
    assert_eq!(report(&world, test), Err(FactRefusal::TestMoney { hold }));
    assert_eq!(world.figures(drop), [3, 3, 0, 0]);
}

#[test]
fn what_was_let_go_takes_nothing_again() {
    let mut world = World::new();
    let (drop, hold) = ended(&mut world, 3);
    let voided = part(report(&world, fact("p1", PaymentEvent::Voided, &[hold])));
    assert_eq!(voided, PartOutcome::Noted);
    let authorized = PaymentEvent::Authorized { amount: euros(1_990) };
    let late = part(report(&world, fact("p1", authorized, &[hold])));
    assert_eq!((late, world.figures(drop)), (PartOutcome::Unchanged, [3, 3, 0, 0]));
}

#[test]
fn an_earlier_payment_of_units_that_were_taken_again_stays_with_the_hold_that_ended() {
    let mut world = World::new();
    let (_, hold) = ended(&mut world, 3);
    let wrong = fact("p0", paid(1_000), &[hold]);
    let due = refund_due(euros(1_000), RefundReason::HoldEnded);
    assert_eq!(part(report(&world, wrong.clone())), due);
    let (order, bought) = moved(report(&world, fact("p1", paid(1_990), &[hold])));
    assert_eq!(bought, PartOutcome::Ordered);
    assert_eq!(part(report(&world, wrong)), due, "it is not due twice");
    let refunded = fact("p0", PaymentEvent::Refunded { total: euros(1_000) }, &[hold]);
    assert_eq!(part(report(&world, refunded)), PartOutcome::Noted);
    for (hold, paid) in [(hold, 1_000), (order, 1_990)] {
        let money = Waiting(world.engine.money_of(hold).unwrap()).get();
        assert_eq!((money.account.unwrap().paid(), money.matters.len()), (paid, 0));
    }
}

#[test]
fn an_attempt_that_pays_for_units_taken_again_is_done() {
    let mut world = World::new();
    let drop = world.open_drop(terms(0, 0));
    let ann = world.viewer("ann");
    let hold = world.hold(&ann, drop, 1, "a");
    let begun = fact("p1", PaymentEvent::Begun, &[hold]);
    assert_eq!(part(report(&world, begun)), PartOutcome::Noted);
    let charges = Charges { shipping: 490, ..Charges::NONE };
    Waiting(world.engine.charge(hold, charges).unwrap()).get().unwrap().unwrap();
    world.advance(plan(1).hold_ttl.get());
    world.wait_expired(hold);
    let matters = |hold| Waiting(world.engine.money_of(hold).unwrap()).get().matters;
    assert_eq!(matters(hold).len(), 1, "the attempt is to be ended");
    let (order, bought) = moved(report(&world, fact("p1", paid(2_480), &[hold])));
    assert_eq!(bought, PartOutcome::Ordered, "the charges are owed for the units as before");
    assert_eq!((matters(hold), matters(order)), (Vec::new(), Vec::new()));
}

#[test]
fn payments_that_come_too_late_at_once_make_one_order() {
    let mut world = World::new();
    let (drop, hold) = ended(&mut world, 3);
    world.ledger.order(world.ledger.commits() + 1, Fault::Hang);
    let reported = |name| Waiting(world.engine.payment(fact(name, paid(1_990), &[hold])).unwrap());
    let [first, again, other] = ["p1", "p1", "p2"].map(reported);
    world.ledger.wait_until_hanging();
    world.ledger.release();
    let (order, part) = moved(first.get());
    assert_eq!(part, PartOutcome::Ordered);
    assert_eq!(moved(again.get()), (order, PartOutcome::AlreadyOrdered));
    let due = refund_due(euros(1_990), RefundReason::SecondPayment);
    assert_eq!(moved(other.get()), (order, due));
    assert_eq!(world.figures(drop), [3, 2, 0, 1]);
    let matters = |hold| Waiting(world.engine.money_of(hold).unwrap()).get().matters.len();
    assert_eq!((matters(hold), matters(order)), (0, 1), "the second payment goes back");
}

#[test]
fn a_hold_that_is_named_twice_is_paid_for_once() {
    let mut world = World::new();
    let (drop, hold) = ended(&mut world, 3);
    let (order, bought) = moved(report(&world, fact("p1", paid(1_990), &[hold, hold])));
    assert_eq!((bought, world.figures(drop)), (PartOutcome::Ordered, [3, 2, 0, 1]));
    let money = Waiting(world.engine.money_of(order).unwrap()).get();
    assert_eq!((money.account.unwrap().paid(), money.matters.len()), (1_990, 0));
}

#[test]
fn units_that_were_taken_again_for_nothing_come_back() {
    let mut world = World::new();
    let (drop, hold) = ended(&mut world, 3);
    // A refund that was reported before its payment, for another hold of it.
    let ben = world.viewer("ben");
    let other = world.hold(&ben, drop, 1, "b");
    let refunded = fact("p1", PaymentEvent::Refunded { total: euros(90) }, &[other]);
    assert_eq!(part(report(&world, refunded)), PartOutcome::Noted);
    let outcome = report(&world, fact("p1", paid(3_980), &[other, hold])).unwrap();
    let due = refund_due(euros(1_900), RefundReason::WrongAmount);
    assert_eq!(outcome.holds[0], (other, HoldOutcome::Part(due)));
    wait_for("the units to come back", || (world.figures(drop) == [3, 2, 1, 0]).then_some(()));
}

#[test]
fn two_reports_that_wait_beside_each_other_take_the_units_again_once() {
    let mut world = World::new();
    let (drop, hold) = ended(&mut world, 3);
    world.ledger.order(world.ledger.commits() + 1, Fault::Hang);
    let first = Waiting(world.engine.payment(fact("p1", paid(1_990), &[hold])).unwrap());
    world.ledger.wait_until_hanging();
    let second = Waiting(world.engine.payment(fact("p1", paid(1_990), &[hold])).unwrap());
    // The steward has seen both before the take is durable.
    let third = Waiting(world.engine.money_of(hold).unwrap());
    world.ledger.release();
    let (order, bought) = moved(first.get());
    assert_eq!(bought, PartOutcome::Ordered);
    assert_eq!(moved(second.get()), (order, PartOutcome::AlreadyOrdered));
    assert!(third.get().account.is_none_or(|account| account.parts.is_empty()));
    let money = Waiting(world.engine.money_of(order).unwrap()).get();
    assert_eq!((money.account.unwrap().paid(), money.matters.len()), (1_990, 0));
    assert_eq!(world.figures(drop), [3, 2, 0, 1]);
}

/// What a payment and what was said of it meanwhile came to, if it was let go while the units were taken again.
fn let_go_meanwhile(said: PaymentEvent) -> Option<(PartOutcome, PartOutcome)> {
    let mut world = World::new();
    let (drop, hold) = ended(&mut world, 3);
    world.ledger.order(world.ledger.commits() + 1, Fault::Hang);
    let first = Waiting(world.engine.payment(fact("p1", paid(1_990), &[hold])).unwrap());
    world.ledger.wait_until_hanging();
    let second = Waiting(world.engine.payment(fact("p1", said, &[hold])).unwrap());
    world.ledger.release();
    let (first, second) = (first.get(), second.get());
    // It may have been heard of after the take was durable.
    let [(_, HoldOutcome::Part(first))] = first.unwrap().holds[..] else { return None };
    let units_are_back = || (world.figures(drop) == [3, 3, 0, 0]).then_some(());
    wait_for("the units to come back", units_are_back);
    Some((first, part(second)))
}

#[test]
fn what_is_let_go_while_the_units_are_taken_again_keeps_nobody_waiting() {
    let due = refund_due(euros(1_990), RefundReason::HoldEnded);
    let refunded = PaymentEvent::Refunded { total: euros(1_990) };
    for (said, money) in [(PaymentEvent::Voided, due), (refunded, PartOutcome::Noted)] {
        let found = (0..100).find_map(|_| let_go_meanwhile(said.clone()));
        assert_eq!(found, Some((money, PartOutcome::Noted)), "{said:?}");
    }
}

#[test]
fn a_second_payment_of_a_hold_that_ended_is_due_back_whatever_was_known_of_it() {
    let begun = PaymentEvent::Begun;
    let failed = || {
        let reason = PaymentReference::new("card_declined").unwrap();
        PaymentEvent::Failed { reason, is_final: false }
    };
    for known in [vec![("p1", begun.clone()), ("p2", begun)], vec![("p2", failed())], vec![]] {
        let mut world = World::new();
        let limit_per_viewer = Units::new(3).unwrap();
        let drop = world.open_drop(DropPlan { limit_per_viewer, ..terms(0, 0) });
        let ann = world.viewer("ann");
        let hold = world.hold(&ann, drop, 1, "a");
        for (name, event) in known {
            assert_eq!(part(report(&world, fact(name, event, &[hold]))), PartOutcome::Noted);
        }
        world.advance(plan(1).hold_ttl.get());
        world.wait_expired(hold);
        let (order, bought) = moved(report(&world, fact("p1", paid(1_990), &[hold])));
        assert_eq!(bought, PartOutcome::Ordered);
        let due = refund_due(euros(1_990), RefundReason::SecondPayment);
        let second = report(&world, fact("p2", paid(1_990), &[hold])).unwrap();
        let [(named, found)] = second.holds[..] else { panic!("{second:?}") };
        let (HoldOutcome::Part(found) | HoldOutcome::Moved { part: found, .. }) = found else {
            panic!("{found:?}")
        };
        assert_eq!((named, found, world.figures(drop)), (hold, due, [3, 2, 0, 1]));
        let again = moved(report(&world, fact("p1", paid(1_990), &[hold])));
        assert_eq!(again, (order, PartOutcome::AlreadyOrdered));
        let refunded = fact("p2", PaymentEvent::Refunded { total: euros(1_990) }, &[hold]);
        report(&world, refunded).unwrap();
        for hold in [hold, order] {
            let money = Waiting(world.engine.money_of(hold).unwrap()).get();
            assert_eq!(money.matters, [], "nothing is left to do");
        }
    }
}

#[test]
fn a_payment_for_many_holds_that_ended_takes_all_of_them_again() {
    let steward_ring_entries_max = 512;
    let config = EngineConfig { cores: 2, steward_ring_entries_max, ..EngineConfig::default() };
    let ledger = FakeLedger::new("n1".parse().unwrap());
    let mut world = World::start_with(config, ledger, Arc::new(HandClock::at(1_000_000)));
    let drop = world.open_drop(DropPlan { skus: plan(MANY).skus, ..terms(0, 0) });
    let mut holds = Vec::new();
    for place in 0..HOLDS_PER_PAYMENT_MAX {
        let viewer = world.viewer(&format!("v{place}"));
        holds.push(world.hold(&viewer, drop, 1, "a"));
    }
    for hold in &holds {
        let charges = Charges { shipping: 490, ..Charges::NONE };
        Waiting(world.engine.charge(*hold, charges).unwrap()).get().unwrap().unwrap();
    }
    world.advance(plan(1).hold_ttl.get());
    wait_for("the units to come back", || (world.figures(drop)[1] == MANY).then_some(()));
    let mut all = fact("p1", paid(2_480 * u64::from(MANY)), &holds);
    all.order_reference = Some("o-1".parse().unwrap());
    let outcome = report(&world, all).unwrap();
    let is_ordered = |(_, found): &(HoldId, HoldOutcome)| {
        matches!(found, HoldOutcome::Moved { part: PartOutcome::Ordered, .. })
    };
    assert!(outcome.holds.iter().all(is_ordered), "{outcome:?}");
    assert_eq!(world.figures(drop), [MANY, 0, 0, MANY]);
}
