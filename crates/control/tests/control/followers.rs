//! Who may follow a stream, how many, how long.

use axum::http::StatusCode;
use serde_json::{Value, json};
use stampede_control::ControlConfig;
use stampede_domain::DurationMs;

use crate::{
    browser::Browser,
    events::{Events, PATH},
    rig::{Rig, lamps, mugs},
};

#[tokio::test]
async fn a_creator_follows_its_own_rooms_as_long_as_they_are_its_own() {
    let rig = Rig::new();
    rig.plan(mugs()).await;
    let mut before = Events::follow(&rig, "nina", "").await;
    assert_eq!(before.named("snapshot").await["drops"], json!([]));
    let to_nina = json!({"owner": {"kind": "creator", "name": "nina"}});
    let ask = rig.ask("admin", "POST", "/v1/rooms/show/move").key("m1").json(&to_nina);
    ask.expect(StatusCode::OK).await;
    before.until_over().await;
    let mut own = Events::follow(&rig, "nina", "").await;
    assert_eq!(own.named("snapshot").await["drops"].as_array().unwrap().len(), 1);
    let to_house = json!({"owner": {"kind": "house"}});
    let ask = rig.ask("admin", "POST", "/v1/rooms/show/move").key("m2").json(&to_house);
    ask.expect(StatusCode::OK).await;
    own.until_over().await;
}

#[tokio::test]
async fn a_revoked_token_follows_no_longer() {
    let rig = Rig::new();
    rig.plan(mugs()).await;
    let mut revoked = Events::follow(&rig, "host", "").await;
    let mut other = Events::follow(&rig, "ops", "").await;
    let tokens = rig.staff.list().unwrap();
    let id = &tokens.iter().find(|token| token.staff.name == "host").unwrap().id;
    rig.staff.revoke(id).unwrap();
    revoked.until_over().await;
    other.named("alive").await;
}

#[tokio::test]
async fn a_browser_that_signs_out_follows_no_longer() {
    let rig = Rig::new();
    rig.plan(mugs()).await;
    let (out, stays) = (rig.sign_in("host").await, rig.sign_in("host").await);
    let follow =
        async |browser: &Browser| Events::with(&rig.router, ("cookie", &browser.cookie), "").await;
    let (mut ends, mut goes_on) = (follow(&out).await, follow(&stays).await);
    let sign_out = rig.press(&out, "DELETE", "/v1/sessions/current");
    assert!(sign_out.send().await.status.is_success());
    ends.until_over().await;
    goes_on.named("alive").await;
    let tokens = rig.staff.list().unwrap();
    let id = &tokens.iter().find(|token| token.staff.name == "host").unwrap().id;
    rig.staff.revoke(id).unwrap();
    goes_on.until_over().await;
}

#[tokio::test]
async fn a_stop_lets_followers_go_at_once_and_takes_no_new_ones() {
    let rig = Rig::new();
    rig.plan(mugs()).await;
    let mut events = Events::follow(&rig, "host", "?figures_ms=10000").await;
    events.named("snapshot").await;
    rig.draining.begin();
    assert_eq!(events.next().await, None, "not even one more word");
    let again = rig.ask("host", "GET", PATH).header("accept", "text/event-stream");
    again.refused(503, "draining").await;
    let polled = rig.ask("host", "GET", PATH).expect(StatusCode::OK).await;
    assert_eq!(polled.json["drops"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn followers_have_places_of_their_own() {
    let rig = Rig::new();
    rig.plan(mugs()).await;
    let router = rig.router_with(ControlConfig {
        followers_max: 4,
        followers_per_merchant_max: 1,
        followers_per_name_max: 2,
        ..ControlConfig::default()
    });
    let follow = async |who: &str| Events::on(&router, rig.token(who), "").await;
    let refused = async |who: &str, whose: &str| {
        let ask = rig.ask(who, "GET", PATH).header("accept", "text/event-stream");
        let answer = ask.to(router.clone()).refused(429, "too_many_followers").await;
        assert!(answer.detail().contains(whose), "{}", answer.text);
        assert_eq!(answer.header("retry-after"), Some("1"));
    };
    let _acme = follow("acme").await;
    refused("acme", "merchant acme").await;
    let hosts = (follow("host").await, follow("host").await);
    refused("host", "the name host").await;
    let _ops = follow("ops").await;
    refused("admin", "all tokens together").await;
    // Commands and snapshots need no place.
    let polled = rig.ask("host", "GET", PATH).to(router.clone());
    polled.expect(StatusCode::OK).await;
    drop(hosts);
    let mut freed = follow("host").await;
    freed.named("snapshot").await;
}

#[tokio::test]
async fn no_wait_for_requests_cuts_a_stream() {
    let short = DurationMs::new(50);
    let config =
        ControlConfig { request_wait: short, header_wait: short, ..ControlConfig::default() };
    let server = crate::sockets::server(config).await;
    let (mut events, _) = crate::sockets::get(&server, PATH, "text/event-stream").await;
    for _ in 0..2 {
        crate::sockets::until_text(&mut events, "event: alive").await;
    }
}

#[tokio::test]
async fn nobody_is_told_of_what_it_may_not_see() {
    let rig = Rig::new();
    let (mugs, lamps) = (rig.plan(mugs()).await, rig.plan(lamps()).await);
    let mut all = Events::follow(&rig, "admin", "").await;
    assert_eq!(all.named("snapshot").await["drops"].as_array().unwrap().len(), 2);
    let mut followers = Vec::new();
    for (who, own) in [("acme", vec![&mugs]), ("zeta", vec![&lamps]), ("nina", vec![])] {
        let mut events = Events::follow(&rig, who, "").await;
        let snapshot = events.named("snapshot").await;
        let drops = snapshot["drops"].as_array().unwrap();
        assert_eq!(drops.iter().map(|drop| &drop["drop"]).collect::<Vec<_>>(), own, "{who}");
        followers.push((who, events));
    }
    // A drop that is none of theirs changes, comes and goes; then one of zeta's own.
    rig.command(&mugs, "cancel", "c1").await;
    rig.command(&lamps, "cancel", "c2").await;
    let cancelled =
        |data: &Value, drop: &String| data["drop"] == *drop && data["phase"] == "cancelled";
    for drop in [&mugs, &lamps] {
        while !cancelled(&all.named("drop").await, drop) {}
    }
    for (who, mut events) in followers {
        let own = match who {
            "acme" => Some(&mugs),
            "zeta" => Some(&lamps),
            _ => None,
        };
        loop {
            let (name, data) = events.next().await.unwrap();
            assert!(
                data["drop"].is_null() || own.is_some_and(|own| data["drop"] == *own),
                "{data}"
            );
            match own {
                Some(own) if cancelled(&data, own) => break,
                None if name == "alive" => break,
                _ => {}
            }
        }
    }
    let empty = rig.ask("nina", "GET", PATH).expect(StatusCode::OK).await;
    assert_eq!((&empty.json["drops"], &empty.json["seconds"]), (&json!([]), &json!({})));
}

#[tokio::test]
async fn a_session_is_spoken_of_two_minutes_before_its_end() {
    let rig = Rig::new();
    rig.plan(mugs()).await;
    let browser = rig.sign_in("host").await;
    let mut events = Events::with(&rig.router, ("cookie", &browser.cookie), "").await;
    events.named("snapshot").await;
    rig.advance(8 * 3_600_000 - 120_000);
    let told = events.named("session").await;
    assert_eq!(
        told,
        json!({"idle_expires_in_ms": 120_000, "expires_in_ms": 16 * 3_600_000 + 120_000})
    );
    // Any request puts that end off, and the page is told so.
    rig.browse(&browser, "GET", "/v1/sessions/current").expect(StatusCode::OK).await;
    assert_eq!(events.named("session").await["idle_expires_in_ms"], 8 * 3_600_000);
    rig.advance(8 * 3_600_000);
    events.until_over().await;
}
