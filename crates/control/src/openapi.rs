//! The OpenAPI document that describes every path.

use std::sync::Arc;

use utoipa::{
    Modify, OpenApi,
    openapi::{
        ContentBuilder, OpenApi as OpenApiDocument, PathItem, Ref, ResponseBuilder,
        path::Operation,
        security::{
            ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
        },
    },
};

use crate::{
    dto::{
        CommandGiven, DropFigures, DropGone, PeopleState, SecondState, SessionEnding, StageDrop,
        StillThere,
    },
    problem::ProblemBody,
};

/// The finished document, made once.
#[derive(Clone)]
pub(crate) struct ApiDocument(pub(crate) Arc<OpenApiDocument>);

/// What the document says besides its paths.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Stampede control",
        version = "1",
        description = "Plan drops, run them, read how they stand. Every command needs an \
            `Idempotency-Key`; every error is `application/problem+json` (RFC 9457).",
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
        (name = "ledger", description = "Reports and audits of a drop, from the ledger."),
        (name = "sessions", description = "Browsers that are signed in, and invitations."),
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

/// A session is let in wherever a token is.
pub(crate) fn let_sessions_in(document: &mut OpenApiDocument) {
    for operation in operations(document) {
        if let Some(security) = &mut operation.security {
            security.push(SecurityRequirement::new::<_, [&str; 0], &str>("session", []));
        }
    }
}

/// A field that the operation does not have is refused in every query, also where it has none at all.
pub(crate) fn queries_are_checked(document: &mut OpenApiDocument) {
    let problem = Ref::from_schema_name("Problem");
    let refused = ResponseBuilder::new()
        .description("The query has a field that the operation does not have.")
        .content("application/problem+json", ContentBuilder::new().schema(Some(problem)).build())
        .build();
    for operation in operations(document) {
        let responses = &mut operation.responses.responses;
        responses.entry("400".to_owned()).or_insert_with(|| refused.clone().into());
    }
}

/// Every operation of the document.
fn operations(document: &mut OpenApiDocument) -> impl Iterator<Item = &mut Operation> {
    document.paths.paths.values_mut().flat_map(|item| {
        let PathItem { get, put, post, patch, delete, .. } = item;
        [get, put, post, patch, delete].into_iter().flatten()
    })
}
