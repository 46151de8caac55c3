//! Invitations: one-time links that let nobody in beyond their inviter.

use std::sync::Arc;

use axum::http::StatusCode;
use serde_json::{Value, json};
use stampede_control::{ControlConfig, Inviter, NewStaff, PublicUrl, Site};
use stampede_domain::{DurationMs, UnixMillis};
use stampede_engine::{Role, StreamScope};

use crate::{
    browser::Browser,
    rig::{Ask, NOON, Rig, mugs},
};

const HOUR_MS: u64 = 3_600_000;

/// An invitation for a host of merchant acme.
fn host(name: &str) -> Value {
    json!({"name": name, "role": "host", "merchant": "acme", "valid_ms": HOUR_MS})
}

fn invite(rig: &Rig, who: &str, body: &Value) -> Ask {
    rig.ask(who, "POST", "/v1/invitations").json(body)
}

/// The secret of an invitation that must succeed, with its id.
async fn invited(ask: Ask) -> (String, String) {
    let told = ask.expect(StatusCode::CREATED).await.json;
    let (link, id) = (told["link"].as_str().unwrap(), told["invitation"].as_str().unwrap());
    (link.rsplit_once('/').unwrap().1.to_owned(), id.to_owned())
}

fn look(rig: &Rig, secret: &str) -> Ask {
    rig.ask_nobody("POST", "/v1/invitations/look").json(&json!({ "invitation": secret }))
}

fn redeem(rig: &Rig, secret: &str) -> Ask {
    rig.ask_nobody("POST", "/v1/sessions").json(&json!({ "invitation": secret }))
}

async fn come(rig: &Rig, secret: &str) -> Browser {
    Browser::of(&redeem(rig, secret).expect(StatusCode::CREATED).await)
}

#[tokio::test]
async fn a_link_is_looked_at_often_and_redeemed_once() {
    let rig = Rig::new();
    rig.open(mugs()).await;
    let mut body = host("mia");
    body["streams"] = json!(["show"]);
    let url: PublicUrl = "https://sale.example".parse().unwrap();
    let config = ControlConfig { site: Site::Public(url), ..ControlConfig::default() };
    let answer = invite(&rig, "acme", &body).to(rig.router_with(config));
    let answer = answer.expect(StatusCode::CREATED).await;
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(answer.json["expires_at_ms"], NOON + HOUR_MS);
    let link = answer.json["link"].as_str().unwrap();
    let secret = link.strip_prefix("https://sale.example/join/").unwrap();
    assert_eq!(secret.strip_prefix("sti_").unwrap().len(), 64, "256 bits");
    let kept = std::fs::read_to_string(rig.dir.path().join("sessions.json")).unwrap();
    assert!(!kept.contains(&secret[4..]), "only its hash is kept: {kept}");

    // A chat that previews the link fetches it, by whatever method: it is still good.
    for method in ["GET", "HEAD"] {
        let preview = rig.ask_nobody(method, &format!("/join/{secret}")).send().await;
        assert!(!preview.text.contains(secret), "{}", preview.text);
    }
    let seen = look(&rig, &format!(" {secret} ")).expect(StatusCode::OK).await;
    let expected = json!({
        "by": "acme", "name": "mia", "role": "host", "merchant": "acme", "streams": ["show"],
        "expires_at_ms": NOON + HOUR_MS, "expires_in_ms": HOUR_MS,
    });
    for _ in 0..3 {
        assert_eq!(look(&rig, secret).expect(StatusCode::OK).await.json, expected);
    }
    assert_eq!(seen.json, expected);

    let browser = come(&rig, secret).await;
    redeem(&rig, secret).refused(410, "invitation_used").await;
    look(&rig, secret).refused(410, "invitation_used").await;
    let current = rig.browse(&browser, "GET", "/v1/sessions/current").expect(StatusCode::OK).await;
    assert_eq!(current.json["streams"], json!(["show"]));
    assert_eq!(current.json["expires_in_ms"], HOUR_MS, "no longer than the invitation");
    rig.press(&browser, "POST", "/v1/drops/d1/pause").key("p").expect(StatusCode::OK).await;
    let rig = rig.restart();
    rig.browse(&browser, "GET", "/v1/drops/d1").expect(StatusCode::OK).await;
    redeem(&rig, secret).refused(410, "invitation_used").await;
}

#[tokio::test]
async fn of_two_who_redeem_at_once_one_comes_in() {
    let rig = Rig::new();
    for round in 0..8 {
        let name = format!("mia{round}");
        let inviter = Inviter::Machine;
        let staff = NewStaff { name, role: Role::Ops, merchant: None, streams: StreamScope::All };
        let (valid, now) = (DurationMs::from_secs(60), UnixMillis::new(NOON));
        let made = rig.sessions.invite(&inviter, staff, valid, now).unwrap();
        let start = Arc::new(std::sync::Barrier::new(2));
        let came = [0, 1].map(|_| {
            let (sessions, start) = (Arc::clone(&rig.sessions), Arc::clone(&start));
            let secret = made.secret.reveal().to_owned();
            std::thread::spawn(move || {
                start.wait();
                sessions.redeem(&secret, None, now).is_ok()
            })
        });
        let came = came.map(|thread| thread.join().unwrap());
        assert_eq!(came.iter().filter(|came| **came).count(), 1, "round {round}");
        rig.sessions.end(|_, _| true, now).unwrap();
    }
}

#[tokio::test]
async fn an_invitation_is_over_with_all_that_came_of_it() {
    let rig = Rig::new();
    let (secret, _) = invited(invite(&rig, "acme", &host("mia"))).await;
    let (late, _) = invited(invite(&rig, "acme", &host("moe"))).await;
    let browser = come(&rig, &secret).await;
    rig.advance(HOUR_MS - 1);
    rig.browse(&browser, "GET", "/v1/drops").expect(StatusCode::OK).await;
    look(&rig, &late).expect(StatusCode::OK).await;
    rig.advance(1);
    rig.browse(&browser, "GET", "/v1/drops").refused(401, "session_expired").await;
    look(&rig, &late).refused(410, "invitation_over").await;
    redeem(&rig, &late).refused(410, "invitation_over").await;
    // A day later nobody remembers it.
    rig.advance(24 * HOUR_MS);
    rig.sign_in("ops").await;
    look(&rig, &late).refused(404, "invitation_unknown").await;
    for valid_ms in [59_999, 7 * 24 * HOUR_MS + 1] {
        let mut body = host("mia");
        body["valid_ms"] = json!(valid_ms);
        let told = invite(&rig, "acme", &body).refused(422, "bad_body").await;
        assert!(told.detail().contains(&valid_ms.to_string()), "{}", told.text);
    }
}

#[tokio::test]
async fn nobody_invites_beyond_themselves() {
    let rig = Rig::new();
    let roles = ["admin", "host", "merchant", "ops", "platform", "creator", "payments"];
    for (who, may) in [
        ("admin", &roles[..]),
        ("acme", &["host", "merchant"]),
        ("host", &[]),
        ("ops", &[]),
        ("platform", &[]),
        ("payments", &[]),
        ("nina", &[]),
    ] {
        for role in roles {
            let merchant = matches!(role, "host" | "merchant").then_some("acme");
            let name = format!("{role} of {who}");
            let body =
                json!({"name": name, "role": role, "merchant": merchant, "valid_ms": HOUR_MS});
            let answer = invite(&rig, who, &body).send().await;
            let expected = if may.contains(&role) { 201 } else { 403 };
            assert_eq!(answer.status.as_u16(), expected, "{who} {role}: {}", answer.text);
        }
    }
    let mut foreign = host("eve");
    foreign["merchant"] = json!("zeta");
    let told = invite(&rig, "acme", &foreign).refused(403, "forbidden").await;
    assert!(told.detail().contains("own merchant"), "{}", told.text);
    // What is left out is the inviter's own.
    let own = json!({"name": "own", "role": "host", "valid_ms": HOUR_MS});
    let (secret, _) = invited(invite(&rig, "acme", &own)).await;
    assert_eq!(look(&rig, &secret).expect(StatusCode::OK).await.json["merchant"], "acme");
    // Nobody takes somebody else's name.
    for name in ["admin", "ops"] {
        let told = invite(&rig, "acme", &host(name)).refused(409, "name_taken").await;
        assert!(told.detail().contains("another name"), "{}", told.text);
    }
    rig.ask_nobody("POST", "/v1/invitations").json(&host("x")).refused(401, "token_missing").await;
    let mut wrong = host("mia");
    wrong["role"] = json!("king");
    invite(&rig, "admin", &wrong).refused(422, "bad_body").await;
    let mut bound = host("till");
    (bound["role"], bound["streams"]) = (json!("payments"), json!(["show"]));
    let told = invite(&rig, "admin", &bound).refused(422, "fields_conflict").await;
    assert!(told.detail().contains("cannot be bound to streams"), "{}", told.text);
    invite(&rig, "admin", &host("")).refused(422, "invalid_name").await;
}

#[tokio::test]
async fn an_admin_of_one_merchant_lets_nobody_report_for_another() {
    let rig = Rig::new();
    let merchant = Some("acme".parse().unwrap());
    let streams = StreamScope::All;
    let staff = NewStaff { name: "root".into(), role: Role::Admin, merchant, streams };
    let made = rig.staff.add(staff, UnixMillis::new(NOON)).unwrap();
    let token = format!("Bearer {}", made.secret.reveal());
    let mut body = json!({"name": "till", "role": "payments", "valid_ms": HOUR_MS});
    let invite = |body: &Value| {
        let ask = rig.ask_nobody("POST", "/v1/invitations").header("authorization", &token);
        ask.json(body)
    };
    let (secret, _) = invited(invite(&body)).await;
    assert_eq!(look(&rig, &secret).expect(StatusCode::OK).await.json["merchant"], "acme");
    body["merchant"] = json!("zeta");
    let told = invite(&body).refused(403, "forbidden").await;
    assert!(told.detail().contains("own merchant"), "{}", told.text);
}

/// A session of a merchant who was invited by `who`, bound to `show`, for an hour.
async fn deputy(rig: &Rig, who: &str) -> (Browser, String) {
    let mut body = host("deputy");
    (body["role"], body["streams"]) = (json!("merchant"), json!(["show"]));
    let (secret, id) = invited(invite(rig, who, &body)).await;
    (come(rig, &secret).await, id)
}

#[tokio::test]
async fn whoever_was_invited_invites_no_further_than_that() {
    let rig = Rig::new();
    let (deputy, _) = deputy(&rig, "acme").await;
    let ask = |body: &Value| rig.press(&deputy, "POST", "/v1/invitations").json(body);
    let told = ask(&json!({"name": "mia", "role": "host", "valid_ms": HOUR_MS + 1}));
    assert!(told.refused(403, "forbidden").await.detail().contains("own lifetime"));
    let elsewhere = json!({"name": "mia", "role": "host", "streams": ["late"], "valid_ms": 60_000});
    assert!(ask(&elsewhere).refused(403, "forbidden").await.detail().contains("own streams"));
    let (secret, _) =
        invited(ask(&json!({"name": "mia", "role": "host", "valid_ms": HOUR_MS}))).await;
    let seen = look(&rig, &secret).expect(StatusCode::OK).await.json;
    assert_eq!(seen["streams"], json!(["show"]), "left out, it is the inviter's own");
    // A page of another site invites nobody.
    let forged = rig.browse(&deputy, "POST", "/v1/invitations").json(&host("eve"));
    forged.refused(403, "origin_refused").await;
}

#[tokio::test]
async fn what_came_of_an_inviter_goes_with_the_inviter() {
    for by_token in [true, false] {
        let rig = Rig::new();
        let (deputy, id) = deputy(&rig, "acme").await;
        let ask = |name: &str| {
            let body = json!({"name": name, "role": "host", "valid_ms": 60_000});
            rig.press(&deputy, "POST", "/v1/invitations").json(&body)
        };
        let (used, _) = invited(ask("mia")).await;
        let (open, _) = invited(ask("moe")).await;
        let mia = come(&rig, &used).await;
        rig.browse(&mia, "GET", "/v1/drops").expect(StatusCode::OK).await;
        if by_token {
            let tokens = rig.staff.list().unwrap();
            let acme = tokens.iter().find(|token| token.staff.name == "acme").unwrap();
            rig.staff.revoke(&acme.id).unwrap();
        } else {
            let withdrawn = rig.ask("acme", "DELETE", &format!("/v1/invitations/{id}"));
            withdrawn.expect(StatusCode::NO_CONTENT).await;
        }
        for gone in [&deputy, &mia] {
            rig.browse(gone, "GET", "/v1/drops").refused(401, "session_expired").await;
        }
        look(&rig, &open).refused(404, "invitation_unknown").await;
        redeem(&rig, &open).refused(404, "invitation_unknown").await;
        let left = rig.ask("admin", "GET", "/v1/invitations").expect(StatusCode::OK).await.json;
        assert_eq!(left["invitations"], json!([]));
        rig.sign_in("ops").await;
        let kept = std::fs::read_to_string(rig.dir.path().join("sessions.json")).unwrap();
        assert!(!kept.contains("mia") && !kept.contains("moe"), "{kept}");
    }
}

#[tokio::test]
async fn signing_out_is_no_revocation() {
    let rig = Rig::new();
    let (deputy, _) = deputy(&rig, "acme").await;
    let body = json!({"name": "mia", "role": "host", "valid_ms": 60_000});
    let (secret, _) = invited(rig.press(&deputy, "POST", "/v1/invitations").json(&body)).await;
    let out = rig.press(&deputy, "DELETE", "/v1/sessions/current");
    out.expect(StatusCode::NO_CONTENT).await;
    come(&rig, &secret).await;
}

#[tokio::test]
async fn invitations_are_listed_and_withdrawn_by_their_inviter_or_an_admin() {
    let rig = Rig::new();
    let (used, first) = invited(invite(&rig, "acme", &host("mia"))).await;
    let (_, second) = invited(invite(&rig, "admin", &host("moe"))).await;
    come(&rig, &used).await;
    let list = async |who: &str| {
        let told = rig.ask(who, "GET", "/v1/invitations").expect(StatusCode::OK).await.json;
        told["invitations"].as_array().unwrap().clone()
    };
    let expected = json!({
        "invitation": first, "by": "acme", "name": "mia", "role": "host", "merchant": "acme",
        "created_at_ms": NOON, "expires_at_ms": NOON + HOUR_MS, "expires_in_ms": HOUR_MS,
        "redeemed_at_ms": NOON,
    });
    assert_eq!(list("acme").await, [expected]);
    assert_eq!(list("admin").await.len(), 2);
    assert_eq!(list("zeta").await, [Value::Null; 0]);
    let withdraw = |who: &str, id: &str| rig.ask(who, "DELETE", &format!("/v1/invitations/{id}"));
    withdraw("acme", &second).refused(404, "invitation_unknown").await;
    withdraw("acme", &first).expect(StatusCode::NO_CONTENT).await;
    withdraw("acme", &first).refused(404, "invitation_unknown").await;
    withdraw("admin", &second).expect(StatusCode::NO_CONTENT).await;
    assert_eq!(list("admin").await, [Value::Null; 0]);
    let config = ControlConfig { site: Site::Unknown, ..ControlConfig::default() };
    let ask = invite(&rig, "admin", &host("mia")).to(rig.router_with(config));
    ask.refused(409, "public_url_missing").await;
}

#[tokio::test]
async fn a_name_invites_so_many_and_no_more() {
    let rig = Rig::new();
    for number in 0..100 {
        let inviter = Inviter::Machine;
        let name = format!("mia{number}");
        let staff = NewStaff { name, role: Role::Ops, merchant: None, streams: StreamScope::All };
        let (valid, now) = (DurationMs::from_secs(60), UnixMillis::new(NOON));
        let made = rig.sessions.invite(&inviter, staff.clone(), valid, now);
        made.unwrap();
        if number == 99 {
            let staff = NewStaff { name: "one more".into(), ..staff };
            let refused = rig.sessions.invite(&inviter, staff, valid, now).unwrap_err();
            assert!(refused.to_string().contains("100 invitations"), "{refused}");
        }
    }
    invited(invite(&rig, "acme", &host("mia"))).await;
}
