//! Who is let in.

use axum::http::StatusCode;
use serde_json::{Value, json};
use stampede_control::NewStaff;
use stampede_domain::UnixMillis;
use stampede_engine::{Role, StreamScope};

use crate::rig::{NOON, Rig, mugs};

#[tokio::test]
async fn nobody_is_let_in_without_a_token() {
    let rig = Rig::new();
    let drop = rig.plan(mugs()).await;
    let paths = ["/v1/drops", "/v1/drops/d1", "/v1/streams/show", "/metrics"];
    for path in paths {
        let answer = rig.ask_nobody("GET", path).refused(401, "token_missing").await;
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
        assert!(answer.detail().contains("stampede token"), "{}", answer.text);
        for wrong in ["Bearer stf_0", "bearer  ", "Bearer"] {
            let ask = rig.ask_nobody("GET", path).header("authorization", wrong);
            assert_eq!(ask.send().await.status, StatusCode::UNAUTHORIZED, "{wrong}");
        }
        let basic = format!("Basic {}", rig.token("admin"));
        let ask = rig.ask_nobody("GET", path).header("authorization", &basic);
        ask.refused(401, "token_missing").await;
    }
    // Who is not let in learns nothing else about the request.
    let ask = rig.ask_nobody("POST", &format!("/v1/drops/{drop}/pause"));
    ask.refused(401, "token_missing").await;
    let ask = rig.ask_nobody("POST", "/v1/drops").body("text/plain", "{");
    ask.header("authorization", "Bearer stf_0").refused(401, "token_unknown").await;
}

#[tokio::test]
async fn a_new_token_works_at_once_until_it_is_revoked() {
    let rig = Rig::new();
    let new = NewStaff {
        name: "mia".into(),
        role: Role::Host,
        merchant: None,
        streams: StreamScope::All,
    };
    let issued = rig.staff.add(new, UnixMillis::new(1)).unwrap();
    let bearer = format!("bearer {}", issued.secret.reveal());
    let ask = || rig.ask_nobody("GET", "/v1/drops").header("authorization", &bearer);
    ask().expect(StatusCode::OK).await;
    rig.staff.revoke(&issued.token.id).unwrap();
    ask().refused(401, "token_unknown").await;
}

#[tokio::test]
async fn a_damaged_staff_file_lets_nobody_in() {
    let rig = Rig::new();
    std::fs::write(rig.dir.path().join("staff.json"), "{").unwrap();
    let answer = rig.ask("admin", "GET", "/v1/drops").refused(500, "internal").await;
    assert!(!answer.text.contains("staff.json"), "facts belong into the log");
}

#[tokio::test]
async fn an_admin_sees_whose_tokens_there_are_and_revokes_them_but_the_last_admins() {
    let rig = Rig::new();
    let list = async |who: &str| {
        rig.ask(who, "GET", "/v1/tokens").expect(StatusCode::OK).await.json["tokens"].clone()
    };
    let named = |tokens: &Value, name: &str| {
        let found = tokens.as_array().unwrap().iter().find(|token| token["name"] == name);
        found.cloned().unwrap_or_default()
    };
    let tokens = list("admin").await;
    assert_eq!(named(&tokens, "admin")["current"], true);
    let acme = named(&tokens, "acme");
    assert_eq!((&acme["role"], &acme["merchant"]), (&json!("merchant"), &json!("acme")));
    assert_eq!((&acme["current"], &acme["created_at_ms"]), (&json!(false), &json!(NOON)));
    let text = tokens.to_string();
    assert!(!text.contains("stf_") && !text.contains("blake3"), "{text}");

    let revoke = |token: &Value| {
        rig.ask("admin", "DELETE", &format!("/v1/tokens/{}", token["token"].as_str().unwrap()))
    };
    revoke(&acme).expect(StatusCode::NO_CONTENT).await;
    rig.ask("acme", "GET", "/v1/drops").refused(401, "token_unknown").await;
    revoke(&acme).refused(404, "unknown_token").await;
    // An admin of one merchant, or of one show, lets nobody in for the others.
    let bound = |name: &str, merchant: Option<&str>, streams| NewStaff {
        name: name.into(),
        role: Role::Admin,
        merchant: merchant.map(|id| id.parse().unwrap()),
        streams,
    };
    let show = StreamScope::of(["show".parse().unwrap()]);
    for staff in [bound("one", Some("acme"), StreamScope::All), bound("two", None, show)] {
        rig.staff.add(staff, UnixMillis::new(NOON)).unwrap();
    }
    let last = revoke(&named(&tokens, "admin")).refused(409, "last_admin").await;
    assert!(last.detail().contains("make another one first"), "{}", last.text);
    assert_eq!(named(&list("admin").await, "admin")["current"], true);
    let other = rig.staff.add(bound("root", None, StreamScope::All), UnixMillis::new(NOON));
    let own = named(&tokens, "admin");
    revoke(&own).expect(StatusCode::NO_CONTENT).await;
    revoke(&own).refused(401, "token_unknown").await;
    let bearer = format!("Bearer {}", other.unwrap().secret.reveal());
    let ask = rig.ask_nobody("GET", "/v1/tokens").header("authorization", &bearer);
    assert_eq!(named(&ask.expect(StatusCode::OK).await.json["tokens"], "root")["current"], true);
}

#[tokio::test]
async fn accounts_and_settings_are_for_an_admin_who_is_not_bound() {
    let rig = Rig::new();
    let answer = rig.ask("admin", "GET", "/v1/settings").expect(StatusCode::OK).await;
    assert_eq!(answer.json["settings"]["viewers"]["connections_max"], 18_000);
    let streams = StreamScope::of(["show".parse().unwrap()]);
    let bound = NewStaff { name: "one".into(), role: Role::Admin, merchant: None, streams };
    let bound = rig.staff.add(bound, UnixMillis::new(NOON)).unwrap();
    let bearer = format!("Bearer {}", bound.secret.reveal());
    for path in ["/v1/tokens", "/v1/settings"] {
        for who in ["ops", "host", "acme", "platform"] {
            rig.ask(who, "GET", path).refused(403, "forbidden").await;
        }
        let ask = rig.ask_nobody("GET", path).header("authorization", &bearer);
        ask.refused(403, "forbidden").await;
    }
    let ask = rig.ask("ops", "DELETE", &format!("/v1/tokens/{}", bound.token.id));
    ask.refused(403, "forbidden").await;
    assert_eq!(rig.staff.find(&bound.token.id).unwrap(), Some(bound.token));
}
