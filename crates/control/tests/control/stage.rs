//! The person on camera: the producer's line, a token without money or commands.

use axum::http::StatusCode;
use serde_json::{Value, json};
use stampede_control::NewStaff;
use stampede_domain::UnixMillis;
use stampede_engine::{Role, StreamScope};

use crate::{
    browser::Browser,
    events::{Events, PATH},
    rig::{Ask, Rig, lamps, mugs, until},
};

const LINE: &str = "/v1/streams/show/stage-line";

fn write(rig: &Rig, who: &str, line: &str) -> Ask {
    rig.ask(who, "PUT", LINE).json(&json!({ "line": line }))
}

/// A stage's token for the stream `show`.
fn stage(rig: &Rig) -> String {
    let streams = StreamScope::of(["show".parse().unwrap()]);
    let staff = NewStaff { name: "camera".into(), role: Role::Stage, merchant: None, streams };
    rig.staff.add(staff, UnixMillis::new(1)).unwrap().secret.reveal().to_owned()
}

fn by(rig: &Rig, token: &str, method: &str, path: &str) -> Ask {
    rig.ask_nobody(method, path).header("authorization", &format!("Bearer {token}"))
}

#[tokio::test]
async fn a_producers_line_reaches_whoever_follows_at_once() {
    let rig = Rig::new();
    rig.plan(mugs()).await;
    let mut events = Events::follow(&rig, "host", "?figures_ms=10000").await;
    let snapshot = events.named("snapshot").await;
    assert_eq!((&snapshot["video_delay_ms"], snapshot.get("stage_line")), (&json!(0), None));
    let answer = write(&rig, "host", "  Three sizes, the middle one first ").expect(StatusCode::OK);
    assert_eq!(answer.await.json["stage_line"], "Three sizes, the middle one first");
    let told = events.named("stream").await;
    assert_eq!(told["stage_line"], "Three sizes, the middle one first");
    let fresh = rig.ask("acme", "GET", PATH).header("accept", "application/json");
    let fresh = fresh.expect(StatusCode::OK).await.json;
    assert_eq!(fresh["stage_line"], "Three sizes, the middle one first");
    // Who may not see the stream may not read what is written there.
    let foreign = rig.ask("zeta", "GET", PATH).header("accept", "application/json");
    assert_eq!(foreign.expect(StatusCode::OK).await.json.get("stage_line"), None);
    let delay = rig.ask("host", "POST", "/v1/rooms/show/video-delay").key("d");
    delay.json(&json!({"video_delay_ms": 6_000})).expect(StatusCode::OK).await;
    assert_eq!(events.named("stream").await["video_delay_ms"], 6_000);
    write(&rig, "acme", "").expect(StatusCode::OK).await;
    assert_eq!(events.named("stream").await.get("stage_line"), None);
}

#[tokio::test]
async fn a_line_that_cannot_be_read_is_refused() {
    let rig = Rig::new();
    rig.plan(mugs()).await;
    let refused = write(&rig, "host", &"é".repeat(41)).refused(422, "invalid_line").await;
    assert!(refused.detail().contains("41 characters as read; 40 fit"), "{}", refused.text);
    let refused = write(&rig, "host", "left \u{202e}thgir").refused(422, "invalid_line").await;
    assert!(refused.detail().contains("U+202E"), "{}", refused.text);
    for who in ["ops", "platform"] {
        write(&rig, who, "hello").refused(403, "forbidden").await;
    }
    for who in ["zeta", "nina"] {
        write(&rig, who, "hello").refused(404, "unknown_room").await;
    }
    rig.ask_nobody("PUT", LINE).json(&json!({"line": "hello"})).refused(401, "token_missing").await;
    write(&rig, "host", &"e\u{301}".repeat(40)).expect(StatusCode::OK).await;
}

/// Whether a name stands anywhere in an answer.
pub(crate) fn names(value: &Value, name: &str) -> bool {
    match value {
        Value::Object(fields) => {
            fields.iter().any(|(key, value)| key == name || names(value, name))
        }
        Value::Array(values) => values.iter().any(|value| names(value, name)),
        _ => false,
    }
}

#[tokio::test]
async fn a_stage_follows_its_stream_without_money() {
    let mut rig = Rig::new();
    let drop = rig.open(mugs()).await;
    let mut elsewhere = lamps();
    elsewhere["stream"] = json!("late");
    rig.plan(elsewhere).await;
    rig.buy(&drop, "v1", "mug", 1).await;
    let token = stage(&rig);
    let read = async |path: &str| {
        by(&rig, &token, "GET", path).header("accept", "application/json").send().await
    };
    let is_known =
        async || read(PATH).await.json["drops"][0]["last_hold_ends_in_ms"].as_u64().is_some();
    until(is_known).await;
    let told = read(PATH).await.json;
    for secret in
        ["sold", "held", "totals", "viewers_connected", "soon_units", "paying", "last_take"]
    {
        assert!(!names(&told, secret), "{secret} in {told}");
    }
    assert_eq!(told["drops"][0]["can_come_back"], true);
    assert_eq!(told["drops"][0]["plan"]["skus"][0]["price"]["currency"], "EUR");
    assert_eq!(told["seconds"], json!({}));
    assert_eq!(read("/v1/streams/late/follow").await.json["drops"], json!([]));
    let mut events = Events::on(&rig.router, &token, "?figures_ms=100").await;
    let left = |told: &Value| told["skus"][0]["available"].as_u64().unwrap();
    let before = left(&events.named("snapshot").await["drops"][0]);
    rig.buy(&drop, "v2", "mug", 1).await;
    let drop_told = loop {
        let (name, told) = events.next().await.unwrap();
        assert!(matches!(name.as_str(), "drop" | "alive" | "stream"), "{name}");
        if name == "drop" && left(&told) < before {
            break told;
        }
    };
    assert!(!names(&drop_told, "sold") && !names(&drop_told, "held"), "{drop_told}");
}

#[tokio::test]
async fn a_stage_commands_nothing_and_reads_nothing_else() {
    let rig = Rig::new();
    let drop = rig.open(mugs()).await;
    let token = stage(&rig);
    let drop_paths = ["", "/report", "/audit"].map(|part| format!("/v1/drops/{drop}{part}"));
    let others = [
        "/v1/drops",
        "/v1/streams/show",
        "/v1/rooms",
        "/v1/rooms/show",
        "/v1/commands",
        "/v1/brake",
        "/v1/bans",
        "/v1/sessions",
        "/v1/invitations",
        "/metrics",
    ];
    for path in drop_paths.iter().map(String::as_str).chain(others) {
        by(&rig, &token, "GET", path).refused(403, "forbidden").await;
    }
    let at = |part: &str| format!("/v1/drops/{drop}/{part}");
    for part in ["open", "pause", "resume", "close", "cancel", "cancel-countdown", "feature"] {
        by(&rig, &token, "POST", &at(part)).key("k").refused(403, "forbidden").await;
    }
    let delay = json!({"video_delay_ms": 6_000});
    let invitation =
        json!({"name": "mia", "role": "stage", "streams": ["show"], "valid_ms": 60_000});
    for (method, path, body) in [
        ("POST", "/v1/drops", mugs()),
        ("POST", "/v1/rooms/show/video-delay", delay),
        ("PUT", LINE, json!({"line": "hello"})),
        ("POST", "/v1/brake/stop", json!({})),
        ("POST", "/v1/streams/show/offline", json!({})),
        ("POST", "/v1/invitations", invitation),
        ("DELETE", "/v1/sessions", json!({})),
    ] {
        by(&rig, &token, method, path).key("k").json(&body).refused(403, "forbidden").await;
    }
    assert_eq!(rig.state(&drop).await["phase"], "open");
}

#[tokio::test]
async fn a_host_gives_the_stage_a_link_of_its_own() {
    let rig = Rig::new();
    rig.plan(mugs()).await;
    let invite = |body: &Value| rig.ask("host", "POST", "/v1/invitations").json(body);
    let body =
        json!({"name": "camera", "role": "stage", "streams": ["show"], "valid_ms": 3_600_000});
    let unbound = json!({"name": "camera", "role": "stage", "valid_ms": 3_600_000});
    let refused = invite(&unbound).refused(422, "fields_conflict").await;
    assert!(refused.detail().contains("must name its streams"), "{}", refused.text);
    let host = json!({"name": "mia", "role": "host", "streams": ["show"], "valid_ms": 3_600_000});
    invite(&host).refused(403, "forbidden").await;
    let told = invite(&body).expect(StatusCode::CREATED).await.json;
    let (_, secret) = told["link"].as_str().unwrap().rsplit_once('/').unwrap();
    let redeem = rig.ask_nobody("POST", "/v1/sessions").json(&json!({ "invitation": secret }));
    let browser = Browser::of(&redeem.expect(StatusCode::CREATED).await);
    let current = rig.browse(&browser, "GET", "/v1/sessions/current").expect(StatusCode::OK).await;
    assert_eq!(
        (&current.json["role"], &current.json["streams"]),
        (&json!("stage"), &json!(["show"]))
    );
    let follow = rig.browse(&browser, "GET", PATH).header("accept", "application/json");
    assert_eq!(follow.expect(StatusCode::OK).await.json["drops"][0]["can_come_back"], false);
    rig.press(&browser, "POST", "/v1/drops/d1/pause").key("k").refused(403, "forbidden").await;
    let out = rig.press(&browser, "DELETE", "/v1/sessions/current").send().await;
    assert!(out.status.is_success(), "{}", out.text);
}
