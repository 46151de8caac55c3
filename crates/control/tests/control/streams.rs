//! Streams that the platform reports offline or online.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::{
    events::{Events, PATH},
    rig::{NOON, Rig, mugs},
    stage::names,
};

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

/// Of which the price makes what was earned.
const FIGURES: [&str; 7] =
    ["sold", "held", "totals", "soon_units", "paying", "gross_minor", "paid_minor"];

/// A drop of which something is sold, with what the platform gets where it asks.
async fn told_to_platform(path: &str) -> (Value, Value) {
    let mut rig = Rig::new();
    let drop = rig.open(mugs()).await;
    rig.buy(&drop, "v1", "mug", 1).await;
    let read = async |who: &str| {
        let path = path.replace("{drop}", &drop);
        let ask = rig.ask(who, "GET", &path).header("accept", "application/json");
        ask.expect(StatusCode::OK).await.json
    };
    (read("admin").await, read("platform").await)
}

async fn is_refused_to_platform(path: &str) {
    let rig = Rig::new();
    let drop = rig.open(mugs()).await;
    let path = path.replace("{drop}", &drop);
    rig.ask("admin", "GET", &path).expect(StatusCode::OK).await;
    let refused = rig.ask("platform", "GET", &path).refused(403, "forbidden").await;
    assert!(refused.detail().contains("reads nobody's money"), "{}", refused.text);
}

#[tokio::test]
async fn the_platform_lists_drops_without_money() {
    for (path, list) in [
        ("/v1/drops", "/drops/0"),
        ("/v1/streams", "/shows/0/drops/0"),
        ("/v1/streams/show", "/drops/0"),
    ] {
        let (admins, platforms) = told_to_platform(path).await;
        assert_eq!(admins.pointer(list).unwrap()["held"], 1, "{path}");
        assert_eq!(platforms.pointer(list).unwrap()["phase"], "open", "{path}");
        for figure in FIGURES {
            assert!(!names(&platforms, figure), "{path}: {figure} in {platforms}");
        }
    }
}

#[tokio::test]
async fn the_platform_reads_no_drop_with_its_money() {
    is_refused_to_platform("/v1/drops/{drop}").await;
}

#[tokio::test]
async fn the_platform_reads_no_report() {
    is_refused_to_platform("/v1/drops/{drop}/report").await;
}

#[tokio::test]
async fn the_platform_reads_no_metrics() {
    is_refused_to_platform("/metrics").await;
}

#[tokio::test]
async fn the_platform_follows_a_stream_without_money() {
    let (admins, platforms) = told_to_platform(PATH).await;
    assert_eq!(admins["drops"][0]["skus"][0]["held"], 1);
    assert_eq!(platforms["drops"][0]["phase"], "open");
    let mut rig = Rig::new();
    let drop = rig.open(mugs()).await;
    let mut events = Events::follow(&rig, "platform", "?figures_ms=100").await;
    let snapshot = events.named("snapshot").await;
    rig.buy(&drop, "v1", "mug", 1).await;
    let left = |told: &Value| told["skus"][0]["available"].as_u64().unwrap();
    let before = left(&snapshot["drops"][0]);
    let drop_told = loop {
        let (name, told) = events.next().await.unwrap();
        assert!(matches!(name.as_str(), "drop" | "alive" | "stream"), "{name}");
        if name == "drop" && left(&told) < before {
            break told;
        }
    };
    for told in [&platforms, &snapshot, &drop_told] {
        for figure in FIGURES {
            assert!(!names(told, figure), "{figure} in {told}");
        }
    }
}
