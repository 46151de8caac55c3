//! Browsers that sign in, the list of them, signing out.

use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use tokio::task::spawn_blocking;
use utoipa::IntoResponses;

use crate::{
    auth::{SignedIn, Staff},
    by_address::Client,
    cookie,
    credentials::{check_origin, token_unknown},
    dto::{SessionLine, SessionList, SessionState, SignIn, SignInBody},
    extract::Body,
    problem::{Code, Problem, ProblemBody},
    staff::{SESSION_KEPT, Sessions, StaffError, hash},
    state::ControlState,
};

/// What every request about sessions may be answered with besides success.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "describes answers in the OpenAPI document, is never made")]
enum SessionProblems {
    /// The request is malformed.
    #[response(status = 400, content_type = "application/problem+json")]
    Malformed(ProblemBody),
    /// No staff token and no session, or one that is not known; the session has run out.
    #[response(status = 401, content_type = "application/problem+json")]
    Unknown(ProblemBody),
    /// A cookie that comes without its page's origin or token.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(ProblemBody),
    /// No such session, or somebody else's.
    #[response(status = 404, content_type = "application/problem+json")]
    NoSuchSession(ProblemBody),
}

/// Sign a browser in by a staff token, or by an invitation, which is used up. The answer sets the cookie `stampede_session`; the session it had
/// before ends.
#[utoipa::path(
    post,
    path = "/v1/sessions",
    tag = "sessions",
    operation_id = "sign_in",
    request_body = SignInBody,
    responses(
        (status = 201, description = "The browser is signed in.", body = SessionState,
            headers(("Set-Cookie", description = "The session, for this browser alone."))),
        SessionProblems,
        (status = 409, description = "Too many browsers are signed in, or `control.public_url` is not \
            set.", body = ProblemBody, content_type = "application/problem+json"),
        (status = 410, description = "Somebody came in by the invitation already, or it is over.",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 415, description = "The body is not declared as JSON.",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "The body does not fit.",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "This address has sent too many wrong secrets.",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn sign_in(
    State(state): State<ControlState>,
    client: Client,
    headers: HeaderMap,
    Body(body): Body<SignInBody>,
) -> Result<Response, Problem> {
    // Another site's page must not sign a browser in as somebody of its choice.
    check_origin(&state, &headers, false)?;
    if state.site().url().is_none() {
        return Err(no_site());
    }
    let sent = body.sent()?;
    let before = cookie::secret(&headers).map(str::to_owned);
    let hash = hash(sent.secret());
    state.guesses().check(client, hash, state.engine().now())?;
    let now = state.engine().wall();
    let made = write(&state, move |sessions| match sent {
        SignIn::Token(token) => sessions.sign_in(&token, before.as_deref(), now),
        SignIn::Invitation(secret) => sessions.redeem(&secret, before.as_deref(), now).map(Some),
    });
    let made = made.await.and_then(|made| made.ok_or_else(token_unknown));
    let made = judged(&state, client, hash, made)?;
    let (session, secret) = (made.session, made.secret);
    tracing::info!(session = %session.id, name = %session.staff.name, role = %session.staff.role,
        "a browser signed in");
    // The browser keeps it as long as the server does: who signs in again goes on with its keys.
    let lasts = session.ends_at.plus(SESSION_KEPT).since(now);
    let csrf = cookie::csrf(secret.reveal()).to_hex().to_string();
    let body = SessionState::new(&SignedIn { session, csrf }, now);
    let cookie = cookie::hand_over(&secret, lasts, state.site().is_secure());
    Ok((StatusCode::CREATED, [(header::SET_COOKIE, cookie)], Json(body)).into_response())
}

/// Counts what somebody sent to come in: an unknown secret is a guess.
pub(super) fn judged<T>(
    state: &ControlState,
    client: Client,
    secret: blake3::Hash,
    outcome: Result<T, Problem>,
) -> Result<T, Problem> {
    let now = state.engine().now();
    match &outcome {
        Ok(_) => state.guesses().right(client, secret, now),
        Err(problem) if matches!(problem.code, Code::TokenUnknown | Code::InvitationUnknown) => {
            return outcome.map_err(|problem| state.guesses().wrong(client, now, problem));
        }
        Err(_) => {}
    }
    outcome
}

/// The session of the browser that asks.
#[utoipa::path(
    get,
    path = "/v1/sessions/current",
    tag = "sessions",
    operation_id = "current_session",
    security(("staff" = [])),
    responses(
        (status = 200, description = "Who is signed in here, for how long.", body = SessionState),
        SessionProblems,
    )
)]
pub(super) async fn current(
    State(state): State<ControlState>,
    staff: Staff,
) -> Result<Json<SessionState>, Problem> {
    let signed_in = staff.session().ok_or_else(no_session)?;
    Ok(Json(SessionState::new(signed_in, state.engine().wall())))
}

/// Sign out the browser that asks.
#[utoipa::path(
    delete,
    path = "/v1/sessions/current",
    tag = "sessions",
    operation_id = "sign_out",
    security(("staff" = [])),
    responses(
        (status = 204, description = "The browser is signed out.",
            headers(("Set-Cookie", description = "Takes the session back."))),
        SessionProblems,
    )
)]
pub(super) async fn sign_out(
    State(state): State<ControlState>,
    staff: Staff,
) -> Result<Response, Problem> {
    let id = staff.session().ok_or_else(no_session)?.session.id.clone();
    end(&state, move |session, _| session == id).await?;
    Ok(signed_out(&state))
}

/// Browsers that are signed in under the caller's name; for an admin all.
#[utoipa::path(
    get,
    path = "/v1/sessions",
    tag = "sessions",
    operation_id = "list_sessions",
    security(("staff" = [])),
    responses((status = 200, description = "Who is signed in.", body = SessionList), SessionProblems)
)]
pub(super) async fn list(
    State(state): State<ControlState>,
    staff: Staff,
) -> Result<Json<SessionList>, Problem> {
    let now = state.engine().wall();
    let found = state.sessions().list(now).map_err(|error| Problem::internal(&error))?;
    let own = found.iter().filter(|session| reaches(&staff, &session.staff.name));
    let current = staff.session().map(|signed_in| signed_in.session.id.as_str());
    let sessions = own.map(|session| SessionLine::new(session, current, now)).collect();
    Ok(Json(SessionList { sessions }))
}

/// Sign out another browser: one of the caller's name, for an admin any.
#[utoipa::path(
    delete,
    path = "/v1/sessions/{session}",
    tag = "sessions",
    operation_id = "end_session",
    params(("session" = String, Path, description = "The session's id, as the list has it.")),
    security(("staff" = [])),
    responses((status = 204, description = "The browser is signed out."), SessionProblems)
)]
pub(super) async fn end_one(
    State(state): State<ControlState>,
    staff: Staff,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let now = state.engine().wall();
    let found = state.sessions().find(&id, now).map_err(|error| Problem::internal(&error))?;
    if !found.is_some_and(|session| reaches(&staff, &session.staff.name)) {
        let detail = format!("no session {id} of yours is in force; GET /v1/sessions lists them");
        return Err(Problem::new(Code::UnknownSession, detail));
    }
    let is_own = staff.session().is_some_and(|signed_in| signed_in.session.id == id);
    end(&state, move |session, _| session == id).await?;
    Ok(if is_own { signed_out(&state) } else { StatusCode::NO_CONTENT.into_response() })
}

/// Sign out every browser that is signed in under the caller's name.
#[utoipa::path(
    delete,
    path = "/v1/sessions",
    tag = "sessions",
    operation_id = "sign_out_everywhere",
    security(("staff" = [])),
    responses((status = 204, description = "They are signed out."), SessionProblems)
)]
pub(super) async fn end_all(
    State(state): State<ControlState>,
    staff: Staff,
) -> Result<Response, Problem> {
    let own = staff.name().to_owned();
    end(&state, move |_, name| name == own).await?;
    Ok(signed_out(&state))
}

/// Whether a member of staff may see and end sessions of this name.
fn reaches(staff: &Staff, name: &str) -> bool {
    staff.name() == name || staff.is_free_admin()
}

async fn end(
    state: &ControlState,
    which: impl Fn(&str, &str) -> bool + Send + 'static,
) -> Result<(), Problem> {
    let now = state.engine().wall();
    write(state, move |sessions| sessions.end(which, now)).await.map(drop)
}

/// Has the sessions changed on a thread that may wait for the disk.
pub(super) async fn write<T: Send + 'static>(
    state: &ControlState,
    change: impl FnOnce(&Sessions) -> Result<T, StaffError> + Send + 'static,
) -> Result<T, Problem> {
    let state = state.clone();
    let changed = spawn_blocking(move || change(state.sessions())).await;
    changed.map_err(|error| Problem::internal(&error))?.map_err(Problem::from)
}

impl From<StaffError> for Problem {
    fn from(error: StaffError) -> Self {
        let code = match &error {
            StaffError::Io { .. }
            | StaffError::Damaged { .. }
            | StaffError::UnknownToken { .. } => return Self::internal(&error),
            StaffError::NameTaken { name, .. } => {
                let detail = format!(
                    "the name {name} belongs to somebody with another role, merchant or streams; use \
                     another name"
                );
                return Self::new(Code::NameTaken, detail);
            }
            StaffError::LastAdmin { .. } => Code::LastAdmin,
            StaffError::SessionsFull { .. } => Code::SessionsFull,
            StaffError::TooManyInvitations { .. } => Code::InvitationsFull,
            StaffError::BeyondOwn { .. } => Code::Forbidden,
            StaffError::InvitationUnknown => Code::InvitationUnknown,
            StaffError::InvitationUsed => Code::InvitationUsed,
            StaffError::InvitationOver => Code::InvitationOver,
            StaffError::TooManyShares { .. } => Code::SharesFull,
            StaffError::ShareKeyReused => Code::KeyReused,
            StaffError::Label(_) => Code::InvalidLabel,
            StaffError::Name { .. } => Code::InvalidName,
            StaffError::MerchantMissing
            | StaffError::StreamsMissing
            | StaffError::Bound { .. }
            | StaffError::BoundToStreams => Code::FieldsConflict,
            StaffError::Streams { .. }
            | StaffError::TooMany { .. }
            | StaffError::Validity { .. }
            | StaffError::ShareValidity { .. } => Code::BadBody,
        };
        Self::new(code, error.to_string())
    }
}

/// Nobody has said where browsers find the server.
pub(super) fn no_site() -> Problem {
    let detail = "browsers cannot come in until control.public_url says where they find this server, \
                  like \"https://sale.example\"; a bearer token needs no session";
    Problem::new(Code::PublicUrlMissing, detail)
}

fn signed_out(state: &ControlState) -> Response {
    let cookie: HeaderValue = cookie::take_back(state.site().is_secure());
    (StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response()
}

fn no_session() -> Problem {
    Problem::new(Code::UnknownSession, "this request came with a token: it has no session")
}
