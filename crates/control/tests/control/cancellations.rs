//! Units of orders are cancelled, money goes back, also long after the drop.

use axum::http::StatusCode;
use serde_json::{Value, json};
use stampede_domain::{
    HoldId, Money, PaymentEvent, PaymentFact, PaymentId, limits::SETTLED_KEPT_MS,
};

use stampede_testkit::euros;

use crate::rig::{Answer, Rig, mugs, until};

/// An order of two mugs that was paid for.
async fn ordered(rig: &mut Rig, drop: &str) -> HoldId {
    let hold = rig.buy(drop, "ann", "mug", 2).await;
    let sku = &mugs()["skus"][0]["price"];
    let minor = 2 * sku["minor"].as_u64().unwrap();
    let amount = Money::new(minor, sku["currency"].as_str().unwrap().parse().unwrap()).unwrap();
    report(rig, hold, "p1", PaymentEvent::Paid { amount }).await;
    hold
}

async fn report(rig: &Rig, hold: HoldId, payment: &str, event: PaymentEvent) {
    let payment = PaymentId::new("platform", payment).unwrap();
    let fact = PaymentFact { payment, event, holds: vec![hold], mode: None, order_reference: None };
    rig.engine.payment(fact).unwrap().await.unwrap().unwrap();
}

/// What an order says about its money: what is left, what went back without a decision, what has to go back.
async fn left(rig: &Rig, order: HoldId) -> [u64; 3] {
    let path = format!("/v1/orders/{order}");
    let told = rig.ask("acme", "GET", &path).expect(StatusCode::OK).await.json;
    ["left_minor", "refunded_ahead_minor", "refund_due_minor"]
        .map(|field| told[field].as_u64().unwrap())
}

fn path(drop: &str, order: HoldId) -> String {
    format!("/v1/drops/{drop}/orders/{order}/cancel")
}

async fn cancel(rig: &Rig, path: &str, key: &str, body: &Value) -> Answer {
    rig.ask("acme", "POST", path).key(key).json(body).expect(StatusCode::OK).await
}

async fn latest(rig: &Rig) -> Value {
    let list = rig.ask("acme", "GET", "/v1/commands?limit=1").expect(StatusCode::OK).await;
    list.json["commands"][0].clone()
}

#[tokio::test]
async fn cancelled_units_are_on_sale_again_and_their_price_is_due_back() {
    let mut rig = Rig::new();
    let drop = rig.open(mugs()).await;
    let order = ordered(&mut rig, &drop).await;
    let (path, price) = (path(&drop, order), mugs()["skus"][0]["price"].clone());
    let body = json!({"units": 1, "restock": true, "reason": "the parcel came back"});
    let done = cancel(&rig, &path, "c1", &body).await;
    assert_eq!(done.json, json!({"drop": drop, "action": "cancel_order", "lot": 2}));
    until(async || rig.state(&drop).await["skus"][0]["supplied"] == 6).await;
    let again = cancel(&rig, &path, "c1", &body).await;
    assert_eq!((&again.text, again.header("idempotency-replayed")), (&done.text, Some("true")));
    let recorded = latest(&rig).await;
    assert_eq!(recorded["reason"], "the parcel came back");
    let did = ["drop", "order", "cancelled_units", "amount", "lot"].map(|field| &recorded[field]);
    let id = order.to_string();
    assert_eq!(did, [&json!(drop), &json!(id), &json!(1), &price, &json!(2)]);

    let ask = |body: Value| rig.ask("admin", "POST", &path).key("c2").json(&body);
    ask(json!({"units": 2, "reason": "x"})).refused(409, "more_than_ordered").await;
    let minor = price["minor"].as_u64().unwrap();
    let above = json!({"units": 1, "amount": minor + 1, "reason": "x"});
    let refused = ask(above).refused(409, "more_than_paid").await;
    assert!(refused.detail().contains(&format!("so {minor} are left")), "{}", refused.text);
    ask(json!({"units": 0, "reason": "x"})).refused(422, "nothing_to_cancel").await;
    ask(json!({"units": 1})).refused(422, "bad_body").await;
    ask(json!({"units": 1, "reason": " "})).refused(422, "invalid_reason").await;
    let nobodys = format!("/v1/drops/{drop}/orders/{}/cancel", "0".repeat(32));
    let body = json!({"units": 1, "reason": "x"});
    rig.ask("admin", "POST", &nobodys).key("c3").json(&body).refused(404, "unknown_order").await;
    let malformed = format!("/v1/drops/{drop}/orders/h1/cancel");
    rig.ask("admin", "POST", &malformed).key("c3").json(&body).refused(400, "id_malformed").await;
    for who in ["host", "ops", "nina"] {
        let status = if who == "nina" { (404, "unknown_drop") } else { (403, "forbidden") };
        rig.ask(who, "POST", &path).key("c4").json(&body).refused(status.0, status.1).await;
    }
}

#[tokio::test]
async fn money_goes_back_long_after_the_drop() {
    let mut rig = Rig::new();
    let drop = rig.open(mugs()).await;
    let order = ordered(&mut rig, &drop).await;
    let path = path(&drop, order);
    rig.command(&drop, "close", "close").await;
    rig.until_phase(&drop, "settled").await;
    rig.advance(SETTLED_KEPT_MS);
    rig.wake_steward().await;
    until(async || rig.engine.over(drop.parse().unwrap()).is_some()).await;
    let body = json!({"units": 1, "reason": "it broke"});
    let done = cancel(&rig, &path, "late", &body).await;
    assert_eq!(done.json, json!({"drop": drop, "action": "cancel_order"}));
    let recorded = latest(&rig).await;
    assert_eq!((&recorded["drop"], &recorded["cancelled_units"]), (&json!(drop), &json!(1)));
    let restock = json!({"units": 1, "restock": true, "reason": "it broke"});
    let refused = rig.ask("acme", "POST", &path).key("r").json(&restock);
    let refused = refused.refused(409, "wrong_phase").await;
    assert!(refused.detail().contains("while the drop is settled"), "{}", refused.text);

    let rig = rig.restart();
    let again = cancel(&rig, &path, "late", &body).await;
    assert_eq!((&again.text, again.header("idempotency-replayed")), (&done.text, Some("true")));
    let more = json!({"units": 2, "reason": "it broke"});
    rig.ask("acme", "POST", &path).key("more").json(&more).refused(409, "more_than_ordered").await;
    cancel(&rig, &path, "rest", &body).await;
    rig.ask("zeta", "POST", &path).key("z").json(&body).refused(404, "unknown_drop").await;
}

#[tokio::test]
async fn an_order_says_what_a_cancellation_may_give_back() {
    let mut rig = Rig::new();
    let drop = rig.open(mugs()).await;
    let order = ordered(&mut rig, &drop).await;
    let path = path(&drop, order);
    // Neither what the provider gave back of its own accord lessens it, nor is a second payment the order's money.
    report(&rig, order, "p1", PaymentEvent::Refunded { total: euros(400) }).await;
    report(&rig, order, "p2", PaymentEvent::Authorized { amount: euros(3_980) }).await;
    assert_eq!(left(&rig, order).await, [3_980, 400, 0]);
    let above = json!({"units": 0, "amount": 3_981, "reason": "x"});
    let ask = rig.ask("acme", "POST", &path).key("c1").json(&above);
    let refused = ask.refused(409, "more_than_paid").await;
    assert!(refused.detail().contains("so 3980 are left"), "{}", refused.text);
    cancel(&rig, &path, "c2", &json!({"units": 1, "reason": "it broke"})).await;
    assert_eq!(left(&rig, order).await, [1_990, 0, 1_590]);
    cancel(&rig, &path, "c3", &json!({"units": 1, "reason": "it broke"})).await;
    assert_eq!(left(&rig, order).await, [0, 0, 3_580], "with the 4.00 the buyer has all of it");

    let kept = rig.buy(&drop, "ben", "mug", 2).await;
    report(&rig, kept, "p3", PaymentEvent::Authorized { amount: euros(3_980) }).await;
    let path = format!("/v1/drops/{drop}/orders/{kept}/cancel");
    cancel(&rig, &path, "c4", &json!({"units": 1, "reason": "it broke"})).await;
    assert_eq!(left(&rig, kept).await, [1_990, 0, 0], "what is due of kept money is not left");
    report(&rig, kept, "p3", PaymentEvent::Voided).await;
    assert_eq!(left(&rig, kept).await, [0, 0, 0]);
}

#[tokio::test]
async fn goodwill_is_given_once_where_two_decide_on_the_same_order() {
    let mut rig = Rig::new();
    let drop = rig.open(mugs()).await;
    let order = ordered(&mut rig, &drop).await;
    let (path, read) = (path(&drop, order), format!("/v1/orders/{order}"));
    let cancellations = async |rig: &Rig| {
        rig.ask("acme", "GET", &read).expect(StatusCode::OK).await.json["cancellations"].clone()
    };
    assert_eq!(cancellations(&rig).await, 0);
    let goodwill = |seen: u32| json!({"units": 0, "amount": 500, "seen_cancellations": seen, "reason": "sorry"});
    let done = cancel(&rig, &path, "a", &goodwill(0)).await;
    let refused = rig.ask("admin", "POST", &path).key("b").json(&goodwill(0));
    let refused = refused.refused(409, "order_changed").await;
    assert!(refused.detail().contains("and has 1"), "{}", refused.text);
    assert_eq!(latest(&rig).await["refused"]["code"], "order_changed", "it is on record");
    let again = cancel(&rig, &path, "a", &goodwill(0)).await;
    assert_eq!(again.text, done.text, "a retry is no second one");
    assert_eq!(left(&rig, order).await, [3_480, 0, 500]);
    assert_eq!(cancellations(&rig).await, 1);
    cancel(&rig, &path, "c", &goodwill(1)).await;
    assert_eq!(left(&rig, order).await, [2_980, 0, 1_000]);
}
