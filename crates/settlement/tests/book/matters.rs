//! What is to be done about money, in every kind.

use stampede_domain::RefundReason;
use stampede_ledger::{PaymentChange, ProviderRequest};
use stampede_settlement::{Matter, MatterKind};
use stampede_testkit::euros;

use crate::given::{Desk, Event, hold, payment};

fn only_matter(desk: &Desk) -> Matter {
    let mut matters = desk.book.matters_of(hold(1));
    assert_eq!(matters.len(), 1, "{matters:?}");
    let matter = matters.pop().unwrap();
    assert_eq!((matter.hold, &matter.payment), (hold(1), &payment("p1")));
    matter
}

fn has_none(desk: &Desk) {
    assert_eq!(desk.book.matters_of(hold(1)), []);
}

#[test]
fn money_that_is_due_goes_back_as_far_as_it_has_not() {
    let mut desk = Desk::default();
    desk.tell_wrong("p1", hold(1), Event::Paid(1_000));
    let refund =
        |cents| MatterKind::Refund { amount: euros(cents), reason: RefundReason::WrongAmount };
    assert_eq!(only_matter(&desk).kind, refund(1_000));
    desk.tell("p1", hold(1), Event::Refunded(400));
    assert_eq!(only_matter(&desk).kind, refund(600));
    desk.tell("p1", hold(1), Event::Refunded(1_000));
    has_none(&desk);
}

#[test]
fn an_order_by_money_that_is_kept_ready_leaves_a_capture() {
    let mut desk = Desk::default();
    desk.tell("p1", hold(1), Event::Authorized(1_000));
    assert_eq!(only_matter(&desk).kind, MatterKind::Capture { amount: euros(1_000) });
    desk.tell("p1", hold(1), Event::Paid(1_000));
    has_none(&desk);
}

#[test]
fn money_that_is_kept_ready_for_nothing_is_let_go() {
    let mut desk = Desk::default();
    desk.tell_wrong("p1", hold(1), Event::Authorized(1_000));
    assert_eq!(only_matter(&desk).kind, MatterKind::Void);
    desk.tell("p1", hold(1), Event::Voided);
    has_none(&desk);
}

#[test]
fn an_attempt_at_a_hold_that_has_ended_is_ended() {
    let mut desk = Desk::default();
    desk.tell("p1", hold(1), Event::Begun);
    has_none(&desk);
    desk.release(hold(1));
    assert_eq!(only_matter(&desk).kind, MatterKind::Void);
    desk.tell("p1", hold(1), Event::Failed);
    has_none(&desk);
}

#[test]
fn an_order_whose_money_is_gone_is_looked_at() {
    let mut desk = Desk::default();
    desk.tell("p1", hold(1), Event::Authorized(1_000));
    desk.tell("p1", hold(1), Event::Voided);
    assert_eq!(only_matter(&desk).kind, MatterKind::Unpaid { amount: euros(1_000) });
    desk.tell("p1", hold(1), Event::Paid(1_000));
    has_none(&desk);
    desk.tell("p1", hold(1), Event::Refunded(999));
    has_none(&desk);
    desk.tell("p1", hold(1), Event::Refunded(1_000));
    assert_eq!(only_matter(&desk).kind, MatterKind::Unpaid { amount: euros(1_000) });
}

#[test]
fn what_an_order_lacks_is_one_matter_whatever_else_was_tried() {
    let mut desk = Desk::default();
    desk.tell("p0", hold(1), Event::Failed);
    desk.tell("p1", hold(1), Event::Paid(1_000));
    desk.tell("p2", hold(1), Event::Paid(1_000));
    desk.tell("p2", hold(1), Event::Refunded(1_000));
    desk.tell("p1", hold(1), Event::Refunded(1_000));
    assert_eq!(only_matter(&desk).kind, MatterKind::Unpaid { amount: euros(1_000) });
}

#[test]
fn a_second_payment_that_is_kept_ready_is_let_go_as_long_as_some_of_it_is_there() {
    let mut desk = Desk::default();
    desk.tell("p0", hold(1), Event::Paid(1_000));
    desk.tell("p1", hold(1), Event::Authorized(1_000));
    assert_eq!(only_matter(&desk).kind, MatterKind::Void);
    desk.tell("p1", hold(1), Event::Refunded(1));
    assert_eq!(only_matter(&desk).kind, MatterKind::Void);
    desk.tell("p1", hold(1), Event::Refunded(1_000));
    has_none(&desk);
}

#[test]
fn a_matter_says_whether_the_provider_was_asked_and_what_it_refused() {
    let (mut desk, payment) = (Desk::default(), payment("p1"));
    desk.tell_wrong("p1", hold(1), Event::Paid(1_000));
    let (request, other) = (ProviderRequest::Refund, ProviderRequest::Void);
    let asked = |request| PaymentChange::Asked { payment: payment.clone(), request };
    let declined = |request| PaymentChange::Declined {
        payment: payment.clone(),
        request,
        reason: "no balance".into(),
    };
    assert!(!only_matter(&desk).is_asked);
    desk.change(hold(1), asked(other));
    desk.change(hold(1), declined(other));
    let matter = only_matter(&desk);
    assert_eq!((matter.is_asked, matter.declined), (false, None), "another request's");
    desk.change(hold(1), asked(request));
    assert!(only_matter(&desk).is_asked);
    desk.change(hold(1), declined(request));
    assert_eq!(only_matter(&desk).declined.unwrap().as_str(), "no balance");
    desk.change(hold(1), asked(request));
    assert_eq!(only_matter(&desk).declined, None, "it is asked anew");
}

#[test]
fn what_the_provider_is_asked_follows_from_the_kind() {
    let (amount, reason) = (euros(1), RefundReason::HoldEnded);
    for (kind, name, request) in [
        (MatterKind::Refund { amount, reason }, "refund", Some(ProviderRequest::Refund)),
        (MatterKind::Capture { amount }, "capture", Some(ProviderRequest::Capture)),
        (MatterKind::Void, "void", Some(ProviderRequest::Void)),
        (MatterKind::Unpaid { amount }, "unpaid", None),
    ] {
        assert_eq!((kind.name(), kind.request()), (name, request));
    }
}
