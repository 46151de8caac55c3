//! Live holds get more time.

use axum::http::StatusCode;
use serde_json::json;
use stampede_engine::HoldLook;

use crate::rig::{Rig, mugs};

#[tokio::test]
async fn live_holds_get_more_time() {
    let mut rig = Rig::new();
    let drop = rig.open(mugs()).await;
    let hold = rig.buy(&drop, "ann", "mug", 1).await;
    let deadline = |rig: &Rig| match rig.engine.hold(hold) {
        HoldLook::Known(status) => status.deadline.get(),
        other => panic!("{other:?}"),
    };
    let before = deadline(&rig);
    rig.advance(1_000);
    let path = format!("/v1/drops/{drop}/extend");
    let body = json!({"by_ms": 30_000, "reason": "the provider is down"});
    let ask = |who: &str, key: &str| rig.ask(who, "POST", &path).key(key).json(&body);
    let done = ask("ops", "e1").expect(StatusCode::OK).await;
    assert_eq!(done.json, json!({"drop": drop, "action": "extend"}));
    assert_eq!(deadline(&rig), before + 30_000);
    assert_eq!(ask("ops", "e1").expect(StatusCode::OK).await.text, done.text);
    ask("acme", "e2").expect(StatusCode::OK).await;
    assert_eq!(deadline(&rig), before + 60_000);
    ask("host", "e3").refused(403, "forbidden").await;
    ask("zeta", "e3").refused(404, "unknown_drop").await;
    let list = rig.ask("admin", "GET", "/v1/commands?limit=3").expect(StatusCode::OK).await;
    let told = list.json["commands"].as_array().unwrap();
    let told = told.iter().find(|one| one["actor"] == "acme").unwrap();
    assert_eq!((&told["extended_ms"], &told["action"]), (&json!(30_000), &json!("extend")));
    for by_ms in [999, 3_600_001] {
        let body = json!({"by_ms": by_ms, "reason": "x"});
        let ask = rig.ask("admin", "POST", &path).key("e4").json(&body);
        ask.refused(422, "extension_out_of_range").await;
    }
    let mut later = mugs();
    later["title"] = json!("Later");
    let planned = rig.plan(later).await;
    let path = format!("/v1/drops/{planned}/extend");
    rig.ask("admin", "POST", &path).key("e5").json(&body).refused(409, "wrong_phase").await;
}
