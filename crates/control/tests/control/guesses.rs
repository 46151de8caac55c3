//! Addresses that try out secrets.

use axum::http::StatusCode;
use serde_json::json;
use stampede_control::ControlConfig;
use stampede_proxies::TrustedProxies;

use crate::{
    browser::ORIGIN,
    rig::{Ask, Rig, mugs},
};

const GUESSER: &str = "192.0.2.7";

fn bearer(rig: &Rig, from: &str, secret: &str) -> Ask {
    let ask = rig.ask_nobody("GET", "/v1/drops").from(from);
    ask.header("authorization", &format!("Bearer {secret}"))
}

async fn guess(rig: &Rig, times: usize) {
    for number in 0..times {
        bearer(rig, GUESSER, &format!("stf_{number}")).refused(401, "token_unknown").await;
    }
}

#[tokio::test]
async fn wrong_tokens_are_slowed_by_address_and_nobody_is_shut_out() {
    let rig = Rig::new();
    bearer(&rig, GUESSER, rig.token("host")).expect(StatusCode::OK).await;
    guess(&rig, 20).await;
    let told = bearer(&rig, GUESSER, "stf_x").refused(429, "too_many_guesses").await;
    assert_eq!(
        (told.header("retry-after"), &told.json["retry_after_ms"]),
        (Some("1"), &json!(1_000))
    );
    // A secret that was never right here is not even looked at; one that was goes on.
    bearer(&rig, GUESSER, rig.token("admin")).refused(429, "too_many_guesses").await;
    bearer(&rig, GUESSER, rig.token("host")).expect(StatusCode::OK).await;
    bearer(&rig, "192.0.2.8", rig.token("admin")).expect(StatusCode::OK).await;
    rig.advance(1_000);
    bearer(&rig, GUESSER, rig.token("admin")).expect(StatusCode::OK).await;
}

#[tokio::test]
async fn wrong_invitations_are_slowed_too() {
    let rig = Rig::new();
    let body = json!({"name": "mia", "role": "host", "valid_ms": 3_600_000});
    let made = rig.ask("admin", "POST", "/v1/invitations").json(&body);
    let link = made.expect(StatusCode::CREATED).await.json["link"].as_str().unwrap().to_owned();
    let secret = link.rsplit_once('/').unwrap().1;
    let post = |path: &str, secret: &str| {
        rig.ask_nobody("POST", path).from(GUESSER).json(&json!({ "invitation": secret }))
    };
    for number in 0..10 {
        let wrong = format!("sti_{number}");
        post("/v1/invitations/look", &wrong).refused(404, "invitation_unknown").await;
        post("/v1/sessions", &wrong).refused(404, "invitation_unknown").await;
    }
    for path in ["/v1/invitations/look", "/v1/sessions"] {
        post(path, secret).refused(429, "too_many_guesses").await;
    }
    rig.advance(1_000);
    post("/v1/sessions", secret).expect(StatusCode::CREATED).await;
}

#[tokio::test]
async fn an_old_page_is_no_guesser_and_a_guesser_slows_no_page() {
    let rig = Rig::new();
    let drop = rig.open(mugs()).await;
    let browser = rig.sign_in("host").await;
    let path = format!("/v1/drops/{drop}/pause");
    let stale = || {
        let ask = rig.browse(&browser, "POST", &path).from(GUESSER).header("origin", ORIGIN);
        ask.key("p").header("x-csrf-token", "0")
    };
    // However often an old page is pressed: it is told what is wrong, and nobody beside it waits.
    for _ in 0..30 {
        stale().refused(403, "csrf_failed").await;
    }
    bearer(&rig, GUESSER, "stf_x").refused(401, "token_unknown").await;
    guess(&rig, 19).await;
    bearer(&rig, GUESSER, "stf_x").refused(429, "too_many_guesses").await;
    // The other way round: beside a guesser an old page learns at once that it is old, and goes on.
    stale().refused(403, "csrf_failed").await;
    let told = rig.browse(&browser, "GET", "/v1/sessions/current").from(GUESSER);
    let csrf = told.expect(StatusCode::OK).await.json["csrf"].as_str().unwrap().to_owned();
    let pressed = rig.browse(&browser, "POST", &path).from(GUESSER).header("origin", ORIGIN);
    pressed.key("p").header("x-csrf-token", &csrf).expect(StatusCode::OK).await;
    let path = format!("/v1/drops/{drop}/cancel-countdown");
    let cancel = rig.press(&browser, "POST", &path).from(GUESSER).key("c");
    cancel.refused(409, "wrong_phase").await;
}

#[tokio::test]
async fn behind_a_proxy_the_clients_address_counts() {
    let rig = Rig::new();
    let trusted_proxies = TrustedProxies::parse(&["10.0.0.0/8"]).unwrap();
    let router = rig.router_with(ControlConfig { trusted_proxies, ..ControlConfig::default() });
    let ask = |client: &str, secret: &str| {
        bearer(&rig, "10.0.0.1", secret).header("x-forwarded-for", client).to(router.clone())
    };
    for number in 0..20 {
        ask(GUESSER, &format!("stf_{number}")).refused(401, "token_unknown").await;
    }
    ask(GUESSER, "stf_x").refused(429, "too_many_guesses").await;
    ask("192.0.2.8", "stf_x").refused(401, "token_unknown").await;
    // The proxy itself is nobody in particular.
    for number in 0..21 {
        let own = bearer(&rig, "10.0.0.1", &format!("stf_{number}")).to(router.clone());
        own.refused(401, "token_unknown").await;
    }
}
