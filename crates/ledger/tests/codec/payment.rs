//! The records of money with their bytes.

use proptest::prelude::*;
use stampede_domain::{
    Charges, DurationMs, HoldId, Incarnation, Money, PaymentId, RefundReason, UnixMillis,
};
use stampede_ledger::{
    Cancelled, DeadlineRecord, PaymentChange, PaymentRecord, ProviderRequest, Record,
    UnmatchedDone, UnmatchedEnd, UnmatchedPayment,
};

use super::{
    parts::{any_text, any_time},
    support::{hold, money},
};

fn payment() -> PaymentId {
    PaymentId::new("stripe:main", "pi_3MtwBw").unwrap()
}

fn sample(change: PaymentChange) -> Record {
    PaymentRecord { hold: hold(Incarnation::new(1).unwrap(), 300), change }.into()
}

pub(crate) fn samples() -> Vec<(&'static str, Record)> {
    let (payment, amount) = (payment(), money(4_480));
    let charges = Charges { shipping: 490, tax: 300, fee: 0 };
    let cancelled = Cancelled {
        units: 1,
        amount: money(1_990),
        waived: money(2_480),
        lot: Some(7),
        actor: "olga".into(),
        reason: "torn on the way".into(),
    };
    let unmatched = UnmatchedPayment { payment: payment.clone(), amount, named: "cart 7".into() };
    let retaken = hold(Incarnation::new(1).unwrap(), 301);
    let at = UnixMillis::new(super::AT_MS);
    let first = hold(Incarnation::new(1).unwrap(), 300);
    let span = DurationMs::from_secs(60);
    let all = || payment.clone();
    let money_records = [
        ("charged", PaymentChange::Charged(charges)),
        ("referenced", PaymentChange::Referenced("order-10023".parse().unwrap())),
        ("payment_begun", PaymentChange::Begun { payment: all() }),
        ("authorized", PaymentChange::Authorized { payment: all(), amount }),
        ("paid", PaymentChange::Paid { payment: all(), amount }),
        (
            "payment_failed",
            PaymentChange::Failed { payment: all(), reason: "card_declined".parse().unwrap() },
        ),
        ("voided", PaymentChange::Voided { payment: all() }),
        (
            "refund_due",
            PaymentChange::RefundDue {
                payment: all(),
                amount,
                reason: RefundReason::SecondPayment,
            },
        ),
        ("refunded", PaymentChange::Refunded { payment: all(), total: amount }),
        (
            "provider_asked",
            PaymentChange::Asked { payment: all(), request: ProviderRequest::Capture },
        ),
        (
            "provider_declined",
            PaymentChange::Declined {
                payment: all(),
                request: ProviderRequest::Refund,
                reason: "the charge is too old".into(),
            },
        ),
        ("units_cancelled", PaymentChange::Cancelled(cancelled.into())),
        ("retaken", PaymentChange::Retaken { payment: all(), into: retaken }),
    ];
    let mut samples: Vec<_> =
        money_records.into_iter().map(|(name, change)| (name, sample(change))).collect();
    samples.push(("stretched", DeadlineRecord::Stretched { hold: first, span }.into()));
    samples.push(("extended", DeadlineRecord::Extended { span, until: at }.into()));
    samples.push(("payment_unmatched", unmatched.into()));
    samples.extend(unmatched_ends());
    samples
}

fn unmatched_ends() -> [(&'static str, Record); 3] {
    let hold = hold(Incarnation::new(1).unwrap(), 300);
    let closed = UnmatchedEnd::Closed { actor: "olga".into(), reason: "another shop's".into() };
    [
        ("unmatched_done_matched", UnmatchedEnd::Matched { hold }),
        ("unmatched_done_given_back", UnmatchedEnd::GivenBack),
        ("unmatched_done_closed", closed),
    ]
    .map(|(name, end)| (name, UnmatchedDone { payment: payment(), end }.into()))
}

fn any_money() -> impl Strategy<Value = Money> {
    (0..=Money::MINOR_MAX).prop_map(money)
}

fn any_payment() -> impl Strategy<Value = PaymentId> {
    ("[a-z:]{1,64}", "[A-Za-z0-9._:-]{1,128}")
        .prop_map(|(account, reference)| PaymentId::new(&account, &reference).unwrap())
}

fn any_request() -> impl Strategy<Value = ProviderRequest> {
    (0..ProviderRequest::ALL.len()).prop_map(|place| ProviderRequest::ALL[place])
}

fn any_change() -> impl Strategy<Value = PaymentChange> {
    let paid = || (any_payment(), any_money());
    prop_oneof![
        any::<[u64; 3]>().prop_map(|[shipping, tax, fee]| {
            PaymentChange::Charged(Charges { shipping, tax, fee })
        }),
        "[A-Za-z0-9-]{1,128}".prop_map(|text| PaymentChange::Referenced(text.parse().unwrap())),
        any_payment().prop_map(|payment| PaymentChange::Begun { payment }),
        any_payment().prop_map(|payment| PaymentChange::Voided { payment }),
        paid().prop_map(|(payment, amount)| PaymentChange::Authorized { payment, amount }),
        paid().prop_map(|(payment, amount)| PaymentChange::Paid { payment, amount }),
        paid().prop_map(|(payment, total)| PaymentChange::Refunded { payment, total }),
        (any_payment(), "[a-z_]{1,60}").prop_map(|(payment, reason)| {
            PaymentChange::Failed { payment, reason: reason.parse().unwrap() }
        }),
        (any_payment(), any_money(), 0..RefundReason::ALL.len()).prop_map(
            |(payment, amount, place)| PaymentChange::RefundDue {
                payment,
                amount,
                reason: RefundReason::ALL[place],
            }
        ),
        (any_payment(), any_request())
            .prop_map(|(payment, request)| PaymentChange::Asked { payment, request }),
        (any_payment(), any_request(), any_text()).prop_map(|(payment, request, reason)| {
            PaymentChange::Declined { payment, request, reason }
        }),
        (any::<u32>(), [any_money(), any_money()], any::<Option<u32>>(), [any_text(), any_text()])
            .prop_map(|(units, [amount, waived], lot, [actor, reason])| {
                let cancelled = Cancelled { units, amount, waived, lot, actor, reason };
                PaymentChange::Cancelled(cancelled.into())
            }),
        (any_payment(), any::<[u8; 16]>()).prop_map(|(payment, into)| {
            PaymentChange::Retaken { payment, into: HoldId::from_bytes(into) }
        }),
    ]
}

fn any_unmatched_end() -> impl Strategy<Value = UnmatchedEnd> {
    prop_oneof![
        any::<[u8; 16]>().prop_map(|hold| UnmatchedEnd::Matched { hold: HoldId::from_bytes(hold) }),
        Just(UnmatchedEnd::GivenBack),
        (any_text(), any_text()).prop_map(|(actor, reason)| UnmatchedEnd::Closed { actor, reason }),
    ]
}

pub(crate) fn any_record() -> impl Strategy<Value = Record> {
    let hold = || any::<[u8; 16]>().prop_map(HoldId::from_bytes);
    let span = || any::<u64>().prop_map(DurationMs::new);
    prop_oneof![
        8 => (hold(), any_change()).prop_map(|(hold, change)| PaymentRecord { hold, change }.into()),
        1 => (hold(), span())
            .prop_map(|(hold, span)| DeadlineRecord::Stretched { hold, span }.into()),
        1 => (span(), any_time())
            .prop_map(|(span, until)| DeadlineRecord::Extended { span, until }.into()),
        1 => (any_payment(), any_money(), any_text()).prop_map(|(payment, amount, named)| {
            UnmatchedPayment { payment, amount, named }.into()
        }),
        1 => (any_payment(), any_unmatched_end())
            .prop_map(|(payment, end)| UnmatchedDone { payment, end }.into()),
    ]
}
