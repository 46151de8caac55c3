//! Events in the shape that Stripe publishes.

use proptest::prelude::*;
use serde_json::{Value, json};
use stampede_domain::{
    HoldId, Mode, Money, PaymentAccount, PaymentEvent, PaymentFact, PaymentId, UnixMillis,
};
use stampede_payments::stripe::{
    Ignorance, StripeEvent, StripeEventError, StripeEventKind, event::read,
};

const INTENT: &str = "pi_3SampledropHold0001";

macro_rules! golden {
    ($($name:ident),* $(,)?) => {
        $(pub(super) const $name: &str = include_str!(concat!(stringify!($name), ".json"));)*
        pub(super) const ALL: &[(&str, &str)] = &[$((stringify!($name), $name)),*];
    };
}

#[allow(non_upper_case_globals, reason = "the names of files")]
mod files {
    golden!(
        charge_refunded,
        customer_created,
        intent_canceled,
        intent_capturable,
        intent_failed,
        intent_processing,
        intent_succeeded,
        intent_succeeded_live,
        session_completed,
        session_expired,
        session_unpaid,
    );
}

fn account() -> PaymentAccount {
    "stripe:main".parse().unwrap()
}

fn event(text: &str) -> StripeEvent {
    read(&account(), text.as_bytes()).unwrap()
}

/// The event with one field set, by its path.
fn with(text: &str, path: &str, value: Value) -> String {
    let mut event: Value = serde_json::from_str(text).unwrap();
    let (parent, field) = path.rsplit_once('/').unwrap();
    event.pointer_mut(parent).unwrap()[field] = value;
    event.to_string()
}

/// The event without one field, by its path.
fn without(text: &str, path: &str) -> String {
    let mut event: Value = serde_json::from_str(text).unwrap();
    let (parent, field) = path.rsplit_once('/').unwrap();
    event.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(field).unwrap();
    event.to_string()
}

fn fact(text: &str) -> PaymentFact {
    match event(text).kind {
        StripeEventKind::Fact(fact) => fact,
        other => panic!("no fact: {other:?}"),
    }
}

fn ignored(text: &str) -> Ignorance {
    match event(text).kind {
        StripeEventKind::Ignored { why, .. } => why,
        other => panic!("not ignored: {other:?}"),
    }
}

fn refused(text: &str) -> StripeEventError {
    read(&account(), text.as_bytes()).unwrap_err()
}

fn payment(reference: &str) -> PaymentId {
    PaymentId::new("stripe:main", reference).unwrap()
}

fn money(minor: u64, code: &str) -> Money {
    Money::new(minor, code.parse().unwrap()).unwrap()
}

fn holds() -> Vec<HoldId> {
    ["0000000100000080c000010000000005", "0000000100000080c000010000000006"]
        .map(|id| id.parse().unwrap())
        .into()
}

fn of_the_order(payment: PaymentId, event: PaymentEvent) -> PaymentFact {
    let order_reference = Some("order-2041".parse().unwrap());
    PaymentFact { payment, event, holds: holds(), mode: Some(Mode::Rehearsal), order_reference }
}

#[test]
fn an_intent_that_succeeded_is_paid() {
    let paid = PaymentEvent::Paid { amount: money(6_470, "EUR") };
    assert_eq!(
        event(files::intent_succeeded),
        StripeEvent {
            id: "evt_3SampledropHold0001a".parse().unwrap(),
            created_at: UnixMillis::new(1_796_000_000_000),
            live: false,
            kind: StripeEventKind::Fact(of_the_order(payment(INTENT), paid)),
            order_fault: None,
        }
    );
}

#[test]
fn real_money_is_live() {
    let live = event(files::intent_succeeded_live);
    assert!(live.live);
    let fact = fact(files::intent_succeeded_live);
    assert_eq!(fact.mode, Some(Mode::Live));
    assert_eq!(fact.event, PaymentEvent::Paid { amount: money(4_990, "JPY") });
    assert_eq!((fact.holds, fact.order_reference), (holds()[..1].to_vec(), None));
}

#[test]
fn a_session_says_the_same_as_its_intent() {
    assert_eq!(fact(files::session_completed), fact(files::intent_succeeded));
}

#[test]
fn money_that_is_kept_ready_is_authorized() {
    let authorized = PaymentEvent::Authorized { amount: money(6_470, "EUR") };
    assert_eq!(fact(files::intent_capturable), of_the_order(payment(INTENT), authorized));
    let nothing = with(files::intent_capturable, "/data/object/amount_capturable", json!(0));
    assert_eq!(ignored(&nothing), Ignorance::NoMoney);
}

#[test]
fn an_intent_that_was_canceled_is_voided() {
    assert_eq!(fact(files::intent_canceled), of_the_order(payment(INTENT), PaymentEvent::Voided));
}

#[test]
fn refunds_say_their_total() {
    let refunded = PaymentEvent::Refunded { total: money(2_990, "EUR") };
    assert_eq!(fact(files::charge_refunded), of_the_order(payment(INTENT), refunded.clone()));
    let bare = with(files::charge_refunded, "/data/object/metadata", json!({}));
    let fact = fact(&bare);
    assert_eq!((fact.payment, fact.event, fact.holds), (payment(INTENT), refunded, vec![]));
    let old = with(files::charge_refunded, "/data/object/payment_intent", Value::Null);
    assert_eq!(ignored(&old), Ignorance::OtherPayment);
}

/// Stripe books what was kept ready and never taken as refunded, too.
#[test]
fn what_was_never_taken_did_not_go_back() {
    let charge = |amount: u64, captured: u64, refunded: u64| {
        let fields =
            [("amount", amount), ("amount_captured", captured), ("amount_refunded", refunded)];
        fields.iter().fold(files::charge_refunded.to_owned(), |text, (field, minor)| {
            with(&text, &format!("/data/object/{field}"), json!(minor))
        })
    };
    for (amount, captured, refunded, went_back) in [
        (6_470, 6_470, 6_470, 6_470),
        (6_470, 4_000, 2_470 + 1_500, 1_500),
        (6_470, 4_000, 6_470, 4_000),
        (6_470, 6_469, 2, 1),
        // More was captured than was kept ready.
        (6_470, 7_000, 500, 500),
    ] {
        let total = money(went_back, "EUR");
        let fact = fact(&charge(amount, captured, refunded));
        assert_eq!(fact.event, PaymentEvent::Refunded { total }, "{amount} {captured} {refunded}");
    }
    // The capture itself, and the rest of several captures, which is still open.
    assert_eq!(ignored(&charge(6_470, 4_000, 2_470)), Ignorance::NoMoney);
    assert_eq!(ignored(&charge(6_470, 4_000, 100)), Ignorance::NoMoney);
    let let_go = with(&charge(6_470, 0, 6_470), "/data/object/captured", json!(false));
    assert_eq!(ignored(&let_go), Ignorance::NoMoney);
    let old = without(&charge(6_470, 6_470, 1_000), "/data/object/amount_captured");
    assert_eq!(fact(&old).event, PaymentEvent::Refunded { total: money(1_000, "EUR") });
}

fn reason(error: Value) -> String {
    let failed = with(files::intent_failed, "/data/object/last_payment_error", error);
    match fact(&failed).event {
        PaymentEvent::Failed { reason, is_final: false } => reason.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_failed_attempt_says_why_and_may_be_repeated() {
    let failed =
        |reason: &str| PaymentEvent::Failed { reason: reason.parse().unwrap(), is_final: false };
    let expected = of_the_order(payment(INTENT), failed("insufficient_funds"));
    assert_eq!(fact(files::intent_failed), expected);
    assert_eq!(reason(json!({ "decline_code": null, "code": "card_declined" })), "card_declined");
    assert_eq!(reason(json!({ "decline_code": "", "code": "expired_card" })), "expired_card");
    assert_eq!(reason(json!({ "code": "a b/ü€c" })), "a_b___c");
    assert_eq!(reason(json!({ "code": "é".repeat(200) })), "_".repeat(128));
    for none in [json!(null), json!({}), json!({ "decline_code": "", "code": "" })] {
        assert_eq!(reason(none), "unknown");
    }
}

#[test]
fn a_session_that_is_not_paid_is_no_payment() {
    assert_eq!(ignored(files::session_unpaid), Ignorance::NoMoney);
    let status =
        |status| with(files::session_completed, "/data/object/payment_status", json!(status));
    assert_eq!(ignored(&status("no_payment_required")), Ignorance::NoMoney);
    assert_eq!(ignored(&status("something_new")), Ignorance::NoMoney);
    let free = with(files::session_completed, "/data/object/amount_total", json!(0));
    let free = with(&free, "/data/object/payment_intent", Value::Null);
    assert_eq!(ignored(&free), Ignorance::NoMoney);
}

/// Money never counts under the name of a session: the intent would report it a second time.
#[test]
fn a_session_carries_no_money_under_its_own_name() {
    let bare = with(files::session_completed, "/data/object/payment_intent", Value::Null);
    assert_eq!(refused(&bare).to_string(), "the checkout.session has no payment_intent");
    for mode in ["subscription", "setup"] {
        for text in [&bare, files::session_completed, files::session_expired] {
            let other = with(text, "/data/object/mode", json!(mode));
            assert_eq!(ignored(&other), Ignorance::OtherPayment);
        }
    }
}

#[test]
fn a_session_that_ended_is_an_attempt_that_failed() {
    let failed = PaymentEvent::Failed { reason: "expired".parse().unwrap(), is_final: false };
    let event: Value = serde_json::from_str(files::session_expired).unwrap();
    let session = event["data"]["object"]["id"].as_str().unwrap();
    let expected = of_the_order(payment(session), failed.clone());
    assert_eq!(fact(files::session_expired), expected);
    let tried = with(files::session_expired, "/data/object/payment_intent", json!(INTENT));
    assert_eq!(fact(&tried), of_the_order(payment(INTENT), failed));
}

#[test]
fn money_without_holds_is_kept_apart() {
    let unmatched =
        |text: &str, metadata: Value| match event(&with(text, "/data/object/metadata", metadata))
            .kind
        {
            StripeEventKind::Unmatched { payment: of, amount, is_taken, named } => {
                assert_eq!((of, amount), (payment(INTENT), money(6_470, "EUR")));
                (is_taken, named)
            }
            other => panic!("{other:?}"),
        };
    for text in [files::intent_succeeded, files::session_completed] {
        assert_eq!(unmatched(text, json!({})), (true, String::new()));
        assert_eq!(unmatched(text, Value::Null), (true, String::new()));
    }
    let typed = json!({ "stampede_hold": "h1", "stampede_order": "o-7" });
    let named = "stampede_hold=h1 stampede_order=o-7".to_owned();
    assert_eq!(unmatched(files::intent_succeeded, typed.clone()), (true, named.clone()));
    assert_eq!(unmatched(files::intent_capturable, typed), (false, named));
}

#[test]
fn what_moves_no_money_needs_no_holds() {
    for text in [files::intent_failed, files::intent_canceled, files::session_expired] {
        for metadata in [json!({}), json!({ "stampede_hold": "h1" })] {
            let bare = fact(&with(text, "/data/object/metadata", metadata));
            assert_eq!(PaymentFact { holds: vec![], order_reference: None, ..fact(text) }, bare);
        }
    }
}

#[test]
fn other_kinds_are_ignored_whatever_they_hold() {
    assert_eq!(
        event(files::customer_created).kind,
        StripeEventKind::Ignored { kind: "customer.created".into(), why: Ignorance::OtherKind }
    );
    assert_eq!(ignored(files::intent_processing), Ignorance::NoMoney);
    let created = with(files::intent_processing, "/type", json!("payment_intent.created"));
    assert_eq!(ignored(&created), Ignorance::NoMoney);
    let odd = with(files::customer_created, "/data/object", json!([1, "two", { "object": 3 }]));
    assert_eq!(ignored(&odd), Ignorance::OtherKind);
    let long = with(files::customer_created, "/type", json!("é\n".repeat(500)));
    let StripeEventKind::Ignored { kind, .. } = event(&long).kind else { panic!() };
    assert!(kind.len() <= 128 && !kind.contains('\n'));
}

/// Its owner could name anybody's hold there, and pay himself.
#[test]
fn connected_accounts_do_not_count() {
    for (_, text) in files::ALL {
        let connected = with(text, "/account", json!("acct_1Sampledrop"));
        assert_eq!(ignored(&connected), Ignorance::ConnectedAccount);
    }
}

#[test]
fn an_amount_that_cannot_be_written_here_is_an_error_only_if_it_is_ours() {
    for (text, field) in [
        (files::intent_succeeded, "amount_received"),
        (files::session_completed, "amount_total"),
        (files::charge_refunded, "amount_refunded"),
    ] {
        let fraction = with(text, "/data/object/currency", json!("isk"));
        let fraction = with(&fraction, &format!("/data/object/{field}"), json!(150));
        let error = refused(&fraction);
        assert!(matches!(error, StripeEventError::Amount { .. }), "{error}");
        let of_others = with(&fraction, "/data/object/metadata", json!({ "order": "7" }));
        assert_eq!(ignored(&of_others), Ignorance::OtherAmount);
    }
}

#[test]
fn fields_that_are_used_are_needed() {
    for (text, fields) in [
        (files::intent_succeeded, &["id", "object", "currency", "amount_received"][..]),
        (files::intent_capturable, &["id", "object", "currency", "amount_capturable"]),
        (files::intent_failed, &["id", "object"]),
        (files::intent_canceled, &["id", "object"]),
        (
            files::session_completed,
            &["id", "object", "mode", "payment_status", "currency", "amount_total"],
        ),
        (files::session_expired, &["id", "object", "mode"]),
        (files::charge_refunded, &["object", "currency", "amount", "amount_refunded"]),
    ] {
        for field in ["/id", "/object", "/type", "/livemode", "/created", "/data"] {
            refused(&without(text, field));
        }
        for field in fields {
            let path = format!("/data/object/{field}");
            refused(&without(text, &path));
            for odd in [json!(true), json!(-1), json!(1.5), json!([]), json!({})] {
                refused(&with(text, &path, odd));
            }
        }
        refused(&with(text, "/data/object/object", json!("invoice")));
        refused(&with(text, "/object", json!("v2.core.event")));
        refused(&with(text, "/id", json!("evt 1")));
    }
    refused(&with(files::intent_succeeded, "/data/object/id", json!("")));
    refused(&without(files::charge_refunded, "/data/object/captured"));
    refused(&with(files::charge_refunded, "/data/object/captured", json!(1)));
}

/// Stripe adds fields without a new version, and everybody's objects have others.
#[test]
fn fields_that_are_not_used_may_be_anything() {
    for (name, text) in files::ALL {
        let before = event(text);
        let event: Value = serde_json::from_str(text).unwrap();
        let used =
            ["id", "object", "mode", "currency", "metadata", "last_payment_error", "captured"];
        let is_used = |field: &String| {
            used.contains(&field.as_str())
                || field.starts_with("amount")
                || field.starts_with("payment_")
        };
        let fields = event["data"]["object"].as_object().unwrap();
        for field in fields.keys().filter(|field| !is_used(field)) {
            for odd in [json!(null), json!("text"), json!(-1.5), json!([{}]), json!({ "a": [] })] {
                let other = with(text, &format!("/data/object/{field}"), odd);
                assert_eq!(self::event(&other), before, "{name}: {field}");
            }
        }
        let new = with(&with(text, "/data/object/brand_new", json!({})), "/context", json!([]));
        assert_eq!(self::event(&new), before, "{name}");
    }
}

#[test]
fn an_event_that_was_cut_is_refused_or_unchanged() {
    for (name, text) in files::ALL {
        let (whole, bytes) = (event(text), text.as_bytes());
        for end in 0..bytes.len() {
            match read(&account(), &bytes[..end]) {
                Ok(cut) => assert_eq!(cut, whole, "{name} cut at {end}"),
                Err(error) => assert!(matches!(error, StripeEventError::Shape { .. }), "{error}"),
            }
        }
        assert!(read(&account(), &[bytes, b"{}"].concat()).is_err(), "{name} with more behind it");
    }
}

#[test]
fn errors_say_what_is_wrong() {
    let renamed = with(files::intent_succeeded, "/data/object/object", json!("charge"));
    let error = refused(&renamed).to_string();
    assert_eq!(error, "an object \"charge\" stands where payment_intent is expected");
    let error =
        refused(&with(files::intent_succeeded, "/data/object/id", json!("pi 1"))).to_string();
    assert_eq!(error, "the id of the payment is no reference");
    assert_eq!(refused("[]").to_string(), "the event is not as Stripe documents it");
    let bare = without(files::intent_succeeded, "/data/object/amount_received");
    assert_eq!(refused(&bare).to_string(), "the payment_intent has no amount_received");
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("\\PC{0,9}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes: Vec<u8>) {
        let _ = read(&account(), &bytes);
    }

    #[test]
    fn no_changed_byte_makes_it_panic(file in prop::sample::select(files::ALL), place: prop::sample::Index, byte: u8) {
        let mut bytes = file.1.as_bytes().to_vec();
        let place = place.index(bytes.len());
        bytes[place] = byte;
        let _ = read(&account(), &bytes);
    }

    #[test]
    fn no_value_in_any_place_makes_it_panic(
        file in prop::sample::select(files::ALL),
        place: prop::sample::Index,
        value in any_json(),
    ) {
        let mut event: Value = serde_json::from_str(file.1).unwrap();
        let object = event["data"]["object"].as_object_mut().unwrap();
        let field = place.index(object.len());
        *object.values_mut().nth(field).unwrap() = value;
        let _ = read(&account(), event.to_string().as_bytes());
    }
}
