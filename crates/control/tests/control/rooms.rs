//! Whose a stream is, over HTTP.

use axum::http::StatusCode;
use serde_json::json;

use crate::rig::{Rig, lamps, mugs};

async fn planned(rig: &Rig, who: &str, plan: serde_json::Value, key: &str) -> String {
    let ask = rig.ask(who, "POST", "/v1/drops").key(key).json(&plan);
    ask.expect(StatusCode::CREATED).await.json["drop"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_foreign_merchant_is_told_whom_to_ask() {
    let rig = Rig::new();
    planned(&rig, "acme", mugs(), "p1").await;
    let plan = || rig.ask("zeta", "POST", "/v1/drops").json(&lamps());
    let refused = plan().key("z1").refused(403, "stream_not_yours").await;
    assert!(refused.detail().starts_with("stream show belongs to merchant acme, and zeta"));
    rig.ask("zeta", "GET", "/v1/rooms/show").refused(404, "unknown_room").await;
    let guest = json!({"merchant": "zeta", "reason": "a duet"});
    let admit = || rig.ask("acme", "POST", "/v1/rooms/show/admit").key("a1").json(&guest);
    let answer = admit().expect(StatusCode::OK).await;
    assert_eq!(answer.json, json!({"stream": "show", "action": "admit"}));
    let again = admit().expect(StatusCode::OK).await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    // A refusal bound nothing.
    plan().key("z1").expect(StatusCode::CREATED).await;
    let rig = rig.restart();
    let room = rig.ask("acme", "GET", "/v1/rooms/show").expect(StatusCode::OK).await.json;
    assert_eq!(room["owner"], json!({"kind": "merchant", "name": "acme"}));
    assert_eq!(room["admitted"], json!(["zeta"]));
    assert_eq!(room["drops"][1]["merchant"], "zeta");
    let theirs = rig.ask("zeta", "GET", "/v1/rooms/show").expect(StatusCode::OK).await.json;
    assert_eq!(theirs["drops"].as_array().unwrap().len(), 1, "its own alone");
    let foreign = room["drops"][1]["drop"].as_str().unwrap();
    let at = format!("/v1/drops/{foreign}");
    rig.ask("acme", "GET", &at).refused(404, "unknown_drop").await;
    rig.ask("acme", "POST", &format!("{at}/open")).key("o").refused(403, "forbidden").await;
    rig.ask("acme", "POST", &format!("{at}/cancel")).key("c").expect(StatusCode::OK).await;
    let dismiss = rig.ask("acme", "POST", "/v1/rooms/show/dismiss").key("d1").json(&guest);
    dismiss.expect(StatusCode::OK).await;
}

#[tokio::test]
async fn a_host_says_how_late_viewers_see_the_stream() {
    let rig = Rig::new();
    let drop = planned(&rig, "acme", mugs(), "p1").await;
    let path = "/v1/rooms/show/video-delay";
    let set = |who: &str, ms: u64| rig.ask(who, "POST", path).json(&json!({"video_delay_ms": ms}));
    set("ops", 6_000).key("o1").refused(403, "forbidden").await;
    set("zeta", 6_000).key("z1").refused(403, "stream_not_yours").await;
    let refused = set("host", 1_500).key("h1").refused(422, "video_delay_out_of_range").await;
    assert_eq!(
        refused.detail(),
        "video_delay_ms is 1500; 2000 to 60000 are allowed, or 0 for none"
    );
    let answer = set("host", 6_000).key("h2").expect(StatusCode::OK).await;
    assert_eq!(answer.json, json!({"stream": "show", "action": "set_video_delay"}));
    let again = set("host", 6_000).key("h2").expect(StatusCode::OK).await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(rig.state(&drop).await["video_delay_ms"], 6_000);
    let open = || rig.ask("host", "POST", &format!("/v1/drops/{drop}/open"));
    let longer = |ms: u64| open().json(&json!({"countdown_ms": ms}));
    let refused = longer(8_999).key("open1").refused(422, "countdown_too_short").await;
    assert!(refused.detail().contains("use 9000 ms or more"), "{}", refused.text);
    longer(9_000).key("open1").expect(StatusCode::OK).await;
    longer(9_001).key("open1").refused(422, "key_reused").await;
    assert_eq!(rig.state(&drop).await["opens_in_ms"], 9_000);
    set("host", 0).key("h3").refused(409, "countdown_runs").await;
    let room = rig.ask("acme", "GET", "/v1/rooms/show").expect(StatusCode::OK).await.json;
    assert_eq!(room["video_delay_ms"], 6_000);
    let listed = rig.ask("admin", "GET", "/v1/commands").expect(StatusCode::OK).await.json;
    let lines = listed["commands"].as_array().unwrap();
    let line =
        lines.iter().find(|line| line["action"] == "set_video_delay" && line["refused"].is_null());
    assert_eq!(line.map(|line| &line["video_delay_ms"]), Some(&json!(6_000)));
    let rig = rig.restart();
    assert_eq!(rig.state(&drop).await["video_delay_ms"], 6_000);
}

#[tokio::test]
async fn the_platform_makes_a_room_that_its_creator_runs() {
    let rig = Rig::new();
    let body = json!({"stream": "show", "owner": {"kind": "creator", "name": "nina"}});
    rig.ask("acme", "POST", "/v1/rooms").key("m0").json(&body).refused(403, "forbidden").await;
    let made = rig.ask("platform", "POST", "/v1/rooms").key("m1").json(&body);
    let made = made.expect(StatusCode::CREATED).await;
    assert_eq!(made.json, json!({"stream": "show", "action": "make_room"}));
    assert_eq!(made.header("location"), Some("/v1/rooms/show"));
    let guest = json!({"merchant": "acme"});
    let admit = rig.ask("nina", "POST", "/v1/rooms/show/admit").key("a1").json(&guest);
    admit.expect(StatusCode::OK).await;
    let drop = planned(&rig, "acme", mugs(), "p1").await;
    let mut other = lamps();
    other["stream"] = json!("other");
    let elsewhere = planned(&rig, "zeta", other, "p2").await;
    // What stands in its room it sees and runs, nothing else.
    let list = rig.ask("nina", "GET", "/v1/drops").expect(StatusCode::OK).await.json;
    assert_eq!(list["drops"].as_array().unwrap().len(), 1);
    rig.ask("nina", "GET", &format!("/v1/drops/{drop}")).expect(StatusCode::OK).await;
    rig.ask("nina", "GET", "/v1/streams/show").expect(StatusCode::OK).await;
    rig.ask("nina", "GET", &format!("/v1/drops/{elsewhere}")).refused(404, "unknown_drop").await;
    rig.ask("nina", "GET", "/v1/streams/other").refused(404, "unknown_stream").await;
    let open = format!("/v1/drops/{drop}/open");
    rig.ask("nina", "POST", &open).key("o1").expect(StatusCode::OK).await;
    for path in [&format!("/v1/drops/{drop}/audit"), "/v1/commands", "/metrics", "/v1/bans"] {
        rig.ask("nina", "GET", path).refused(403, "forbidden").await;
    }
    // The platform gives it to somebody else.
    let to = json!({"owner": {"kind": "merchant", "name": "zeta"}});
    let moved = rig.ask("platform", "POST", "/v1/rooms/show/move").key("v1").json(&to);
    moved.expect(StatusCode::OK).await;
    rig.ask("nina", "GET", &format!("/v1/drops/{drop}")).refused(404, "unknown_drop").await;
    rig.ask("zeta", "DELETE", "/v1/rooms/show").key("e1").refused(409, "room_in_use").await;
    let rooms = rig.ask("ops", "GET", "/v1/rooms?limit=1").expect(StatusCode::OK).await.json;
    assert_eq!((&rooms["rooms"][0]["stream"], &rooms["next"]), (&json!("other"), &json!("other")));
    let rooms = rig.ask("ops", "GET", "/v1/rooms?after=other").expect(StatusCode::OK).await.json;
    assert_eq!(rooms["rooms"][0]["owner"], json!({"kind": "merchant", "name": "zeta"}));
    assert_eq!(rooms.get("next"), None);
}

#[tokio::test]
async fn what_was_done_about_rooms_is_listed() {
    let rig = Rig::new();
    let body = json!({"stream": "show", "owner": {"kind": "house"}});
    let made = rig.ask("admin", "POST", "/v1/rooms").key("m1").json(&body);
    made.expect(StatusCode::CREATED).await;
    for (what, key) in [("admit", "a1"), ("dismiss", "d1")] {
        let ask = rig.ask("platform", "POST", &format!("/v1/rooms/show/{what}")).key(key);
        ask.json(&json!({"merchant": "acme"})).expect(StatusCode::OK).await;
    }
    rig.ask("admin", "DELETE", "/v1/rooms/show").key("e1").expect(StatusCode::OK).await;
    rig.ask("admin", "DELETE", "/v1/rooms/show").key("e2").refused(404, "unknown_room").await;
    let list = rig.ask("admin", "GET", "/v1/commands").expect(StatusCode::OK).await.json;
    let line = |number: usize| &list["commands"][number];
    assert_eq!((&line(1)["action"], &line(1)["stream"]), (&json!("end_room"), &json!("show")));
    assert_eq!((&line(2)["action"], &line(2)["merchant"]), (&json!("dismiss"), &json!("acme")));
    assert_eq!((&line(3)["action"], &line(3)["merchant"]), (&json!("admit"), &json!("acme")));
    assert_eq!((&line(4)["action"], &line(4)["owner"]), (&json!("make_room"), &json!("the house")));
}

#[tokio::test]
async fn what_is_wrong_with_an_owner_is_named() {
    let rig = Rig::new();
    for (number, (owner, code, detail)) in [
        (json!({"kind": "house", "name": "x"}), "fields_conflict", "the house has no name"),
        (json!({"kind": "merchant"}), "fields_conflict", "owner.name: missing"),
        (json!({"kind": "merchant", "name": "a b"}), "invalid_account", "owner.name: merchant id"),
        (json!({"kind": "king"}), "bad_body", "owner.kind: unknown variant"),
        (json!({"kind": "creator", "name": ""}), "invalid_account", "blank to the eye"),
    ]
    .into_iter()
    .enumerate()
    {
        let body = json!({"stream": "show", "owner": owner});
        let ask = rig.ask("admin", "POST", "/v1/rooms").key(&format!("k{number}")).json(&body);
        let answer = ask.refused(422, code).await;
        assert!(answer.detail().contains(detail), "{}", answer.text);
    }
    rig.ask("admin", "GET", "/v1/rooms?after=a%20b").refused(400, "bad_query").await;
}

#[tokio::test]
async fn a_host_plans_where_a_merchant_lets_hosts() {
    let rig = Rig::new();
    let drop = planned(&rig, "acme", mugs(), "p1").await;
    let plan = |key: &str| rig.ask("host", "POST", "/v1/drops").key(key).json(&mugs());
    let refused = plan("h1").refused(403, "hosts_not_allowed").await;
    assert!(refused.detail().starts_with("acme does not let hosts plan in stream show"));
    let whose = json!({"merchant": "acme", "reason": "she knows the goods"});
    let let_hosts = |who: &str, path: &str, key: &str| {
        rig.ask(who, "POST", &format!("/v1/rooms/show/{path}")).key(key).json(&whose)
    };
    let_hosts("host", "allow-hosts", "a0").refused(403, "forbidden").await;
    let_hosts("zeta", "allow-hosts", "a0").refused(403, "forbidden").await;
    let answer = let_hosts("acme", "allow-hosts", "a1").expect(StatusCode::OK).await;
    assert_eq!(answer.json, json!({"stream": "show", "action": "allow_hosts"}));
    // A refusal bound nothing.
    let made = plan("h1").expect(StatusCode::CREATED).await;
    let at = format!("/v1/drops/{}", made.json["drop"].as_str().unwrap());
    let edit = rig.ask("host", "PATCH", &at).key("h2").header("if-match", "*");
    edit.json(&json!({"title": "Cups"})).expect(StatusCode::OK).await;
    let rig = rig.restart();
    let room = rig.ask("host", "GET", "/v1/rooms/show").expect(StatusCode::OK).await.json;
    assert_eq!(room["hosts_plan_for"], json!(["acme"]));
    let listed = rig.ask("admin", "GET", "/v1/commands").expect(StatusCode::OK).await.json;
    let lines = listed["commands"].as_array().unwrap();
    let line =
        lines.iter().find(|line| line["action"] == "allow_hosts" && line["refused"].is_null());
    let line = line.unwrap();
    assert_eq!((&line["stream"], &line["merchant"]), (&json!("show"), &json!("acme")));
    let forbid = rig.ask("acme", "POST", "/v1/rooms/show/forbid-hosts").key("f1").json(&whose);
    forbid.expect(StatusCode::OK).await;
    for path in [at.as_str(), &format!("/v1/drops/{drop}")] {
        let cancel = rig.ask("host", "POST", &format!("{path}/cancel")).key("c1");
        cancel.refused(403, "hosts_not_allowed").await;
    }
}
