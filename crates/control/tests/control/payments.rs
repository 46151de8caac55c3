//! Payments as a platform's server reports them.

use std::{collections::BTreeMap, sync::Arc};

use axum::http::StatusCode;
use serde_json::{Value, json};
use stampede_control::{ControlConfig, NewStaff};
use stampede_domain::{DurationMs, HoldId, Mode, UnixMillis, limits};
use stampede_engine::{HoldLook, Role, StreamScope};
use stampede_ledger::fake::{FakeLedger, Fault};
use tempfile::TempDir;

use crate::rig::{Answer, Ask, NOON, Rig, lamps, mugs, until};

const PRICE: u64 = 1_990;

fn euros(minor: u64) -> Value {
    json!({ "minor": minor, "currency": "EUR" })
}

fn fact(event: &str, payment: &str, holds: &[HoldId]) -> Value {
    let holds: Vec<_> = holds.iter().map(ToString::to_string).collect();
    json!({ "payment": payment, "event": event, "holds": holds })
}

fn with_amount(event: &str, payment: &str, holds: &[HoldId], minor: u64) -> Value {
    let mut fact = fact(event, payment, holds);
    fact["amount"] = euros(minor);
    fact
}

fn paid(payment: &str, holds: &[HoldId], minor: u64) -> Value {
    with_amount("paid", payment, holds, minor)
}

impl Rig {
    fn report(&self, who: &str, fact: &Value) -> Ask {
        // Each report has a key of its own, as one that is sent again has.
        let key = blake_key(fact);
        self.ask(who, "POST", "/v1/payments").key(&key).json(fact)
    }

    async fn said(&self, fact: &Value) -> Answer {
        self.report("payments", fact).expect(StatusCode::OK).await
    }

    /// The outcomes for the holds that were named, in their order.
    async fn outcomes(&self, fact: &Value) -> Vec<String> {
        let answer = self.said(fact).await;
        let holds = answer.json["holds"].as_array().unwrap().iter();
        holds.map(|hold| hold["outcome"].as_str().unwrap().to_owned()).collect()
    }

    async fn hold_state(&self, hold: HoldId) -> Value {
        let path = format!("/v1/payments/holds/{hold}");
        self.ask("payments", "GET", &path).expect(StatusCode::OK).await.json
    }

    async fn todo(&self, who: &str, query: &str) -> Value {
        let path = format!("/v1/payments/todo{query}");
        self.ask(who, "GET", &path).expect(StatusCode::OK).await.json
    }

    /// A drop with a hold of one mug.
    async fn held(&mut self, viewer: &str) -> (String, HoldId) {
        let drop = self.open(mugs()).await;
        let hold = self.buy(&drop, viewer, "mug", 1).await;
        (drop, hold)
    }
}

/// A key that follows from the report.
fn blake_key(fact: &Value) -> String {
    stampede_domain::KeyFingerprint::of(fact.to_string().as_bytes()).to_string()
}

#[tokio::test]
async fn a_payment_makes_an_order_however_often_it_is_reported() {
    let mut rig = Rig::new();
    let (drop, hold) = rig.held("v1").await;
    let mut fact = paid("p1", &[hold], PRICE);
    fact["order_reference"] = json!("R-1001");
    let first = rig.said(&fact).await;
    let expected = |outcome| {
        let hold = hold.to_string();
        let holds = json!([{ "hold": hold, "outcome": outcome, "order": hold }]);
        json!({ "account": "platform", "payment": "p1", "holds": holds })
    };
    assert_eq!(first.json, expected("ordered"));
    for _ in 0..2 {
        assert_eq!(rig.said(&fact).await.json, expected("already_ordered"));
    }
    let state = rig.hold_state(hold).await;
    assert_eq!((&state["state"], &state["drop"]), (&json!("ordered"), &json!(drop)));
    assert_eq!(
        (&state["order"], &state["order_reference"]),
        (&json!(hold.to_string()), &json!("R-1001"))
    );
    let part = &state["payments"][0];
    assert_eq!((&part["state"], &part["amount"]), (&json!("paid"), &euros(PRICE)));
    assert_eq!((&part["makes_order"], &state["todo"]), (&json!(true), &json!([])));
    assert_eq!(rig.state(&drop).await["skus"][0]["sold"], 1);
}

#[tokio::test]
async fn what_costs_nothing_is_an_order_once_it_is_reported_as_paid_with_nothing() {
    let mut rig = Rig::new();
    let mut free = mugs();
    free["skus"][0]["price"]["minor"] = json!(0);
    let drop = rig.open(free).await;
    let hold = rig.buy(&drop, "v1", "mug", 1).await;
    assert_eq!(rig.hold_state(hold).await["owed"], euros(0));
    assert_eq!(rig.outcomes(&paid("free-1", &[hold], 0)).await, ["ordered"]);
    assert_eq!(rig.outcomes(&paid("free-1", &[hold], 0)).await, ["already_ordered"]);
    assert_eq!(rig.todo("payments", "").await, json!({ "holds": [] }));
    // What is to be paid for being sent is owed all the same.
    let sent = rig.buy(&drop, "v2", "mug", 1).await;
    let charges = format!("/v1/payments/holds/{sent}/charges");
    let charge = rig.ask("payments", "PUT", &charges).json(&json!({ "shipping": 490 }));
    charge.expect(StatusCode::OK).await;
    assert_ne!(rig.outcomes(&paid("free-2", &[sent], 0)).await, ["ordered"]);
    assert_eq!(rig.outcomes(&paid("pay-2", &[sent], 490)).await, ["ordered"]);
}

#[tokio::test]
async fn each_event_has_its_outcome() {
    let mut rig = Rig::new();
    let drop = rig.open(mugs()).await;
    let mut holds = Vec::new();
    for viewer in ["v0", "v1", "v2", "v3"] {
        holds.push(rig.buy(&drop, viewer, "mug", 1).await);
    }
    let [first, second, third, fourth] = holds[..] else { unreachable!() };
    assert_eq!(rig.outcomes(&fact("begun", "p0", &[first])).await, ["noted"]);
    assert_eq!(rig.outcomes(&fact("begun", "p0", &[first])).await, ["unchanged"]);
    let mut failed = fact("failed", "p0", &[first]);
    failed["reason"] = json!("card_declined");
    assert_eq!(rig.outcomes(&failed).await, ["noted"]);
    assert_eq!(rig.hold_state(first).await["payments"][0]["failed"], "card_declined");
    failed["final"] = json!(true);
    assert_eq!(rig.outcomes(&failed).await, ["ended"]);
    assert_eq!(rig.hold_state(first).await["state"], "ended");

    let late = rig.said(&paid("p0b", &[first], PRICE)).await.json["holds"][0].clone();
    assert_eq!((&late["outcome"], &late["reason"]), (&json!("refund_due"), &json!("hold_ended")));
    assert_eq!((&late["amount"], late.get("order")), (&euros(PRICE), None));
    assert_eq!(
        late["what_to_do"],
        "refund 19.90 EUR at the provider, then report the payment as `refunded`"
    );

    let authorized = with_amount("authorized", "p1", &[second], PRICE);
    assert_eq!(rig.outcomes(&authorized).await, ["ordered"]);
    let todo = &rig.hold_state(second).await["todo"][0];
    assert_eq!((&todo["action"], &todo["amount"]), (&json!("capture"), &euros(PRICE)));
    assert_eq!(rig.outcomes(&paid("p1", &[second], PRICE)).await, ["already_ordered"]);
    let again = rig.said(&paid("p1b", &[second], PRICE)).await.json["holds"][0].clone();
    assert_eq!(
        (&again["outcome"], &again["reason"]),
        (&json!("refund_due"), &json!("second_payment"))
    );
    assert_eq!(again["order"], second.to_string(), "the other payment's");

    let kept = with_amount("authorized", "p2", &[third], PRICE + 1);
    let kept = rig.said(&kept).await.json["holds"][0].clone();
    assert_eq!((&kept["outcome"], &kept["reason"]), (&json!("refund_due"), &json!("wrong_amount")));
    assert!(kept["what_to_do"].as_str().unwrap().contains("void"), "{kept}");
    assert_eq!(rig.outcomes(&fact("voided", "p2", &[third])).await, ["noted"]);
    assert_eq!(rig.hold_state(third).await["todo"], json!([]));

    assert_eq!(rig.outcomes(&paid("p3", &[fourth], PRICE)).await, ["ordered"]);
    let gone = with_amount("refunded", "p3", &[fourth], 500);
    assert_eq!(rig.outcomes(&gone).await, ["noted"]);
    assert_eq!(rig.outcomes(&gone).await, ["unchanged"]);
    assert_eq!(rig.hold_state(fourth).await["todo"], json!([]), "a part of it was given back");
    let all = with_amount("refunded", "p3", &[fourth], PRICE);
    assert_eq!(rig.outcomes(&all).await, ["noted"]);
    let todo = rig.hold_state(fourth).await["todo"][0].clone();
    assert_eq!((&todo["action"], &todo["amount"]), (&json!("unpaid"), &euros(PRICE)));
    assert_eq!(rig.outcomes(&paid("p4", &[fourth], PRICE)).await, ["already_ordered"]);
    assert_eq!(rig.hold_state(fourth).await["todo"], json!([]), "it is paid anew");
}

#[tokio::test]
async fn what_went_back_is_not_due_again() {
    let mut rig = Rig::new();
    let (_, hold) = rig.held("v1").await;
    let wrong = paid("p1", &[hold], 2_000);
    assert_eq!(rig.outcomes(&wrong).await, ["refund_due"]);
    assert_eq!(rig.outcomes(&wrong).await, ["refund_due"], "as long as it is due");
    rig.said(&with_amount("refunded", "p1", &[hold], 500)).await;
    let rest = rig.said(&wrong).await.json["holds"][0].clone();
    assert_eq!(rest["amount"], euros(1_500));
    rig.said(&with_amount("refunded", "p1", &[], 2_000)).await;
    assert_eq!(rig.outcomes(&wrong).await, ["unchanged"], "nobody refunds it twice");
    let part = &rig.hold_state(hold).await["payments"][0];
    assert_eq!(
        (&part["refunded_minor"], &part["refund_outstanding_minor"]),
        (&json!(2_000), &json!(0))
    );
    assert_eq!(rig.outcomes(&paid("p2", &[hold], PRICE)).await, ["ordered"], "the hold lived on");
}

#[tokio::test]
async fn facts_come_in_any_order() {
    let mut rig = Rig::new();
    let (_, hold) = rig.held("v1").await;
    let authorized = with_amount("authorized", "p1", &[hold], PRICE);
    assert_eq!(rig.outcomes(&paid("p1", &[hold], PRICE)).await, ["ordered"]);
    assert_eq!(rig.outcomes(&authorized).await, ["already_ordered"]);
    assert_eq!(rig.outcomes(&fact("begun", "p1", &[hold])).await, ["unchanged"]);
    assert_eq!(rig.outcomes(&fact("failed", "p1", &[hold])).await, ["unchanged"]);
    let state = rig.hold_state(hold).await;
    assert_eq!(
        (&state["state"], &state["payments"][0]["state"]),
        (&json!("ordered"), &json!("paid"))
    );
}

#[tokio::test]
async fn one_payment_at_once_is_one_order() {
    let mut rig = Rig::new();
    let (drop, hold) = rig.held("v1").await;
    let fact = paid("p1", &[hold], PRICE);
    let at_once: Vec<_> =
        (0..3).map(|_| tokio::spawn(rig.report("payments", &fact).send())).collect();
    let mut outcomes = Vec::new();
    for sent in at_once {
        let answer = sent.await.unwrap();
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        outcomes.push(answer.json["holds"][0]["outcome"].as_str().unwrap().to_owned());
    }
    outcomes.sort_unstable();
    assert_eq!(outcomes, ["already_ordered", "already_ordered", "ordered"]);
    assert_eq!(rig.state(&drop).await["skus"][0]["sold"], 1);
}

#[tokio::test]
async fn a_payment_has_one_amount_in_one_currency() {
    let mut rig = Rig::new();
    let (_, hold) = rig.held("v1").await;
    let mut yen = paid("p1", &[hold], PRICE);
    yen["amount"]["currency"] = json!("JPY");
    let answer = rig.said(&yen).await.json["holds"][0].clone();
    assert_eq!(answer["reason"], "wrong_amount");
    assert_eq!(answer["amount"], json!({ "minor": PRICE, "currency": "JPY" }));
    let other = rig.report("payments", &paid("p1", &[hold], PRICE));
    let answer = other.refused(409, "amount_differs").await;
    assert!(answer.detail().contains("1990 JPY before, now with 19.90 EUR"), "{}", answer.text);
    let above = json!({ "minor": PRICE + 1, "currency": "JPY" });
    let mut refund = fact("refunded", "p1", &[hold]);
    refund["amount"] = above;
    rig.report("payments", &refund).refused(409, "refund_above_payment").await;
    yen["amount"]["currency"] = json!("EUX");
    rig.report("payments", &yen).refused(422, "unknown_currency").await;
    assert_eq!(rig.outcomes(&paid("p2", &[hold], PRICE)).await, ["ordered"]);
}

#[tokio::test]
async fn a_payment_may_be_for_two_holds() {
    let mut rig = Rig::new();
    let mut plan = mugs();
    let mut cup = plan["skus"][0].clone();
    (cup["id"], cup["price"]["minor"]) = (json!("cup"), json!(500));
    plan["skus"].as_array_mut().unwrap().push(cup);
    let drop = rig.open(plan).await;
    let (mug, cup) = (rig.buy(&drop, "v1", "mug", 1).await, rig.buy(&drop, "v1", "cup", 1).await);
    let both = paid("p1", &[mug, cup], PRICE + 500);
    assert_eq!(rig.outcomes(&both).await, ["ordered", "ordered"]);

    let (mug, cup) = (rig.buy(&drop, "v2", "mug", 1).await, rig.buy(&drop, "v2", "cup", 1).await);
    let mut failed = fact("failed", "p2", &[cup]);
    failed["final"] = json!(true);
    assert_eq!(rig.outcomes(&failed).await, ["ended"]);
    let answer = rig.said(&paid("p3", &[cup, mug], PRICE + 500)).await;
    let [ended, ordered] = [0, 1].map(|place| answer.json["holds"][place].clone());
    assert_eq!((&ended["outcome"], &ended["amount"]), (&json!("refund_due"), &euros(500)));
    assert_eq!(
        (&ordered["outcome"], &ordered["hold"]),
        (&json!("ordered"), &json!(mug.to_string()))
    );

    let payment =
        rig.ask("payments", "GET", "/v1/payments/platform/p3").expect(StatusCode::OK).await;
    let holds = payment.json["holds"].as_array().unwrap();
    let found =
        |hold: HoldId| holds.iter().find(|found| found["hold"] == hold.to_string()).unwrap();
    assert_eq!((holds.len(), &found(mug)["state"]), (2, &json!("ordered")));
    assert_eq!(
        (&found(cup)["state"], &found(cup)["todo"][0]["amount"]),
        (&json!("ended"), &euros(500))
    );
}

#[tokio::test]
async fn another_merchants_hold_is_like_one_that_never_was() {
    let mut rig = Rig::new();
    let (_, own) = rig.held("v1").await;
    let lamps = rig.open(lamps()).await;
    let foreign = rig.buy(&lamps, "v1", "mug", 1).await;
    let mut never = own.to_bytes();
    never[0] = 9;
    let never = HoldId::from_bytes(never);
    let mut beyond = own.to_bytes();
    beyond[15] = 9;
    let beyond = HoldId::from_bytes(beyond);
    let mut told = Vec::new();
    for hold in [foreign, never, beyond] {
        for holds in [vec![hold], vec![own, hold]] {
            let report = rig.report("payments", &paid("p1", &holds, PRICE));
            let refused = report.refused(404, "unknown_hold").await;
            told.push(refused.text.replace(&hold.to_string(), "X"));
        }
        let path = format!("/v1/payments/holds/{hold}");
        let asked = rig.ask("payments", "GET", &path).refused(404, "unknown_hold").await;
        told.push(asked.text.replace(&hold.to_string(), "X"));
        let charge =
            rig.ask("payments", "PUT", &format!("{path}/charges")).json(&json!({"fee": 1}));
        let charged = charge.refused(404, "unknown_hold").await;
        told.push(charged.text.replace(&hold.to_string(), "X"));
    }
    assert!(told.iter().all(|text| *text == told[0]), "{told:#?}");
    assert_eq!(rig.hold_state(own).await["payments"], json!([]), "nothing was recorded");

    // An admin who is bound to nobody may; then the other merchant's payment is not there for this one.
    let answer = rig.report("admin", &paid("p2", &[foreign], PRICE)).expect(StatusCode::OK).await;
    assert_eq!(answer.json["holds"][0]["outcome"], "ordered");
    rig.report("admin", &paid("p3", &[foreign], PRICE)).expect(StatusCode::OK).await;
    rig.ask("payments", "GET", "/v1/payments/platform/p2").refused(404, "unknown_payment").await;
    let no_holds = rig.report("payments", &fact("voided", "p2", &[]));
    no_holds.refused(422, "no_holds").await;
    assert_eq!(rig.todo("payments", "").await, json!({ "holds": [] }));
    assert_eq!(rig.todo("admin", "").await["holds"][0]["hold"], foreign.to_string());
}

#[tokio::test]
async fn a_token_of_no_merchant_says_which_of_two_payments_of_one_name_it_means() {
    let mut rig = Rig::new();
    let (_, mug) = rig.held("v1").await;
    let lamps = rig.open(lamps()).await;
    let lamp = rig.buy(&lamps, "v1", "mug", 1).await;
    for hold in [mug, lamp] {
        rig.report("admin", &paid("p1", &[hold], PRICE)).expect(StatusCode::OK).await;
    }
    let refused = rig.report("admin", &with_amount("refunded", "p1", &[], 500));
    let refused = refused.refused(422, "no_holds").await;
    assert!(refused.text.contains("two merchants have a payment platform/p1"), "{}", refused.text);
    let named = rig.report("admin", &with_amount("refunded", "p1", &[lamp], 500));
    named.expect(StatusCode::OK).await;
    let refunded = |state: Value| state["payments"][0]["refunded_minor"].clone();
    assert_eq!(refunded(rig.hold_state(mug).await), 0);
    // One that is bound to a merchant means its own.
    let own = rig.report("payments", &with_amount("refunded", "p1", &[], 300));
    own.expect(StatusCode::OK).await;
    assert_eq!(refunded(rig.hold_state(mug).await), 300);
    let lamp_state = rig.ask("admin", "GET", &format!("/v1/payments/holds/{lamp}"));
    assert_eq!(refunded(lamp_state.expect(StatusCode::OK).await.json), 500);
}

#[tokio::test]
async fn an_order_may_be_called_anything_that_can_be_printed() {
    let mut rig = Rig::new();
    let (_, hold) = rig.held("v1").await;
    let mut fact = paid("p1", &[hold], PRICE);
    fact["order_reference"] = json!("a\u{202E}b");
    let refused = rig.report("payments", &fact).refused(422, "bad_body").await;
    assert!(refused.text.contains("order_reference"), "{}", refused.text);
    fact["order_reference"] = json!("#1001");
    rig.said(&fact).await;
    assert_eq!(rig.hold_state(hold).await["order_reference"], "#1001");
}

#[tokio::test]
async fn nobody_forges_what_a_provider_says() {
    let mut rig = Rig::new();
    let (_, hold) = rig.held("v1").await;
    let mut fact = paid("p1", &[hold], PRICE);
    for account in ["sandbox", "stripe:main", "stripe:", "holds"] {
        fact["account"] = json!(account);
        for who in ["payments", "admin"] {
            rig.report(who, &fact).refused(422, "account_reserved").await;
        }
    }
    assert_eq!(rig.hold_state(hold).await["state"], "held");
    fact["account"] = json!("adyen");
    assert_eq!(rig.outcomes(&fact).await, ["ordered"]);
    rig.ask("payments", "GET", "/v1/payments/adyen/p1").expect(StatusCode::OK).await;
    rig.ask("payments", "GET", "/v1/payments/platform/p1").refused(404, "unknown_payment").await;
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_by_name() {
    let mut rig = Rig::new();
    let (_, hold) = rig.held("v1").await;
    let with = |event: &str, field: &str, value: Value| {
        let mut fact = fact(event, "p1", &[hold]);
        fact[field] = value;
        fact
    };
    let twice = with("begun", "holds", json!([hold.to_string(), hold.to_string()]));
    let many =
        with("begun", "holds", json!(vec![hold.to_string(); limits::HOLDS_PER_PAYMENT_MAX + 1]));
    for (fact, code, detail) in [
        (fact("paid", "p1", &[hold]), "fields_conflict", "`amount` is missing"),
        (with("begun", "amount", euros(1)), "fields_conflict", "`amount` is for"),
        (with("voided", "reason", json!("x")), "fields_conflict", "`reason` and `final`"),
        (with("begun", "final", json!(true)), "fields_conflict", "`reason` and `final`"),
        (with("begun", "payment", json!("a b")), "bad_body", "payment: payment reference has"),
        (with("begun", "account", json!("")), "bad_body", "account: payment account has 0"),
        (with("begun", "holds", json!(["x"])), "bad_body", "holds[0]: "),
        (with("begun", "event", json!("stolen")), "bad_body", "unknown variant `stolen`"),
        (with("paid", "amount", euros(1 << 53)), "bad_body", "amount.minor is 9007199254740992"),
        (with("begun", "colour", json!(1)), "bad_body", "unknown field `colour`"),
        (twice, "bad_body", "is there already"),
        (many, "bad_body", "holds has 65 entries"),
    ] {
        let answer = rig.report("payments", &fact).refused(422, code).await;
        assert!(answer.detail().contains(detail), "{}", answer.text);
    }
    let bare = rig.ask("payments", "POST", "/v1/payments").json(&fact("begun", "p1", &[hold]));
    bare.refused(400, "key_missing").await;
    rig.ask("payments", "GET", "/v1/payments/holds/x").refused(400, "id_malformed").await;
    rig.ask("payments", "GET", "/v1/payments/a%20b/p").refused(400, "id_malformed").await;
    for query in ["?limit=0", "?limit=501", "?after=x", "?colour=red"] {
        let path = format!("/v1/payments/todo{query}");
        rig.ask("payments", "GET", &path).refused(400, "bad_query").await;
    }
    assert_eq!(rig.hold_state(hold).await["payments"], json!([]));
}

#[tokio::test]
async fn a_key_is_for_one_report() {
    let mut rig = Rig::new();
    let (_, hold) = rig.held("v1").await;
    let ask = |fact: &Value| rig.ask("payments", "POST", "/v1/payments").key("k").json(fact);
    // What was refused binds nothing.
    let wrong = with_amount("refunded", "p1", &[], 1);
    ask(&wrong).refused(422, "no_holds").await;
    let begun = fact("begun", "p1", &[hold]);
    ask(&begun).expect(StatusCode::OK).await;
    assert_eq!(ask(&begun).expect(StatusCode::OK).await.json["holds"][0]["outcome"], "unchanged");
    let answer = ask(&paid("p1", &[hold], PRICE)).refused(422, "key_reused").await;
    assert!(answer.detail().contains("new key"), "{}", answer.text);
    assert_eq!(rig.hold_state(hold).await["state"], "held");
    // Keys are each name's own.
    let admin = rig.ask("admin", "POST", "/v1/payments").key("k").json(&paid("p1", &[hold], PRICE));
    admin.expect(StatusCode::OK).await;
}

#[tokio::test]
async fn a_hold_tells_what_is_owed_until_when() {
    let mut rig = Rig::new();
    let (drop, hold) = rig.held("v1").await;
    rig.advance(10_000);
    let state = rig.hold_state(hold).await;
    assert_eq!((&state["state"], &state["pay_in_ms"]), (&json!("held"), &json!(50_000)));
    let ends = (&state["ends_in_ms"], &state["ends_at_ms"], &state["server_time_ms"]);
    let in_ms = ends.0.as_u64().unwrap();
    assert_eq!(ends, (&json!(in_ms), &json!(NOON + 10_000 + in_ms), &json!(NOON + 10_000)));
    let goods = json!({ "sku": "mug", "title": "Mug", "merchant_sku": "mug", "units": 1, "amount": euros(PRICE) });
    assert_eq!(state["goods"], goods);
    assert_eq!((&state["owed"], &state["payments"]), (&euros(PRICE), &json!([])));

    let charge = |charges: Value| {
        rig.ask("payments", "PUT", &format!("/v1/payments/holds/{hold}/charges")).json(&charges)
    };
    let charges = json!({ "shipping": 490, "tax": 38, "fee": 2 });
    for _ in 0..2 {
        let set = charge(charges.clone()).expect(StatusCode::OK).await.json;
        assert_eq!((&set["charges"], &set["owed"]), (&charges, &euros(PRICE + 530)));
    }
    charge(json!({ "shipping": (1_u64 << 53) - 1 })).refused(422, "amount_too_large").await;
    charge(json!({ "tax": 1_u64 << 53 })).refused(422, "bad_body").await;
    assert_eq!(rig.outcomes(&paid("p1", &[hold], PRICE)).await, ["refund_due"]);
    // That money goes back: it fixes nothing.
    charge(json!({ "fee": 7 })).expect(StatusCode::OK).await;
    charge(charges.clone()).expect(StatusCode::OK).await;
    assert_eq!(rig.outcomes(&paid("p2", &[hold], PRICE + 530)).await, ["ordered"]);
    charge(json!({ "fee": 1 })).refused(409, "amount_fixed").await;
    charge(charges.clone()).expect(StatusCode::OK).await;
    assert_eq!(rig.state(&drop).await["skus"][0]["sold"], 1);
}

#[tokio::test]
async fn what_is_to_be_done_comes_in_pages() {
    let mut rig = Rig::new();
    let mut plan = mugs();
    (plan["skus"][0]["supply"], plan["holds_per_viewer_max"]) = (json!(20), json!(16));
    plan["limit_per_viewer"] = json!(20);
    let drop = rig.open(plan).await;
    let mut holds = Vec::new();
    for number in 0..7 {
        holds.push(rig.buy(&drop, &format!("v{number}"), "mug", 1).await);
    }
    for (number, hold) in holds.iter().enumerate() {
        let wrong = paid(&format!("p{number}"), &[*hold], PRICE + 1);
        assert_eq!(rig.outcomes(&wrong).await, ["refund_due"]);
    }
    // One is done.
    rig.said(&with_amount("refunded", "p3", &[], PRICE + 1)).await;
    holds.remove(3);
    let mut expected: Vec<_> = holds.iter().map(ToString::to_string).collect();
    expected.sort_unstable();
    let (mut found, mut query) = (Vec::new(), "?limit=2".to_owned());
    loop {
        let page = rig.todo("payments", &query).await;
        for hold in page["holds"].as_array().unwrap() {
            let todo = &hold["todo"][0];
            assert_eq!((&todo["action"], &todo["amount"]), (&json!("refund"), &euros(PRICE + 1)));
            assert_eq!((&hold["drop"], &todo["reason"]), (&json!(drop), &json!("wrong_amount")));
            found.push(hold["hold"].as_str().unwrap().to_owned());
        }
        let Some(next) = page["next"].as_str() else { break };
        query = format!("?limit=2&after={next}");
    }
    assert_eq!(found, expected);
    let rig = rig.restart();
    assert_eq!(rig.todo("payments", "").await["holds"].as_array().unwrap().len(), expected.len());
    assert_eq!(rig.todo("payments", "?limit=500").await.get("next"), None);
}

#[tokio::test]
async fn a_payment_in_the_grace_is_in_time_and_none_after_it() {
    let mut rig = Rig::new();
    let mut plan = mugs();
    plan["payment"] = json!({ "grace_ms": 500, "stretch_ms": 0 });
    let drop = rig.open(plan).await;
    let mut holds = Vec::new();
    for viewer in ["v0", "v1", "v2", "v3"] {
        holds.push(rig.buy(&drop, viewer, "mug", 1).await);
    }
    // Nothing is taken again once the drop is closed.
    rig.command(&drop, "close", "close").await;
    let mut now = 0;
    for (number, (at, expected)) in
        [(59_999, "ordered"), (60_000, "ordered"), (60_499, "ordered"), (60_500, "refund_due")]
            .into_iter()
            .enumerate()
    {
        rig.advance(at - now);
        now = at;
        if expected == "ordered" {
            let state = rig.hold_state(holds[number]).await;
            let left = (&state["pay_in_ms"], &state["ends_in_ms"]);
            let to = |end: u64| json!(end.saturating_sub(at));
            assert_eq!(left, (&to(60_000), &to(60_500)), "{at}");
        }
        let fact = paid(&format!("p{number}"), &[holds[number]], PRICE);
        assert_eq!(rig.outcomes(&fact).await, [expected], "{at}");
    }
    until(async || rig.hold_state(holds[3]).await["state"] == "ended").await;
    let ended = rig.hold_state(holds[3]).await;
    let known = (&ended["goods"]["amount"], &ended["owed"], &ended["goods"]["units"]);
    assert_eq!(known, (&euros(PRICE), &euros(PRICE), &json!(1)), "what was owed stays known");
}

#[tokio::test]
async fn an_attempt_stretches_its_hold_and_its_viewer_sees_it() {
    let mut rig = Rig::new();
    let (_, hold) = rig.held("v1").await;
    rig.advance(50_000);
    assert_eq!(rig.hold_state(hold).await["pay_in_ms"], 10_000);
    assert_eq!(rig.outcomes(&fact("begun", "p1", &[hold])).await, ["noted"]);
    let state = rig.hold_state(hold).await;
    assert_eq!(state["pay_in_ms"], limits::PAYMENT_STRETCH_MS_DEFAULT);
    let until_ms = limits::PAYMENT_STRETCH_MS_DEFAULT + limits::PAYMENT_GRACE_MS_DEFAULT;
    assert_eq!(state["ends_in_ms"], until_ms);
    let left = |rig: &Rig| match rig.engine.hold(hold) {
        HoldLook::Known(status) => status.deadline.since(rig.engine.now()).get(),
        other => panic!("{other:?}"),
    };
    assert_eq!(left(&rig), limits::PAYMENT_STRETCH_MS_DEFAULT, "as its viewer is shown");
    let (viewer, stream) = ("v1".parse().unwrap(), "show".parse().unwrap());
    let viewer = rig.port.join(&viewer, (&stream, Mode::Live), 2);
    let shown = rig.port.holds_of(&viewer, &stream);
    assert_eq!(shown[0].deadline.since(rig.engine.now()).get(), limits::PAYMENT_STRETCH_MS_DEFAULT);
    // A second attempt moves nothing.
    rig.advance(1_000);
    assert_eq!(rig.outcomes(&fact("begun", "p2", &[hold])).await, ["noted"]);
    assert_eq!(left(&rig), limits::PAYMENT_STRETCH_MS_DEFAULT - 1_000);
}

#[tokio::test]
async fn payments_go_on_when_their_drop_is_over() {
    let mut rig = Rig::new();
    let drop = rig.open(mugs()).await;
    let ordered = rig.buy(&drop, "v1", "mug", 1).await;
    let ended = rig.buy(&drop, "v2", "mug", 1).await;
    rig.said(&paid("p1", &[ordered], PRICE)).await;
    let mut failed = fact("failed", "p2", &[ended]);
    failed["final"] = json!(true);
    rig.said(&failed).await;
    rig.command(&drop, "close", "c1").await;
    rig.until_phase(&drop, "settled").await;
    rig.advance(limits::SETTLED_KEPT_MS);
    rig.wake_steward().await;
    until(async || rig.engine.over(drop.parse().unwrap()).is_some()).await;

    // The hold is asked for first, then reported: either has the drop's money read.
    let state = rig.hold_state(ordered).await;
    assert_eq!(
        (&state["state"], &state["payments"][0]["payment"]),
        (&json!("ordered"), &json!("p1"))
    );
    assert_eq!(rig.outcomes(&paid("p1", &[ordered], PRICE)).await, ["already_ordered"]);
    let late = rig.said(&paid("p3", &[ended], PRICE)).await.json["holds"][0].clone();
    assert_eq!((&late["outcome"], &late["reason"]), (&json!("refund_due"), &json!("hold_ended")));
    assert_eq!(rig.hold_state(ended).await["state"], "drop_over");
    let rig = rig.restart_at(limits::SETTLED_KEPT_MS);
    assert_eq!(rig.outcomes(&paid("p3", &[ended], PRICE)).await, ["refund_due"], "after a restart");
    assert_eq!(rig.outcomes(&with_amount("refunded", "p3", &[ended], PRICE)).await, ["noted"]);
    assert_eq!(rig.outcomes(&paid("p3", &[ended], PRICE)).await, ["unchanged"]);
    let path = format!("/v1/payments/holds/{ended}/charges");
    rig.ask("payments", "PUT", &path).json(&json!({})).refused(409, "amount_fixed").await;
}

#[tokio::test]
async fn a_payment_that_comes_too_late_may_take_the_units_again() {
    let mut rig = Rig::new();
    let (drop, hold) = rig.held("v1").await;
    rig.advance(70_000);
    rig.wake_steward().await;
    until(async || rig.hold_state(hold).await["state"] == "ended").await;
    let late = paid("p1", &[hold], PRICE);
    let answer = rig.said(&late).await.json["holds"][0].clone();
    assert_eq!(
        (&answer["outcome"], &answer["hold"]),
        (&json!("ordered"), &json!(hold.to_string()))
    );
    let new = answer["taken_again_by"].as_str().unwrap();
    assert_eq!(answer["order"], new);
    assert_ne!(new, hold.to_string());
    let old = rig.hold_state(hold).await;
    assert_eq!((&old["state"], &old["taken_again_by"]), (&json!("ended"), &json!(new)));
    assert_eq!(rig.hold_state(new.parse().unwrap()).await["state"], "ordered");
    assert_eq!(rig.outcomes(&late).await, ["already_ordered"]);
    assert_eq!(rig.state(&drop).await["skus"][0]["sold"], 1);
}

#[tokio::test]
async fn after_a_failed_commit_the_outcome_is_unknown() {
    let ledger = FakeLedger::new("n1".parse().unwrap());
    let dir = Arc::new(TempDir::new().unwrap());
    let mut rig = Rig::on(ledger.open(), dir, ControlConfig::default());
    let (_, hold) = rig.held("v1").await;
    for commit in ledger.commits() + 1..ledger.commits() + 50 {
        ledger.order(commit, Fault::Before);
    }
    let answer = rig.report("payments", &paid("p1", &[hold], PRICE)).send().await;
    let code = answer.json["code"].as_str().unwrap();
    assert!(["outcome_unknown", "poisoned"].contains(&code), "{}", answer.text);
    assert_eq!(answer.status.as_u16(), 503);
    until(async || rig.ask_nobody("GET", "/readyz").send().await.status.as_u16() == 503).await;
    rig.report("payments", &paid("p1", &[hold], PRICE)).refused(503, "poisoned").await;
    for path in [
        format!("/v1/payments/holds/{hold}"),
        "/v1/payments/todo".into(),
        "/v1/payments/platform/p1".into(),
    ] {
        rig.ask("payments", "GET", &path).refused(503, "poisoned").await;
    }
}

#[tokio::test]
async fn a_report_that_takes_too_long_can_be_said_again() {
    let ledger = FakeLedger::new("n1".parse().unwrap());
    let dir = Arc::new(TempDir::new().unwrap());
    let mut rig = Rig::on(ledger.open(), dir, ControlConfig::default());
    let (drop, hold) = rig.held("v1").await;
    for commit in ledger.commits() + 1..ledger.commits() + 50 {
        ledger.order(commit, Fault::Hang);
    }
    let impatient = ControlConfig { answer_wait: DurationMs::new(20), ..ControlConfig::default() };
    let router = rig.router_with(impatient);
    let fact = paid("p1", &[hold], PRICE);
    for _ in 0..2 {
        let answer =
            rig.report("payments", &fact).to(router.clone()).refused(503, "outcome_unknown").await;
        assert!(answer.detail().contains("say it again"), "{}", answer.text);
    }
    ledger.release();
    assert_eq!(rig.outcomes(&fact).await, ["already_ordered"]);
    assert_eq!(rig.state(&drop).await["skus"][0]["sold"], 1);
}

#[tokio::test]
async fn nobody_uses_up_the_places_of_the_others() {
    let ledger = FakeLedger::new("n1".parse().unwrap());
    let dir = Arc::new(TempDir::new().unwrap());
    let config = ControlConfig {
        payments_in_flight_max: 3,
        payments_in_flight_per_caller_max: 2,
        ..ControlConfig::default()
    };
    let mut rig = Rig::on(ledger.open(), dir, config);
    let (drop, hold) = rig.held("v1").await;
    let other = rig.buy(&drop, "v2", "mug", 1).await;
    for commit in ledger.commits() + 1..ledger.commits() + 50 {
        ledger.order(commit, Fault::Hang);
    }
    let report = |payment: &str| rig.report("payments", &fact("begun", payment, &[hold])).send();
    let under_way = [tokio::spawn(report("p1")), tokio::spawn(report("p2"))];
    // Both have their place as soon as they have begun.
    tokio::task::yield_now().await;
    let busy = rig.report("payments", &fact("begun", "p3", &[hold])).refused(503, "busy").await;
    assert_eq!(busy.header("retry-after"), Some("1"));
    assert!(busy.detail().contains("your own"), "{}", busy.text);
    // Somebody else still has a place, and staff are not kept waiting.
    let admin = tokio::spawn(rig.report("admin", &fact("begun", "p4", &[other])).send());
    tokio::task::yield_now().await;
    let ops = rig.report("ops", &fact("begun", "p5", &[other]));
    ops.refused(403, "forbidden").await;
    assert!(!admin.is_finished());
    rig.ask("host", "GET", "/v1/drops").expect(StatusCode::OK).await;
    ledger.release();
    for sent in under_way.into_iter().chain([admin]) {
        let answer = sent.await.unwrap();
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    }
    until(async || {
        rig.report("payments", &fact("begun", "p3", &[hold])).send().await.status == StatusCode::OK
    })
    .await;
}

#[tokio::test]
async fn a_token_of_one_merchant_cannot_report_for_another() {
    let mut rig = Rig::new();
    let (_, hold) = rig.held("v1").await;
    let staff = NewStaff {
        name: "zeta till".into(),
        role: Role::Payments,
        merchant: Some("zeta".parse().unwrap()),
        streams: StreamScope::All,
    };
    let made = rig.staff.add(staff, UnixMillis::new(NOON)).unwrap();
    let ask = rig.ask_nobody("POST", "/v1/payments").key("k").json(&paid("p1", &[hold], PRICE));
    let ask = ask.header("authorization", &format!("Bearer {}", made.secret.reveal()));
    ask.refused(404, "unknown_hold").await;
    assert!(matches!(rig.engine.hold(hold), HoldLook::Known(held) if !held.confirmed));
}

#[tokio::test]
async fn ten_thousand_facts_at_once_are_answered_or_told_to_wait() {
    let mut rig = Rig::new();
    let mut plan = mugs();
    plan["skus"][0]["supply"] = json!(100);
    let drop = rig.open(plan).await;
    let mut holds = Vec::new();
    for number in 0..50 {
        holds.push(rig.buy(&drop, &format!("v{number}"), "mug", 1).await);
    }
    // Each hold is paid for 200 times: by two payments, a hundred reports of each.
    let mut sent = tokio::task::JoinSet::new();
    for number in 0..10_000 {
        let (place, second) = (number % 50, number / 50 % 2);
        let fact = paid(&format!("p{place}-{second}"), &[holds[place]], PRICE);
        sent.spawn(rig.report("payments", &fact).send());
    }
    let mut answers: BTreeMap<String, u32> = BTreeMap::new();
    let mut is_paused = false;
    while let Some(answer) = sent.join_next().await {
        let answer = answer.unwrap();
        let word = match answer.status.as_u16() {
            200 => &answer.json["holds"][0]["outcome"],
            503 => &answer.json["code"],
            _ => panic!("{}", answer.text),
        };
        *answers.entry(word.as_str().unwrap().to_owned()).or_default() += 1;
        if !is_paused {
            // A host's command passes them all.
            rig.command(&drop, "pause", "pause").await;
            is_paused = true;
        }
    }
    assert_eq!(answers.values().sum::<u32>(), 10_000, "{answers:?}");
    let known = ["already_ordered", "busy", "ordered", "refund_due"];
    assert!(answers.keys().all(|word| known.contains(&word.as_str())), "{answers:?}");
    // Whoever was told to wait says it again.
    for (place, hold) in holds.iter().enumerate() {
        for second in 0..2 {
            rig.said(&paid(&format!("p{place}-{second}"), &[*hold], PRICE)).await;
        }
    }
    assert_eq!(rig.state(&drop).await["skus"][0]["sold"], 50);
    let todo = rig.todo("payments", "?limit=500").await;
    assert_eq!(todo["holds"].as_array().unwrap().len(), 50, "one payment of each hold goes back");
    for hold in holds {
        let state = rig.hold_state(hold).await;
        assert_eq!(state["state"], "ordered");
        let parts = state["payments"].as_array().unwrap();
        let outstanding: u64 =
            parts.iter().map(|part| part["refund_outstanding_minor"].as_u64().unwrap()).sum();
        assert_eq!((parts.len(), outstanding), (2, PRICE));
    }
}
