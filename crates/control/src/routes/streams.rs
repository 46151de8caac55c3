//! Reports of the platform about its streams.

use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use stampede_engine::{Role, StreamAction};

use super::{
    commands::{CommandProblems, KEY_HELP, Sender, marked, too_many},
    rooms::Sight,
};
use crate::{
    auth::Staff,
    dto::{LineBody, Reason, StreamChanged, StreamFacts, StreamReported},
    extract::{Body, Key, OptionalBody, StreamPath},
    problem::{Code, Problem, ProblemBody},
    stage,
    state::ControlState,
};

/// Write the line for the person on camera, in place of the one before. It is kept in memory, is not
/// recorded and ends with the server's process; the same line twice is one.
#[utoipa::path(
    put,
    path = "/v1/streams/{stream}/stage-line",
    tag = "streams",
    operation_id = "write_stage_line",
    params(("stream" = String, Path, description = "The stream, by the platform's id.")),
    request_body = LineBody,
    security(("staff" = [])),
    responses(
        (status = 200, description = "Followers of the stream are told.", body = StreamChanged),
        (status = 400, description = "The id or the body is malformed.",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "No staff token, or one that is not known.",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The role is not trusted with this.",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "The stream is somebody else's.",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 415, description = "The body is not declared as JSON.",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "The line is too long, or has controls.",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "The token's name gives more commands than may be.",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn write_line(
    State(state): State<ControlState>,
    staff: Staff,
    StreamPath(stream): StreamPath,
    Body(body): Body<LineBody>,
) -> Result<Json<StreamChanged>, Problem> {
    if !matches!(staff.role(), Role::Admin | Role::Merchant | Role::Host | Role::Creator) {
        let detail = format!(
            "role {} may not write to the stage; admin, merchant, host and creator may",
            staff.role()
        );
        return Err(Problem::new(Code::Forbidden, detail));
    }
    let engine = state.engine();
    let may = match engine.room(&stream) {
        // Whoever is only admitted does not write to the person of somebody else's show.
        Some(room) => matches!(Sight::of(&staff, &room), Sight::Whole),
        None => staff.sees_stream(engine, &stream),
    };
    if !may {
        let detail = format!("stream {stream} belongs to nobody you work for");
        return Err(Problem::new(Code::UnknownRoom, detail));
    }
    state.pace().count(staff.name(), engine.now()).map_err(|wait| too_many(staff.name(), wait))?;
    let line = stage::checked(&body.line);
    let line = line.map_err(|error| Problem::new(Code::InvalidLine, error.to_string()))?;
    state.stage_lines().write(&stream, line.as_deref());
    let facts = StreamFacts::of(state.engine(), state.stage_lines(), &stream);
    let (stream, server_time_ms) = (stream.to_string(), engine.wall().get());
    Ok(Json(StreamChanged { stream, server_time_ms, facts }))
}

macro_rules! reports {
    ($($(#[$doc:meta])* $name:ident $path:literal $id:literal $action:ident $online:literal)*) => {$(
        $(#[$doc])*
        #[utoipa::path(
            post,
            path = $path,
            tag = "streams",
            operation_id = $id,
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
        pub(super) async fn $name(
            State(state): State<ControlState>,
            staff: Staff,
            Key(key): Key,
            StreamPath(stream): StreamPath,
            OptionalBody(body): OptionalBody<Reason>,
        ) -> Result<Response, Problem> {
            let reported = StreamReported::new(&stream, $online);
            let sender = Sender { state, staff, key };
            let done = sender.decided(StreamAction::$action.on(stream), body.reason).await?;
            Ok(marked(Json(reported).into_response(), done.replayed))
        }
    )*};
}

reports! {
    /// Report that a stream is offline. Its drops go on, or pause after the time that their plan allows.
    offline "/v1/streams/{stream}/offline" "stream_offline" Offline false
    /// Report that a stream is back. Drops that paused meanwhile go on if their plan says so.
    online "/v1/streams/{stream}/online" "stream_online" Online true
}
