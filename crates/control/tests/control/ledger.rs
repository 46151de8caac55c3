//! Report with audit after a small sale.

use std::collections::HashSet;

use axum::{
    body::Body,
    http::{Request, StatusCode},
};
use serde_json::{Value, json};
use stampede_control::ControlConfig;
use stampede_domain::DurationMs;
use tower::ServiceExt;

use crate::rig::{Rig, mugs, until};

/// Five mugs: two sold, one hold expired, one lives, somebody came too late; then closed.
async fn sale(rig: &mut Rig) -> String {
    let drop = rig.open(mugs()).await;
    rig.buy(&drop, "early", "mug", 1).await;
    rig.advance(59_000);
    let paid = rig.buy(&drop, "buyer", "mug", 2).await;
    rig.pay(paid).await;
    rig.buy(&drop, "holder", "mug", 2).await;
    rig.buy_in_vain(&drop, "late", "mug");
    rig.advance(4_000);
    until(async || rig.state(&drop).await["skus"][0]["available"] == 1).await;
    rig.command(&drop, "close", "close").await;
    drop
}

#[tokio::test]
async fn the_report_tells_of_the_sale() {
    let mut rig = Rig::new();
    let drop = sale(&mut rig).await;
    let path = format!("/v1/drops/{drop}/report");
    let report = rig.ask("acme", "GET", &path).expect(StatusCode::OK).await;
    assert_eq!(report.header("content-type"), Some("application/json"));
    let figures = &report.json;
    for (field, value) in [
        ("drop", json!(drop)),
        ("phase", json!("closed")),
        ("supplied", json!(5)),
        ("held", json!(2)),
        ("sold", json!(2)),
        ("oversold", json!(0)),
        ("gross_minor", json!(3_980)),
    ] {
        assert_eq!(figures[field], value, "{field} in {}", report.text);
    }
    assert_eq!(figures["taken"]["expired"], json!({"holds": 1, "units": 1}));

    for ask in [
        rig.ask("host", "GET", &format!("{path}?format=text")),
        rig.ask("host", "GET", &path).header("accept", "text/plain"),
        rig.ask("host", "GET", &path).header("accept", "text/html, text/plain;q=0.9, */*"),
    ] {
        let text = ask.expect(StatusCode::OK).await;
        assert_eq!(text.header("content-type"), Some("text/plain; charset=utf-8"));
        assert!(text.text.contains("Mugs"), "{}", text.text);
    }
    let json = rig.ask("host", "GET", &format!("{path}?format=json"));
    let json = json.header("accept", "text/plain").expect(StatusCode::OK).await;
    assert_eq!(json.json["drop"], json!(drop));
    rig.ask("host", "GET", &format!("{path}?format=pdf")).refused(400, "bad_query").await;
}

fn lines(text: &str, kind: &str) -> Vec<Value> {
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|line| line["type"] == kind).collect()
}

#[tokio::test]
async fn the_audit_accounts_for_every_hold() {
    let mut rig = Rig::new();
    let drop = sale(&mut rig).await;
    let path = format!("/v1/drops/{drop}/audit");
    // The projector may be a commit behind, the tally a second.
    rig.advance(4_000);
    until(async || {
        let text = rig.ask("admin", "GET", &path).expect(StatusCode::OK).await.text;
        let summary = &lines(&text, "summary")[0];
        summary["orders"] == 1 && summary["refusals"]["sold_out"] == 1
    })
    .await;
    let audit = rig.ask("ops", "GET", &path).expect(StatusCode::OK).await;
    assert_eq!(audit.header("content-type"), Some("application/x-ndjson"));
    let holds = lines(&audit.text, "hold");
    let mut states: Vec<_> = holds
        .iter()
        .map(|hold| (hold["viewer"].as_str().unwrap(), hold["state"].as_str().unwrap()))
        .collect();
    states.sort_unstable();
    assert_eq!(states, [("buyer", "confirmed"), ("early", "expired"), ("holder", "held")]);
    let orders = lines(&audit.text, "order");
    assert_eq!((orders.len(), &orders[0]["viewer"]), (1, &json!("buyer")));
    assert_eq!((&orders[0]["units"], &orders[0]["amount_minor"]), (&json!(2), &json!(3_980)));
    let summary = serde_json::from_str::<Value>(audit.text.lines().last().unwrap()).unwrap();
    assert_eq!((&summary["type"], &summary["holds"]), (&json!("summary"), &json!(3)));
    assert_eq!((&summary["held"], &summary["sold"]), (&json!(2), &json!(2)));
}

#[tokio::test]
async fn who_may_read_the_ledger() {
    let rig = Rig::new();
    let drop = rig.plan(mugs()).await;
    let (report, audit) = (format!("/v1/drops/{drop}/report"), format!("/v1/drops/{drop}/audit"));
    for path in [&report, &audit] {
        rig.ask_nobody("GET", path).refused(401, "token_missing").await;
        rig.ask("zeta", "GET", path).refused(404, "unknown_drop").await;
        rig.ask("acme", "GET", path).expect(StatusCode::OK).await;
        rig.ask("admin", "GET", &path.replace(&drop, "d99")).refused(404, "unknown_drop").await;
    }
    rig.ask("host", "GET", &report).expect(StatusCode::OK).await;
    rig.ask("host", "GET", &audit).refused(403, "forbidden").await;
}

#[tokio::test]
async fn an_audit_of_many_holds_comes_whole() {
    const HOLDS: u32 = 20_000;
    let mut rig = Rig::new();
    let mut plan = mugs();
    plan["skus"][0]["supply"] = json!(HOLDS);
    let drop = rig.open(plan).await;
    rig.buy_many(&drop, "mug", HOLDS).await;
    let audit = rig.ask("admin", "GET", &format!("/v1/drops/{drop}/audit"));
    let audit = audit.expect(StatusCode::OK).await;
    let holds = lines(&audit.text, "hold");
    let ids: HashSet<_> = holds.iter().map(|hold| hold["hold"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), usize::try_from(HOLDS).unwrap());
    assert_eq!(lines(&audit.text, "summary")[0]["holds"], HOLDS);
}

#[tokio::test]
async fn a_reader_who_stops_reading_is_cut_off_and_frees_the_place() {
    let chunk_wait = DurationMs::new(50);
    let config = ControlConfig { chunk_wait, ledger_reads_max: 1, ..ControlConfig::default() };
    let mut rig = Rig::with(config);
    let mut plan = mugs();
    plan["skus"][0]["supply"] = json!(20_000);
    let drop = rig.open(plan).await;
    rig.buy_many(&drop, "mug", 20_000).await;
    let path = format!("/v1/drops/{drop}/audit");
    let request = Request::builder()
        .uri(&path)
        .header("authorization", format!("Bearer {}", rig.token("admin")))
        .body(Body::empty())
        .unwrap();
    let response = rig.router.clone().oneshot(request).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    // Nobody reads the body: the audit holds the only place until its reader counts as gone.
    let report = format!("/v1/drops/{drop}/report");
    rig.ask("admin", "GET", &report).refused(503, "busy").await;
    until(async || rig.ask("admin", "GET", &report).send().await.status == StatusCode::OK).await;
    let rest = axum::body::to_bytes(response.into_body(), usize::MAX).await;
    assert!(rest.is_err(), "an audit without its last line must not look whole");
}

#[tokio::test]
async fn a_ledger_that_cannot_be_read_is_the_servers_failure() {
    let mut rig = Rig::new();
    let drop = rig.plan(mugs()).await;
    rig.forget_ledger();
    for name in ["report", "audit"] {
        let ask = rig.ask("admin", "GET", &format!("/v1/drops/{drop}/{name}"));
        ask.refused(500, "internal").await;
    }
}
