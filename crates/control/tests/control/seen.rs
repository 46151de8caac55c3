//! Commands that say how the drop stood when they were decided.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::rig::{Answer, Ask, Rig, mugs, until};

/// The fields of a drop that a command may carry.
fn seen(state: &Value) -> Value {
    json!({
        "phase": state["phase"],
        "revision": state["revision"],
        "phase_changes": state["phase_changes"],
    })
}

fn ask(rig: &Rig, who: &str, drop: &str, name: &str, key: &str, seen: &Value) -> Ask {
    let path = format!("/v1/drops/{drop}/{name}");
    rig.ask(who, "POST", &path).key(key).json(&json!({ "seen": seen }))
}

async fn paused(rig: &Rig) -> (String, Value) {
    let drop = rig.open(mugs()).await;
    rig.command(&drop, "pause", "p1").await;
    let before = seen(&rig.state(&drop).await);
    (drop, before)
}

#[tokio::test]
async fn a_stale_resume_is_told_how_the_drop_stands() {
    let rig = Rig::new();
    let (drop, before) = paused(&rig).await;
    assert_eq!(before, json!({"phase": "paused", "revision": 1, "phase_changes": 3}));
    rig.command(&drop, "resume", "r1").await;
    rig.until_phase(&drop, "open").await;
    let answer =
        ask(&rig, "host", &drop, "resume", "r2", &before).refused(409, "drop_changed").await;
    let now = json!({"phase": "open", "revision": 1, "phase_changes": 4});
    assert_eq!(answer.json["now"], now);
    assert!(answer.detail().contains("now it is open"), "{}", answer.text);
    // Paused once more, it is not the pause that was seen.
    rig.command(&drop, "pause", "p2").await;
    let answer =
        ask(&rig, "host", &drop, "resume", "r2", &before).refused(409, "drop_changed").await;
    assert_eq!(answer.json["now"]["phase"], "paused");
    let now = answer.json["now"].clone();
    ask(&rig, "host", &drop, "resume", "r2", &now).expect(StatusCode::OK).await;
}

#[tokio::test]
async fn two_staff_who_press_at_once_do_not_undo_each_other() {
    let rig = Rig::new();
    let (drop, before) = paused(&rig).await;
    // Who resumes asks again as if the answer was lost, while the other resumes and pauses.
    for round in 0..20 {
        let key = format!("late-{round}");
        let before = seen(&rig.state(&drop).await);
        let other = async {
            let keys = [format!("r-{round}"), format!("p-{round}")];
            let resumed = ask(&rig, "admin", &drop, "resume", &keys[0], &before).send().await;
            let paused = rig.ask("admin", "POST", &format!("/v1/drops/{drop}/pause"));
            paused.key(&keys[1]).expect(StatusCode::OK).await;
            resumed
        };
        let late = async || ask(&rig, "host", &drop, "resume", &key, &before).send().await;
        let (other, first) = tokio::join!(other, late());
        let is_ok = |answer: &Answer| answer.status == StatusCode::OK;
        assert!(is_ok(&other) != is_ok(&first), "{} {}", other.text, first.text);
        until(async || rig.state(&drop).await["phase"] == "paused").await;
        let again = late().await;
        assert_eq!(is_ok(&again), is_ok(&first), "{}", again.text);
        assert_eq!(rig.state(&drop).await["phase"], "paused", "round {round}");
    }
    assert_ne!(seen(&rig.state(&drop).await), before);
}

#[tokio::test]
async fn what_stops_carries_nothing_and_what_starts_may_leave_it_out() {
    let rig = Rig::new();
    let (drop, before) = paused(&rig).await;
    rig.command(&drop, "resume", "r1").await;
    rig.until_phase(&drop, "open").await;
    ask(&rig, "host", &drop, "pause", "p2", &before).refused(422, "bad_body").await;
    let lot = json!({"sku": "mug", "units": 2, "seen": before});
    let path = format!("/v1/drops/{drop}/lots");
    rig.ask("admin", "POST", &path).key("l1").json(&lot).refused(409, "drop_changed").await;
    let rough = json!({"sku": "mug", "units": 2, "seen": {"phase": "open", "revision": 1}});
    rig.ask("admin", "POST", &path).key("l1").json(&rough).expect(StatusCode::OK).await;
    let wrong = json!({"phase": "shut", "revision": 1});
    ask(&rig, "host", &drop, "close", "c1", &wrong).refused(422, "bad_body").await;
    rig.command(&drop, "close", "c2").await;
}

#[tokio::test]
async fn a_retried_close_gets_its_first_answer_also_once_the_drop_is_over() {
    let rig = Rig::new();
    let drop = rig.open(mugs()).await;
    let before = seen(&rig.state(&drop).await);
    let close = || ask(&rig, "host", &drop, "close", "c1", &before);
    let first = close().expect(StatusCode::OK).await;
    rig.until_phase(&drop, "settled").await;
    // Ten minutes later it leaves memory with its keys; the ledger still knows them.
    rig.advance(601_000);
    until(async || {
        rig.wake_steward().await;
        rig.state(&drop).await.get("phase_changes").is_none()
    })
    .await;
    let again = close().expect(StatusCode::OK).await;
    assert_eq!(again.text, first.text);
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    ask(&rig, "host", &drop, "close", "c2", &before).refused(409, "drop_changed").await;
}
