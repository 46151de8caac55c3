//! Single cases of parts: refunds among several, limits, charges, captures.

use stampede_domain::{Charges, Money, RefundReason, limits::PAYMENTS_PER_HOLD_MAX};
use stampede_ledger::{PaymentChange, PaymentRecord, Record};
use stampede_settlement::{HoldStands, PartAsk, PartOutcome, PartState, PaymentRefusal, allocate};
use stampede_testkit::euros;

use crate::given::{Desk, Event, hold, payment, words};

/// What went back of the parts of payment `p1` for two holds, if so much went back of it.
fn shares(desk: &Desk, cents: u64) -> Result<Vec<u64>, PaymentRefusal> {
    let parts = [1, 2].map(|number| desk.book.account(hold(number))?.part(&payment("p1")));
    let totals = allocate(euros(cents), &parts)?;
    Ok(totals.into_iter().map(Money::minor).collect())
}

#[test]
fn what_is_due_goes_back_first() {
    let mut desk = Desk::default();
    assert_eq!(shares(&desk, 700), Ok(vec![700, 0]), "nothing was taken: the first hold's");
    desk.tell("p1", hold(1), Event::Paid(1_000));
    desk.release(hold(2));
    desk.tell("p1", hold(2), Event::Paid(500));
    assert_eq!(shares(&desk, 0), Ok(vec![0, 0]));
    assert_eq!(shares(&desk, 300), Ok(vec![0, 300]));
    assert_eq!(shares(&desk, 700), Ok(vec![200, 500]));
    assert_eq!(shares(&desk, 1_500), Ok(vec![1_000, 500]));
    let above = PaymentRefusal::RefundAbovePayment { paid: euros(1_500), given: euros(1_501) };
    assert_eq!(shares(&desk, 1_501), Err(above));
    desk.tell("p1", hold(2), Event::Refunded(300));
    assert_eq!(shares(&desk, 200), Ok(vec![0, 300]), "an older report");
    assert_eq!(shares(&desk, 600), Ok(vec![100, 500]));
}

#[test]
fn a_hold_has_so_many_attempts_and_takes_all_money() {
    let mut desk = Desk::default();
    for number in 0..PAYMENTS_PER_HOLD_MAX {
        desk.tell(&format!("p{number}"), hold(1), Event::Failed);
    }
    let full = Err(PaymentRefusal::TooManyPayments { max: PAYMENTS_PER_HOLD_MAX });
    for event in [Event::Begun, Event::Failed] {
        assert_eq!(desk.hear(("more", hold(1)), event, None), full);
    }
    assert_eq!(desk.says("more", hold(1), Event::Voided), PartOutcome::Unchanged);
    assert_eq!(desk.says("p0", hold(1), Event::Begun), PartOutcome::Noted, "it is known");
    assert_eq!(desk.clone().says("more", hold(1), Event::FailedFinally), PartOutcome::Ends);
    assert_eq!(desk.says("more", hold(1), Event::Paid(1_000)), PartOutcome::Ordered);
}

#[test]
fn the_order_is_by_the_money_that_came_last() {
    let mut desk = Desk::default();
    desk.tell("p1", hold(1), Event::Begun);
    let wrong = desk.hear(("p2", hold(1)), Event::Paid(700), Some(RefundReason::WrongAmount));
    assert_eq!(words(&wrong), "back 7.00 wrong_amount");
    assert_eq!(desk.says("p1", hold(1), Event::Paid(1_000)), PartOutcome::Ordered);
    assert_eq!(desk.account(hold(1)).order_part().unwrap().payment, payment("p1"));
    assert_eq!(desk.says("p1", hold(1), Event::Paid(1_000)), PartOutcome::AlreadyOrdered);
    let due = PartOutcome::RefundDue { amount: euros(700), reason: RefundReason::WrongAmount };
    assert_eq!(desk.says("p2", hold(1), Event::Paid(700)), due);
}

#[test]
fn an_order_that_costs_nothing_is_by_no_payment() {
    let mut desk = Desk::default();
    desk.tell_wrong("p1", hold(1), Event::Paid(700));
    desk.order(hold(1));
    assert_eq!(desk.account(hold(1)).order_part(), None);
}

#[test]
fn a_capture_of_less_leaves_the_order_and_one_of_more_sends_the_rest_back() {
    for (cents, due) in [(800, 0), (1_000, 0), (1_200, 200)] {
        let mut desk = Desk::default();
        assert_eq!(desk.says("p1", hold(1), Event::Authorized(1_000)), PartOutcome::Ordered);
        for _ in 0..2 {
            assert_eq!(desk.says("p1", hold(1), Event::Paid(cents)), PartOutcome::AlreadyOrdered);
            let part = desk.part("p1", hold(1));
            assert_eq!((part.paid(), part.outstanding()), (cents, due));
            // The authorization is reported late, once more.
            let late = desk.says("p1", hold(1), Event::Authorized(1_000));
            assert_eq!(late, PartOutcome::AlreadyOrdered);
        }
    }
}

#[test]
fn money_that_buys_nothing_says_why_it_goes_back() {
    let back = |cents, reason| PartOutcome::RefundDue { amount: euros(cents), reason };
    let mut desk = Desk::default();
    desk.release(hold(1));
    assert_eq!(desk.says("p1", hold(1), Event::Paid(1_000)), back(1_000, RefundReason::HoldEnded));
    desk.tell("p1", hold(1), Event::Refunded(1_000));
    let again = desk.says("p1", hold(1), Event::Paid(1_000));
    assert_eq!(again, PartOutcome::Unchanged, "all of it went back");
    // Its units were taken again for another payment.
    desk.change(hold(1), PaymentChange::Retaken { payment: payment("p0"), into: hold(9) });
    let second = back(1_000, RefundReason::SecondPayment);
    assert_eq!(desk.says("p2", hold(1), Event::Paid(1_000)), second);
    // An order that lacks its money takes what it lacks, nothing else.
    desk.tell("p3", hold(2), Event::Paid(1_000));
    assert_eq!(desk.says("p4", hold(2), Event::Paid(999)), back(999, RefundReason::SecondPayment));
    desk.tell("p3", hold(2), Event::Refunded(1_000));
    assert_eq!(desk.says("p5", hold(2), Event::Paid(999)), back(999, RefundReason::WrongAmount));
    assert_eq!(desk.says("p6", hold(2), Event::Paid(1_000)), PartOutcome::AlreadyOrdered);
}

#[test]
fn what_costs_nothing_leaves_nothing_to_give_back() {
    let mut desk = Desk::default();
    desk.tell("p1", hold(1), Event::Begun);
    desk.tell_wrong("p1", hold(1), Event::Paid(5));
    desk.tell("p2", hold(2), Event::Begun);
    desk.release(hold(2));
    let before = desk.records.len();
    assert_eq!(desk.says("p2", hold(2), Event::Paid(0)), PartOutcome::Noted);
    let paid = PaymentChange::Paid { payment: payment("p2"), amount: euros(0) };
    let record = PaymentRecord { hold: hold(2), change: paid };
    assert_eq!(desk.records[before..], [Record::from(record)], "nothing is due");
}

#[test]
fn a_part_of_nothing_for_nothing_is_no_part() {
    for (event, is_released, refused) in [
        (Event::Paid(0), true, None),
        (Event::Paid(0), false, Some(RefundReason::WrongAmount)),
        (Event::Authorized(0), true, Some(RefundReason::WrongAmount)),
    ] {
        let mut desk = Desk::default();
        if is_released {
            desk.release(hold(1));
        }
        let (outcome, records) = desk.ask(("p1", hold(1)), event, refused);
        assert_eq!((outcome.unwrap(), records), (PartOutcome::Unchanged, vec![]), "{event:?}");
    }
    let mut desk = Desk::default();
    assert_eq!(
        desk.says("p1", hold(1), Event::Paid(0)),
        PartOutcome::Ordered,
        "it is owed nothing"
    );
    desk.release(hold(2));
    let due = PartOutcome::RefundDue { amount: euros(1), reason: RefundReason::HoldEnded };
    assert_eq!(desk.says("p1", hold(2), Event::Paid(1)), due);
}

#[test]
fn each_state_has_its_name() {
    let mut desk = Desk::default();
    let mut name = |event| {
        desk.tell("p1", hold(1), event);
        desk.part("p1", hold(1)).state.name()
    };
    let events = [
        Event::Refunded(1),
        Event::Begun,
        Event::Failed,
        Event::Authorized(900),
        Event::Voided,
        Event::Paid(900),
    ];
    let names = events.map(&mut name);
    assert_eq!(names, ["unknown", "unknown", "failed", "authorized", "voided", "paid"]);
    desk.tell("p2", hold(2), Event::Begun);
    assert_eq!(desk.part("p2", hold(2)).state.name(), "begun");
}

#[test]
fn an_order_is_named_once_by_each_name() {
    let mut desk = Desk::default();
    let mut named = |name: &str| {
        let mut out = Vec::new();
        desk.book.referenced(hold(1), &name.parse().unwrap(), &mut out);
        let count = out.len();
        for record in out {
            desk.book.apply(&record.into());
        }
        count
    };
    assert_eq!(["a", "a", "b", "a"].map(&mut named), [1, 0, 1, 1]);
    let reference = desk.account(hold(1)).reference.as_ref();
    assert_eq!(reference.map(ToString::to_string).as_deref(), Some("a"));
}

#[test]
fn what_is_taken_above_a_cancelled_order_is_a_wrong_amount() {
    let mut desk = Desk::default();
    desk.tell("p1", hold(1), Event::Authorized(1_000));
    let due = PaymentChange::RefundDue {
        payment: payment("p1"),
        amount: euros(1_000),
        reason: RefundReason::Cancelled,
    };
    desk.change(hold(1), due);
    desk.tell("p1", hold(1), Event::Paid(1_200));
    let part = desk.part("p1", hold(1));
    assert_eq!((part.due, part.due_reason), (1_200, Some(RefundReason::WrongAmount)));
}

#[test]
fn a_capture_of_money_that_is_due_is_due_in_full() {
    for cents in [800, 1_000, 1_200] {
        for is_voided in [false, true] {
            let mut desk = Desk::default();
            desk.release(hold(1));
            desk.tell("p1", hold(1), Event::Authorized(1_000));
            if is_voided {
                desk.tell("p1", hold(1), Event::Voided);
                assert_eq!(desk.part("p1", hold(1)).outstanding(), 0);
            }
            let reason = RefundReason::HoldEnded;
            let due = PartOutcome::RefundDue { amount: euros(cents), reason };
            for _ in 0..2 {
                assert_eq!(desk.says("p1", hold(1), Event::Paid(cents)), due);
                assert_eq!(desk.part("p1", hold(1)).outstanding(), cents);
            }
            desk.tell("p1", hold(1), Event::Refunded(cents));
            assert_eq!(desk.part("p1", hold(1)).outstanding(), 0);
            assert_eq!(desk.book.matters_of(hold(1)), []);
        }
    }
}

#[test]
fn money_in_another_currency_is_no_capture_and_no_refund() {
    let (mut desk, payment) = (Desk::default(), payment("p1"));
    desk.tell("p1", hold(1), Event::Authorized(1_000));
    let yen = Money::new(1_000, "JPY".parse().unwrap()).unwrap();
    let stands = HoldStands::Ordered;
    let ask = PartAsk { payment: &payment, hold: hold(1), stands };
    let mut out = Vec::new();
    let differs = PaymentRefusal::AmountDiffers { recorded: euros(1_000), given: yen };
    assert_eq!(desk.book.paid(ask, (yen, None), &mut out), Err(differs));
    desk.tell("p1", hold(1), Event::Paid(1_000));
    assert!(desk.book.refunded(ask, yen, &mut out).is_err());
    assert_eq!(out, []);
}

#[test]
fn what_was_let_go_makes_no_order_by_late_reports() {
    let after_void = [Event::Voided, Event::Failed, Event::Authorized(1_000), Event::Begun];
    let mut desk = Desk::default();
    for event in after_void {
        desk.tell("p1", hold(1), event);
        assert_eq!(desk.part("p1", hold(1)).state, PartState::Voided, "after {event:?}");
    }
    assert_eq!(desk.stands(hold(1)), HoldStands::Held);
    assert_eq!(desk.says("p1", hold(1), Event::Paid(1_000)), PartOutcome::Ordered, "it came");
    let mut desk = Desk::default();
    desk.tell("p1", hold(1), Event::Voided);
    assert_eq!(desk.says("p1", hold(1), Event::FailedFinally), PartOutcome::Ends);
}

#[test]
fn a_refund_before_its_payment_counts_once_the_payment_comes() {
    let mut desk = Desk::default();
    desk.tell("p1", hold(1), Event::Refunded(400));
    assert_eq!(desk.part("p1", hold(1)).outstanding(), 0);
    let above = Err(PaymentRefusal::RefundAbovePayment { paid: euros(300), given: euros(400) });
    assert_eq!(desk.hear(("p1", hold(1)), Event::Paid(300), None), above);
    let due = PartOutcome::RefundDue { amount: euros(600), reason: RefundReason::WrongAmount };
    assert_eq!(desk.says("p1", hold(1), Event::Paid(1_000)), due, "400 went back already");
    assert_eq!(desk.part("p1", hold(1)).outstanding(), 600);
}

#[test]
fn what_went_back_before_its_payment_was_heard_of_is_not_due_again() {
    let told = |back, event| {
        let mut desk = Desk::default();
        desk.tell("p1", hold(1), Event::Refunded(back));
        let outcome = words(&desk.hear(("p1", hold(1)), event, None));
        (outcome, desk.part("p1", hold(1)).outstanding())
    };
    for event in [Event::Paid(1_000), Event::Authorized(1_000)] {
        assert_eq!(told(400, event), ("back 6.00 wrong_amount".to_owned(), 600), "{event:?}");
        assert_eq!(told(1_000, event), ("noted".to_owned(), 0), "{event:?}");
    }
}

#[test]
fn a_payment_that_failed_may_still_come_through_and_one_that_came_does_not_fail() {
    let mut desk = Desk::default();
    desk.tell("p1", hold(1), Event::Failed);
    assert_eq!(desk.says("p1", hold(1), Event::Paid(1_000)), PartOutcome::Ordered);
    for event in [Event::Failed, Event::FailedFinally, Event::Voided] {
        assert_eq!(desk.says("p1", hold(1), event), PartOutcome::Unchanged);
    }
    assert_eq!(desk.part("p1", hold(1)).paid(), 1_000);
}

#[test]
fn charges_are_set_while_the_hold_is_held() {
    let (mut desk, mut out) = (Desk::default(), Vec::new());
    let charges = Charges { shipping: 490, ..Charges::NONE };
    let goods = euros(1_000);
    desk.tell_wrong("p1", hold(1), Event::Paid(700));
    let asked = (hold(1), HoldStands::Held, goods);
    desk.book.charged(asked, charges, &mut out).unwrap();
    assert_eq!(out.len(), 1, "money that is due back fixes nothing");
    desk.change(hold(1), out.pop().unwrap().change);
    assert_eq!(desk.book.expected(hold(1), goods), Some(euros(1_490)));
    assert_eq!(desk.book.expected(hold(2), goods), Some(goods));
    for stands in [HoldStands::Ordered, HoldStands::Ended] {
        let asked = (hold(1), stands, goods);
        assert_eq!(desk.book.charged(asked, charges, &mut out), Ok(()), "they are so already");
        let none = desk.book.charged(asked, Charges::NONE, &mut out);
        assert_eq!(none, Err(PaymentRefusal::AmountIsFixed));
    }
    let much = Charges { fee: Money::MINOR_MAX, ..Charges::NONE };
    assert_eq!(desk.book.charged(asked, much, &mut out), Err(PaymentRefusal::TooLarge));
    assert_eq!(out, []);
}

#[test]
fn nothing_of_what_was_let_go_is_due_once_other_money_comes() {
    let mut desk = Desk::default();
    desk.tell_wrong("p1", hold(1), Event::Authorized(700));
    desk.tell("p1", hold(1), Event::Voided);
    assert_eq!(desk.says("p1", hold(1), Event::Paid(1_000)), PartOutcome::Ordered);
    assert_eq!(desk.part("p1", hold(1)).outstanding(), 0);
    assert_eq!(desk.account(hold(1)).order_part().unwrap().payment, payment("p1"));
}

#[test]
fn real_money_for_a_rehearsal_goes_back() {
    for (refunded, left) in [(0, "10.00"), (400, "6.00")] {
        let mut desk = Desk::default();
        desk.tell("p1", hold(1), Event::Refunded(refunded));
        let outcome = desk.hear(("p1", hold(1)), Event::Paid(1_000), Some(RefundReason::WrongMode));
        assert_eq!(words(&outcome), format!("back {left} wrong_mode"));
    }
}

#[test]
fn a_refund_in_another_currency_says_both() {
    let mut desk = Desk::default();
    desk.tell("p1", hold(1), Event::Paid(4_990));
    let (payment, hold) = (payment("p1"), hold(1));
    let ask = PartAsk { payment: &payment, hold, stands: HoldStands::Ended };
    let dollars = Money::new(4_990, "USD".parse().unwrap()).unwrap();
    let refused = desk.book.refunded(ask, dollars, &mut Vec::new()).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "49.90 USD went back of a payment of 49.90 EUR: look at the refund again"
    );
}
