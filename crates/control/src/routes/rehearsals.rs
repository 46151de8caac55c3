//! Rehearsals by one press.

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use stampede_domain::StreamId;
use stampede_engine::{Done, StreamAction};

use super::commands::{CommandProblems, KEY_HELP, Sender, marked};
use crate::{
    CROWD_MIN, CrowdSource,
    auth::Staff,
    dto::{Reason, RehearsalBody, RehearsalState},
    extract::{Key, OptionalBody, StreamPath},
    problem::{Code, Problem, ProblemBody},
    rehearsal::send_crowd,
    rehearsed::running,
    state::ControlState,
};

/// Rehearse a stream's show: each scheduled live drop gets a copy for trying, in running order, and a crowd comes in that
/// buys and pays once a copy is opened. Nothing of it is counted or paid for. It ends by itself after two hours, when a
/// live drop of the stream begins to count down, and when the server stops.
#[utoipa::path(
    post,
    path = "/v1/streams/{stream}/rehearsal",
    tag = "streams",
    operation_id = "begin_rehearsal",
    params(
        ("stream" = String, Path, description = "The stream, by the platform's id."),
        ("Idempotency-Key" = String, Header, description = KEY_HELP),
    ),
    request_body(content = Option<RehearsalBody>, description = "May be left out."),
    security(("staff" = [])),
    responses(
        (status = 201, description = "The rehearsal goes on, its crowd comes in.", body = RehearsalState),
        CommandProblems,
    )
)]
pub(super) async fn begin(
    State(state): State<ControlState>,
    staff: Staff,
    Key(key): Key,
    StreamPath(stream): StreamPath,
    OptionalBody(body): OptionalBody<RehearsalBody>,
) -> Result<Response, Problem> {
    let asked = body.viewers()?;
    let action = StreamAction::Rehearse { viewers: asked }.on(stream.clone());
    let may = staff.role().may(&action);
    // Counting places reads the process's descriptors: nobody who is refused has that done.
    let source = state.crowd_source().filter(|_| may);
    let places = source.map_or(0, CrowdSource::places);
    // While one goes on its crowd has the places: the command is a retry, or refused for that.
    if may && places < CROWD_MIN && running(state.engine(), &stream).is_none() {
        return Err(no_places(places));
    }
    let viewers = asked.min(places);
    // It goes on even if nobody waits for the answer: no rehearsal is left without its crowd.
    let sender = Sender { state: state.clone(), staff: staff.clone(), key };
    let (given, of) = (state.clone(), stream.clone());
    let begun = tokio::spawn(async move {
        let done = sender.decided(action, body.reason).await?;
        if let Some(source) = given.crowd_source() {
            let (crowds, draining) = (given.crowds(), given.draining());
            send_crowd(given.engine(), (crowds, source), (&of, viewers), draining)
                .map_err(|error| Problem::internal(&error))?;
        }
        Ok::<Done, Problem>(done)
    });
    let done = begun.await.map_err(|error| Problem::internal(&error))??;
    let stands = (StatusCode::CREATED, Json(stand(&state, &staff, &stream)));
    Ok(marked(stands.into_response(), done.replayed))
}

/// How a stream's rehearsal stands.
#[utoipa::path(
    get,
    path = "/v1/streams/{stream}/rehearsal",
    tag = "streams",
    operation_id = "rehearsal_state",
    params(("stream" = String, Path, description = "The stream, by the platform's id.")),
    security(("staff" = [])),
    responses(
        (status = 200, description = "Its drops and its crowd; `running` is false if none goes on.", body = RehearsalState),
        (status = 400, description = "The id is malformed.",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "No staff token, or one that is not known.",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The role reads nobody's figures.",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn state(
    State(state): State<ControlState>,
    staff: Staff,
    StreamPath(stream): StreamPath,
) -> Result<Json<RehearsalState>, Problem> {
    staff.must_read_money("follow the stream")?;
    Ok(Json(stand(&state, &staff, &stream)))
}

/// End a rehearsal: drops that have not opened are called off, the others close, the crowd leaves.
#[utoipa::path(
    delete,
    path = "/v1/streams/{stream}/rehearsal",
    tag = "streams",
    operation_id = "end_rehearsal",
    params(
        ("stream" = String, Path, description = "The stream, by the platform's id."),
        ("Idempotency-Key" = String, Header, description = KEY_HELP),
    ),
    request_body(content = Option<Reason>, description = "May be left out."),
    security(("staff" = [])),
    responses(
        (status = 200, description = "It is over.", body = RehearsalState),
        CommandProblems,
    )
)]
pub(super) async fn end(
    State(state): State<ControlState>,
    staff: Staff,
    Key(key): Key,
    StreamPath(stream): StreamPath,
    OptionalBody(body): OptionalBody<Reason>,
) -> Result<Response, Problem> {
    let sender = Sender { state: state.clone(), staff: staff.clone(), key };
    let done = sender.decided(StreamAction::EndRehearsal.on(stream.clone()), body.reason).await?;
    Ok(marked(Json(stand(&state, &staff, &stream)).into_response(), done.replayed))
}

/// The rehearsal as far as somebody sees its drops.
fn stand(state: &ControlState, staff: &Staff, stream: &StreamId) -> RehearsalState {
    let engine = state.engine();
    let Some((_, mut drops)) = running(engine, stream) else { return RehearsalState::none(stream) };
    drops.retain(|sale| staff.sees(engine, stream, &sale.plan().merchant));
    if drops.is_empty() {
        return RehearsalState::none(stream);
    }
    let crowd = state.crowds().of(stream);
    let drops = drops.iter().map(|sale| &**sale);
    RehearsalState::running(stream, drops, crowd, engine.moment())
}

fn no_places(places: u32) -> Problem {
    let detail = format!(
        "{places} places for viewers are free, and a crowd needs {CROWD_MIN}: wait until viewers leave, or raise \
         viewers.connections_max"
    );
    Problem::new(Code::NoPlaces, detail)
}
