//! The brake over HTTP: stop, go, limits, bans.

use axum::http::StatusCode;
use serde_json::{Value, json};
use stampede_domain::Mode;
use stampede_engine::{Buy, BuyRequest};

use crate::rig::{NOON, Rig, mugs, until};

async fn brake(rig: &Rig) -> Value {
    rig.ask("host", "GET", "/v1/brake").expect(StatusCode::OK).await.json
}

#[tokio::test]
async fn ops_stop_every_take_and_let_them_go() {
    let mut rig = Rig::new();
    let drop = rig.open(mugs()).await;
    assert_eq!(brake(&rig).await, json!({"server_time_ms": NOON, "bans": 0}));
    let body = json!({"reason": "provider is down", "expires_in_ms": 60_000});
    let ask = || rig.ask("ops", "POST", "/v1/brake/stop").key("s1").json(&body);
    let answer = ask().expect(StatusCode::OK).await;
    assert_eq!(answer.json, json!({"action": "stop"}));
    let again = ask().expect(StatusCode::OK).await;
    assert_eq!(
        (again.json, again.headers.contains_key("idempotency-replayed")),
        (answer.json, true)
    );
    let stopped = json!({
        "actor": "ops", "reason": "provider is down", "since_ms": NOON, "expires_in_ms": 60_000
    });
    assert_eq!(brake(&rig).await["stopped"], stopped);
    rig.buy_in_vain(&drop, "v1", "mug");
    assert_eq!(rig.state(&drop).await["totals"]["refused"], json!({"busy": 1}));

    rig.ask("ops", "POST", "/v1/brake/go").key("g1").expect(StatusCode::OK).await;
    rig.buy(&drop, "v1", "mug", 1).await;
    let ask = rig.ask("ops", "POST", "/v1/brake/go").key("g2");
    let answer = ask.refused(409, "not_in_force").await;
    assert_eq!(answer.detail(), "there is nothing to end: takes are not stopped");
}

#[tokio::test]
async fn a_stop_outlives_a_restart_and_ends_by_itself() {
    let rig = Rig::new();
    let body = json!({"expires_in_ms": 60_000});
    rig.ask("ops", "POST", "/v1/brake/stop").key("s1").json(&body).expect(StatusCode::OK).await;
    let ban = json!({"addresses": "198.51.100.7/24"});
    rig.ask("ops", "POST", "/v1/bans").key("b1").json(&ban).expect(StatusCode::CREATED).await;
    let rig = rig.restart();
    assert_eq!(brake(&rig).await["stopped"]["actor"], "ops");
    let listed = rig.ask("ops", "GET", "/v1/bans").expect(StatusCode::OK).await;
    assert_eq!(listed.json["bans"][0]["addresses"], "198.51.100.0/24");
    rig.advance(60_000);
    until(async || brake(&rig).await.get("stopped").is_none()).await;
}

#[tokio::test]
async fn limits_are_set_and_ended() {
    let mut rig = Rig::new();
    let drop = rig.open(mugs()).await;
    let set = async |key: &str, body: Value| {
        rig.ask("ops", "POST", "/v1/brake/rates").key(key).json(&body).send().await
    };
    let answer = set("r1", json!({"buys_per_s": 1, "tick_interval_ms": 500})).await;
    assert_eq!(answer.json, json!({"action": "set_rates"}), "{}", answer.text);
    let rates = json!({
        "buys_per_s": 1, "tick_interval_ms": 500, "actor": "ops", "since_ms": NOON
    });
    assert_eq!(brake(&rig).await["rates"], rates);
    let brake_now = rig.engine.brake();
    assert_eq!(brake_now.tick_interval().unwrap().get(), 500);
    let refused = set("r2", json!({"hellos_per_s": 0})).await;
    assert_eq!(refused.json["code"], "rate_out_of_range");
    assert_eq!(refused.detail(), "hellos_per_s is 0; 1 to 10000000 are allowed");
    let refused = set("r3", json!({"buys_per_s": 5, "expires_in_ms": 1})).await;
    assert_eq!(refused.json["code"], "expiry_out_of_range");
    let answer = set("r4", json!({})).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert!(brake(&rig).await.get("rates").is_none());
    rig.buy(&drop, "v1", "mug", 1).await;
    rig.buy(&drop, "v2", "mug", 1).await;
}

#[tokio::test]
async fn a_ban_is_made_read_and_ended() {
    let mut rig = Rig::new();
    let drop = rig.open(mugs()).await;
    let hold = rig.buy(&drop, "eve", "mug", 1).await;
    let body = json!({"viewer": "eve", "release_holds": true, "reason": "bots"});
    let answer =
        rig.ask("ops", "POST", "/v1/bans").key("b1").json(&body).expect(StatusCode::CREATED).await;
    assert_eq!(answer.json, json!({"action": "ban", "ban": "b1"}));
    let location = answer.header("location").unwrap().to_owned();
    assert_eq!(location, "/v1/bans/b1");
    let read = rig.ask("admin", "GET", &location).expect(StatusCode::OK).await;
    let ban = json!({
        "ban": "b1", "viewer": "eve", "releases_holds": true,
        "actor": "ops", "reason": "bots", "since_ms": NOON
    });
    assert_eq!(read.json, ban);
    until(async || rig.state(&drop).await["skus"][0]["available"] == 5).await;
    assert_eq!(rig.engine.hold(hold), stampede_engine::HoldLook::Ended);

    let channel = json!({"channel": "nina-tv", "stream": "show"});
    rig.ask("ops", "POST", "/v1/bans").key("b2").json(&channel).expect(StatusCode::CREATED).await;
    let page = rig.ask("ops", "GET", "/v1/bans?limit=1").expect(StatusCode::OK).await.json;
    assert_eq!((&page["bans"], &page["next"]), (&json!([ban]), &json!("b1")));
    let page = rig.ask("ops", "GET", "/v1/bans?after=b1").expect(StatusCode::OK).await.json;
    assert_eq!((&page["bans"][0]["channel"], page.get("next")), (&json!("nina-tv"), None));

    let answer = rig.ask("ops", "DELETE", &location).key("u1").expect(StatusCode::OK).await;
    assert_eq!(answer.json, json!({"action": "unban", "ban": "b1"}));
    rig.ask("ops", "GET", &location).refused(404, "unknown_ban").await;
    rig.ask("ops", "DELETE", &location).key("u2").refused(404, "unknown_ban").await;
    rig.ask("ops", "DELETE", "/v1/bans/7").key("u3").refused(400, "id_malformed").await;
    assert_eq!(brake(&rig).await["bans"], 1);
}

#[tokio::test]
async fn a_ban_names_exactly_one_target() {
    let rig = Rig::new();
    for (body, code, text) in [
        (json!({}), "fields_conflict", "exactly one"),
        (json!({"viewer": "eve", "channel": "nina-tv"}), "fields_conflict", "exactly one"),
        (json!({"viewer": "eve", "stream": "show"}), "fields_conflict", "stream goes with channel"),
        (json!({"addresses": "198.51.100.0/33"}), "not_addresses", "addresses: not an address"),
        (json!({"viewer": "e\nve"}), "invalid_viewer", "viewer: viewer id has U+000A as its"),
        (json!({"channel": "a b"}), "bad_body", "channel: channel id has the character"),
    ] {
        let ask = rig.ask("ops", "POST", "/v1/bans").key("b").json(&body);
        let answer = ask.refused(422, code).await;
        assert!(answer.detail().contains(text), "{}", answer.text);
    }
}

#[tokio::test]
async fn a_ban_of_everybody_is_refused() {
    let rig = Rig::new();
    for (key, range) in [("b4", "0.0.0.0/0"), ("b6", "::/0")] {
        let ask = rig.ask("ops", "POST", "/v1/bans").key(key).json(&json!({"addresses": range}));
        let answer = ask.refused(422, "range_too_wide").await;
        assert!(answer.detail().starts_with(&format!("addresses {range} ")), "{}", answer.text);
    }
    assert_eq!(brake(&rig).await["bans"], 0);
}

#[tokio::test]
async fn the_brake_is_for_admin_and_ops() {
    let rig = Rig::new();
    for who in ["host", "acme"] {
        for (path, body) in [
            ("/v1/brake/stop", json!({})),
            ("/v1/brake/go", json!({})),
            ("/v1/brake/rates", json!({"buys_per_s": 5})),
            ("/v1/bans", json!({"viewer": "eve"})),
        ] {
            let ask = rig.ask(who, "POST", path).key(&format!("k{}", path.len())).json(&body);
            let answer = ask.refused(403, "forbidden").await;
            assert!(answer.detail().ends_with("; admin and ops may"), "{}", answer.text);
        }
        rig.ask(who, "GET", "/v1/bans").refused(403, "forbidden").await;
        rig.ask(who, "GET", "/v1/brake").expect(StatusCode::OK).await;
    }
    rig.ask("ops", "POST", "/v1/brake/stop").refused(400, "key_missing").await;
}

#[tokio::test]
async fn one_limit_holds_for_all_drops_together() {
    let mut rig = Rig::new();
    let drop = rig.open(mugs()).await;
    let body = json!({"buys_per_s": 1});
    rig.ask("ops", "POST", "/v1/brake/rates").key("r").json(&body).expect(StatusCode::OK).await;
    let stream = "show".parse().unwrap();
    let mut buy = |viewer: &str| {
        let key = "k".parse().unwrap();
        let joined = rig.port.join(&viewer.parse().unwrap(), (&stream, Mode::Live), 1);
        let request = BuyRequest {
            drop: drop.parse().unwrap(),
            sku: "mug",
            units: 1,
            key: &key,
            channel: None,
        };
        matches!(rig.port.buy(&joined, &stream, Mode::Live, request), Buy::Pending { .. })
    };
    assert_eq!(["v1", "v2", "v3"].map(&mut buy), [true, false, false]);
}

#[tokio::test]
async fn commands_are_listed_newest_first_for_those_who_may() {
    let rig = Rig::new();
    let drop = rig.plan(mugs()).await;
    rig.ask("host", "POST", &format!("/v1/drops/{drop}/pause"))
        .key("p")
        .refused(409, "wrong_phase")
        .await;
    let body = json!({"reason": "drill"});
    rig.ask("ops", "POST", "/v1/brake/stop").key("s").json(&body).expect(StatusCode::OK).await;
    let list = async |who: &str, query: &str| {
        let path = format!("/v1/commands{query}");
        rig.ask(who, "GET", &path).expect(StatusCode::OK).await.json
    };
    let all = list("ops", "").await;
    let actions: Vec<_> =
        all["commands"].as_array().unwrap().iter().map(|c| c["action"].as_str().unwrap()).collect();
    assert_eq!((actions, all.get("next")), (vec!["stop", "pause", "plan"], None));
    let stop = json!({
        "number": 3, "at_ms": NOON, "actor": "ops", "role": "ops", "action": "stop",
        "reason": "drill"
    });
    assert_eq!(all["commands"][0], stop);
    let refused = json!({
        "code": "wrong_phase", "detail": "pause is not possible while the drop is scheduled"
    });
    assert_eq!(
        (&all["commands"][1]["refused"], &all["commands"][1]["drop"]),
        (&refused, &json!(drop))
    );
    let page = list("admin", "?limit=2").await;
    assert_eq!((page["commands"].as_array().unwrap().len(), &page["next"]), (2, &json!(2)));
    let page = list("admin", "?limit=2&before=2").await;
    assert_eq!((&page["commands"][0]["action"], page.get("next")), (&json!("plan"), None));
    // Bound to a merchant: no brake, no other merchant's drops.
    assert_eq!(list("acme", "").await["commands"].as_array().unwrap().len(), 2);
    assert_eq!(list("zeta", "").await["commands"], json!([]));
    rig.ask("host", "GET", "/v1/commands").refused(403, "forbidden").await;
    rig.ask("ops", "GET", "/v1/commands?limit=0").refused(400, "bad_query").await;
}

#[tokio::test]
async fn the_list_of_commands_says_what_was_commanded() {
    let rig = Rig::new();
    let drop = rig.open(mugs()).await;
    let lots = format!("/v1/drops/{drop}/lots");
    for (key, method, path, body) in [
        ("c1", "POST", lots.as_str(), json!({"sku": "mug", "units": 7})),
        ("c2", "POST", "/v1/bans", json!({"viewer": "eve", "expires_in_ms": 1_000})),
        ("c3", "POST", "/v1/bans", json!({"addresses": "198.51.100.7/24", "release_holds": true})),
        ("c4", "POST", "/v1/bans", json!({"channel": "nina-tv", "stream": "show"})),
        ("c5", "DELETE", "/v1/bans/b2", json!({})),
        ("c6", "POST", "/v1/brake/rates", json!({"buys_per_s": 9, "expires_in_ms": 60_000})),
        ("c7", "POST", "/v1/brake/rates", json!({})),
        ("c8", "POST", "/v1/brake/stop", json!({"expires_in_ms": 5_000})),
        ("c9", "POST", "/v1/brake/go", json!({})),
    ] {
        let answer = rig.ask("admin", method, path).key(key).json(&body).send().await;
        assert!(answer.status.is_success(), "{key}: {}", answer.text);
    }
    // The ban is over: only the list still tells whom it kept out.
    rig.advance(1_000);
    until(async || brake(&rig).await["bans"] == 1).await;
    let told = async |rig: &Rig| {
        let page = rig.ask("ops", "GET", "/v1/commands?limit=9").expect(StatusCode::OK).await.json;
        let mut lines = page["commands"].as_array().unwrap().clone();
        lines.reverse();
        for line in &mut lines {
            let line = line.as_object_mut().unwrap();
            for common in ["number", "at_ms", "actor", "role", "action", "drop"] {
                line.remove(common);
            }
        }
        json!(lines)
    };
    let expected = json!([
        {"sku": "mug", "units": 7, "lot": 2},
        {"ban": "b1", "viewer": "eve", "releases_holds": false, "expires_at_ms": NOON + 1_000},
        {"ban": "b2", "addresses": "198.51.100.0/24", "releases_holds": true},
        {"ban": "b3", "channel": "nina-tv", "stream": "show", "releases_holds": false},
        {"ban": "b2"},
        {"rates": {"buys_per_s": 9}, "expires_at_ms": NOON + 60_000},
        {},
        {"expires_at_ms": NOON + 5_000},
        {},
    ]);
    assert_eq!(told(&rig).await, expected);
    assert_eq!(told(&rig.restart()).await, expected);
}
