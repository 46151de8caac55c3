//! A stream, followed.

use std::convert::Infallible;

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, HeaderName, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;

use crate::{
    auth::Staff,
    dto::{FollowParams, StreamSnapshot},
    extract::{Params, StreamPath},
    follow::{Follower, Person, Reader},
    problem::{Code, Problem, ProblemBody},
    state::ControlState,
};

const EVENT_STREAM: &str = "text/event-stream";
/// Tells nginx not to wait until a buffer is full.
const NO_BUFFER: (HeaderName, &str) = (HeaderName::from_static("x-accel-buffering"), "no");

/// Follow a stream: with `Accept: text/event-stream` a snapshot, then what changes, as server-sent events,
/// each with one line of JSON; otherwise the snapshot alone. Events: `snapshot` (`StreamSnapshot`; first,
/// again after a gap), `drop` (`DropState`; at once when anything but its figures changes),
/// `figures` (`DropFigures`), `second` (`SecondState`), `gone` (`DropGone`), `stream` (`StreamChanged`),
/// `people` (`PeopleState`) with `command` (`CommandGiven`) where one is `present`, `session`
/// (`SessionEnding`; two minutes before the session ends), `alive` (`StillThere`; after a second without
/// anything else). The roles stage and platform get each drop as a
/// `StageDrop`, in a `drop` also where its figures change, and no seconds.
#[utoipa::path(
    get,
    path = "/v1/streams/{stream}/follow",
    tag = "drops",
    operation_id = "follow_stream",
    params(
        ("stream" = String, Path, description = "The stream's id; nothing has to be planned there yet."),
        FollowParams,
    ),
    security(("staff" = [])),
    responses(
        (status = 200, description = "The stream's drops that the token may see.", content(
            (StreamSnapshot = "application/json"),
            (String = "text/event-stream"),
        )),
        (status = 400, description = "The id or the query is malformed.",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "No staff token, or one that is not known.",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 429, description = "Too many streams are followed; the snapshot alone is always available.",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "The server is stopping; the snapshot alone is there until it has.",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn follow(
    State(state): State<ControlState>,
    staff: Staff,
    StreamPath(stream): StreamPath,
    Params(params): Params<FollowParams>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let engine = state.engine();
    let who = params.present.then(|| Person::of(&staff)).flatten();
    if !wants_events(&headers) {
        let hub = state.followed().hub(engine, state.stage_lines(), &stream);
        let kind = [(header::CONTENT_TYPE, "application/json")];
        let reader = Reader::new((engine, state.stage_lines()), &staff, &stream);
        let reader = reader.present(who.as_ref().filter(|_| hub.concerns(reader)));
        state.followed().polled(&hub, reader);
        let snapshot = hub.snapshot(reader);
        return Ok((kind, snapshot).into_response());
    }
    if state.is_draining() {
        let detail = "the server stops: follow again once it is back; JSON is answered until then";
        return Err(Problem::retry(Code::Draining, detail));
    }
    let places = state.followed().places(&staff)?;
    let follower = Follower::new(&state, staff, stream, params.figures_ms.get(), who, places);
    let events = stream::unfold(follower, async |mut follower| {
        let piece = follower.next().await?;
        Some((Ok::<_, Infallible>(piece), follower))
    });
    let kind = (header::CONTENT_TYPE, EVENT_STREAM);
    Ok(([kind, NO_BUFFER], Body::from_stream(events)).into_response())
}

/// Whether the client asks for events rather than for JSON.
fn wants_events(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut kinds = lines.flat_map(|line| line.split(','));
    let kind = |part: &str| part.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kinds.any(|part| kind(part) == EVENT_STREAM)
}
