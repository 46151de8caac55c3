//! Rehearsals by one press: who may, what keeps them away, what is left of them.

use std::sync::atomic::Ordering;

use axum::http::StatusCode;
use serde_json::{Value, json};
use stampede_control::ControlConfig;

use crate::{
    events::{Events, PATH as FOLLOW},
    rig::{Answer, Ask, Rig, lamps, mugs, until},
};

const PATH: &str = "/v1/streams/show/rehearsal";

async fn begin(rig: &Rig, who: &str, key: &str) -> Answer {
    rig.ask(who, "POST", PATH).key(key).expect(StatusCode::CREATED).await
}

async fn refused(rig: &Rig, status: u16, code: &str) {
    let key = format!("refused-{code}");
    rig.ask("host", "POST", PATH).key(&key).refused(status, code).await;
}

async fn stands(rig: &Rig) -> Value {
    rig.ask("admin", "GET", PATH).expect(StatusCode::OK).await.json
}

/// Ids of the drops in a list under a field.
fn drops(list: &Value) -> Vec<&str> {
    list["drops"].as_array().unwrap().iter().map(|drop| drop["drop"].as_str().unwrap()).collect()
}

async fn listed(rig: &Rig, path: &str) -> Value {
    rig.ask("admin", "GET", path).expect(StatusCode::OK).await.json
}

/// A copy of the first drop of the show.
async fn begun(rig: &Rig) -> String {
    let begun = begin(rig, "host", "begin").await.json;
    drops(&begun)[0].to_owned()
}

#[tokio::test]
async fn a_press_copies_the_show_and_brings_a_crowd() {
    let rig = Rig::new();
    let mut first = mugs();
    first["ends_at_ms"] = json!(crate::rig::NOON + 3_600_000);
    let (first, second) = (rig.plan(first).await, rig.plan(lamps()).await);
    let answer = begin(&rig, "host", "r1").await;
    let copies = drops(&answer.json);
    assert_eq!(answer.json["running"], true);
    assert_eq!((&answer.json["viewers"], &answer.json["connected"]), (&json!(200), &json!(200)));
    assert_eq!(answer.json["ends_in_ms"], 2 * 3_600_000);
    let of: Vec<_> =
        answer.json["drops"].as_array().unwrap().iter().map(|drop| &drop["rehearses"]).collect();
    assert_eq!(of, [first.as_str(), second.as_str()]);
    let copy = rig.state(copies[0]).await;
    assert_eq!((&copy["plan"]["mode"], &copy["rehearses"]), (&json!("rehearsal"), &json!(first)));
    assert_eq!(copy["plan"].get("ends_at_ms"), None);

    let again = begin(&rig, "host", "r1").await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!((drops(&again.json), rig.crowds.viewers()), (copies.clone(), vec![200]));
    refused(&rig, 409, "rehearsal_runs").await;

    let ended = rig.ask("host", "DELETE", PATH).key("e1").expect(StatusCode::OK).await.json;
    assert_eq!(ended, json!({"stream": "show", "running": false, "drops": []}));
    until(async || rig.crowds.viewers().is_empty()).await;
    for copy in copies {
        assert_eq!(rig.state(copy).await["phase"], "cancelled");
    }
    rig.ask("host", "DELETE", PATH).key("e2").refused(409, "no_rehearsal").await;
    assert_eq!(rig.state(&first).await["phase"], "scheduled");
}

#[tokio::test]
async fn a_crowd_is_bounded_and_smaller_where_places_are_scarce() {
    let rig = Rig::new();
    rig.plan(mugs()).await;
    let ask = |viewers: Value| {
        let key = format!("crowd-{viewers}");
        rig.ask("host", "POST", PATH).key(&key).json(&json!({"viewers": viewers}))
    };
    ask(json!(0)).refused(422, "bad_body").await;
    ask(json!(1_001)).refused(422, "bad_body").await;
    ask(json!(-1)).refused(422, "bad_body").await;
    *rig.crowds.taken.lock() = 2_491;
    ask(json!(50)).refused(409, "no_places").await;
    assert_eq!(stands(&rig).await["running"], false);
    *rig.crowds.taken.lock() = 2_460;
    let few = ask(json!(1_000)).expect(StatusCode::CREATED).await.json;
    assert_eq!((&few["viewers"], rig.crowds.viewers()), (&json!(40), vec![40]));
}

/// Begins a rehearsal of a stream of its own, with a drop that is planned there.
async fn ask_in(rig: &Rig, stream: &str, viewers: u32) -> Ask {
    let mut plan = mugs();
    (plan["stream"], plan["title"]) = (json!(stream), json!(stream));
    rig.plan(plan).await;
    again_in(rig, stream, viewers)
}

fn again_in(rig: &Rig, stream: &str, viewers: u32) -> Ask {
    let path = format!("/v1/streams/{stream}/rehearsal");
    rig.ask("host", "POST", &path).key(stream).json(&json!({"viewers": viewers}))
}

#[tokio::test]
async fn all_crowds_share_the_places_however_many_streams_rehearse() {
    let rig = Rig::new();
    *rig.crowds.taken.lock() = 100;
    for stream in ["one", "two"] {
        ask_in(&rig, stream, 1_000).await.expect(StatusCode::CREATED).await;
    }
    ask_in(&rig, "three", 1_000).await.refused(409, "no_places").await;
    let path = "/v1/streams/two/rehearsal";
    rig.ask("host", "DELETE", path).key("end").expect(StatusCode::OK).await;
    until(async || rig.crowds.viewers() == [1_000]).await;
    *rig.crowds.taken.lock() = 1_000;
    let third = again_in(&rig, "three", 1_000).expect(StatusCode::CREATED).await.json;
    assert_eq!(third["viewers"], 500, "the first crowd has its places still");
}

#[tokio::test]
async fn crowds_go_home_when_real_viewers_need_their_places() {
    let rig = Rig::new();
    rig.plan(mugs()).await;
    begin(&rig, "host", "r1").await;
    rig.crowds.is_nearly_full.store(true, Ordering::Relaxed);
    until(async || rig.crowds.viewers().is_empty()).await;
    let stands = stands(&rig).await;
    assert_eq!((&stands["running"], stands.get("viewers")), (&json!(true), None));
    rig.crowds.is_nearly_full.store(false, Ordering::Relaxed);
    assert_eq!(begin(&rig, "host", "r1").await.json["viewers"], 200, "a retry brings it again");
}

#[tokio::test]
async fn a_retry_brings_the_crowd_that_could_not_come_and_never_one_of_nobody() {
    let rig = Rig::new();
    rig.plan(mugs()).await;
    let ask = || rig.ask("host", "POST", PATH).key("r1");
    rig.crowds.fails.store(true, Ordering::Relaxed);
    ask().refused(500, "internal").await;
    *rig.crowds.taken.lock() = 2_495;
    ask().refused(409, "no_places").await;
    assert_eq!(stands(&rig).await.get("viewers"), None);
    *rig.crowds.taken.lock() = 0;
    rig.crowds.fails.store(false, Ordering::Relaxed);
    assert_eq!(ask().expect(StatusCode::CREATED).await.json["viewers"], 200);

    rig.crowds.has_left.store(true, Ordering::Relaxed);
    assert_eq!(stands(&rig).await.get("connected"), None, "it could not go on");
    until(async || rig.crowds.viewers().is_empty()).await;
    rig.crowds.has_left.store(false, Ordering::Relaxed);
    assert_eq!(ask().expect(StatusCode::CREATED).await.json["connected"], 200);
}

#[tokio::test]
async fn a_server_without_a_key_for_crowds_says_that_and_not_that_it_is_full() {
    let mut rig = Rig::new();
    rig.plan(mugs()).await;
    rig.router = rig.router_without_crowds();
    refused(&rig, 409, "no_crowd").await;
    assert_eq!(stands(&rig).await["running"], false);
}

#[tokio::test]
async fn a_rehearsal_counts_as_a_command_for_each_of_its_drops() {
    let rig = Rig::with(ControlConfig { commands_burst: 5, ..ControlConfig::default() });
    for title in ["Small", "Mugs", "Large"] {
        let mut plan = mugs();
        plan["title"] = json!(title);
        rig.plan(plan).await;
    }
    let end = |key: &'static str| rig.ask("host", "DELETE", PATH).key(key);
    begin(&rig, "host", "r1").await;
    end("e1").expect(StatusCode::OK).await;
    rig.ask("host", "POST", PATH).key("r2").refused(429, "too_many_commands").await;
    assert_eq!(stands(&rig).await["running"], false);
    rig.advance(1_000);
    begin(&rig, "host", "r2").await;
    begin(&rig, "host", "r2").await;
    end("e2").expect(StatusCode::OK).await;
}

#[tokio::test]
async fn a_sale_for_real_keeps_rehearsals_away_and_ends_them() {
    let rig = Rig::new();
    refused(&rig, 409, "nothing_planned").await;
    let live = rig.plan(mugs()).await;
    rig.plan(lamps()).await;
    rig.command(&live, "open", "o1").await;
    refused(&rig, 409, "live_on_air").await;
    rig.command(&live, "cancel-countdown", "cc").await;
    let copy = begun(&rig).await;
    rig.command(&copy, "open", "o2").await;
    rig.advance(10_000);
    rig.until_phase(&copy, "open").await;
    rig.command(&live, "open", "o3").await;
    until(async || rig.crowds.viewers().is_empty()).await;
    let phase = rig.state(&copy).await["phase"].clone();
    assert!(phase == "closed" || phase == "settled", "{phase}");
    assert_eq!(stands(&rig).await["running"], false);
    assert_eq!(rig.state(&live).await["phase"], "countdown");
}

#[tokio::test]
async fn whoever_runs_drops_there_may_rehearse_them() {
    let rig = Rig::new();
    rig.plan(mugs()).await;
    for who in ["ops", "platform", "payments"] {
        rig.ask(who, "POST", PATH).key("no").refused(403, "forbidden").await;
    }
    rig.ask("nina", "POST", PATH).key("no").refused(404, "unknown_stream").await;
    rig.ask("zeta", "POST", PATH).key("no").refused(409, "nothing_planned").await;
    begin(&rig, "acme", "yes").await;
    let seen = rig.ask("zeta", "GET", PATH).expect(StatusCode::OK).await.json;
    assert_eq!(seen["running"], false, "another merchant's drops");
    rig.ask("zeta", "DELETE", PATH).key("no").refused(409, "no_rehearsal").await;
    rig.ask("ops", "DELETE", PATH).key("calm").expect(StatusCode::OK).await;
}

#[tokio::test]
async fn what_was_rehearsed_stands_in_the_list_of_commands() {
    let rig = Rig::new();
    rig.plan(mugs()).await;
    let copy = begun(&rig).await;
    rig.ask("host", "DELETE", PATH).key("end").expect(StatusCode::OK).await;
    let commands = listed(&rig, "/v1/commands").await["commands"].clone();
    for (place, action) in ["end_rehearsal", "rehearse"].into_iter().enumerate() {
        let told = &commands[place];
        assert_eq!((&told["action"], &told["drop"]), (&json!(action), &json!(copy)));
        assert_eq!(told["stream"], "show");
    }
}

#[tokio::test]
async fn a_drop_that_is_tried_by_hand_is_named_with_what_ends_it() {
    let rig = Rig::new();
    rig.plan(mugs()).await;
    let mut by_hand = lamps();
    by_hand["mode"] = json!("rehearsal");
    let by_hand = rig.plan(by_hand).await;
    rig.command(&by_hand, "open", "o").await;
    refused(&rig, 409, "rehearsal_on_air").await;
}

#[tokio::test]
async fn nothing_of_a_rehearsal_shows_or_counts_when_it_is_over() {
    let rig = Rig::new();
    let live = rig.plan(mugs()).await;
    let copy = begun(&rig).await;
    let mut events = Events::follow(&rig, "admin", "").await;
    events.named("snapshot").await;
    for path in ["/v1/drops", "/v1/streams/show"] {
        assert_eq!(drops(&listed(&rig, path).await), [live.as_str(), copy.as_str()], "{path}");
    }
    let show = &listed(&rig, "/v1/streams").await["shows"][0];
    assert_eq!((drops(show), &show["rehearsing"]), (vec![live.as_str()], &json!(true)));
    rig.command(&copy, "open", "o").await;
    rig.advance(10_000);
    rig.until_phase(&copy, "open").await;
    assert_eq!(listed(&rig, "/v1/shows").await["total"], 0, "no show has begun");

    rig.ask("host", "DELETE", PATH).key("end").expect(StatusCode::OK).await;
    let gone = events.named("gone").await;
    assert_eq!(gone["drop"], json!(copy));
    for path in ["/v1/drops", "/v1/streams/show", FOLLOW] {
        assert_eq!(drops(&listed(&rig, path).await), [live.as_str()], "{path}");
    }
    let show = &listed(&rig, "/v1/streams").await["shows"][0];
    assert_eq!((drops(show), show.get("rehearsing")), (vec![live.as_str()], None));
    assert_eq!(drops(&listed(&rig, "/v1/rooms/show").await), [live.as_str()]);
    assert_eq!(rig.state(&copy).await["rehearses"], json!(live), "by its id it is found");
    let second = begin(&rig, "host", "second").await.json;
    let shown = listed(&rig, "/v1/streams/show").await;
    assert_eq!(drops(&shown), [live.as_str(), drops(&second)[0]], "nothing of the first one");
}

#[tokio::test]
async fn a_restart_in_the_middle_leaves_nothing_open_or_planned() {
    let rig = Rig::new();
    rig.plan(mugs()).await;
    rig.plan(lamps()).await;
    let begun = begin(&rig, "host", "begin").await.json;
    let [first, second] = drops(&begun)[..] else { panic!("{begun}") };
    rig.command(first, "open", "o").await;
    rig.advance(10_000);
    rig.until_phase(first, "open").await;
    let rig = rig.restart_at(60_000);
    assert_eq!(stands(&rig).await["running"], false);
    rig.until_phase(first, "settled").await;
    assert_eq!(rig.state(second).await["phase"], "cancelled");
    assert_eq!(drops(&listed(&rig, "/v1/drops").await).len(), 2, "the live ones alone");
    begin(&rig, "host", "anew").await;
}

#[tokio::test]
async fn a_rehearsal_that_nobody_ends_is_over_after_two_hours() {
    let rig = Rig::new();
    rig.plan(mugs()).await;
    let copy = begun(&rig).await;
    rig.advance(2 * 3_600_000 - 1);
    rig.wake_steward().await;
    assert_eq!(stands(&rig).await["running"], true);
    rig.advance(1);
    rig.wake_steward().await;
    rig.until_phase(&copy, "cancelled").await;
    until(async || rig.crowds.viewers().is_empty()).await;
}
