//! The public files, with the interface or alone.

use axum::{Router, http::StatusCode};
use stampede_control::{CLIENT_PATH, ControlConfig};

use crate::rig::{Answer, Rig};

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.headers.get(name).map_or("", |value| value.to_str().unwrap())
}

/// What is shown to anybody.
fn shared(rig: &Rig) -> Router {
    rig.shared_with(ControlConfig::default())
}

async fn ask(router: &Router, method: &str, path: &str, known: Option<&str>) -> Answer {
    let ask = Rig::new().ask_nobody(method, path).to(router.clone());
    match known {
        Some(tag) => ask.header("if-none-match", tag).send().await,
        None => ask.send().await,
    }
}

#[tokio::test]
async fn anybody_may_import_the_client_from_either_listener() {
    let rig = Rig::new();
    for router in [rig.router.clone(), shared(&rig)] {
        let answer = ask(&router, "GET", CLIENT_PATH, None).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert!(answer.text.contains("export class StampedeClient"));
        for (name, value) in [
            ("content-type", "text/javascript; charset=utf-8"),
            ("cache-control", "public, max-age=300"),
            ("access-control-allow-origin", "*"),
            ("cross-origin-resource-policy", "cross-origin"),
            ("x-content-type-options", "nosniff"),
        ] {
            assert_eq!(header(&answer, name), value, "{name}");
        }
        let head = ask(&router, "HEAD", CLIENT_PATH, None).await;
        assert_eq!((head.status, head.text.as_str()), (StatusCode::OK, ""));
        assert_eq!(header(&head, "etag"), header(&answer, "etag"));
        assert_eq!(header(&head, "content-length"), answer.text.len().to_string());
    }
}

#[tokio::test]
async fn a_version_that_is_known_is_not_sent_again() {
    let router = shared(&Rig::new());
    let tag = header(&ask(&router, "GET", CLIENT_PATH, None).await, "etag").to_owned();
    for known in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()] {
        let answer = ask(&router, "GET", CLIENT_PATH, Some(&known)).await;
        assert_eq!(
            (answer.status, answer.text.as_str()),
            (StatusCode::NOT_MODIFIED, ""),
            "{known}"
        );
        assert_eq!(header(&answer, "etag"), tag);
    }
    let other = ask(&router, "GET", CLIENT_PATH, Some("\"other\"")).await;
    assert_eq!(other.status, StatusCode::OK);
}

#[tokio::test]
async fn alone_they_show_nothing_else() {
    let router = shared(&Rig::new());
    for path in ["/", "/v1/drops", "/healthz", "/openapi.json", "/client/", "/client/../healthz"] {
        let answer = ask(&router, "GET", path, None).await;
        assert_eq!(
            (answer.status, &answer.json["code"]),
            (StatusCode::NOT_FOUND, &"unknown_path".into()),
            "{path}"
        );
        assert_eq!(answer.detail(), "only /client/stampede.mjs and shared reports are here");
    }
    let answer = ask(&router, "POST", CLIENT_PATH, None).await;
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(header(&answer, "allow"), "GET,HEAD");
}
