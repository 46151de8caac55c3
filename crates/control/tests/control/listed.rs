//! Whether a refusal that a test has seen is in the document.

use std::sync::OnceLock;

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Method, Request, Uri},
};
use serde_json::Value;
use tower::ServiceExt;

/// Fails unless the operation's list has the code, with its status.
pub(crate) async fn must_be_listed(
    router: &Router,
    (method, uri): (&Method, &Uri),
    (status, code): (u16, &str),
) {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    if DOCUMENT.get().is_none() {
        let request = Request::get("/openapi.json").body(Body::empty()).unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        let _ = DOCUMENT.set(serde_json::from_slice(&bytes).unwrap());
    }
    let document = DOCUMENT.get().unwrap();
    let Some(operation) = operation(document, method, uri.path()) else {
        assert!(matches!(code, "unknown_path" | "method_not_allowed"), "{method} {uri}: {code}");
        return;
    };
    let status = status.to_string();
    let name = format!("{method} {uri}: {status} {code}");
    assert!(operation["responses"].get(&status).is_some(), "{name} is no answer of the document");
    let names =
        |list: &Value| list[&status].as_array().is_some_and(|list| list.contains(&code.into()));
    let is_malformed = names(&document["x-malformed"]);
    assert!(is_malformed != names(&operation["x-refusals"]), "{name} is in none of the lists");
}

/// The operation of a path, literal ones first.
fn operation<'a>(document: &'a Value, method: &Method, path: &str) -> Option<&'a Value> {
    let method = method.as_str().to_lowercase();
    let paths = document["paths"].as_object().unwrap().iter();
    let fitting = paths.filter(|(template, methods)| {
        let (parts, named) = (path.split('/'), template.split('/'));
        let fits = |(part, name): (&str, &str)| part == name || name.starts_with('{');
        methods.get(&method).is_some()
            && parts.clone().count() == named.clone().count()
            && parts.zip(named).all(fits)
    });
    let (_, methods) = fitting.min_by_key(|(template, _)| template.matches('{').count())?;
    Some(&methods[method.as_str()])
}
