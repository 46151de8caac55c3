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
    let least = AccountMinima { account: "stripe:main".parse().unwrap(), minima: vec![euros(50)] };
    let price_minima = PriceMinima::new([("acme".parse().unwrap(), least)]);
    Rig::with(ControlConfig { price_minima, ..ControlConfig::default() })
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
async fn without_an_account_any_price_goes() {
    let rig = Rig::new();
    rig.plan(at_price(mugs(), 1, "EUR")).await;
}
