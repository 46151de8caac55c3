//! Who is let in.

use axum::http::StatusCode;
use stampede_control::NewStaff;
use stampede_domain::UnixMillis;
use stampede_engine::{Role, StreamScope};

use crate::rig::{Rig, mugs};

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
