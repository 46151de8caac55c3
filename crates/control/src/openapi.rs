//! The OpenAPI document that describes every path.

use std::sync::Arc;

use axum::extract::FromRef;
use utoipa::{
    Modify, OpenApi,
    openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};

use crate::{problem::ProblemBody, state::ControlState};

/// The finished document, made once.
#[derive(Clone)]
pub(crate) struct ApiDocument(pub(crate) Arc<utoipa::openapi::OpenApi>);

impl FromRef<ControlState> for ApiDocument {
    fn from_ref(state: &ControlState) -> Self {
        state.document().clone()
    }
}

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
    components(schemas(ProblemBody)),
    modifiers(&StaffScheme),
    tags(
        (name = "drops", description = "Drops as they stand."),
        (name = "commands", description = "What staff may ask for; each is recorded with its outcome."),
        (name = "streams", description = "What the platform reports about its streams; recorded as well."),
        (name = "rooms", description = "Whose a stream is, who may sell in it."),
        (name = "brake", description = "What operations staff hold back: all takes, rates, people."),
        (name = "ledger", description = "What the ledger holds of a drop."),
        (name = "health", description = "For probes, scrapers and generators; no command."),
    )
)]
pub(crate) struct Frame;

struct StaffScheme;

impl Modify for StaffScheme {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let staff = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("A staff token, made by `stampede token` on the server's machine."))
            .build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("staff", SecurityScheme::Http(staff));
    }
}
