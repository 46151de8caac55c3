//! The command that puts terms right while a drop is on sale.

use axum::{extract::State, response::Response};

use super::commands::{CommandProblems, KEY_HELP, Sender};
use crate::{
    auth::Staff,
    dto::{Accepted, Amendment},
    extract::{Body, DropPath, Key},
    problem::Problem,
    state::ControlState,
};

/// Put terms of a drop right that is on sale: limits of viewers while it is paused, its end while it is open or paused. A
/// lower limit takes nothing from anybody; it binds from the next buy on.
#[utoipa::path(
    post,
    path = "/v1/drops/{drop}/amend",
    tag = "commands",
    operation_id = "amend_drop",
    params(
        ("drop" = String, Path, description = "The drop's id, like `d17`."),
        ("Idempotency-Key" = String, Header, description = KEY_HELP),
    ),
    request_body = Amendment,
    security(("staff" = [])),
    responses((status = 200, description = "The terms hold.", body = Accepted), CommandProblems)
)]
pub(super) async fn amend(
    State(state): State<ControlState>,
    staff: Staff,
    Key(key): Key,
    DropPath(drop): DropPath,
    Body(body): Body<Amendment>,
) -> Result<Response, Problem> {
    let (action, seen) = (body.to_action()?, body.seen());
    Sender { state, staff, key }.give(action.on_seen(drop, seen), body.reason).await
}
