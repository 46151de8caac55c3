//! Rehearsals by one press.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use stampede_domain::{Mode, Phase, StreamId};
use stampede_engine::{Done, SaleDrop, StreamAction};

use super::commands::{CommandProblems, KEY_HELP, Sender, marked};
use crate::{
    CROWD_MIN,
    auth::Staff,
    dto::{Reason, RehearsalBody, RehearsalState},
    extract::{Key, OptionalBody, StreamPath},
    problem::{Code, Problem, ProblemBody},
    rehearsal::{Seats, send_crowd},
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
    // Counting places reads the process's descriptors: nobody who is refused has that done. While a rehearsal goes on
    // its crowd has the places: the command is a retry, or refused for that.
    let begins = staff.role().may(&action) && running(state.engine(), &stream).is_none();
    let seats = if begins { Some(keep(&state, asked)?) } else { None };
    let sender = Sender { state: state.clone(), staff: staff.clone(), key };
    // Each copy is a drop, so each counts as if it was planned by hand; the command itself is one of them.
    for _ in 1..if begins { planned(&state, &staff, &stream) } else { 1 } {
        sender.count()?;
    }
    // It goes on even if nobody waits for the answer: no rehearsal is left without its crowd.
    let (given, of) = (state.clone(), stream.clone());
    let begun = tokio::spawn(async move {
        let done = sender.decided(action, body.reason).await?;
        bring(&given, &of, (asked, seats))?;
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

/// Drops of which a rehearsal has copies.
fn planned(state: &ControlState, staff: &Staff, stream: &StreamId) -> usize {
    let is_planned = |sale: &&Arc<SaleDrop>| {
        let plan = sale.plan();
        let is_own = staff.merchant().is_none_or(|own| *own == plan.merchant);
        is_own && plan.mode == Mode::Live && sale.phase() == Phase::Scheduled
    };
    state.engine().stream(stream).iter().filter(is_planned).count()
}

/// Sends a crowd to the rehearsal that goes on, unless it is in: a retry brings one that could not come before.
fn bring(
    state: &ControlState,
    stream: &StreamId,
    (asked, seats): (u32, Option<Seats>),
) -> Result<(), Problem> {
    let Some((until, _)) = running(state.engine(), stream) else { return Ok(()) };
    if state.crowds().is_in(stream, until) {
        return Ok(());
    }
    let seats = match seats {
        Some(seats) => seats,
        None => keep(state, asked)?,
    };
    let Some(source) = state.crowd_source() else { return Err(no_crowd()) };
    send_crowd(state.engine(), source, (stream, seats), state.draining())
        .map_err(|error| Problem::internal(&error))
}

/// Places for a crowd of so many, or of fewer.
fn keep(state: &ControlState, asked: u32) -> Result<Seats, Problem> {
    let source = state.crowd_source().ok_or_else(no_crowd)?;
    state.crowds().keep(&**source, asked).map_err(no_places)
}

fn no_crowd() -> Problem {
    let detail = "there is no key for the tickets of a crowd: ticket-keys.json has as many keys as may be, take one out and \
                  start the server anew";
    Problem::new(Code::NoCrowd, detail)
}

fn no_places(places: u32) -> Problem {
    let detail = format!(
        "{places} places are free for the crowds of rehearsals, and a crowd needs {CROWD_MIN}: wait until viewers leave or \
         other rehearsals end, or raise viewers.connections_max"
    );
    Problem::new(Code::NoPlaces, detail)
}
