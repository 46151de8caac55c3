//! Health with metrics, for probes.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use stampede_engine::Health;
use tokio::task::spawn_blocking;

use crate::{
    auth::Staff,
    dto::{Alive, Ready},
    problem::{Code, Problem, ProblemBody},
    state::ControlState,
};

/// Whether the process is up. Says nothing about selling: that is `/readyz`.
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "health",
    responses((status = 200, description = "The process is up.", body = Alive))
)]
pub(super) async fn healthz(State(state): State<ControlState>) -> Json<Alive> {
    let engine = state.engine();
    Json(Alive {
        status: "alive",
        node: engine.node().to_string(),
        incarnation: engine.incarnation().get(),
    })
}

/// Whether the engine can sell.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "health",
    responses(
        (status = 200, description = "Takes are decided, promises leave.", body = Ready),
        (status = 503, description = "Nothing is sold: the server is stopping, or its ledger failed and a restart has to recover it.",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn readyz(State(state): State<ControlState>) -> Result<Json<Ready>, Problem> {
    match state.engine().health() {
        Health::Ready if state.is_draining() => Err(Problem::new(
            Code::Draining,
            "the server stops: viewers are sent away and nobody new is let in; send them elsewhere",
        )),
        Health::Ready => {
            let now = state.engine().moment();
            let (server_time_ms, clock_ahead_ms) = (now.wall.get(), now.ahead_ms());
            Ok(Json(Ready { status: "ready", server_time_ms, clock_ahead_ms }))
        }
        Health::Poisoned => Err(Problem::new(
            Code::Poisoned,
            "a commit failed, so nothing is sold; free the disk or repair it, then restart the \
             server, which recovers the ledger",
        )),
    }
}

/// The metrics of the process in Prometheus' text format. They tell of every merchant's sales, so
/// a token that is bound does not get them, nor does the platform.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "health",
    security(("staff" = [])),
    responses(
        (status = 200, description = "Prometheus text format.", body = String, content_type = "text/plain"),
        (status = 401, description = "No staff token, or one that is not known.",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The token is bound, or the platform's.",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn metrics(
    State(state): State<ControlState>,
    staff: Staff,
) -> Result<Response, Problem> {
    if !staff.is_everybodys() {
        let detail = "metrics cover every merchant and stream; use a token that is not bound";
        return Err(Problem::new(Code::Forbidden, detail));
    }
    staff.must_read_money("metrics count every merchant's sales")?;
    let text = Arc::clone(state.metrics());
    let text = spawn_blocking(move || text()).await.map_err(|error| Problem::internal(&error))?;
    Ok(([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response())
}
