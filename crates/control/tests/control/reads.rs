//! Drops as they stand, in state, list, stream.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::rig::{Rig, lamps, mugs, until};

fn ids(answer: &Value) -> Vec<&str> {
    let drops = answer["drops"].as_array().unwrap().iter();
    drops.map(|drop| drop["drop"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn the_state_follows_the_sale() {
    let mut rig = Rig::new();
    let drop = rig.open(mugs()).await;
    let hold = rig.buy(&drop, "v1", "mug", 2).await;
    rig.buy(&drop, "v2", "mug", 2).await;
    rig.buy(&drop, "v3", "mug", 1).await;
    rig.buy_in_vain(&drop, "v4", "mug");
    rig.buy_in_vain(&drop, "v5", "cup");
    rig.pay(hold).await;
    let state = rig.state(&drop).await;
    let mug = json!({"sku": "mug", "supplied": 5, "available": 0, "held": 3, "sold": 2, "reserve": 0,
        "last_take": 3});
    assert_eq!(state["skus"], json!([mug]));
    assert_eq!(state["viewers_connected"], 5);
    let refused = json!({"sold_out": 1, "unknown_sku": 1});
    assert_eq!(state["totals"], json!({"held": 3, "retries": 0, "refused": refused}));

    // Unpaid holds expire; their units come back.
    rig.advance(63_000);
    until(async || rig.state(&drop).await["skus"][0]["available"] == 3).await;
}

#[tokio::test]
async fn the_list_comes_in_pages() {
    let rig = Rig::new();
    for number in 0..5 {
        let mut plan = mugs();
        plan["title"] = json!(number.to_string());
        rig.plan(plan).await;
    }
    let page = async |query: &str| {
        rig.ask("admin", "GET", &format!("/v1/drops{query}")).expect(StatusCode::OK).await.json
    };
    let first = page("?limit=2").await;
    assert_eq!((ids(&first), &first["next"]), (vec!["d1", "d2"], &json!("d2")));
    let last = page("?limit=3&after=d2").await;
    assert_eq!((ids(&last), last.get("next")), (vec!["d3", "d4", "d5"], None));
    assert_eq!(ids(&page("").await).len(), 5);
    assert_eq!(page("").await["drops"][0]["supplied"], 5);
    for (query, detail) in [
        ("?limit=0", "limit: 0 lines; 1 to 1000 are allowed"),
        ("?limit=1001", "limit: 1001 lines"),
        ("?limit=x", "limit: invalid digit"),
        ("?after=7", "after: not a drop id"),
        ("?page=2", "unknown field `page`"),
    ] {
        let ask = rig.ask("admin", "GET", &format!("/v1/drops{query}"));
        let answer = ask.refused(400, "bad_query").await;
        assert!(answer.detail().contains(detail), "{}", answer.text);
    }
}

#[tokio::test]
async fn a_stream_lists_its_drops_in_running_order() {
    let rig = Rig::new();
    rig.plan(lamps()).await;
    rig.plan(mugs()).await;
    let stream = rig.ask("host", "GET", "/v1/streams/show").expect(StatusCode::OK).await.json;
    assert_eq!(ids(&stream), ["d2", "d1"]);
    assert_eq!(stream["viewers_connected"], 0);
    rig.ask("host", "GET", "/v1/streams/none").refused(404, "unknown_stream").await;
    rig.ask("host", "GET", "/v1/streams/a%20b").refused(400, "id_malformed").await;
}

#[tokio::test]
async fn a_merchant_sees_its_own_drops_alone() {
    let rig = Rig::new();
    let (mugs, lamps) = (rig.plan(mugs()).await, rig.plan(lamps()).await);
    for (who, own, other) in [("acme", &mugs, &lamps), ("zeta", &lamps, &mugs)] {
        for path in ["/v1/drops", "/v1/streams/show"] {
            let list = rig.ask(who, "GET", path).expect(StatusCode::OK).await.json;
            assert_eq!(ids(&list), [own]);
        }
        rig.ask(who, "GET", &format!("/v1/drops/{own}")).expect(StatusCode::OK).await;
        let theirs = rig.ask(who, "GET", &format!("/v1/drops/{other}"));
        let theirs = theirs.refused(404, "unknown_drop").await;
        let none = rig.ask(who, "GET", "/v1/drops/d99").refused(404, "unknown_drop").await;
        assert_eq!(theirs.text, none.text, "told apart from none");
    }
}

#[tokio::test]
async fn health_needs_no_token() {
    let rig = Rig::new();
    let alive = rig.ask_nobody("GET", "/healthz").expect(StatusCode::OK).await;
    assert_eq!(alive.json, json!({"status": "alive", "node": "n1", "incarnation": 1}));
    let ready = rig.ask_nobody("GET", "/readyz").expect(StatusCode::OK).await;
    assert_eq!(ready.json["status"], "ready");
    assert_eq!(ready.header("cache-control"), Some("no-store"));
    rig.draining.begin();
    rig.ask_nobody("GET", "/readyz").refused(503, "draining").await;
    rig.ask_nobody("GET", "/healthz").expect(StatusCode::OK).await;
}

#[test]
fn metrics_cover_the_interface_itself() {
    let rig = Rig::new();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    metrics::with_local_recorder(&rig.recorder, || {
        runtime.block_on(async {
            let drop = rig.plan(mugs()).await;
            rig.ask("admin", "GET", &format!("/v1/drops/{drop}")).expect(StatusCode::OK).await;
            rig.ask("admin", "GET", "/no/such/path").refused(404, "unknown_path").await;
            let answer = rig.ask("ops", "GET", "/metrics").expect(StatusCode::OK).await;
            assert_eq!(
                answer.header("content-type"),
                Some("text/plain; version=0.0.4; charset=utf-8")
            );
            for line in [
                r#"stampede_control_commands_total{outcome="accepted"} 1"#,
                r#"stampede_control_requests_total{kind="read",status="2xx"} 1"#,
                r#"stampede_control_requests_total{kind="command",status="2xx"} 1"#,
                r#"stampede_control_requests_total{kind="unknown",status="4xx"} 1"#,
            ] {
                assert!(answer.text.contains(line), "{line} is not in\n{}", answer.text);
            }
            rig.ask("acme", "GET", "/metrics").refused(403, "forbidden").await;
            rig.ask_nobody("GET", "/metrics").refused(401, "token_missing").await;
        });
    });
}

#[tokio::test]
async fn a_drop_that_has_left_memory_is_shown_as_before() {
    let mut rig = Rig::new();
    let drop = rig.open(mugs()).await;
    let hold = rig.buy(&drop, "v1", "mug", 2).await;
    rig.buy_in_vain(&drop, "v2", "cup");
    rig.pay(hold).await;
    rig.command(&drop, "close", "close").await;
    rig.until_phase(&drop, "settled").await;
    let shown = async |rig: &Rig| {
        let mut state = rig.state(&drop).await;
        let path = |path: &str| rig.ask("acme", "GET", path).expect(StatusCode::OK);
        let list = path("/v1/drops").await.json;
        let stream = path("/v1/streams/show").await.json;
        assert_eq!(list["drops"], stream["drops"]);
        let mut summary = list["drops"][0].clone();
        // The number of its last take and its changes of phase are in the ledger alone.
        state["skus"][0].as_object_mut().unwrap().remove("last_take");
        state.as_object_mut().unwrap().remove("phase_changes");
        // Nobody pays any more.
        state.as_object_mut().unwrap().remove("paying");
        for at in [&mut state, &mut summary] {
            // A drop that is over for so long is on air no more.
            for changed in ["server_time_ms", "featured", "phase_changes"] {
                at.as_object_mut().unwrap().remove(changed);
            }
        }
        (state, summary)
    };
    let before = shown(&rig).await;
    rig.advance(stampede_domain::limits::SETTLED_KEPT_MS);
    let id = drop.parse().unwrap();
    until(async || rig.engine.sale(id).is_none()).await;
    assert_eq!(shown(&rig).await, before);

    let path = format!("/v1/drops/{drop}/pause");
    rig.ask("admin", "POST", &path).key("late").refused(409, "wrong_phase").await;
    let again = rig.command(&drop, "close", "close").await;
    assert_eq!(again.json["drop"], json!(drop), "a retry gets the first answer");
    let mut plan = mugs();
    plan["countdown_ms"] = json!(0);
    let key = format!("plan-{}", plan["title"].as_str().unwrap());
    let planned = rig.ask("admin", "POST", "/v1/drops").key(&key).json(&plan);
    let planned = planned.expect(StatusCode::CREATED).await;
    assert_eq!(planned.json["drop"], json!(drop), "and makes no second drop");
    let unseen = rig.ask("zeta", "GET", &format!("/v1/drops/{drop}"));
    unseen.refused(404, "unknown_drop").await;
}
