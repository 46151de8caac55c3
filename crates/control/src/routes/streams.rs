//! What the platform reports about its streams.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use stampede_domain::StreamId;
use stampede_engine::Action;

use super::commands::{CommandProblems, KEY_HELP, Sender, marked};
use crate::{
    auth::Staff,
    dto::{Reason, StreamReported},
    extract::{Key, OptionalBody, StreamPath},
    problem::Problem,
    state::ControlState,
};

async fn report(
    sender: Sender,
    stream: StreamId,
    online: bool,
    reason: Option<String>,
) -> Result<Response, Problem> {
    let reported = StreamReported::new(&stream, online);
    let action =
        if online { Action::StreamOnline { stream } } else { Action::StreamOffline { stream } };
    let done = sender.decided(None, action, reason).await?;
    Ok(marked(Json(reported).into_response(), done.replayed))
}

/// Report that a stream is offline. Its drops go on, or pause after the time that their plan allows.
#[utoipa::path(
    post,
    path = "/v1/streams/{stream}/offline",
    tag = "streams",
    operation_id = "stream_offline",
    params(
        ("stream" = String, Path, description = "The stream, by the platform's id."),
        ("Idempotency-Key" = String, Header, description = KEY_HELP),
    ),
    request_body(content = Option<Reason>, description = "May be left out."),
    security(("staff" = [])),
    responses(
        (status = 200, description = "The report is recorded.", body = StreamReported),
        CommandProblems,
    )
)]
pub(super) async fn offline(
    State(state): State<ControlState>,
    staff: Staff,
    Key(key): Key,
    StreamPath(stream): StreamPath,
    OptionalBody(body): OptionalBody<Reason>,
) -> Result<Response, Problem> {
    report(Sender { state, staff, key }, stream, false, body.reason).await
}

/// Report that a stream is back. Drops that paused meanwhile go on if their plan says so.
#[utoipa::path(
    post,
    path = "/v1/streams/{stream}/online",
    tag = "streams",
    operation_id = "stream_online",
    params(
        ("stream" = String, Path, description = "The stream, by the platform's id."),
        ("Idempotency-Key" = String, Header, description = KEY_HELP),
    ),
    request_body(content = Option<Reason>, description = "May be left out."),
    security(("staff" = [])),
    responses(
        (status = 200, description = "The report is recorded.", body = StreamReported),
        CommandProblems,
    )
)]
pub(super) async fn online(
    State(state): State<ControlState>,
    staff: Staff,
    Key(key): Key,
    StreamPath(stream): StreamPath,
    OptionalBody(body): OptionalBody<Reason>,
) -> Result<Response, Problem> {
    report(Sender { state, staff, key }, stream, true, body.reason).await
}
