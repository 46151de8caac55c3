//! Payments as an interface reports them, in time and after their drop is over.

use stampede_domain::{
    DropId, DropPlan, DurationMs, HoldId, Mode, Money, PaymentEvent, PaymentFact, PaymentId,
    PaymentTerms, Phase, RefundReason,
    limits::{HOLDS_PER_PAYMENT_MAX, SETTLED_KEPT_MS},
};
use stampede_engine::{
    DropAction, FactRefusal, HoldLook, HoldOutcome, MatterKind, PartOutcome, PaymentOutcome,
    read_money,
};
use stampede_testkit::euros;

use crate::support::{Waiting, World, plan, wait_for};

/// As many holds as one payment may be for.
pub(crate) const MANY: u32 = 64;
const _: () = assert!(MANY as usize == HOLDS_PER_PAYMENT_MAX);

pub(crate) fn terms(grace_ms: u64, stretch_ms: u64) -> DropPlan {
    let (grace, stretch) = (DurationMs::new(grace_ms), DurationMs::new(stretch_ms));
    DropPlan { payment_terms: Some(PaymentTerms { grace, stretch }), ..plan(3) }
}

pub(crate) fn fact(reference: &str, event: PaymentEvent, holds: &[HoldId]) -> PaymentFact {
    let payment = PaymentId::new("platform", reference).unwrap();
    PaymentFact { payment, event, holds: holds.to_vec(), mode: None, order_reference: None }
}

pub(crate) fn paid(minor: u64) -> PaymentEvent {
    PaymentEvent::Paid { amount: euros(minor) }
}

pub(crate) fn report(world: &World, fact: PaymentFact) -> Result<PaymentOutcome, FactRefusal> {
    Waiting(world.engine.payment(fact).unwrap()).get()
}

/// What a fact came to for its only hold.
pub(crate) fn part(outcome: Result<PaymentOutcome, FactRefusal>) -> PartOutcome {
    match outcome.unwrap().holds[..] {
        [(_, HoldOutcome::Part(part))] => part,
        ref other => panic!("{other:?}"),
    }
}

pub(crate) fn refund_due(amount: Money, reason: RefundReason) -> PartOutcome {
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
