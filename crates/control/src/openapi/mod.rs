//! The OpenAPI document that describes every path.

mod forms;
mod refusals;
mod report;

use std::sync::Arc;

use serde_json::{Value, json};
use utoipa::{
    Modify, OpenApi,
    openapi::{
        OpenApi as OpenApiDocument,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use self::{
    forms::{add_patch, answers_have_no_null, say_forms},
    refusals::say_refusals,
    report::add_report,
};
use crate::{
    Site,
    dto::{
        CommandGiven, DropFigures, DropGone, PeopleState, SecondState, SessionEnding, StageDrop,
        StillThere,
    },
    problem::ProblemBody,
};

/// The finished document, made once.
#[derive(Clone)]
pub(crate) struct ApiDocument(pub(crate) Arc<Value>);

/// What the document says besides its paths.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Stampede control",
        version = "1",
        description = "Plan drops, run them, read how they stand. Every command needs an \
            `Idempotency-Key`; every error is `application/problem+json` (RFC 9457). A request that \
            is not as this document says gets a code of `x-malformed`; `x-refusals` of an operation \
            lists, by status, every code that another request may get.",
        license(name = "MIT", identifier = "MIT"),
    ),
    components(schemas(
        ProblemBody, DropFigures, SecondState, DropGone, StageDrop, PeopleState, CommandGiven,
        SessionEnding, StillThere
    )),
    modifiers(&StaffScheme),
    tags(
        (name = "drops", description = "Drops as they stand."),
        (name = "commands", description = "Commands of staff; each is recorded with its outcome."),
        (name = "streams", description = "Reports of the platform about its streams; each is recorded."),
        (name = "rooms", description = "Whose a stream is, who may sell in it."),
        (name = "brake", description = "The brake of operations: stops, limits, bans."),
        (name = "payments", description = "Payments, as the platform's server reports them."),
        (name = "ledger", description = "Reports and audits of a drop, from the ledger."),
        (name = "sessions", description = "Browsers that are signed in, and invitations."),
        (name = "shares", description = "Reports that anybody reads who has their link."),
        (name = "demo", description = "The demo that runs the server, if one does."),
        (name = "health", description = "For probes, scrapers and generators; no command."),
    )
)]
pub(crate) struct Frame;

struct StaffScheme;

impl Modify for StaffScheme {
    fn modify(&self, document: &mut OpenApiDocument) {
        let staff = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("A staff token, made by `stampede token` on the server's machine."))
            .build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("staff", SecurityScheme::Http(staff));
        let cookie = ApiKeyValue::with_description(
            "stampede_session",
            "A browser's session, made by `POST /v1/sessions`. Requests other than GET also need \
             the header `Origin` of a page of this server and `X-CSRF-Token`.",
        );
        let session = SecurityScheme::ApiKey(ApiKey::Cookie(cookie));
        components.add_security_scheme("session", session);
    }
}

/// The document as it is answered: what the server enforces is said of every operation and schema.
pub(crate) fn finished(document: &OpenApiDocument, site: &Site) -> Value {
    let mut document =
        serde_json::to_value(document).expect("a document of strings and numbers is JSON");
    let mut servers = vec![json!({ "url": "/", "description": "Where this document comes from." })];
    if let Site::Public(url) = site {
        let url = url.to_string();
        servers.push(json!({ "url": url, "description": "Where browsers find the server." }));
    }
    document["servers"] = json!(servers);
    add_patch(&mut document);
    say_forms(&mut document);
    answers_have_no_null(&mut document);
    // A report has `null` where there is nothing to tell yet.
    add_report(&mut document);
    say_refusals(&mut document);
    for (_, _, operation) in operations(&mut document) {
        match operation.get_mut("security").and_then(Value::as_array_mut) {
            // A session is let in wherever a token is.
            Some(ways) => ways.push(json!({ "session": [] })),
            None => operation["security"] = json!([]),
        }
        if let Some(body) = operation.get_mut("requestBody") {
            let content = body["content"].as_object().into_iter().flatten();
            let is_optional = content.map(|(_, kind)| &kind["schema"]).any(|schema| {
                let kinds = schema["oneOf"].as_array().into_iter().flatten();
                kinds.map(|kind| &kind["type"]).any(|kind| kind == "null")
            });
            body["required"] = json!(!is_optional);
        }
    }
    document
}

/// Every operation of the document, with its path and its method.
fn operations(document: &mut Value) -> impl Iterator<Item = (&str, &str, &mut Value)> {
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    paths.flat_map(|(path, item)| {
        let methods = item.as_object_mut().into_iter().flatten();
        methods.map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
    })
}
