//! Streams that the platform reports offline or online.

use axum::http::StatusCode;
use serde_json::json;

use crate::rig::{NOON, Rig, mugs};

#[tokio::test]
async fn the_platform_reports_and_a_drop_pauses_and_goes_on() {
    let rig = Rig::new();
    let mut plan = mugs();
    plan["when_offline"] = json!({"pause_after_ms": 30_000, "resume_when_online": true});
    let drop = rig.open(plan).await;
    let before = rig.state(&drop).await["server_time_ms"].as_u64().unwrap();
    let ask = |what: &str, key: &str| {
        rig.ask("platform", "POST", &format!("/v1/streams/show/{what}")).key(key)
    };
    let answer = ask("offline", "off1").expect(StatusCode::OK).await;
    assert_eq!(answer.json, json!({"stream": "show", "reported": "offline"}));
    assert_eq!(rig.state(&drop).await["stream_offline_since_ms"], before);
    assert!(before >= NOON);
    let again = ask("offline", "off1").expect(StatusCode::OK).await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    rig.advance(30_000);
    rig.until_phase(&drop, "paused").await;
    let answer = ask("online", "on1").expect(StatusCode::OK).await;
    assert_eq!(answer.json, json!({"stream": "show", "reported": "online"}));
    rig.until_phase(&drop, "open").await;
    assert_eq!(rig.state(&drop).await.get("stream_offline_since_ms"), None);
}

#[tokio::test]
async fn reports_are_the_platforms_and_nothing_else_is() {
    let rig = Rig::new();
    let path = "/v1/streams/show/offline";
    let unknown = rig.ask("platform", "POST", path).key("u1").refused(404, "unknown_stream").await;
    assert!(unknown.detail().starts_with("stream show has no drop"), "{}", unknown.text);
    let drop = rig.open(mugs()).await;
    for role in ["host", "acme"] {
        rig.ask(role, "POST", path).key("f1").refused(403, "forbidden").await;
    }
    rig.ask("ops", "POST", path).key("o1").expect(StatusCode::OK).await;
    let pause = format!("/v1/drops/{drop}/pause");
    rig.ask("platform", "POST", &pause).key("p1").refused(403, "forbidden").await;
    let audit = format!("/v1/drops/{drop}/audit");
    rig.ask("platform", "GET", &audit).refused(403, "forbidden").await;
}
