//! A drop that was opened by mistake: its opening is undone by whoever runs it.

use axum::http::StatusCode;
use serde_json::{Value, json};
use stampede_domain::limits::SETTLED_KEPT_MS;

use crate::rig::{Answer, Ask, Rig, mugs, until};

fn undo(rig: &Rig, who: &str, drop: &str, key: &str) -> Ask {
    rig.ask(who, "POST", &format!("/v1/drops/{drop}/undo")).key(key)
}

fn lines(answer: &Answer, list: &str) -> Vec<Value> {
    answer.json[list].as_array().unwrap().clone()
}

#[tokio::test]
async fn an_opening_is_undone_and_its_copy_stands_in_its_place() {
    let mut rig = Rig::new();
    let drop = rig.open(mugs()).await;
    rig.buy(&drop, "ann", "mug", 2).await;
    let first = undo(&rig, "host", &drop, "u").expect(StatusCode::OK).await;
    let copy = first.json["copy"].as_str().unwrap().to_owned();
    assert_eq!(first.json, json!({"drop": drop, "action": "undo", "copy": copy}));
    rig.until_phase(&drop, "voided").await;
    let state = rig.state(&drop).await;
    let mug = &state["skus"][0];
    let figures = ["supplied", "available", "held", "sold"].map(|name| mug[name].clone());
    assert_eq!(figures, [5, 5, 0, 0].map(Value::from));
    let (planned, old) = (rig.state(&copy).await, state);
    assert_eq!((&planned["phase"], &planned["plan"]), (&json!("scheduled"), &old["plan"]));
    let list = rig.ask("admin", "GET", "/v1/drops?over=true").expect(StatusCode::OK).await;
    let over: Vec<_> = lines(&list, "drops").iter().map(|one| one["drop"].clone()).collect();
    assert_eq!(over, [json!(drop)], "it is over, its copy is not");

    let list = rig.ask("admin", "GET", "/v1/commands").expect(StatusCode::OK).await;
    let undone = lines(&list, "commands").into_iter().find(|line| line["action"] == "undo");
    assert_eq!(undone.unwrap()["copy"], json!(copy));
    let path = format!("/v1/shows/{drop}/report");
    let show = rig.ask("admin", "GET", &path).expect(StatusCode::OK).await;
    let of = |list: &str| {
        let all = lines(&show, list);
        all.iter().map(|one| (one["drop"].clone(), one["phase"].clone())).collect::<Vec<_>>()
    };
    assert_eq!(of("cancelled"), [(json!(drop), json!("voided"))]);
    assert_eq!(of("drops"), [(json!(copy), json!("scheduled"))]);
    assert_eq!((&show.json["taken"], &show.json["supplied"]), (&json!(0), &json!(0)));
}

#[tokio::test]
async fn a_retry_is_told_the_copy_also_after_the_drop_has_left_memory() {
    let rig = Rig::new();
    let drop = rig.open(mugs()).await;
    let first = undo(&rig, "host", &drop, "u").expect(StatusCode::OK).await;
    rig.until_phase(&drop, "voided").await;
    let again = async |rig: &Rig| {
        let again = undo(rig, "host", &drop, "u").expect(StatusCode::OK).await;
        assert_eq!(again.text, first.text);
        assert_eq!(again.header("idempotency-replayed"), Some("true"));
    };
    again(&rig).await;
    rig.advance(SETTLED_KEPT_MS);
    rig.wake_steward().await;
    until(async || rig.engine.over(drop.parse().unwrap()).is_some()).await;
    again(&rig).await;
    let late = undo(&rig, "host", &drop, "late").refused(409, "wrong_phase").await;
    assert_eq!(late.detail(), "undo is not possible while the drop is voided");
    let rig = rig.restart_at(SETTLED_KEPT_MS);
    again(&rig).await;
}

#[tokio::test]
async fn what_is_paid_stays_and_the_refusal_says_how_much() {
    let mut rig = Rig::new();
    let drop = rig.open(mugs()).await;
    let hold = rig.buy(&drop, "ann", "mug", 1).await;
    rig.pay(hold).await;
    let refused = undo(&rig, "admin", &drop, "u").refused(409, "already_paid").await;
    assert_eq!(refused.json["orders"], 1);
    assert!(refused.detail().starts_with("1 order is paid already"), "{}", refused.detail());
    assert_eq!(rig.state(&drop).await["phase"], "open");
}

#[tokio::test]
async fn whoever_may_open_and_close_may_undo_for_the_drop_as_it_was_seen() {
    let rig = Rig::new();
    let drop = rig.open(mugs()).await;
    for who in ["ops", "platform"] {
        undo(&rig, who, &drop, who).refused(403, "forbidden").await;
    }
    let state = rig.state(&drop).await;
    let seen = ["phase", "revision", "phase_changes"].map(|name| (name, state[name].clone()));
    let body = json!({"seen": Value::from_iter(seen), "reason": "the wrong one"});
    rig.command(&drop, "pause", "p").await;
    let stale = undo(&rig, "host", &drop, "s").json(&body).refused(409, "drop_changed").await;
    assert_eq!(stale.json["now"]["phase"], "paused");
    undo(&rig, "acme", &drop, "a").expect(StatusCode::OK).await;
    rig.until_phase(&drop, "voided").await;
}
