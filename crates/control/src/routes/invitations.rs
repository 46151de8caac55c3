//! Invitations: made, looked at, withdrawn.

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use stampede_engine::{Role, StreamScope};
use utoipa::IntoResponses;

use super::sessions::{judged, no_site, write};
use crate::{
    auth::Staff,
    by_address::Client,
    dto::{InvitationBody, InvitationLine, InvitationList, Invited, LookBody, Seen},
    extract::Body,
    problem::{Code, Problem, ProblemBody},
    staff::{Grant, Invitation, NewStaff, hash, join_path},
    state::ControlState,
};

/// What every request about invitations may be answered with besides success.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "describes answers in the OpenAPI document, is never made")]
enum InvitationProblems {
    /// The request is malformed.
    #[response(status = 400, content_type = "application/problem+json")]
    Malformed(ProblemBody),
    /// No staff token and no session, or one that is not known; the session has run out.
    #[response(status = 401, content_type = "application/problem+json")]
    Unknown(ProblemBody),
    /// The invitation goes beyond its inviter; a cookie without its page's origin or token.
    #[response(status = 403, content_type = "application/problem+json")]
    Forbidden(ProblemBody),
    /// No such invitation.
    #[response(status = 404, content_type = "application/problem+json")]
    NoSuchInvitation(ProblemBody),
    /// There are as many as may be, the name is somebody else's, or nobody has said where browsers find
    /// the server.
    #[response(status = 409, content_type = "application/problem+json")]
    Conflict(ProblemBody),
    /// The body is not declared as JSON.
    #[response(status = 415, content_type = "application/problem+json")]
    NotJson(ProblemBody),
    /// The body does not fit.
    #[response(status = 422, content_type = "application/problem+json")]
    Unacceptable(ProblemBody),
}

/// Invite a person by a one-time link, within the caller's own role, merchant, streams and lifetime.
#[utoipa::path(
    post,
    path = "/v1/invitations",
    tag = "sessions",
    operation_id = "invite",
    request_body = InvitationBody,
    security(("staff" = [])),
    responses(
        (status = 201, description = "The link is good for one browser; it is shown only now.",
            body = Invited),
        InvitationProblems,
    )
)]
pub(super) async fn invite(
    State(state): State<ControlState>,
    staff: Staff,
    Body(body): Body<InvitationBody>,
) -> Result<Response, Problem> {
    let site = state.site().url().ok_or_else(no_site)?;
    let inviter = staff.inviter();
    let invited = within(&staff, body.to_staff()?);
    let (valid, now) = (body.valid(), state.engine().wall());
    let made =
        write(&state, move |sessions| sessions.invite(&inviter, invited, valid, now)).await?;
    let Invitation { id, by_name, staff, ends_at, .. } = made.invitation;
    tracing::info!(invitation = %id, by = %by_name, name = %staff.name, role = %staff.role,
        "somebody is invited");
    let link = format!("{site}{}", join_path(&made.secret));
    let told = Invited { invitation: id, link, expires_at_ms: ends_at.get() };
    Ok((StatusCode::CREATED, Json(told)).into_response())
}

/// What an inviter leaves out is what the inviter has: its merchant, its streams.
fn within(inviter: &Staff, mut invited: NewStaff) -> NewStaff {
    let may_be_bound = matches!(
        invited.role,
        Role::Merchant | Role::Host | Role::Ops | Role::Stage | Role::Payments
    );
    if invited.merchant.is_none() && may_be_bound {
        invited.merchant = inviter.merchant().cloned();
    }
    if invited.streams == StreamScope::All {
        invited.streams = inviter.streams().clone();
    }
    invited
}

/// Who invites whom to what, until when. This redeems nothing, and needs no token but the link's.
#[utoipa::path(
    post,
    path = "/v1/invitations/look",
    tag = "sessions",
    operation_id = "look_at_invitation",
    request_body = LookBody,
    responses(
        (status = 200, description = "What the invitation says.", body = Seen),
        InvitationProblems,
        (status = 410, description = "Somebody came in by it already, or it is over.",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "This address has sent too many wrong secrets.",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn look(
    State(state): State<ControlState>,
    client: Client,
    Body(body): Body<LookBody>,
) -> Result<Json<Seen>, Problem> {
    let hash = hash(body.secret());
    state.guesses().check(client, hash, state.engine().now())?;
    let now = state.engine().wall();
    let found = state.sessions().look(body.secret(), now);
    let found = judged(&state, client, hash, found.map_err(Problem::from))?;
    Ok(Json(Seen::new(&found, now)))
}

/// The caller's invitations that are not over; for an admin all.
#[utoipa::path(
    get,
    path = "/v1/invitations",
    tag = "sessions",
    operation_id = "list_invitations",
    security(("staff" = [])),
    responses(
        (status = 200, description = "Who is invited, who has come.", body = InvitationList),
        InvitationProblems,
    )
)]
pub(super) async fn list(
    State(state): State<ControlState>,
    staff: Staff,
) -> Result<Json<InvitationList>, Problem> {
    let now = state.engine().wall();
    let found = state.sessions().invitations(now).map_err(Problem::from)?;
    let own = found.iter().filter(|invitation| reaches(&staff, invitation));
    let invitations = own.map(|invitation| InvitationLine::new(invitation, now)).collect();
    Ok(Json(InvitationList { invitations }))
}

/// Withdraw an invitation, with every session and every invitation that came of it.
#[utoipa::path(
    delete,
    path = "/v1/invitations/{invitation}",
    tag = "sessions",
    operation_id = "withdraw_invitation",
    params(("invitation" = String, Path, description = "The invitation's id, as the list has it.")),
    security(("staff" = [])),
    responses(
        (status = 204, description = "It is withdrawn; everybody who came in by it is signed out."),
        InvitationProblems,
    )
)]
pub(super) async fn withdraw(
    State(state): State<ControlState>,
    staff: Staff,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let now = state.engine().wall();
    let found = state.sessions().invitations(now).map_err(Problem::from)?;
    if !found.iter().any(|invitation| invitation.id == id && reaches(&staff, invitation)) {
        let detail = format!(
            "no invitation {id} of yours is open or in use; GET /v1/invitations lists them"
        );
        return Err(Problem::new(Code::InvitationUnknown, detail));
    }
    write(&state, move |sessions| sessions.withdraw(&id, now)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whether a member of staff may see and withdraw an invitation.
fn reaches(staff: &Staff, invitation: &Invitation) -> bool {
    let is_own = invitation.by != Grant::Machine && invitation.by_name == staff.name();
    is_own || staff.is_free_admin()
}
