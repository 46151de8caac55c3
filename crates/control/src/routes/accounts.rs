//! Who may come in at all, and the settings that the server runs with: for its admins.

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use tokio::task::spawn_blocking;
use utoipa::IntoResponses;

use crate::{
    auth::Staff,
    dto::{SettingsInForce, TokenLine, TokenList},
    problem::{Code, Problem, ProblemBody},
    staff::{STAFF_TOKENS_MAX, StaffError},
    state::ControlState,
};

/// What every request about accounts may be answered with besides success.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "describes answers in the OpenAPI document, is never made")]
enum AccountProblems {
    /// The request is malformed.
    #[response(status = 400, content_type = "application/problem+json")]
    Malformed(ProblemBody),
    /// No staff token and no session, or one that is not known; the session has run out.
    #[response(status = 401, content_type = "application/problem+json")]
    Unknown(ProblemBody),
    /// The caller is no admin, or is bound; a cookie without its page's origin or token.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(ProblemBody),
}

/// Staff tokens in force, without their secrets. For an admin who is not bound.
#[utoipa::path(
    get,
    path = "/v1/tokens",
    tag = "sessions",
    operation_id = "list_tokens",
    security(("staff" = [])),
    responses(
        (status = 200, description = "Whose tokens there are.", body = TokenList),
        AccountProblems,
    )
)]
pub(super) async fn tokens(
    State(state): State<ControlState>,
    staff: Staff,
) -> Result<Json<TokenList>, Problem> {
    must_be_admin(&staff)?;
    let found = state.staff().list().map_err(|error| Problem::internal(&error))?;
    let tokens = found.iter().map(|token| TokenLine::new(token, staff.came_by())).collect();
    Ok(Json(TokenList { tokens, tokens_max: STAFF_TOKENS_MAX }))
}

/// Revoke a staff token, with every session and every invitation that came of it. The last one of an admin who is not
/// bound stays.
#[utoipa::path(
    delete,
    path = "/v1/tokens/{token}",
    tag = "sessions",
    operation_id = "revoke_token",
    params(("token" = String, Path, description = "The token's id, as the list has it.")),
    security(("staff" = [])),
    responses(
        (status = 204, description = "It is worthless; everybody who came in by it is signed out."),
        AccountProblems,
        (status = 404, description = "No such token.",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 409, description = "It is the last one of an admin.",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn revoke(
    State(state): State<ControlState>,
    staff: Staff,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    must_be_admin(&staff)?;
    let (by, revoked) = (staff.name().to_owned(), id.clone());
    let changed = spawn_blocking(move || state.staff().revoke_but_the_last_admins(&id)).await;
    match changed.map_err(|error| Problem::internal(&error))? {
        Ok(()) => {
            tracing::info!(token = %revoked, %by, "a staff token is revoked");
            Ok(StatusCode::NO_CONTENT)
        }
        Err(StaffError::UnknownToken { id }) => {
            let detail = format!("no token {id} is in force; GET /v1/tokens lists them");
            Err(Problem::new(Code::UnknownToken, detail))
        }
        Err(why) => Err(why.into()),
    }
}

/// The settings in force, defaults included. For an admin who is not bound.
#[utoipa::path(
    get,
    path = "/v1/settings",
    tag = "sessions",
    operation_id = "settings",
    security(("staff" = [])),
    responses(
        (status = 200, description = "What the server runs with.", body = SettingsInForce),
        AccountProblems,
    )
)]
pub(super) async fn settings(
    State(state): State<ControlState>,
    staff: Staff,
) -> Result<Json<SettingsInForce>, Problem> {
    must_be_admin(&staff)?;
    Ok(Json(SettingsInForce { settings: state.settings().clone() }))
}

fn must_be_admin(staff: &Staff) -> Result<(), Problem> {
    if staff.is_free_admin() {
        return Ok(());
    }
    let why = "accounts and settings are for an admin whose token is not bound";
    Err(Problem::new(Code::Forbidden, why))
}
