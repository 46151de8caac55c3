//! Payments as an interface reports them, also after their drop is over.

use std::sync::Arc;

use stampede_domain::{
    Charges, DropId, DropPlan, DurationMs, HoldId, Mode, Money, PaymentEvent, PaymentFact,
    PaymentId, PaymentReference, PaymentTerms, Phase, RefundReason, Units,
    limits::{HOLDS_PER_PAYMENT_MAX, SETTLED_KEPT_MS},
};
use stampede_engine::{
    DropAction, EngineConfig, FactRefusal, HoldLook, HoldOutcome, MatterKind, PartOutcome,
    PaymentOutcome, read_money,
};
use stampede_ledger::fake::{FakeLedger, Fault};
use stampede_testkit::euros;

use crate::support::{HandClock, Waiting, World, plan, wait_for};

/// As many holds as one payment may be for.
const MANY: u32 = 64;
const _: () = assert!(MANY as usize == HOLDS_PER_PAYMENT_MAX);

fn terms(grace_ms: u64, stretch_ms: u64) -> DropPlan {
    let (grace, stretch) = (DurationMs::new(grace_ms), DurationMs::new(stretch_ms));
    DropPlan { payment_terms: Some(PaymentTerms { grace, stretch }), ..plan(3) }
}

fn fact(reference: &str, event: PaymentEvent, holds: &[HoldId]) -> PaymentFact {
    let payment = PaymentId::new("platform", reference).unwrap();
    PaymentFact { payment, event, holds: holds.to_vec(), mode: None, order_reference: None }
}

fn paid(minor: u64) -> PaymentEvent {
    PaymentEvent::Paid { amount: euros(minor) }
}

fn report(world: &World, fact: PaymentFact) -> Result<PaymentOutcome, FactRefusal> {
    Waiting(world.engine.payment(fact).unwrap()).get()
}

/// What a fact came to for its only hold.
fn part(outcome: Result<PaymentOutcome, FactRefusal>) -> PartOutcome {
    match outcome.unwrap().holds[..] {
        [(_, HoldOutcome::Part(part))] => part,
        ref other => panic!("{other:?}"),
    }
}

fn refund_due(amount: Money, reason: RefundReason) -> PartOutcome {
    PartOutcome::RefundDue { amount, reason }
}

#[test]
fn a_payment_in_time_makes_an_order_and_any_other_is_due_back() {
    let mut world = World::new();
    let drop = world.open_drop(terms(500, 0));
    let [ann, ben, cid] = ["ann", "ben", "cid"].map(|name| world.viewer(name));
    let in_time = world.hold(&ann, drop, 1, "a");
    let wrong = world.hold(&ben, drop, 1, "b");
    let late = world.hold(&cid, drop, 1, "c");
    assert_eq!(part(report(&world, fact("p1", paid(1_990), &[in_time]))), PartOutcome::Ordered);
    let again = part(report(&world, fact("p1", paid(1_990), &[in_time])));
    assert_eq!(again, PartOutcome::AlreadyOrdered);
    let second = part(report(&world, fact("p2", paid(1_990), &[in_time])));
    assert_eq!(second, refund_due(euros(1_990), RefundReason::SecondPayment));
    let too_little = part(report(&world, fact("p3", paid(1_989), &[wrong])));
    assert_eq!(too_little, refund_due(euros(1_989), RefundReason::WrongAmount));
    world.advance(plan(1).hold_ttl.get() + 499);
    assert!(matches!(world.look(late), HoldLook::Known(_)), "the grace is not over");
    let in_grace = part(report(&world, fact("p4", paid(1_990), &[late])));
    assert_eq!(in_grace, PartOutcome::Ordered);
    world.give(DropAction::Close.on(drop)).get().unwrap();
    world.advance(1);
    let after = part(report(&world, fact("p5", paid(1_990), &[wrong])));
    assert_eq!(after, refund_due(euros(1_990), RefundReason::HoldEnded));
    let money = Waiting(world.engine.money_of(wrong).unwrap()).get();
    assert_eq!(money.account.unwrap().outstanding(), 1_989 + 1_990);
    assert!(money.matters.iter().all(|due| matches!(due.kind, MatterKind::Refund { .. })));
    assert_eq!(world.figures(drop), [3, 1, 0, 2]);
}

#[test]
fn an_attempt_that_begins_late_has_its_stretch_once() {
    let mut world = World::new();
    let drop = world.open_drop(terms(0, 5_000));
    let ann = world.viewer("ann");
    let hold = world.hold(&ann, drop, 1, "a");
    world.advance(plan(1).hold_ttl.get() - 1_000);
    let begun = fact("p1", PaymentEvent::Begun, &[hold]);
    assert_eq!(part(report(&world, begun)), PartOutcome::Noted);
    world.wait_held(hold);
    let HoldLook::Known(status) = world.look(hold) else { panic!("it is held") };
    assert_eq!(status.deadline.since(world.engine.now()), DurationMs::from_secs(5));
    world.advance(4_000);
    let again = fact("p2", PaymentEvent::Begun, &[hold]);
    assert_eq!(part(report(&world, again)), PartOutcome::Noted);
    let mut world = world.restart(0);
    let HoldLook::Known(status) = world.look(hold) else { panic!("it is held") };
    assert_eq!(status.deadline.since(world.engine.now()), DurationMs::from_secs(1));
    let _ann = world.viewer("ann");
    world.advance(1_000);
    world.wait_expired(hold);
}

/// A drop that is over with one order, paid by `p1`; the order.
fn over(world: &mut World) -> (DropId, HoldId) {
    let drop = world.open_drop(terms(0, 0));
    let ann = world.viewer("ann");
    let hold = world.hold(&ann, drop, 1, "a");
    assert_eq!(part(report(world, fact("p1", paid(1_990), &[hold]))), PartOutcome::Ordered);
    world.give(DropAction::Close.on(drop)).get().unwrap();
    world.wait_phase(drop, Phase::Settled);
    (drop, hold)
}

fn leave_memory(world: &World, drop: DropId) {
    world.advance(SETTLED_KEPT_MS);
    wait_for("the drop to be over", || world.engine.over(drop).map(|_| ()));
}

fn reopen(world: &World, drop: DropId) -> bool {
    let journal = world.ledger.journal();
    let read = read_money(&journal, drop).unwrap().unwrap();
    assert_eq!(read.mode, Mode::Live);
    Waiting(world.engine.reopen(read).unwrap()).get()
}

#[test]
fn money_moves_after_its_drop_is_over() {
    let mut world = World::new();
    let (drop, order) = over(&mut world);
    // Settled, still in memory: the chain has its seal.
    let first = fact("p1", PaymentEvent::Refunded { total: euros(90) }, &[]);
    assert_eq!(part(report(&world, first)), PartOutcome::Noted);
    leave_memory(&world, drop);
    let refunded = fact("p1", PaymentEvent::Refunded { total: euros(190) }, &[order]);
    let asked = report(&world, refunded.clone()).unwrap();
    assert_eq!(asked.holds, [(order, HoldOutcome::Over)]);
    let stale = read_money(&world.ledger.journal(), drop).unwrap().unwrap();
    assert!(reopen(&world, drop));
    assert_eq!(part(report(&world, refunded.clone())), PartOutcome::Noted);
    assert_eq!(part(report(&world, refunded)), PartOutcome::Unchanged);
    assert!(!Waiting(world.engine.reopen(stale).unwrap()).get(), "a refund came since");
    let second = part(report(&world, fact("p2", paid(1_990), &[order])));
    assert_eq!(second, refund_due(euros(1_990), RefundReason::SecondPayment));

    let world = world.restart(1_000);
    assert!(reopen(&world, drop));
    let money = Waiting(world.engine.money_of(order).unwrap()).get();
    let account = money.account.unwrap();
    assert_eq!((account.paid(), account.refunded()), (3_980, 190));
    assert_eq!(account.outstanding(), 1_990);
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
    let drop = world.open_drop(terms(0, 0));
    let ann = world.viewer("ann");
    let hold = world.hold(&ann, drop, 1, "a");
    world.advance(plan(1).hold_ttl.get());
    world.wait_expired(hold);
    assert_eq!(world.figures(drop), [3, 3, 0, 0]);
    let (order, part) = moved(report(&world, fact("p1", paid(1_990), &[hold])));
    assert_eq!(part, PartOutcome::Ordered);
    assert_ne!(order, hold);
    world.wait_ordered(order);
    assert_eq!(world.figures(drop), [3, 2, 0, 1]);
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
    let world = world.restart(1_000);
    world.wait_phase(drop, Phase::Open);
    let (order, part) = moved(report(&world, fact("p1", paid(3_980), &[hold])));
    assert_eq!((part, world.figures(drop)), (PartOutcome::Ordered, [3, 1, 0, 2]));
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

/// A drop with these units whose only hold, ann's of one unit, has ended.
fn ended(world: &mut World, units: u32) -> (DropId, HoldId) {
    let drop = world.open_drop(DropPlan { skus: plan(units).skus, ..terms(0, 0) });
    let ann = world.viewer("ann");
    let hold = world.hold(&ann, drop, 1, "a");
    world.advance(plan(1).hold_ttl.get());
    world.wait_expired(hold);
    (drop, hold)
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
fn two_merchants_may_name_their_payments_alike() {
    let mut world = World::new();
    let [acme, zeta] = ["acme", "zeta"].map(|merchant| {
        let merchant = merchant.parse().unwrap();
        world.open_drop(DropPlan { merchant, ..terms(0, 0) })
    });
    let [ann, ben] = ["ann", "ben"].map(|name| world.viewer(name));
    let [first, second] = [world.hold(&ann, acme, 1, "a"), world.hold(&ben, zeta, 1, "b")];
    assert_eq!(part(report(&world, fact("p1", paid(1_990), &[first]))), PartOutcome::Ordered);
    assert_eq!(part(report(&world, fact("p1", paid(1_990), &[second]))), PartOutcome::Ordered);
    let refunded = fact("p1", PaymentEvent::Refunded { total: euros(90) }, &[second]);
    assert_eq!(part(report(&world, refunded)), PartOutcome::Noted);
    for (hold, refunded) in [(first, 0), (second, 90)] {
        let money = Waiting(world.engine.money_of(hold).unwrap()).get();
        assert_eq!(money.account.unwrap().refunded(), refunded);
    }
}

#[test]
fn two_reports_that_wait_beside_each_other_take_the_units_again_once() {
    let mut world = World::new();
    let drop = world.open_drop(terms(0, 0));
    let ann = world.viewer("ann");
    let hold = world.hold(&ann, drop, 1, "a");
    world.advance(plan(1).hold_ttl.get());
    world.wait_expired(hold);
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
fn a_payment_is_for_so_many_holds_however_they_are_named() {
    let mut world = World::new();
    let drop = world.open_drop(DropPlan { skus: plan(MANY + 1).skus, ..terms(0, 0) });
    let mut holds = Vec::new();
    for place in 0..=HOLDS_PER_PAYMENT_MAX {
        let viewer = world.viewer(&format!("v{place}"));
        holds.push(world.hold(&viewer, drop, 1, "a"));
    }
    let (one, others) = holds.split_last().unwrap();
    let begun = report(&world, fact("p1", PaymentEvent::Begun, others)).unwrap();
    assert_eq!(begun.holds.len(), HOLDS_PER_PAYMENT_MAX);
    let (count, max) = (HOLDS_PER_PAYMENT_MAX + 1, HOLDS_PER_PAYMENT_MAX);
    let refused = report(&world, fact("p1", PaymentEvent::Begun, &[*one]));
    assert_eq!(refused, Err(FactRefusal::TooManyHolds { count, max }));
    // All of it at once: the most that one decision records.
    let all = paid(1_990 * u64::from(MANY));
    let commits = world.ledger.commits();
    let ordered = report(&world, fact("p1", all, others)).unwrap();
    let is_ordered =
        |(_, found): &(HoldId, HoldOutcome)| *found == HoldOutcome::Part(PartOutcome::Ordered);
    assert!(ordered.holds.iter().all(is_ordered));
    assert_eq!(world.ledger.commits(), commits + 1, "one decision is one commit");
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
    all.order_reference = Some(PaymentReference::new("o-1").unwrap());
    let outcome = report(&world, all).unwrap();
    let is_ordered = |(_, found): &(HoldId, HoldOutcome)| {
        matches!(found, HoldOutcome::Moved { part: PartOutcome::Ordered, .. })
    };
    assert!(outcome.holds.iter().all(is_ordered), "{outcome:?}");
    assert_eq!(world.figures(drop), [MANY, 0, 0, MANY]);
}
