//! A ledger that fails, a steward that has no time.

use std::sync::Arc;

use axum::http::StatusCode;
use serde_json::json;
use stampede_control::ControlConfig;
use stampede_domain::DurationMs;
use stampede_ledger::fake::{FakeLedger, Fault};
use tempfile::TempDir;

use crate::{
    events::Events,
    rig::{Rig, mugs, until},
};

fn on(ledger: &FakeLedger, config: ControlConfig) -> Rig {
    Rig::on(ledger.open(), Arc::new(TempDir::new().unwrap()), config)
}

#[tokio::test]
async fn after_a_failed_commit_the_outcome_is_unknown_and_readiness_is_gone() {
    let ledger = FakeLedger::new("n1".parse().unwrap());
    let rig = on(&ledger, ControlConfig::default());
    let drop = rig.open(mugs()).await;
    // A lot needs one commit; whichever comes next fails.
    for commit in ledger.commits() + 1..ledger.commits() + 50 {
        ledger.order(commit, Fault::Before);
    }
    let path = format!("/v1/drops/{drop}/lots");
    let lot = json!({"sku": "mug", "units": 3});
    let ask = || rig.ask("admin", "POST", &path).key("lot1").json(&lot);
    let answer = ask().send().await;
    let code = answer.json["code"].as_str().unwrap();
    assert!(["outcome_unknown", "poisoned"].contains(&code), "{}", answer.text);
    assert_eq!(answer.status.as_u16(), 503);
    until(async || rig.ask_nobody("GET", "/readyz").send().await.status.as_u16() == 503).await;
    let red = rig.ask_nobody("GET", "/readyz").refused(503, "poisoned").await;
    assert!(red.detail().contains("restart"), "{}", red.text);
    ask().refused(503, "poisoned").await;
    rig.ask_nobody("GET", "/healthz").expect(StatusCode::OK).await;
    // What was durable can still be read.
    assert_eq!(rig.state(&drop).await["skus"][0]["supplied"], 5);
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_told_as_unknown() {
    let ledger = FakeLedger::new("n1".parse().unwrap());
    let rig = on(&ledger, ControlConfig::default());
    let drop = rig.open(mugs()).await;
    for commit in ledger.commits() + 1..ledger.commits() + 50 {
        ledger.order(commit, Fault::Hang);
    }
    let path = format!("/v1/drops/{drop}/lots");
    let lot = json!({"sku": "mug", "units": 3});
    let ask = || rig.ask("admin", "POST", &path).key("lot1").json(&lot);
    let impatient = ControlConfig { answer_wait: DurationMs::new(20), ..ControlConfig::default() };
    for _ in 0..3 {
        let ask = ask().to(rig.router_with(impatient.clone()));
        let answer = ask.refused(503, "outcome_unknown").await;
        assert_eq!(answer.header("retry-after"), Some("1"));
        assert_eq!(answer.json["retry_after_ms"], 1_000);
        assert!(answer.detail().contains("same key"), "{}", answer.text);
    }
    ledger.release();
    let answer = ask().expect(StatusCode::OK).await;
    assert_eq!(answer.json, json!({"drop": drop, "action": "restock", "lot": 2}));
    assert_eq!(answer.header("idempotency-replayed"), Some("true"));
    assert_eq!(rig.state(&drop).await["skus"][0]["supplied"], 8, "once for all the retries");
}

#[tokio::test]
async fn what_is_carried_out_late_is_told_by_name() {
    let ledger = FakeLedger::new("n1".parse().unwrap());
    let config =
        ControlConfig { answer_wait: DurationMs::from_secs(2), ..ControlConfig::default() };
    let rig = on(&ledger, config);
    let drop = rig.open(mugs()).await;
    let mut events = Events::follow(&rig, "admin", "?present=true").await;
    events.named("snapshot").await;
    for commit in ledger.commits() + 1..ledger.commits() + 50 {
        ledger.order(commit, Fault::Hang);
    }
    let lot = json!({"sku": "mug", "units": 3});
    let ask = rig.ask("host", "POST", &format!("/v1/drops/{drop}/lots")).key("lot1").json(&lot);
    ask.refused(503, "outcome_unknown").await;
    ledger.release();
    let told = events.named("command").await;
    assert_eq!((&told["actor"], &told["action"]), (&json!("host"), &json!("restock")));
}

#[tokio::test]
async fn a_stopped_engine_says_so() {
    let rig = Rig::new();
    let drop = rig.plan(mugs()).await;
    rig.engine.shutdown();
    let ask = rig.ask("admin", "POST", &format!("/v1/drops/{drop}/open")).key("o");
    ask.refused(503, "stopping").await;
}
