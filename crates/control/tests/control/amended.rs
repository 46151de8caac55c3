//! Terms of a drop that is on sale are put right.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::{goods::mugs, rig::Rig};

fn path(drop: &str) -> String {
    format!("/v1/drops/{drop}/amend")
}

async fn amend(rig: &Rig, drop: &str, key: &str, body: Value) -> Value {
    let answer = rig.ask("host", "POST", &path(drop)).key(key).json(&body);
    answer.expect(StatusCode::OK).await.json
}

#[tokio::test]
async fn limits_and_the_end_are_put_right_and_told() {
    let rig = Rig::new();
    let drop = rig.open(mugs()).await;
    let four = json!({"limit_per_viewer": 4, "reason": "too tight"});
    let ask = rig.ask("host", "POST", &path(&drop)).key("four").json(&four);
    let refused = ask.refused(409, "wrong_phase").await;
    assert!(refused.detail().contains("pause it first"), "{}", refused.detail());
    rig.command(&drop, "pause", "p").await;
    let ends_at = rig.state(&drop).await["server_time_ms"].as_u64().unwrap() + 900_000;
    let body = json!({"limit_per_viewer": 4, "ends_at_ms": ends_at, "reason": "too tight"});
    let done = amend(&rig, &drop, "four", body).await;
    assert_eq!(done, json!({"drop": drop, "action": "amend"}));
    let told = rig.state(&drop).await;
    assert_eq!((&told["revision"], &told["plan"]["limit_per_viewer"]), (&json!(2), &json!(4)));
    assert_eq!(told["plan"]["skus"][0]["limit_per_viewer"], 4, "its limit was the drop's");
    assert_eq!(
        (&told["plan"]["ends_at_ms"], &told["closes_in_ms"]),
        (&json!(ends_at), &json!(900_000))
    );
    let three = json!({"skus": [{"sku": "mug", "limit_per_viewer": 3}]});
    amend(&rig, &drop, "three", three).await;
    rig.command(&drop, "resume", "r").await;
    amend(&rig, &drop, "no-end", json!({"ends_at_ms": null})).await;
    let told = rig.state(&drop).await;
    let limits = [&told["plan"]["limit_per_viewer"], &told["plan"]["skus"][0]["limit_per_viewer"]];
    assert_eq!(limits, [&json!(4), &json!(3)]);
    assert_eq!((told["plan"].get("ends_at_ms"), told.get("closes_in_ms")), (None, None));

    let list = rig.ask("admin", "GET", "/v1/commands").expect(StatusCode::OK).await;
    let commands = list.json["commands"].as_array().unwrap();
    let is_it = |line: &&Value| line["action"] == "amend" && line.get("refused").is_none();
    let mut lines: Vec<_> = commands.iter().filter(is_it).collect();
    lines.sort_by_key(|line| line["number"].as_u64());
    let of = |name: &str| lines.iter().map(|line| line.get(name).cloned()).collect::<Vec<_>>();
    let mug = |limit: u32| Some(json!([{"sku": "mug", "limit_per_viewer": limit}]));
    assert_eq!(of("sku_limits"), [mug(4), mug(3), None]);
    assert_eq!(of("ends_at_ms"), [Some(json!(ends_at)), None, None]);
    assert_eq!(of("end_removed"), [None, None, Some(json!(true))]);
}

#[tokio::test]
async fn a_drop_that_winds_down_says_how_long_it_may_take() {
    let rig = Rig::new();
    let drop = rig.open(mugs()).await;
    rig.command(&drop, "wind-down", "w").await;
    let told = rig.state(&drop).await;
    assert_eq!(
        (&told["winds_down_in_ms"], &told["closes_in_ms"]),
        (&json!(120_000), &json!(120_000))
    );
    let again = rig.ask("host", "POST", &format!("/v1/drops/{drop}/wind-down")).key("again");
    let refused = again.refused(409, "wrong_phase").await;
    assert!(refused.detail().contains("winds down already"), "{}", refused.detail());
    let list = rig.ask("admin", "GET", "/v1/commands").expect(StatusCode::OK).await;
    let until = told["server_time_ms"].as_u64().unwrap() + 120_000;
    let lines = list.json["commands"].as_array().unwrap();
    let line = lines.iter().find(|line| line.get("winds_down_until_ms").is_some()).unwrap();
    assert_eq!(
        (&line["action"], &line["winds_down_until_ms"]),
        (&json!("wind_down"), &json!(until))
    );
    rig.advance(120_000);
    rig.until_phase(&drop, "settled").await;
}

#[tokio::test]
async fn what_cannot_be_amended_is_said() {
    let rig = Rig::new();
    let drop = rig.plan(mugs()).await;
    let refused = |who: &'static str, body: Value, status, code: &'static str| {
        let ask = rig.ask(who, "POST", &path(&drop)).key("k").json(&body);
        async move { ask.refused(status, code).await }
    };
    let planned = refused("host", json!({"limit_per_viewer": 4}), 409, "wrong_phase").await;
    assert!(planned.detail().ends_with("edit its plan instead"), "{}", planned.detail());
    rig.command(&drop, "open", "o").await;
    rig.until_phase(&drop, "countdown").await;
    rig.advance(10_000);
    rig.until_phase(&drop, "open").await;
    rig.command(&drop, "pause", "p").await;
    refused("host", json!({}), 422, "invalid_amendment").await;
    let twice = json!({"skus": [{"sku": "mug", "limit_per_viewer": 3}, {"sku": "mug", "limit_per_viewer": 2}]});
    refused("host", twice, 422, "invalid_amendment").await;
    let cup = json!({"skus": [{"sku": "cup", "limit_per_viewer": 3}]});
    refused("host", cup, 422, "unknown_sku").await;
    refused("host", json!({"limit_per_viewer": 0}), 422, "invalid_plan").await;
    refused("host", json!({"limit_per_viewer": null}), 422, "invalid_amendment").await;
    refused("host", json!({"ends_at_ms": 5}), 422, "in_the_past").await;
    let now = rig.state(&drop).await["server_time_ms"].as_u64().unwrap();
    refused("host", json!({"ends_at_ms": now + 999}), 422, "ends_too_soon").await;
    refused("host", json!({"ends_at_ms": now + 366 * 86_400_000 + 1}), 422, "too_far_ahead").await;
    refused("host", json!({"ends_at_ms": "soon"}), 422, "bad_body").await;
    refused("ops", json!({"ends_at_ms": null}), 403, "forbidden").await;
    assert_eq!(rig.state(&drop).await["revision"], 1, "nothing has changed");
}
