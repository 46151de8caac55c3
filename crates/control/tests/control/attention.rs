//! What about money needs somebody.

use axum::http::StatusCode;
use serde_json::{Value, json};
use stampede_control::ControlConfig;
use stampede_domain::{
    HoldId, Money, PaymentEvent, PaymentFact, PaymentId, limits::SETTLED_KEPT_MS,
};
use stampede_engine::UnmatchedPayment;

use crate::rig::{Rig, mugs, until};

const KINDS: [&str; 7] =
    ["unmatched", "unpaid", "wrong_amount", "refund", "void", "capture", "unnamed"];

/// The machine that reports payments says what happened to one.
async fn report(rig: &Rig, payment: &str, event: &str, hold: HoldId, more: Value) {
    let mut fact = json!({ "payment": payment, "event": event, "holds": [hold.to_string()] });
    fact.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let key = format!("{payment}-{event}");
    let ask = rig.ask("payments", "POST", "/v1/payments").key(&key).json(&fact);
    ask.expect(StatusCode::OK).await;
}

fn euros(minor: u64) -> Value {
    json!({ "amount": { "minor": minor, "currency": "EUR" } })
}

async fn list(rig: &Rig, who: &str, query: &str) -> Value {
    let path = format!("/v1/attention?kind={query}");
    rig.ask(who, "GET", &path).expect(StatusCode::OK).await.json
}

/// The names of the payments that a kind has.
async fn payments(rig: &Rig, who: &str, kind: &str) -> Vec<String> {
    let list = list(rig, who, kind).await;
    let matters = list["matters"].as_array().unwrap().iter();
    matters.map(|matter| matter["payment"].as_str().unwrap().to_owned()).collect()
}

/// A drop of mugs with one matter of each kind.
async fn troubles(rig: &mut Rig) -> String {
    let mut plan = mugs();
    plan["skus"][0]["supply"] = json!(50);
    let drop = rig.open(plan).await;
    let holds = [
        rig.buy(&drop, "ann", "mug", 1).await,
        rig.buy(&drop, "ben", "mug", 1).await,
        rig.buy(&drop, "cleo", "mug", 1).await,
        rig.buy(&drop, "dan", "mug", 1).await,
        rig.buy(&drop, "eve", "mug", 1).await,
    ];
    report(rig, "kept", "authorized", holds[0], euros(1_990)).await;
    report(rig, "gone", "authorized", holds[1], euros(1_990)).await;
    report(rig, "gone", "voided", holds[1], json!({})).await;
    report(rig, "wrong", "paid", holds[2], euros(1)).await;
    report(
        rig,
        "good",
        "paid",
        holds[3],
        json!({ "amount": euros(1_990)["amount"], "order_reference": "R-9" }),
    )
    .await;
    report(rig, "twice", "paid", holds[3], euros(1_990)).await;
    report(rig, "left", "begun", holds[4], json!({})).await;
    report(rig, "other", "failed", holds[4], json!({ "reason": "card_declined", "final": true }))
        .await;
    drop
}

async fn unmatched(rig: &Rig, account: &str, reference: &str) {
    came(rig, (account, reference), "order 7").await;
}

async fn came(rig: &Rig, (account, reference): (&str, &str), named: &str) {
    let payment = PaymentId::new(account, reference).unwrap();
    let amount = Money::new(4_990, "EUR".parse().unwrap()).unwrap();
    let unmatched = UnmatchedPayment { payment, amount, named: named.into() };
    rig.engine.unmatched(unmatched).unwrap().await.unwrap();
}

#[tokio::test]
async fn each_kind_of_matter_has_its_list() {
    let mut rig = Rig::new();
    let drop = troubles(&mut rig).await;
    unmatched(&rig, "stripe:main", "pi_stray").await;
    came(&rig, ("stripe:main", "pi_shop"), "").await;
    let expected =
        ["pi_stray", "gone", "wrong", "twice", "left", "kept", "pi_shop"].map(|one| [one]);
    for (kind, expected) in KINDS.into_iter().zip(expected) {
        assert_eq!(payments(&rig, "admin", kind).await, expected, "{kind}");
        assert_eq!(payments(&rig, "ops", kind).await, expected, "{kind}");
        // Nobody is told of another's, and of an account that is nobody's only those who see everything.
        let is_unmatched = matches!(kind, "unmatched" | "unnamed");
        let acmes = if is_unmatched { vec![] } else { expected.to_vec() };
        assert_eq!(payments(&rig, "acme", kind).await, acmes, "{kind}");
        assert!(payments(&rig, "zeta", kind).await.is_empty(), "{kind}");
    }
    let twice = list(&rig, "acme", "refund").await["matters"][0].clone();
    for (field, value) in [
        ("kind", json!("refund")),
        ("account", json!("platform")),
        ("amount", json!({ "minor": 1_990, "currency": "EUR" })),
        ("reason", json!("second_payment")),
        ("order", json!("1-3-5")),
        ("order_reference", json!("R-9")),
        ("drop", json!(drop)),
        ("mode", json!("live")),
        ("title", json!("Mug")),
        ("is_asked", json!(false)),
    ] {
        assert_eq!(twice[field], value, "{field} in {twice}");
    }
    assert!(twice["since_ms"].as_u64().unwrap() > 0);
    let left = list(&rig, "acme", "void").await["matters"][0].clone();
    assert!(left["since_ms"].is_u64() && left.get("order").is_none(), "{left}");
    let gone = list(&rig, "acme", "unpaid").await["matters"][0].clone();
    assert_eq!(
        gone["amount"],
        json!({ "minor": 1_990, "currency": "EUR" }),
        "what the order lacks"
    );
    let stray = list(&rig, "admin", "unmatched").await["matters"][0].clone();
    assert_eq!((&stray["named"], stray.get("hold")), (&json!("order 7"), None));
    // What is done is done.
    let first: HoldId = twice["hold"].as_str().unwrap().parse().unwrap();
    report(&rig, "twice", "refunded", first, euros(1_990)).await;
    assert!(payments(&rig, "acme", "refund").await.is_empty());
}

#[tokio::test]
async fn a_merchant_is_told_what_came_through_its_own_account() {
    let rig = Rig::new();
    unmatched(&rig, "stripe:main", "pi_1").await;
    unmatched(&rig, "stripe:zeta", "pi_2").await;
    unmatched(&rig, "stripe:main", "pi_3").await;
    let accounts = [("stripe:main", "acme"), ("stripe:zeta", "zeta")];
    let accounts = accounts.map(|(account, of)| (account.parse().unwrap(), of.parse().unwrap()));
    let config = ControlConfig { payment_accounts: accounts.into(), ..ControlConfig::default() };
    let router = rig.router_with(config);
    let ask = async |who: &str, query: &str| {
        let path = format!("/v1/attention?kind=unmatched{query}");
        let ask = rig.ask(who, "GET", &path).to(router.clone());
        ask.expect(StatusCode::OK).await.json
    };
    let names = |page: &Value| -> Vec<Value> {
        page["matters"].as_array().unwrap().iter().map(|matter| matter["payment"].clone()).collect()
    };
    assert_eq!(names(&ask("acme", "").await), ["pi_3", "pi_1"]);
    assert_eq!(names(&ask("zeta", "").await), ["pi_2"]);
    let first = ask("admin", "&limit=2").await;
    assert_eq!(names(&first), ["pi_3", "pi_2"], "the newest first");
    let rest = ask("admin", &format!("&limit=2&after={}", first["next"].as_str().unwrap())).await;
    assert_eq!((names(&rest), rest.get("next")), (vec![json!("pi_1")], None));
}

/// The drop is closed, then kept until it leaves memory.
async fn leave_memory(rig: &mut Rig, drop: &str) {
    rig.command(drop, "close", "close").await;
    rig.advance(600_000);
    rig.wake_steward().await;
    rig.until_phase(drop, "settled").await;
    rig.advance(SETTLED_KEPT_MS);
    rig.wake_steward().await;
    until(async || rig.engine.over(drop.parse().unwrap()).is_some()).await;
}

#[tokio::test]
async fn money_that_was_matched_or_went_back_stays_off_the_list() {
    let mut rig = Rig::new();
    let drop = rig.open(mugs()).await;
    let hold = rig.buy(&drop, "ann", "mug", 1).await;
    for name in ["pi_1", "pi_2", "pi_3"] {
        unmatched(&rig, "stripe:main", name).await;
    }
    let say = async |name: &str, event, holds| {
        let payment = PaymentId::new("stripe:main", name).unwrap();
        let fact = PaymentFact { payment, event, holds, mode: None, order_reference: None };
        rig.engine.payment(fact).unwrap().await.unwrap().unwrap();
    };
    let euros = |minor| Money::new(minor, "EUR".parse().unwrap()).unwrap();
    say("pi_1", PaymentEvent::Paid { amount: euros(1_990) }, vec![hold]).await;
    say("pi_2", PaymentEvent::Refunded { total: euros(4_990) }, Vec::new()).await;
    assert_eq!(payments(&rig, "admin", "unmatched").await, ["pi_3"]);
    leave_memory(&mut rig, &drop).await;
    assert_eq!(payments(&rig, "admin", "unmatched").await, ["pi_3"], "nothing comes back");
    unmatched(&rig, "stripe:main", "pi_1").await;
    assert_eq!(payments(&rig, "admin", "unmatched").await, ["pi_3"], "also by a repeat");
}

#[tokio::test]
async fn staff_say_that_such_money_was_seen_to_and_why() {
    let rig = Rig::new();
    unmatched(&rig, "stripe:main", "pi_1").await;
    unmatched(&rig, "stripe:zeta", "pi_2").await;
    let accounts = [("stripe:main", "acme"), ("stripe:zeta", "zeta")];
    let accounts = accounts.map(|(account, of)| (account.parse().unwrap(), of.parse().unwrap()));
    let config = ControlConfig { payment_accounts: accounts.into(), ..ControlConfig::default() };
    let router = rig.router_with(config);
    let close = |who: &str, payment: &str, key: &str, reason: &str| {
        let path = format!("/v1/attention/{payment}/close");
        let ask = rig.ask(who, "POST", &path).key(key).to(router.clone());
        ask.json(&json!({ "reason": reason }))
    };
    let (own, others) = ("stripe:main/pi_1", "stripe:zeta/pi_2");
    for who in ["host", "platform", "nina", "payments"] {
        close(who, own, "k1", "ours").refused(403, "forbidden").await;
    }
    close("acme", others, "k2", "ours").refused(404, "unknown_payment").await;
    close("acme", own, "k3", "").refused(422, "invalid_reason").await;
    close("acme", "stripe:main/pi_9", "k4", "ours").refused(404, "unknown_payment").await;
    let done = close("acme", own, "k5", "the other shop's").expect(StatusCode::OK).await;
    assert_eq!(done.json, json!({ "action": "close_unmatched" }));
    let again = close("acme", own, "k5", "the other shop's").expect(StatusCode::OK).await;
    assert_eq!(again.json, done.json, "a retry gets the same answer");
    close("ops", own, "k6", "once more").refused(404, "unknown_payment").await;
    assert_eq!(payments(&rig, "admin", "unmatched").await, ["pi_2"]);
    close("ops", others, "k7", "given back in cash").expect(StatusCode::OK).await;
    assert!(payments(&rig, "admin", "unmatched").await.is_empty());
    unmatched(&rig, "stripe:main", "pi_1").await;
    assert!(payments(&rig, "admin", "unmatched").await.is_empty(), "for good");
    // The commands say what they did.
    let told = rig.ask("admin", "GET", "/v1/commands").expect(StatusCode::OK).await;
    let told = told.json["commands"].as_array().unwrap().iter();
    let closed: Vec<_> = told.filter(|one| one["payment"] == own).collect();
    assert_eq!(closed.len(), 1);
    assert_eq!(
        (&closed[0]["actor"], &closed[0]["reason"]),
        (&json!("acme"), &json!("the other shop's"))
    );
}

#[tokio::test]
async fn money_that_nobody_can_match_is_listed_without_the_ledger() {
    let mut rig = Rig::new();
    unmatched(&rig, "stripe:main", "pi_1").await;
    // Nobody waits for a place among its readers, and nobody goes through all heartbeats of the house.
    rig.forget_ledger();
    rig.ask("admin", "GET", "/v1/attention?kind=refund").refused(500, "internal").await;
    assert_eq!(payments(&rig, "admin", "unmatched").await, ["pi_1"]);
}

#[tokio::test]
async fn a_list_goes_on_where_it_stopped() {
    let mut rig = Rig::new();
    let mut plan = mugs();
    plan["skus"][0]["supply"] = json!(50);
    let drop = rig.open(plan).await;
    let mut names = Vec::new();
    for number in 0..7 {
        let (viewer, name) = (format!("v{number}"), format!("p{number}"));
        let hold = rig.buy(&drop, &viewer, "mug", 1).await;
        report(&rig, &name, "paid", hold, euros(1)).await;
        names.push(name);
    }
    let (mut pulled, mut after) = (Vec::new(), String::new());
    loop {
        let page = list(&rig, "acme", &format!("wrong_amount&limit=3{after}")).await;
        let matters = page["matters"].as_array().unwrap();
        assert!(matters.len() <= 3);
        pulled.extend(matters.iter().map(|matter| matter["payment"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    pulled.sort_unstable();
    assert_eq!(pulled, names);
}

#[tokio::test]
async fn what_is_due_of_a_drop_that_has_left_memory_is_still_listed() {
    let mut rig = Rig::new();
    let drop = troubles(&mut rig).await;
    // The hold whose payment was wrong ends.
    leave_memory(&mut rig, &drop).await;
    // It is read once more than it is asked about.
    for _ in 0..2 {
        assert_eq!(payments(&rig, "acme", "refund").await, ["twice"]);
        assert_eq!(payments(&rig, "acme", "wrong_amount").await, ["wrong"]);
        assert_eq!(payments(&rig, "acme", "unpaid").await, ["gone"]);
        assert!(payments(&rig, "zeta", "refund").await.is_empty());
    }
    let matter = list(&rig, "acme", "refund").await["matters"][0].clone();
    let hold: HoldId = matter["hold"].as_str().unwrap().parse().unwrap();
    report(&rig, "twice", "refunded", hold, euros(1_990)).await;
    assert!(payments(&rig, "acme", "refund").await.is_empty());
    assert_eq!(payments(&rig, "acme", "wrong_amount").await, ["wrong"]);
}

#[tokio::test]
async fn only_whoever_reads_orders_is_told() {
    let rig = Rig::new();
    for kind in KINDS {
        let path = format!("/v1/attention?kind={kind}");
        rig.ask_nobody("GET", &path).refused(401, "token_missing").await;
        for who in ["host", "platform", "nina", "payments"] {
            rig.ask(who, "GET", &path).refused(403, "forbidden").await;
        }
    }
    for query in [
        "",
        "?kind=odd",
        "?kind=refund&after=x",
        "?kind=refund&after=",
        "?kind=refund&limit=0",
        "?kind=unmatched&after=-1",
    ] {
        let path = format!("/v1/attention{query}");
        rig.ask("acme", "GET", &path).refused(400, "bad_query").await;
    }
}
