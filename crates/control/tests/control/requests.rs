//! Requests for more units than are in reserve, over HTTP.

use axum::http::StatusCode;
use serde_json::{Value, json};
use stampede_domain::limits::SETTLED_KEPT_MS;

use crate::{
    events::Events,
    rig::{Answer, NOON, Rig, mugs, until},
};

/// Mugs, four of them in reserve.
fn reserved() -> Value {
    let mut plan = mugs();
    plan["skus"][0]["reserve"] = json!(4);
    plan
}

async fn restock(rig: &Rig, who: &str, drop: &str, units: u32, key: &str) -> Answer {
    let lot = json!({"sku": "mug", "units": units, "reason": "they all want it"});
    rig.ask(who, "POST", &format!("/v1/drops/{drop}/lots")).key(key).json(&lot).send().await
}

fn answer(rig: &Rig, who: &str, request: &str, how: &str, key: &str) -> crate::rig::Ask {
    rig.ask(who, "POST", &format!("/v1/requests/{request}/{how}")).key(key)
}

#[tokio::test]
async fn more_than_the_reserve_is_a_request_that_the_merchant_grants() {
    let rig = Rig::new();
    let drop = rig.open(reserved()).await;
    let mut events = Events::follow(&rig, "acme", "?present=true").await;
    events.named("snapshot").await;
    let asked = restock(&rig, "host", &drop, 10, "ask").await;
    assert_eq!(asked.status, StatusCode::ACCEPTED, "{}", asked.text);
    let told = json!({"drop": drop, "action": "restock", "request": "q1-1", "reserve": 4});
    assert_eq!(asked.json, told);
    let shown = events.named("drop").await;
    let request = json!({"request": "q1-1", "drop": drop, "sku": "mug", "units": 10, "state": "open",
        "asked_by": "host", "reason": "they all want it", "asked_at_ms": NOON});
    assert_eq!(shown["requests"], json!([request]), "followers are told at once");
    let given = events.named("command").await;
    assert_eq!(
        given,
        json!({"drop": drop, "action": "restock", "actor": "host", "role": "host", "sku": "mug",
            "units": 10, "request": "q1-1", "at_ms": NOON})
    );
    let again = restock(&rig, "host", &drop, 10, "ask").await;
    assert_eq!((again.status, again.json), (StatusCode::ACCEPTED, told));
    assert_eq!(again.headers["idempotency-replayed"], "true");
    assert_eq!(rig.state(&drop).await["skus"][0]["supplied"], 5, "nothing moves");
    let part = restock(&rig, "host", &drop, 3, "part").await;
    assert_eq!((part.status, &part.json["lot"]), (StatusCode::OK, &json!(2)));

    let granted = answer(&rig, "acme", "q1-1", "grant", "g").expect(StatusCode::OK).await;
    let told = json!({"drop": drop, "action": "grant_request", "lot": 3, "request": "q1-1"});
    assert_eq!(granted.json, told);
    let state = rig.state(&drop).await;
    assert_eq!(
        (&state["skus"][0]["supplied"], &state["skus"][0]["reserve"]),
        (&json!(18), &json!(0))
    );
    let ended = &state["requests"][0];
    assert_eq!(
        (&ended["state"], &ended["ended_by"], &ended["lot"]),
        (&json!("granted"), &json!("acme"), &json!(3))
    );
    let late = answer(&rig, "acme", "q1-1", "decline", "d").refused(409, "request_over").await;
    assert!(late.detail().contains("granted by acme"), "{}", late.text);

    let commands = rig.ask("acme", "GET", "/v1/commands?limit=5").expect(StatusCode::OK).await.json;
    let line = |action: &str, place: usize| {
        let all = commands["commands"].as_array().unwrap();
        let found = all.iter().filter(|line| line["action"] == action).nth(place).unwrap();
        ["sku", "units", "lot", "request"].map(|field| found[field].clone())
    };
    let of = |units: u32, lot: Value, request: Value| [json!("mug"), json!(units), lot, request];
    assert_eq!(line("grant_request", 0), of(10, json!(3), json!("q1-1")));
    assert_eq!(line("restock", 0), of(3, json!(2), Value::Null));
    assert_eq!(line("restock", 1), of(10, Value::Null, json!("q1-1")));
}

#[tokio::test]
async fn requests_are_listed_to_those_who_see_their_drops() {
    let rig = Rig::new();
    let drop = rig.open(reserved()).await;
    for (units, key) in [(10, "a"), (11, "b"), (12, "c")] {
        restock(&rig, "host", &drop, units, key).await;
        rig.advance(1_000);
    }
    let body = json!({"reason": "that is all there is"});
    answer(&rig, "acme", "q1-2", "decline", "d").json(&body).expect(StatusCode::OK).await;
    answer(&rig, "host", "q1-1", "withdraw", "w").expect(StatusCode::OK).await;
    let list = async |who: &str, query: &str| {
        let path = format!("/v1/requests{query}");
        rig.ask(who, "GET", &path).expect(StatusCode::OK).await.json
    };
    let all = list("acme", "").await;
    let told: Vec<_> = all["requests"].as_array().unwrap().iter().collect();
    let of = |place: usize, field: &str| told[place][field].clone();
    assert_eq!([0, 1, 2].map(|place| of(place, "state")), ["open", "withdrawn", "declined"]);
    assert_eq!(
        (of(2, "ended_reason"), of(2, "goods")),
        (json!("that is all there is"), json!("Mug"))
    );
    assert_eq!((&all["open"], &all["total"]), (&json!(1), &json!(3)));
    let page = list("host", &format!("?drop={drop}&skip=1&limit=1")).await;
    assert_eq!(page["requests"].as_array().unwrap().len(), 1);
    assert_eq!(page["requests"][0]["request"], "q1-1");
    assert_eq!(list("zeta", "").await["total"], 0, "another merchant's");
    rig.ask("zeta", "GET", &format!("/v1/requests?drop={drop}")).refused(404, "unknown_drop").await;
    rig.ask("platform", "GET", "/v1/requests").refused(403, "forbidden").await;
    answer(&rig, "zeta", "q1-3", "grant", "z").refused(404, "unknown_request").await;
    answer(&rig, "acme", "q1-9", "grant", "z").refused(404, "unknown_request").await;
    answer(&rig, "acme", "q9-1", "grant", "z").refused(404, "unknown_request").await;
    answer(&rig, "acme", "q1", "grant", "z").refused(400, "id_malformed").await;
    answer(&rig, "host", "q1-3", "grant", "h").refused(403, "forbidden").await;
    answer(&rig, "acme", "q1-3", "withdraw", "h").refused(403, "forbidden").await;
}

#[tokio::test]
async fn the_end_of_a_drop_ends_its_requests_and_keys_live_on() {
    let rig = Rig::new();
    let drop = rig.open(reserved()).await;
    restock(&rig, "host", &drop, 10, "ask").await;
    let rig = rig.restart();
    rig.until_phase(&drop, "open").await;
    assert_eq!(rig.state(&drop).await["requests"][0]["state"], "open", "over a restart");
    rig.command(&drop, "close", "close").await;
    rig.until_phase(&drop, "settled").await;
    assert_eq!(rig.state(&drop).await["requests"][0]["state"], "drop_ended");
    let late = answer(&rig, "acme", "q1-1", "grant", "g").refused(409, "request_over").await;
    assert!(late.detail().contains("the drop is settled"), "{}", late.text);
    rig.advance(SETTLED_KEPT_MS);
    let id = drop.parse().unwrap();
    until(async || rig.engine.sale(id).is_none()).await;
    answer(&rig, "acme", "q1-1", "grant", "g").refused(409, "request_over").await;
    let again = restock(&rig, "host", &drop, 10, "ask").await;
    let told = json!({"drop": drop, "action": "restock", "request": "q1-1", "reserve": 4});
    assert_eq!((again.status, again.json), (StatusCode::ACCEPTED, told));
    assert_eq!(again.headers["idempotency-replayed"], "true");
}

#[tokio::test]
async fn a_drop_has_eight_open_requests_at_most() {
    let rig = Rig::new();
    let drop = rig.open(reserved()).await;
    for number in 0..8 {
        restock(&rig, "host", &drop, 10, &format!("k{number}")).await;
    }
    let full = restock(&rig, "host", &drop, 10, "k8").await;
    assert_eq!((full.status.as_u16(), &full.json["code"]), (409, &json!("requests_full")));
    answer(&rig, "host", "q1-3", "withdraw", "w").expect(StatusCode::OK).await;
    assert_eq!(restock(&rig, "host", &drop, 10, "k8").await.json["request"], "q1-9");
}
