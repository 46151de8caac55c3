//! Who else is at a stream, with what they do there.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::{
    events::{Events, PATH},
    rig::{Rig, lamps, mugs, mugs_in_reserve},
};

const PRESENT: &str = "?present=true";

async fn present(rig: &Rig, who: &str) -> Events {
    Events::follow(rig, who, PRESENT).await
}

fn names(told: &Value) -> Vec<&str> {
    let people = told["people"].as_array().map(Vec::as_slice).unwrap_or_default();
    people.iter().map(|person| person["name"].as_str().unwrap()).collect()
}

/// The names that a poller gets.
async fn polled(rig: &Rig, who: &str) -> Vec<String> {
    let path = format!("{PATH}{PRESENT}");
    let told = rig.ask(who, "GET", &path).expect(StatusCode::OK).await.json;
    names(&told).into_iter().map(str::to_owned).collect()
}

#[tokio::test]
async fn two_who_follow_see_each_other_until_one_leaves() {
    let rig = Rig::new();
    rig.plan(mugs()).await;
    let mut admin = present(&rig, "admin").await;
    assert_eq!(names(&admin.named("snapshot").await), ["admin"]);
    let mut host = present(&rig, "host").await;
    let told = host.named("snapshot").await;
    let both = json!([{"name": "admin", "role": "admin"}, {"name": "host", "role": "host"}]);
    assert_eq!(told["people"], both);
    assert_eq!(admin.named("people").await, json!({ "people": both }));
    // A second browser of the same name is nobody new, and its end nobody's leaving.
    let mut again = present(&rig, "host").await;
    assert_eq!(names(&again.named("snapshot").await), ["admin", "host"]);
    drop(again);
    drop(host);
    assert_eq!(names(&admin.named("people").await), ["admin"]);
}

#[tokio::test]
async fn staff_of_two_merchants_do_not_know_of_each_other() {
    let rig = Rig::new();
    let (mugs, lamps) = (rig.plan(mugs()).await, rig.plan(lamps()).await);
    let mut acme = present(&rig, "acme").await;
    assert_eq!(names(&acme.named("snapshot").await), ["acme"]);
    let mut zeta = present(&rig, "zeta").await;
    assert_eq!(names(&zeta.named("snapshot").await), ["zeta"]);
    // Who is not present, or can stop nothing, is not seen and sees nobody.
    let mut silent = Events::follow(&rig, "host", "").await;
    let mut platform = present(&rig, "platform").await;
    for events in [&mut silent, &mut platform] {
        assert_eq!(events.named("snapshot").await.get("people"), None);
    }
    let mut admin = present(&rig, "admin").await;
    assert_eq!(names(&admin.named("snapshot").await), ["acme", "admin", "zeta"]);
    // What was told before, then the admin; never the other merchant's.
    while names(&acme.named("people").await) != ["acme", "admin"] {}
    while names(&zeta.named("people").await) != ["admin", "zeta"] {}
    // Nor what the other's staff do.
    for (who, drop) in [("acme", &mugs), ("zeta", &lamps)] {
        let path = format!("/v1/drops/{drop}/open");
        rig.ask(who, "POST", &path).key("o1").expect(StatusCode::OK).await;
    }
    for (events, own) in [(&mut acme, "acme"), (&mut zeta, "zeta")] {
        let told = events.named("command").await;
        assert_eq!(told["actor"], own);
    }
    assert_eq!(admin.named("command").await["actor"], "acme");
    assert_eq!(admin.named("command").await["actor"], "zeta");
}

#[tokio::test]
async fn whoever_polls_is_there_for_a_while() {
    let rig = Rig::new();
    rig.plan(mugs()).await;
    assert_eq!(polled(&rig, "host").await, ["host"]);
    let mut admin = present(&rig, "admin").await;
    assert_eq!(names(&admin.named("snapshot").await), ["admin", "host"]);
    assert_eq!(polled(&rig, "host").await, ["admin", "host"]);
    rig.advance(3_500);
    assert_eq!(names(&admin.named("people").await), ["admin"]);
    let path = rig.ask("ops", "GET", PATH).expect(StatusCode::OK).await;
    assert_eq!(path.json.get("people"), None);
}

#[tokio::test]
async fn what_somebody_did_is_told_by_name_once() {
    let rig = Rig::new();
    let drop = rig.open(mugs_in_reserve()).await;
    let mut events = present(&rig, "admin").await;
    events.named("snapshot").await;
    let lot = json!({"sku": "mug", "units": 3});
    let path = format!("/v1/drops/{drop}/lots");
    for _ in 0..2 {
        rig.ask("host", "POST", &path).key("l1").json(&lot).expect(StatusCode::OK).await;
    }
    rig.ask("ops", "POST", &format!("/v1/drops/{drop}/pause")).key("p1").send().await;
    let told = events.named("command").await;
    assert_eq!(
        told,
        json!({"drop": drop, "action": "restock", "actor": "host", "role": "host", "sku": "mug",
            "units": 3, "at_ms": crate::rig::NOON})
    );
    let told = events.named("command").await;
    assert_eq!((&told["action"], &told["actor"]), (&json!("pause"), &json!("ops")));
    let resume = rig.ask("ops", "POST", &format!("/v1/drops/{drop}/resume")).key("r1");
    resume.refused(403, "forbidden").await;
    rig.command(&drop, "close", "c1").await;
    assert_eq!(events.named("command").await["action"], "close", "a refusal is not told");
}

#[tokio::test]
async fn whoever_has_nothing_to_do_with_a_stream_is_not_there_and_sees_nobody() {
    let rig = Rig::new();
    rig.plan(mugs()).await;
    let mut admin = present(&rig, "admin").await;
    assert_eq!(names(&admin.named("snapshot").await), ["admin"]);
    let mut strangers = Vec::new();
    for stranger in ["zeta", "nina"] {
        let mut events = present(&rig, stranger).await;
        assert_eq!(events.named("snapshot").await.get("people"), None, "{stranger}");
        assert_eq!(polled(&rig, stranger).await, Vec::<String>::new(), "{stranger}");
        strangers.push(events);
    }
    assert_eq!(polled(&rig, "admin").await, ["admin"]);
    // Who sells there from now on is there with it, and is told by the same stream what stood before.
    rig.plan(lamps()).await;
    assert_eq!(names(&strangers[0].named("snapshot").await), ["admin", "zeta"]);
    assert_eq!(names(&admin.named("people").await), ["admin", "zeta"]);
}
