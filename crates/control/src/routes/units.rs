//! The commands about the units of a drop: what is put on sale, what is taken back.

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};

use super::commands::{CommandProblems, KEY_HELP, Sender, accepted};
use crate::{
    auth::Staff,
    dto::{Accepted, Restock, TakeBack},
    extract::{Body, DropPath, Key},
    problem::Problem,
    state::ControlState,
};

/// Put a further lot on sale while the drop is open or paused, what is in reserve first. For a host more than the reserve
/// is a request, which the merchant grants or declines. A retry with the same key adds nothing and asks for nothing more.
#[utoipa::path(
    post,
    path = "/v1/drops/{drop}/lots",
    tag = "commands",
    operation_id = "restock_drop",
    params(
        ("drop" = String, Path, description = "The drop's id, like `d17`."),
        ("Idempotency-Key" = String, Header, description = KEY_HELP),
    ),
    request_body = Restock,
    security(("staff" = [])),
    responses(
        (status = 200, description = "The lot is on sale.", body = Accepted),
        (status = 202, description = "Nothing has moved: the units are asked for.", body = Accepted),
        CommandProblems,
    )
)]
pub(super) async fn restock(
    State(state): State<ControlState>,
    staff: Staff,
    Key(key): Key,
    DropPath(drop): DropPath,
    Body(body): Body<Restock>,
) -> Result<Response, Problem> {
    let action = body.to_action()?.on_seen(drop, body.seen());
    let name = action.name();
    let done = Sender { state, staff, key }.decided(action, body.reason).await?;
    let answer = accepted(name, &done);
    Ok(if done.asked.is_some() { (StatusCode::ACCEPTED, answer).into_response() } else { answer })
}

/// Take units off the sale that nobody has taken, at once, while the drop is open or paused. If fewer are free, nothing is
/// taken back, and the answer says how many are.
#[utoipa::path(
    post,
    path = "/v1/drops/{drop}/take-back",
    tag = "commands",
    operation_id = "take_back",
    params(
        ("drop" = String, Path, description = "The drop's id, like `d17`."),
        ("Idempotency-Key" = String, Header, description = KEY_HELP),
    ),
    request_body = TakeBack,
    security(("staff" = [])),
    responses((status = 200, description = "The units are on sale no more.", body = Accepted), CommandProblems)
)]
pub(super) async fn take_back(
    State(state): State<ControlState>,
    staff: Staff,
    Key(key): Key,
    DropPath(drop): DropPath,
    Body(body): Body<TakeBack>,
) -> Result<Response, Problem> {
    let (action, seen) = (body.to_action()?, body.seen());
    Sender { state, staff, key }.give(action.on_seen(drop, seen), body.reason).await
}
