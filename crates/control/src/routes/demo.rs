//! The demo that this server belongs to, if it belongs to one.

use axum::{Json, extract::State, http::StatusCode};
use stampede_engine::Role;
use utoipa::IntoResponses;

use crate::{
    auth::Staff,
    demo::Demo,
    dto::{DemoStage, DemoState},
    problem::{Code, Problem, ProblemBody},
    state::ControlState,
};

/// What every request about the demo may be answered with besides success.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "describes answers in the OpenAPI document, is never made")]
enum DemoProblems {
    /// No staff token and no session, or one that is not known; the session has run out.
    #[response(status = 401, content_type = "application/problem+json")]
    Unknown(ProblemBody),
    /// The role is not trusted with this; a cookie without its page's origin or token.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(ProblemBody),
    /// The server is no demo's.
    #[response(status = 404, content_type = "application/problem+json")]
    NoDemo(ProblemBody),
}

/// How the demo stands: its crowd, the promises that it received. Only a server that `stampede demo
/// --stage` has started has one.
#[utoipa::path(
    get,
    path = "/v1/demo",
    tag = "demo",
    operation_id = "demo",
    security(("staff" = [])),
    responses((status = 200, description = "How it stands.", body = DemoState), DemoProblems)
)]
pub(super) async fn state(
    State(state): State<ControlState>,
    _: Staff,
) -> Result<Json<DemoState>, Problem> {
    demo(&state).map(|demo| Json(demo.state()))
}

/// Have this server killed (SIGKILL), then started again on the same ports and data. The answer may be
/// lost with the server. Nothing records it.
#[utoipa::path(
    post,
    path = "/v1/demo/kill",
    tag = "demo",
    operation_id = "kill",
    security(("staff" = [])),
    responses(
        (status = 202, description = "The kill was requested."),
        DemoProblems,
        (status = 409, description = "The crowd is coming in, or the promises of the last kill are being checked.",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn kill(
    State(state): State<ControlState>,
    staff: Staff,
) -> Result<StatusCode, Problem> {
    let demo = demo(&state)?;
    if !matches!(staff.role(), Role::Admin | Role::Host) {
        let detail = "a host or an admin kills the demo's server";
        return Err(Problem::new(Code::Forbidden, detail));
    }
    let why = match demo.state().stage {
        DemoStage::Running => None,
        DemoStage::Gathering => {
            Some("the crowd is still coming in; wait until GET /v1/demo says running")
        }
        DemoStage::Checking => Some(
            "the promises of the last kill are being checked; wait until \
            GET /v1/demo says running",
        ),
    };
    if let Some(why) = why {
        return Err(Problem::retry(Code::DemoBusy, why));
    }
    demo.kill().map_err(|error| Problem::internal(&error))?;
    Ok(StatusCode::ACCEPTED)
}

fn demo(state: &ControlState) -> Result<&Demo, Problem> {
    state.demo().ok_or_else(|| {
        Problem::new(Code::NoDemo, "this server is no demo's; `stampede demo --stage` runs one")
    })
}
