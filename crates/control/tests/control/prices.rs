//! Prices of plans: what can be paid for.

use axum::http::StatusCode;
use serde_json::{Value, json};
use stampede_control::{AccountMinima, ControlConfig, PriceMinima};
use stampede_testkit::euros;

use crate::rig::{Rig, lamps, mugs};

#[tokio::test]
async fn what_is_sold_for_real_can_be_paid_for_and_added_up() {
    let rig = Rig::new();
    let with = |pointer: &str, value: Value| {
        let mut plan = mugs();
        *plan.pointer_mut(pointer).unwrap() = value;
        plan
    };
    let ask = |key: &str, plan: &Value| rig.ask("admin", "POST", "/v1/drops").key(key).json(plan);
    for (plan, why) in [
        (with("/skus/0/price/currency", json!("XTS")), "skus[0].price.currency is XTS"),
        (with("/skus/0/supply", json!(0)), "supply is 0 for every SKU"),
    ] {
        let answer = ask("k1", &plan).refused(422, "invalid_plan").await;
        assert!(answer.detail().contains(why), "{}", answer.text);
    }
    let mut dear = with("/skus/0/price/minor", json!(500_000_000));
    dear["skus"][0]["supply"] = json!(10_000_000);
    let second = dear["skus"][0].clone();
    dear["skus"].as_array_mut().unwrap().push(second);
    dear["skus"][1]["id"] = json!("cup");
    let answer = ask("k1", &dear).refused(422, "invalid_plan").await;
    assert!(answer.detail().contains("2^53 - 1 minor units together"), "{}", answer.text);
}

/// Viewers of acme pay at an account that charges half a euro at least.
fn paid_through_stripe() -> Rig {
    Rig::with(account())
}

fn account() -> ControlConfig {
    let least = AccountMinima { account: "stripe:main".parse().unwrap(), minima: vec![euros(50)] };
    let price_minima = PriceMinima::new([("acme".parse().unwrap(), least)]);
    ControlConfig { price_minima, ..ControlConfig::default() }
}

fn at_price(mut plan: Value, minor: u64, currency: &str) -> Value {
    plan["title"] = json!(format!("{minor}-{currency}"));
    plan["skus"][0]["price"] = json!({ "minor": minor, "currency": currency });
    plan
}

#[tokio::test]
async fn a_price_that_the_provider_does_not_charge_is_refused() {
    let rig = paid_through_stripe();
    let mut cheap = at_price(mugs(), 1_990, "EUR");
    let mut second = cheap["skus"][0].clone();
    (second["id"], second["price"]["minor"]) = (json!("sticker"), json!(49));
    cheap["skus"].as_array_mut().unwrap().push(second);
    let ask = rig.ask("admin", "POST", "/v1/drops").key("cheap").json(&cheap);
    let refused = ask.refused(422, "price_below_minimum").await;
    assert_eq!(
        refused.detail(),
        "skus[1].price is 0.49 EUR, and stripe:main charges 0.50 EUR at least: ask for that, or for nothing"
    );
    // At the least, for nothing, in a currency whose least nobody knows, of another merchant.
    for plan in [
        at_price(mugs(), 50, "EUR"),
        at_price(mugs(), 0, "EUR"),
        at_price(mugs(), 1, "USD"),
        at_price(lamps(), 49, "EUR"),
    ] {
        rig.plan(plan).await;
    }
    let drop = rig.plan(mugs()).await;
    let path = format!("/v1/drops/{drop}");
    let edit = rig.ask("admin", "PUT", &path).key("edit").header("if-match", "*");
    edit.json(&at_price(mugs(), 1, "EUR")).refused(422, "price_below_minimum").await;
    let skus = at_price(mugs(), 1, "EUR")["skus"].clone();
    let patch = rig.ask("admin", "PATCH", &path).key("patch").header("if-match", "*");
    let patch = patch.body("application/merge-patch+json", &json!({ "skus": skus }).to_string());
    patch.refused(422, "price_below_minimum").await;
    assert_eq!(rig.state(&drop).await["revision"], 1);
    let gift = rig.ask("admin", "PUT", &path).key("gift").header("if-match", "*");
    gift.json(&at_price(mugs(), 0, "EUR")).expect(StatusCode::OK).await;
    assert_eq!(rig.state(&drop).await["revision"], 2, "what costs nothing needs no provider");
}

#[tokio::test]
async fn whoever_may_not_plan_is_told_so_and_nothing_of_the_account() {
    let rig = paid_through_stripe();
    let drop = rig.plan(mugs()).await;
    let (cheap, path) = (at_price(mugs(), 1, "EUR"), format!("/v1/drops/{drop}"));
    let skus = json!({ "skus": cheap["skus"] }).to_string();
    let latest = async |rig: &Rig| {
        let list = rig.ask("admin", "GET", "/v1/commands?limit=1").expect(StatusCode::OK).await;
        let latest = &list.json["commands"][0];
        (latest["actor"].clone(), latest["refused"]["code"].clone())
    };
    for (who, (plan, edit)) in [
        ("host", ((403, "hosts_not_allowed"), (403, "hosts_not_allowed"))),
        ("ops", ((403, "forbidden"), (403, "forbidden"))),
        ("zeta", ((403, "forbidden"), (404, "unknown_drop"))),
    ] {
        let key = |kind: &str| format!("{who}-{kind}");
        let ask = rig.ask(who, "POST", "/v1/drops").key(&key("plan")).json(&cheap);
        let refused = ask.refused(plan.0, plan.1).await;
        assert!(!refused.text.contains("stripe:main"), "{who}: {}", refused.text);
        assert_eq!(latest(&rig).await, (json!(who), json!(plan.1)), "it is on record");
        let ask = rig.ask(who, "PUT", &path).key(&key("edit")).header("if-match", "*");
        let refused = ask.json(&cheap).refused(edit.0, edit.1).await;
        assert!(!refused.text.contains("stripe:main"), "{who}: {}", refused.text);
        assert_eq!(latest(&rig).await, (json!(who), json!(edit.1)), "it is on record");
        let ask = rig.ask(who, "PATCH", &path).key(&key("patch")).header("if-match", "*");
        let ask = ask.body("application/merge-patch+json", &skus);
        ask.refused(edit.0, edit.1).await;
    }
    // Nor by an edit that would make its own drop another merchant's, nor in a stream that is another's.
    let mut own = at_price(lamps(), 100, "EUR");
    own["stream"] = json!("lamp-show");
    let mut other = at_price(own.clone(), 1, "EUR");
    other["merchant"] = json!("acme");
    let own = rig.plan(own).await;
    let ask = rig.ask("zeta", "PUT", &format!("/v1/drops/{own}")).key("other");
    ask.header("if-match", "*").json(&other).refused(422, "fixed_field").await;
    let mut foreign = at_price(mugs(), 1, "EUR");
    foreign["stream"] = json!("lamp-show");
    let ask = rig.ask("acme", "POST", "/v1/drops").key("foreign").json(&foreign);
    ask.refused(403, "stream_not_yours").await;
    // Whoever may plan there is told.
    let ask = rig.ask("acme", "POST", "/v1/drops").key("cheap").json(&cheap);
    ask.refused(422, "price_below_minimum").await;
}

#[tokio::test]
async fn a_price_from_before_the_account_stays_through_other_edits() {
    let rig = Rig::new();
    let mut plan = at_price(mugs(), 30, "EUR");
    let mut second = plan["skus"][0].clone();
    (second["id"], second["price"]["minor"]) = (json!("sticker"), json!(49));
    plan["skus"].as_array_mut().unwrap().push(second);
    let drop = rig.plan(plan.clone()).await;
    let rig = rig.restart_with(account());
    let path = format!("/v1/drops/{drop}");
    let patch = |key: &str, changes: Value| {
        let patch = rig.ask("admin", "PATCH", &path).key(key).header("if-match", "*");
        patch.body("application/merge-patch+json", &changes.to_string())
    };
    patch("title", json!({ "title": "Later" })).expect(StatusCode::OK).await;
    plan["title"] = json!("Later still");
    let edit = rig.ask("admin", "PUT", &path).key("edit").header("if-match", "*");
    edit.json(&plan).expect(StatusCode::OK).await;
    // A price that the edit sets is checked, also if another SKU had it.
    let mut skus = plan["skus"].clone();
    skus[0]["price"]["minor"] = json!(49);
    let refused = patch("lower", json!({ "skus": skus })).refused(422, "price_below_minimum").await;
    assert!(refused.detail().starts_with("skus[0].price is 0.49 EUR"), "{}", refused.text);
    let mut skus = plan["skus"].clone();
    skus[1]["id"] = json!("badge");
    patch("new", json!({ "skus": skus })).refused(422, "price_below_minimum").await;
    skus[1]["price"]["minor"] = json!(50);
    patch("raised", json!({ "skus": skus })).expect(StatusCode::OK).await;
}

#[tokio::test]
async fn without_an_account_any_price_goes() {
    let rig = Rig::new();
    rig.plan(at_price(mugs(), 1, "EUR")).await;
}
