//! One module for each part of the interface.

mod accounts;
mod amendments;
mod attention;
mod brake;
mod commands;
mod demo;
mod drops;
mod edits;
mod follow;
mod health;
mod invitations;
mod ledger;
mod order_search;
mod orders;
mod payments;
mod rehearsals;
mod reports;
mod requests;
mod rooms;
mod sessions;
mod shared;
mod shares;
mod show_groups;
mod shows;
mod standing;
mod stream_list;
mod streams;
mod units;

use axum::{
    Json,
    extract::State,
    http::{HeaderName, HeaderValue},
    response::IntoResponse,
};
use tower_http::set_header::SetResponseHeaderLayer;
use utoipa::IntoResponses;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{openapi::ApiDocument, problem::ProblemBody, state::ControlState};

/// What every request with a query may be answered with besides success.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "describes answers in the OpenAPI document, is never made")]
enum QueryProblems {
    /// The query is malformed.
    #[response(status = 400, content_type = "application/problem+json")]
    Malformed(ProblemBody),
    /// No staff token, or one that is not known.
    #[response(status = 401, content_type = "application/problem+json")]
    Unknown(ProblemBody),
}

/// Every path with its description.
pub(crate) fn all() -> OpenApiRouter<ControlState> {
    drops()
        .merge(stock())
        .merge(streams())
        .merge(held_back())
        .merge(payments())
        .merge(sessions())
        .merge(shares())
        .merge(others())
}

/// Drops and what may be asked of them.
fn drops() -> OpenApiRouter<ControlState> {
    OpenApiRouter::default()
        .routes(routes!(drops::list, commands::plan))
        .routes(routes!(drops::state, edits::edit, edits::patch))
        .routes(routes!(commands::cancel))
        .routes(routes!(commands::open))
        .routes(routes!(commands::cancel_countdown))
        .routes(routes!(commands::pause))
        .routes(routes!(commands::resume))
        .routes(routes!(commands::feature))
        .routes(routes!(commands::move_to))
        .routes(routes!(commands::wind_down))
        .routes(routes!(commands::close))
        .routes(routes!(commands::undo))
        .routes(routes!(amendments::amend))
        .routes(routes!(commands::cancel_order))
        .routes(routes!(commands::extend))
}

/// Units of a drop, on sale and asked for.
fn stock() -> OpenApiRouter<ControlState> {
    OpenApiRouter::default()
        .routes(routes!(units::restock))
        .routes(routes!(units::take_back))
        .routes(routes!(requests::list))
        .routes(routes!(requests::grant))
        .routes(routes!(requests::decline))
        .routes(routes!(requests::withdraw))
}

/// Streams, with whose they are.
fn streams() -> OpenApiRouter<ControlState> {
    OpenApiRouter::default()
        .routes(routes!(stream_list::list))
        .routes(routes!(shows::list))
        .routes(routes!(drops::stream))
        .routes(routes!(follow::follow))
        .routes(routes!(streams::offline))
        .routes(routes!(streams::online))
        .routes(routes!(streams::write_line))
        .routes(routes!(rehearsals::state, rehearsals::begin, rehearsals::end))
        .routes(routes!(rooms::list, rooms::make))
        .routes(routes!(rooms::state, rooms::end))
        .routes(routes!(rooms::move_to))
        .routes(routes!(rooms::admit))
        .routes(routes!(rooms::dismiss))
        .routes(routes!(rooms::allow_hosts))
        .routes(routes!(rooms::forbid_hosts))
        .routes(routes!(rooms::video_delay))
}

/// What operations staff hold back.
fn held_back() -> OpenApiRouter<ControlState> {
    OpenApiRouter::default()
        .routes(routes!(brake::state))
        .routes(routes!(brake::stop))
        .routes(routes!(brake::go))
        .routes(routes!(brake::rates))
        .routes(routes!(brake::bans, brake::ban))
        .routes(routes!(brake::ban_state, brake::unban))
}

/// Payments, which a thread of its own answers.
fn payments() -> OpenApiRouter<ControlState> {
    OpenApiRouter::default()
        .routes(routes!(payments::report))
        .routes(routes!(payments::todo))
        .routes(routes!(payments::hold))
        .routes(routes!(payments::charge))
        .routes(routes!(payments::payment))
}

/// Who may come in, who has.
fn sessions() -> OpenApiRouter<ControlState> {
    OpenApiRouter::default()
        .routes(routes!(sessions::list, sessions::sign_in, sessions::end_all))
        .routes(routes!(sessions::current, sessions::sign_out))
        .routes(routes!(sessions::end_one))
        .routes(routes!(invitations::list, invitations::invite))
        .routes(routes!(invitations::look))
        .routes(routes!(invitations::withdraw))
        .routes(routes!(accounts::tokens))
        .routes(routes!(accounts::revoke))
        .routes(routes!(accounts::settings))
}

/// Reports that anybody reads who has their link.
fn shares() -> OpenApiRouter<ControlState> {
    OpenApiRouter::default()
        .routes(routes!(shares::list, shares::share))
        .routes(routes!(shares::revoke))
        .merge(shared())
}

/// What whoever has a link reads, also without the rest of the interface.
pub(crate) fn shared() -> OpenApiRouter<ControlState> {
    let unlisted = SetResponseHeaderLayer::if_not_present(
        HeaderName::from_static("x-robots-tag"),
        HeaderValue::from_static("noindex, nofollow"),
    );
    OpenApiRouter::default().routes(routes!(shared::file)).route_layer(unlisted)
}

/// The ledger, a demo, health, this interface itself.
fn others() -> OpenApiRouter<ControlState> {
    OpenApiRouter::default()
        .routes(routes!(ledger::commands))
        .routes(routes!(reports::of_drop))
        .routes(routes!(reports::table))
        .routes(routes!(reports::of_show))
        .routes(routes!(ledger::audit))
        .routes(routes!(attention::list))
        .routes(routes!(attention::close))
        .routes(routes!(orders::list))
        .routes(routes!(order_search::search))
        .routes(routes!(orders::one))
        .routes(routes!(order_search::timeline))
        .routes(routes!(demo::state))
        .routes(routes!(demo::kill))
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
        .routes(routes!(health::metrics))
        .routes(routes!(document))
}

/// This document.
#[utoipa::path(
    get,
    path = "/openapi.json",
    tag = "health",
    operation_id = "openapi",
    responses((status = 200, description = "The OpenAPI description of every path.", body = Object))
)]
async fn document(State(document): State<ApiDocument>) -> impl IntoResponse {
    Json(document.0)
}
