//! What events do.

use serde_json::json;
use stampede_domain::{DropPlan, HoldId, Mode, PaymentEvent, PaymentFact, PaymentId, RefundReason};
use stampede_engine::{HoldLook, MatterKind};
use stampede_ledger::{PaymentChange, UnmatchedEnd};
use stampede_testkit::{euros, plan};

use crate::world::{World, completed, get, intent, never_made, refunded, succeeded, wait_for};

const FAILED: &str = "payment_intent.payment_failed";

fn is_order(world: &World, hold: HoldId) -> bool {
    matches!(world.engine.hold(hold), HoldLook::Known(status) if status.confirmed)
}

fn payments_recorded(world: &World) -> usize {
    let records = world.payment_records();
    records.iter().filter(|record| matches!(record.change, PaymentChange::Paid { .. })).count()
}

#[test]
fn a_payment_makes_an_order_once_however_often_it_is_reported() {
    let mut world = World::new();
    let drop = world.open_drop(plan(3));
    let hold = world.hold("ann", drop);
    let event = succeeded("pi_1", 1_990, &[hold]);
    let answer = world.send("main", &event);
    assert_eq!((answer.status, answer.body.as_str()), (200, "received\n"));
    assert!(is_order(&world, hold), "the answer is durable");
    assert_eq!(world.send("main", &event), answer);
    assert_eq!(world.send("main", &completed("pi_1", 1_990, &[hold])), answer);
    assert_eq!((payments_recorded(&world), world.sold(drop)), (1, 1));
    assert!(world.unmatched().is_empty());
}

#[test]
fn reports_that_come_at_once_make_one_order() {
    let mut world = World::new();
    let drop = world.open_drop(plan(3));
    let hold = world.hold("ann", drop);
    let events = [
        succeeded("pi_1", 1_990, &[hold]),
        completed("pi_1", 1_990, &[hold]),
        succeeded("pi_1", 1_990, &[hold]),
    ];
    let asked: Vec<_> = events.iter().map(|event| world.begin("main", event)).collect();
    assert!(asked.into_iter().all(|asked| asked.finish().status == 200));
    assert_eq!((payments_recorded(&world), world.sold(drop)), (1, 1));
}

#[test]
fn the_order_of_reports_does_not_matter() {
    let mut world = World::new();
    let drop = world.open_drop(plan(3));
    let (early, late) = (world.hold("ann", drop), world.hold("ben", drop));
    assert_eq!(world.send("main", &refunded("pi_1", 990, &[early])).status, 200);
    assert_eq!(world.send("main", &succeeded("pi_1", 1_990, &[early])).status, 200);
    assert_eq!(world.paid_and_refunded(early), (1_990, 990));
    assert_eq!(world.send("main", &succeeded("pi_2", 1_990, &[late])).status, 200);
    assert_eq!(world.send("main", &intent(FAILED, true, "pi_2", 1_990, &[late])).status, 200);
    assert!(is_order(&world, late), "a failure that comes late takes nothing back");
    assert_eq!(world.paid_and_refunded(late), (1_990, 0));
    // A refund that names nothing is about the holds that its payment had.
    assert_eq!(world.send("main", &refunded("pi_2", 1_000, &[])).status, 200);
    assert_eq!(world.paid_and_refunded(late), (1_990, 1_000));
}

#[test]
fn a_payment_that_comes_too_late_takes_what_is_left_or_is_due_back() {
    let mut world = World::new();
    let drop = world.open_drop(plan(1));
    let (late, again) = (world.hold("ann", drop), {
        world.clock.advance(plan(1).hold_ttl.get() + 1);
        wait_for("the unit", || world.try_hold("ben", drop))
    });
    assert_eq!(world.send("main", &succeeded("pi_1", 1_990, &[late])).status, 200);
    let matters = world.money(late).matters;
    assert!(matches!(
        matters[..],
        [ref due] if matches!(due.kind, MatterKind::Refund { reason: RefundReason::HoldEnded, .. })
    ));
    // Nobody else has the unit: the payment takes it again.
    world.clock.advance(plan(1).hold_ttl.get() + 1);
    assert_eq!(world.send("main", &succeeded("pi_2", 1_990, &[again])).status, 200);
    assert_eq!(world.sold(drop), 1);
}

#[test]
fn money_for_a_hold_that_nobody_made_is_recorded_once() {
    let mut world = World::new();
    let drop = world.open_drop(plan(3));
    let unknown = never_made(world.hold("ann", drop));
    let event = succeeded("pi_1", 1_990, &[unknown]);
    assert_eq!(world.send("main", &event).status, 200);
    assert_eq!(world.send("main", &event).status, 200);
    let [unmatched] = &world.unmatched()[..] else { panic!("{:?}", world.unmatched()) };
    assert_eq!(unmatched.payment.to_string(), "stripe:main/pi_1");
    assert_eq!(unmatched.amount.minor(), 1_990);
    assert_eq!(unmatched.named.as_str(), format!("stampede_holds={unknown}"));
    assert!(world.payment_records().is_empty());
    // Of a drop that never was, and of none at all.
    let nowhere = format!("7fffffff{}", &unknown.to_string()[8..]).parse().unwrap();
    assert_eq!(world.send("main", &succeeded("pi_2", 5, &[nowhere])).status, 200);
    assert_eq!(world.send("main", &succeeded("pi_3", 5, &[])).status, 200);
    assert_eq!(world.unmatched().len(), 3);
}

/// Checkout's session may lack the metadata that its intent has, and an intent's may be taken away later.
#[test]
fn money_of_a_known_payment_is_matched_whatever_its_event_names() {
    let mut world = World::new();
    let drop = world.open_drop(plan(3));
    let (hold, kept) = (world.hold("ann", drop), world.hold("ben", drop));
    assert_eq!(world.send("main", &succeeded("pi_1", 1_990, &[hold])).status, 200);
    assert_eq!(world.send("main", &completed("pi_1", 1_990, &[])).status, 200);
    let mut odd = succeeded("pi_1", 1_990, &[]);
    odd["data"]["object"]["metadata"] = json!({ "stampede_hold": "h1" });
    assert_eq!(world.send("main", &odd).status, 200);
    // What was kept ready for a hold is taken for it.
    let capturable = "payment_intent.amount_capturable_updated";
    assert_eq!(world.send("main", &intent(capturable, true, "pi_2", 1_990, &[kept])).status, 200);
    assert_eq!(world.send("main", &succeeded("pi_2", 1_990, &[])).status, 200);
    assert_eq!(world.paid_and_refunded(kept), (1_990, 0));
    assert_eq!((payments_recorded(&world), world.sold(drop)), (2, 2));
    assert!(world.unmatched().is_empty(), "{:?}", world.unmatched());
    // Of a payment that nobody knows it is unmatched as ever.
    assert_eq!(world.send("main", &succeeded("pi_3", 1_990, &[])).status, 200);
    assert_eq!(world.unmatched().len(), 1);
}

/// What became of money that nobody could match stands in the ledger: it is not looked at again.
#[test]
fn unmatched_money_that_went_back_or_was_matched_is_done_with() {
    let mut world = World::new();
    let drop = world.open_drop(plan(3));
    let hold = world.hold("ann", drop);
    let nobodys = never_made(hold);
    for (payment, holds) in [("pi_1", vec![]), ("pi_2", vec![nobodys]), ("pi_3", vec![])] {
        assert_eq!(world.send("main", &succeeded(payment, 1_990, &holds)).status, 200);
    }
    let mut real = succeeded("pi_4", 1_990, &[]);
    assert_eq!(world.send("try", &real).status, 200, "real money at an account for tests");
    assert_eq!(world.unmatched().len(), 4);
    // A part is not all of it.
    assert_eq!(world.send("main", &refunded("pi_1", 500, &[])).status, 200);
    assert_eq!(world.unmatched_ends(), []);
    for (account, payment, holds) in
        [("main", "pi_1", vec![]), ("main", "pi_2", vec![nobodys]), ("try", "pi_4", vec![])]
    {
        for _ in 0..2 {
            assert_eq!(world.send(account, &refunded(payment, 1_990, &holds)).status, 200);
        }
    }
    // Checkout's intent has no metadata, its session has.
    assert_eq!(world.send("main", &completed("pi_3", 1_990, &[hold])).status, 200);
    let back = |payment: &str| (payment.to_owned(), UnmatchedEnd::GivenBack);
    let matched = ("pi_3".to_owned(), UnmatchedEnd::Matched { hold });
    assert_eq!(world.unmatched_ends(), [back("pi_1"), back("pi_2"), back("pi_4"), matched]);
    assert_eq!((world.sold(drop), world.paid_and_refunded(hold)), (1, (1_990, 0)));
    // Its drop leaves memory, and Stripe repeats itself.
    world.leave_memory(drop);
    real["data"]["object"]["id"] = json!("pi_3");
    assert_eq!(world.send("main", &real).status, 200);
    assert_eq!((world.unmatched().len(), world.unmatched_ends().len()), (4, 4));
}

/// Settings may give an account to another merchant, while its payments keep their names.
#[test]
fn a_fact_that_names_no_holds_is_not_about_another_merchants() {
    let mut world = World::new();
    let drop = world.open_drop(plan(3));
    let hold = world.hold("ann", drop);
    let payment = PaymentId::new("stripe:zeta", "pi_1").unwrap();
    let event = PaymentEvent::Paid { amount: euros(1_990) };
    let fact = PaymentFact { payment, event, holds: vec![hold], mode: None, order_reference: None };
    assert!(get(world.engine.payment(fact).unwrap()).is_ok());
    for event in [refunded("pi_1", 500, &[]), intent(FAILED, true, "pi_1", 1_990, &[])] {
        assert_eq!(world.send("zeta", &event).status, 200);
    }
    assert_eq!(world.paid_and_refunded(hold), (1_990, 0));
    assert_eq!(world.send("zeta", &succeeded("pi_1", 1_990, &[])).status, 200);
    assert_eq!((payments_recorded(&world), world.unmatched().len()), (1, 1));
}

#[test]
fn an_order_keeps_the_name_that_its_merchant_gave_and_its_payment_in_any_case() {
    let mut world = World::new();
    let drop = world.open_drop(plan(3));
    for (payment, viewer, name, kept) in
        [("pi_1", "ann", "#1001", Some("#1001")), ("pi_2", "ben", "a\u{202E}b", None)]
    {
        let hold = world.hold(viewer, drop);
        let mut event = succeeded(payment, 1_990, &[hold]);
        event["data"]["object"]["metadata"]["stampede_order"] = json!(name);
        assert_eq!(world.send("main", &event).status, 200);
        assert!(is_order(&world, hold));
        let reference = world.money(hold).account.unwrap().reference;
        assert_eq!(reference.map(|name| name.to_string()).as_deref(), kept);
    }
}

#[test]
fn an_account_never_moves_the_holds_of_another_merchant() {
    let mut world = World::new();
    let drop = world.open_drop(plan(3));
    let (hold, other) = (world.hold("ann", drop), world.hold("ben", drop));
    let zetas = world.open_drop(DropPlan {
        merchant: "zeta".parse().unwrap(),
        stream: "zetas".parse().unwrap(),
        ..plan(1)
    });
    let own = world.hold("cid", zetas);
    // One that is its own does not help.
    assert_eq!(world.send("zeta", &succeeded("pi_1", 1_990, &[hold])).status, 200);
    assert_eq!(world.send("zeta", &succeeded("pi_2", 3_980, &[own, other])).status, 200);
    assert_eq!(world.unmatched().len(), 2);
    for kind in [FAILED, "payment_intent.canceled", "payment_intent.amount_capturable_updated"] {
        assert_eq!(world.send("zeta", &intent(kind, true, "pi_3", 1_990, &[hold])).status, 200);
    }
    assert_eq!(world.send("zeta", &refunded("pi_1", 5, &[hold])).status, 200);
    assert!(world.payment_records().is_empty());
    assert_eq!((world.unmatched().len(), world.sold(drop), world.sold(zetas)), (2, 0, 0));
    assert_eq!(world.send("zeta", &succeeded("pi_4", 1_990, &[own])).status, 200);
    assert_eq!(world.sold(zetas), 1);
}

#[test]
fn a_test_buys_in_rehearsals_alone() {
    let mut world = World::new();
    let live = world.open_drop(plan(3));
    let rehearsed = world.open_drop(DropPlan {
        mode: Mode::Rehearsal,
        stream: "trial".parse().unwrap(),
        ..plan(3)
    });
    let (real, played) = (world.hold("ann", live), world.hold("ben", rehearsed));
    let test =
        |payment: &str, hold| intent("payment_intent.succeeded", false, payment, 1_990, &[hold]);
    assert_eq!(world.send("try", &test("pi_1", real)).status, 200);
    assert_eq!(world.send("try", &test("pi_2", never_made(real))).status, 200);
    assert_eq!(world.send("main", &test("pi_3", played)).status, 200);
    assert!(world.payment_records().is_empty() && world.unmatched().is_empty());
    assert_eq!(world.send("try", &test("pi_4", played)).status, 200);
    assert_eq!((world.sold(live), world.sold(rehearsed)), (0, 1));
    // Real money at an account for tests is not lost.
    assert_eq!(world.send("try", &succeeded("pi_5", 1_990, &[real])).status, 200);
    assert_eq!((world.unmatched().len(), world.sold(live)), (1, 0));
    // Real money for a rehearsal is due back.
    let again = world.hold("cid", rehearsed);
    assert_eq!(world.send("main", &succeeded("pi_6", 1_990, &[again])).status, 200);
    let matters = world.money(again).matters;
    assert!(matches!(
        matters[..],
        [ref due] if matches!(due.kind, MatterKind::Refund { reason: RefundReason::WrongMode, .. })
    ));
}

#[test]
fn a_refused_fact_is_not_sent_again_and_its_money_is_recorded() {
    let mut world = World::new();
    let drop = world.open_drop(plan(3));
    let (hold, other) = (world.hold("ann", drop), world.hold("ben", drop));
    assert_eq!(world.send("main", &succeeded("pi_1", 1_990, &[hold])).status, 200);
    // Another amount of a payment that is known.
    assert_eq!(world.send("main", &succeeded("pi_1", 2_990, &[hold])).status, 200);
    assert_eq!(world.paid_and_refunded(hold), (1_990, 0));
    // More went back than was paid.
    assert_eq!(world.send("main", &refunded("pi_1", 9_999, &[hold])).status, 200);
    assert_eq!(world.paid_and_refunded(hold), (1_990, 0));
    assert!(world.unmatched().is_empty());
    assert_eq!(world.send("main", &refunded("pi_2", 3_000, &[other])).status, 200);
    assert_eq!(world.send("main", &succeeded("pi_2", 1_990, &[other])).status, 200);
    let [unmatched] = &world.unmatched()[..] else { panic!("{:?}", world.unmatched()) };
    assert_eq!(unmatched.payment.to_string(), "stripe:main/pi_2");
    // A refund that names nothing, of a payment that nobody has heard of.
    assert_eq!(world.send("main", &refunded("pi_9", 5, &[])).status, 200);
}

#[test]
fn what_does_not_count_is_received_and_what_cannot_be_read_is_not() {
    let mut world = World::new();
    let drop = world.open_drop(plan(3));
    let hold = world.hold("ann", drop);
    let other = intent("customer.created", true, "pi_1", 1, &[hold]);
    assert_eq!(world.send("main", &other).status, 200);
    assert_eq!(world.send("main", &intent(FAILED, true, "pi_1", 1, &[])).status, 200);
    let mut unreadable = succeeded("pi_1", 1_990, &[hold]);
    unreadable["data"]["object"]["amount_received"] = "much".into();
    assert_eq!(world.send("main", &unreadable).status, 422);
    assert!(world.payment_records().is_empty());
}

#[test]
fn a_thousand_at_once_make_each_order_once() {
    const HOLDS: usize = 100;
    let mut world = World::new();
    let drop = world.open_drop(plan(u32::try_from(HOLDS).unwrap()));
    let holds: Vec<HoldId> = (0..HOLDS).map(|n| world.hold(&format!("v{n}"), drop)).collect();
    let events = (0..1_000).map(|n| {
        let (place, hold) = (n % HOLDS, holds[n % HOLDS]);
        succeeded(&format!("pi_{place}"), 1_990, &[hold])
    });
    let asked: Vec<_> = events.map(|event| world.begin("main", &event)).collect();
    assert!(asked.into_iter().all(|asked| asked.finish().status == 200));
    assert_eq!(payments_recorded(&world), HOLDS);
    wait_for("all orders", || (world.sold(drop) as usize == HOLDS).then_some(()));
    assert!(world.unmatched().is_empty());
}
