//! Shared reports: made, listed, revoked.

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use stampede_engine::Role;
use tokio::task::spawn_blocking;
use utoipa::IntoResponses;

use super::{
    QueryProblems,
    show_groups::show_of,
    standing::{Standing, is_seen, visible},
};
use crate::{
    auth::Staff,
    dto::{MadeShareBody, ShareBody, ShareLine, ShareList, ShareParams},
    extract::{Body, OptionalKey, Params},
    problem::{Code, Problem, ProblemBody},
    staff::{NewShare, Share, ShareSubject, Shares, StaffError, shared_path},
    state::ControlState,
};

/// What every request that changes shares may be answered with besides success.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "describes answers in the OpenAPI document, is never made")]
enum ShareProblems {
    /// The request is malformed.
    #[response(status = 400, content_type = "application/problem+json")]
    Malformed(ProblemBody),
    /// No staff token and no session, or one that is not known; the session has run out.
    #[response(status = 401, content_type = "application/problem+json")]
    Unknown(ProblemBody),
    /// The role may not share; a cookie without its page's origin or token.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(ProblemBody),
    /// No such drop or share, or another merchant's.
    #[response(status = 404, content_type = "application/problem+json")]
    NoSuch(ProblemBody),
    /// As many reports are shared as may be.
    #[response(status = 409, content_type = "application/problem+json")]
    Conflict(ProblemBody),
    /// The body does not fit, or the key made another share.
    #[response(status = 422, content_type = "application/problem+json")]
    Unacceptable(ProblemBody),
}

/// Share a report by a link that needs no sign-in. Of a show it has the drops that the caller sees, and those that join
/// the show later.
#[utoipa::path(
    post,
    path = "/v1/shares",
    tag = "shares",
    operation_id = "share_report",
    params(("Idempotency-Key" = Option<String>, Header, description = "Names this share while it is being made: 1 to 64 \
        letters, digits or `. _ : -`. For ten minutes a retry with the same key makes no second share: it gets the first \
        one with a new link, and the link before opens nothing any more.")),
    request_body = ShareBody,
    security(("staff" = [])),
    responses(
        (status = 201, description = "Anybody who has the link reads the report; the link is shown only now.",
            body = MadeShareBody),
        ShareProblems,
    )
)]
pub(super) async fn share(
    State(state): State<ControlState>,
    staff: Staff,
    OptionalKey(key): OptionalKey,
    Body(body): Body<ShareBody>,
) -> Result<Response, Problem> {
    may_share(&staff)?;
    let asked_for = body.subject()?;
    let found = visible(&state, &staff, asked_for.drop_id())?;
    let subject = match asked_for {
        ShareSubject::Drop(drop) => ShareSubject::Drop(drop),
        ShareSubject::Show(drop) => {
            let show = show_of(&state, &staff, drop).ok_or_else(Problem::unknown_drop)?;
            ShareSubject::Show(show.first().id())
        }
    };
    let new = NewShare {
        subject,
        channel: body.channel()?,
        valid: body.valid(),
        label: body.label(),
        by: staff.name().to_owned(),
        merchant: staff.merchant().cloned(),
    };
    let (key, now) = (key.map(|key| staff.key(key)), state.engine().wall());
    let made = on_disk(&state, move |shares| match key {
        Some(key) => shares.make_once(new, &key, now),
        None => shares.make(new, now),
    })
    .await?;
    tracing::info!(share = %made.share.id, by = %made.share.by, subject = ?made.share.subject,
        channel = made.share.channel.as_ref().map(tracing::field::display),
        ends_at_ms = made.share.ends_at.get(), "a report is shared");
    let path = shared_path(&made.secret);
    let told = MadeShareBody {
        url: state.shared_at().map(|at| format!("{at}{path}")),
        path,
        share: line(&made.share, &found),
    };
    Ok((StatusCode::CREATED, Json(told)).into_response())
}

/// Shares in force, newest first, a page at a time; without their links.
#[utoipa::path(
    get,
    path = "/v1/shares",
    tag = "shares",
    operation_id = "list_shares",
    params(ShareParams),
    security(("staff" = [])),
    responses(
        (status = 200, description = "The shares that the token may see.", body = ShareList),
        QueryProblems,
    )
)]
pub(super) async fn list(
    State(state): State<ControlState>,
    staff: Staff,
    Params(params): Params<ShareParams>,
) -> Result<Json<ShareList>, Problem> {
    may_share(&staff)?;
    let (drop, show) = params.wanted()?;
    let now = state.engine().wall();
    let mut found = in_force(&state).await?;
    // Whichever drop of the show was the first when it was shared.
    let of_show = show.map(|drop| match show_of(&state, &staff, drop) {
        Some(show) => show.drops().iter().map(Standing::id).collect(),
        None => Vec::new(),
    });
    let is_wanted = |share: &Share| match share.subject {
        ShareSubject::Drop(shared) => of_show.is_none() && drop.is_none_or(|drop| drop == shared),
        ShareSubject::Show(shared) => {
            drop.is_none() && of_show.as_ref().is_none_or(|drops| drops.contains(&shared))
        }
    };
    found.retain(|share| is_wanted(share) && reaches(&state, &staff, share));
    let total = found.len();
    let page = found.iter().rev().skip(params.skip.count()).take(params.limit.get());
    let lines = page.filter_map(|share| {
        let standing = Standing::of(state.engine(), share.subject.drop_id());
        standing.map(|standing| line(share, &standing))
    });
    Ok(Json(ShareList { server_time_ms: now.get(), shares: lines.collect(), total }))
}

/// Take a share back: its link shows nothing any more, from the next request on.
#[utoipa::path(
    delete,
    path = "/v1/shares/{share}",
    tag = "shares",
    operation_id = "revoke_share",
    params(("share" = String, Path, description = "The share's id, as the list has it.")),
    security(("staff" = [])),
    responses((status = 204, description = "Whoever has the link is told that it is over."), ShareProblems)
)]
pub(super) async fn revoke(
    State(state): State<ControlState>,
    staff: Staff,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    may_share(&staff)?;
    let unknown = || {
        let detail = format!("no share {id} of yours is in force; GET /v1/shares lists them");
        Problem::new(Code::UnknownShare, detail)
    };
    let found = in_force(&state).await?;
    let found = found.into_iter().find(|share| share.id == id && reaches(&state, &staff, share));
    let share = found.ok_or_else(unknown)?;
    let now = state.engine().wall();
    let was_in_force = {
        let id = id.clone();
        on_disk(&state, move |shares| shares.revoke(&id, now)).await?
    };
    if !was_in_force {
        return Err(unknown());
    }
    tracing::info!(share = %share.id, by = %staff.name(), made_by = %share.by, "a share is revoked");
    Ok(StatusCode::NO_CONTENT)
}

/// Who may give figures away.
fn may_share(staff: &Staff) -> Result<(), Problem> {
    if matches!(staff.role(), Role::Admin | Role::Merchant) {
        return Ok(());
    }
    let detail =
        format!("role {} may not share reports; only admin and merchant may", staff.role());
    Err(Problem::new(Code::Forbidden, detail))
}

/// Whether somebody may see and revoke a share: nobody decides about what shows more than they may see.
fn reaches(state: &ControlState, staff: &Staff, share: &Share) -> bool {
    let is_within = match (share.subject, staff.merchant()) {
        (ShareSubject::Drop(_), _) | (_, None) => true,
        (ShareSubject::Show(_), Some(own)) => share.merchant.as_ref() == Some(own),
    };
    is_within && is_seen(state, staff, share.subject.drop_id())
}

fn line(share: &Share, found: &Standing) -> ShareLine {
    match share.subject {
        ShareSubject::Drop(_) => ShareLine::new(share, found.title()),
        ShareSubject::Show(_) => ShareLine::new(share, found.stream().as_str()),
    }
}

/// Every share in force. The file may be long, so a thread reads it that may wait.
async fn in_force(state: &ControlState) -> Result<Vec<Share>, Problem> {
    let now = state.engine().wall();
    on_disk(state, move |shares| shares.list(now)).await
}

/// Has the shares read or changed on a thread that may wait for the disk.
pub(super) async fn on_disk<T: Send + 'static>(
    state: &ControlState,
    work: impl FnOnce(&Shares) -> Result<T, StaffError> + Send + 'static,
) -> Result<T, Problem> {
    let shares = std::sync::Arc::clone(state.shares());
    let done = spawn_blocking(move || work(&shares)).await;
    done.map_err(|error| Problem::internal(&error))?.map_err(Problem::from)
}
