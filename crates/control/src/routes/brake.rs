//! The brake: stop every take, limit what is admitted, keep somebody out.

use axum::{Json, extract::State, response::Response};
use stampede_domain::BanId;
use stampede_engine::{BrakeAction, Done, Role};

use super::{
    QueryProblems,
    commands::{CommandProblems, KEY_HELP, Sender},
};
use crate::{
    auth::Staff,
    dto::{
        Accepted, BanBody, BanList, BanParams, BanState, BrakeState, RatesBody, Reason, StopBody,
    },
    extract::{BanPath, Body, Key, OptionalBody, Params},
    problem::{Code, Problem, ProblemBody},
    state::ControlState,
};

/// The brake now, and who set it. Every role may read why nothing is sold.
#[utoipa::path(
    get,
    path = "/v1/brake",
    tag = "brake",
    operation_id = "brake_state",
    security(("staff" = [])),
    responses(
        (status = 200, description = "The brake now.", body = BrakeState),
        (status = 401, description = "No staff token, or one that is not known.",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn state(State(state): State<ControlState>, _staff: Staff) -> Json<BrakeState> {
    let engine = state.engine();
    Json(BrakeState::new(engine.brake(), engine.wall()))
}

/// Refuse every take of every drop, at once. Holds live on, payments go on.
#[utoipa::path(
    post,
    path = "/v1/brake/stop",
    tag = "brake",
    operation_id = "stop_takes",
    params(("Idempotency-Key" = String, Header, description = KEY_HELP)),
    request_body(content = Option<StopBody>, description = "May be left out."),
    security(("staff" = [])),
    responses(
        (status = 200, description = "No further take succeeds.", body = Accepted),
        CommandProblems,
    )
)]
pub(super) async fn stop(
    State(state): State<ControlState>,
    staff: Staff,
    Key(key): Key,
    OptionalBody(body): OptionalBody<StopBody>,
) -> Result<Response, Problem> {
    Sender { state, staff, key }.give(body.to_action(), body.reason).await
}

/// Resume takes after a stop.
#[utoipa::path(
    post,
    path = "/v1/brake/go",
    tag = "brake",
    operation_id = "let_takes_go",
    params(("Idempotency-Key" = String, Header, description = KEY_HELP)),
    request_body(content = Option<Reason>, description = "May be left out."),
    security(("staff" = [])),
    responses((status = 200, description = "Takes go on.", body = Accepted), CommandProblems)
)]
pub(super) async fn go(
    State(state): State<ControlState>,
    staff: Staff,
    Key(key): Key,
    OptionalBody(body): OptionalBody<Reason>,
) -> Result<Response, Problem> {
    Sender { state, staff, key }.give(BrakeAction::Go, body.reason).await
}

/// Set limits in place of the configured ones. What admits less acts at once.
#[utoipa::path(
    post,
    path = "/v1/brake/rates",
    tag = "brake",
    operation_id = "set_rates",
    params(("Idempotency-Key" = String, Header, description = KEY_HELP)),
    request_body = RatesBody,
    security(("staff" = [])),
    responses((status = 200, description = "The limits hold.", body = Accepted), CommandProblems)
)]
pub(super) async fn rates(
    State(state): State<ControlState>,
    staff: Staff,
    Key(key): Key,
    Body(body): Body<RatesBody>,
) -> Result<Response, Problem> {
    Sender { state, staff, key }.give(body.to_action(), body.reason).await
}

/// Keep out a viewer, a range of addresses or a channel. Open connections are closed with 4201.
#[utoipa::path(
    post,
    path = "/v1/bans",
    tag = "brake",
    operation_id = "ban",
    params(("Idempotency-Key" = String, Header, description = KEY_HELP)),
    request_body = BanBody,
    security(("staff" = [])),
    responses(
        (status = 201, description = "They are kept out.", body = Accepted,
            headers(("Location", description = "Where the ban can be read."))),
        CommandProblems,
    )
)]
pub(super) async fn ban(
    State(state): State<ControlState>,
    staff: Staff,
    Key(key): Key,
    Body(body): Body<BanBody>,
) -> Result<Response, Problem> {
    let action = body.to_action()?;
    let made = |done: &Done| done.ban.map(|ban| format!("/v1/bans/{ban}"));
    Sender { state, staff, key }.make(action, body.reason, made).await
}

/// End a ban.
#[utoipa::path(
    delete,
    path = "/v1/bans/{ban}",
    tag = "brake",
    operation_id = "unban",
    params(
        ("ban" = String, Path, description = "The ban's id, like `b7`."),
        ("Idempotency-Key" = String, Header, description = KEY_HELP),
    ),
    request_body(content = Option<Reason>, description = "May be left out."),
    security(("staff" = [])),
    responses((status = 200, description = "The ban is over.", body = Accepted), CommandProblems)
)]
pub(super) async fn unban(
    State(state): State<ControlState>,
    staff: Staff,
    Key(key): Key,
    BanPath(ban): BanPath,
    OptionalBody(body): OptionalBody<Reason>,
) -> Result<Response, Problem> {
    Sender { state, staff, key }.give(BrakeAction::Unban { ban }, body.reason).await
}

/// Bans in force, oldest first, a page at a time. They name people: for admin and ops only.
#[utoipa::path(
    get,
    path = "/v1/bans",
    tag = "brake",
    operation_id = "list_bans",
    params(BanParams),
    security(("staff" = [])),
    responses(
        (status = 200, description = "Bans in force.", body = BanList),
        QueryProblems,
        (status = 403, description = "The role may not read bans, or the token is bound.",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn bans(
    State(state): State<ControlState>,
    staff: Staff,
    Params(params): Params<BanParams>,
) -> Result<Json<BanList>, Problem> {
    may_read_bans(&staff)?;
    let bad = |detail: String| Problem::new(Code::BadQuery, detail);
    let after: Option<BanId> = params
        .after
        .as_deref()
        .map(str::parse)
        .transpose()
        .map_err(|error: stampede_domain::IdError| bad(format!("after: {error}")))?;
    let (engine, limit) = (state.engine(), params.limit.get());
    let (now, brake) = (engine.wall(), engine.brake());
    let found = brake.bans(after.unwrap_or_default(), limit + 1);
    let bans: Vec<_> = found.iter().take(limit).map(|ban| BanState::new(ban, now)).collect();
    let next = bans.last().filter(|_| found.len() > limit).map(|last| last.ban.clone());
    Ok(Json(BanList { server_time_ms: now.get(), bans, next }))
}

/// A ban in force.
#[utoipa::path(
    get,
    path = "/v1/bans/{ban}",
    tag = "brake",
    operation_id = "ban_state",
    params(("ban" = String, Path, description = "The ban's id, like `b7`.")),
    security(("staff" = [])),
    responses(
        (status = 200, description = "The ban.", body = BanState),
        (status = 400, description = "The id is malformed.",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "No staff token, or one that is not known.",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The role may not read bans, or the token is bound.",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such ban, or it is over.",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn ban_state(
    State(state): State<ControlState>,
    staff: Staff,
    BanPath(ban): BanPath,
) -> Result<Json<BanState>, Problem> {
    may_read_bans(&staff)?;
    let engine = state.engine();
    let found = engine.brake().ban(ban).ok_or_else(|| {
        Problem::new(Code::UnknownBan, format!("no ban {ban} is in force; GET /v1/bans lists them"))
    })?;
    Ok(Json(BanState::new(&found, engine.wall())))
}

fn may_read_bans(staff: &Staff) -> Result<(), Problem> {
    if matches!(staff.role(), Role::Admin | Role::Ops) && staff.is_everybodys() {
        return Ok(());
    }
    let why = "bans name people: an admin or ops token that is not bound may read them";
    Err(Problem::new(Code::Forbidden, why))
}
