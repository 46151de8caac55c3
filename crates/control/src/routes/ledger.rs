//! What was commanded, audits, terms of drops that are over: from the ledger.

use std::{ops::ControlFlow, sync::Arc};

use axum::{
    Json,
    body::{Body, Bytes},
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use futures_util::stream;
use stampede_domain::{DropId, DropPlan, DurationMs};
use stampede_engine::Role;
use stampede_report::{
    ReportError,
    audit::{AuditEnd, audit_ndjson},
    drop_plan,
};
use tokio::{runtime::Handle, sync::mpsc};

use super::{
    QueryProblems,
    standing::{Standing, visible},
};
use crate::{
    auth::Staff,
    dto::{CommandLine, CommandList, CommandParams},
    extract::{DropPath, Params},
    fair_use::{HeldPlace, NoPlace},
    metrics,
    place::Place,
    problem::{Code, Problem, ProblemBody},
    state::{ControlState, Trouble},
};

/// Bytes of one piece of an audit.
pub(super) const CHUNK_BYTES_MAX: usize = 64 << 10;
/// Pieces made ahead of their reader.
pub(super) const CHUNKS_AHEAD_MAX: usize = 4;

/// The terms of a drop that has left memory.
pub(super) async fn plan(
    state: &ControlState,
    staff: &Staff,
    drop: DropId,
) -> Result<Arc<DropPlan>, Problem> {
    let place = place(state, staff)?;
    let ledger = Arc::clone(state.ledger());
    let read = tokio::task::spawn_blocking(move || {
        let _place = place;
        drop_plan(&*ledger.open()?, drop)
    });
    Ok(read.await.map_err(|error| Problem::internal(&error))??)
}

/// Staff commands with their outcome, newest first, a page at a time. Commands that belong to no
/// drop, the brake's among them, are for tokens that are not bound to a merchant.
#[utoipa::path(
    get,
    path = "/v1/commands",
    tag = "ledger",
    operation_id = "list_commands",
    params(CommandParams),
    security(("staff" = [])),
    responses(
        (status = 200, description = "The commands that the token may see.", body = CommandList),
        QueryProblems,
        (status = 403, description = "Hosts and the platform may not read them.",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "The ledger is being read by as many as may.",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn commands(
    State(state): State<ControlState>,
    staff: Staff,
    Params(params): Params<CommandParams>,
) -> Result<Json<CommandList>, Problem> {
    if !matches!(staff.role(), Role::Admin | Role::Ops | Role::Merchant) {
        let detail = "only admin, ops and merchants may read what was commanded";
        return Err(Problem::new(Code::Forbidden, detail));
    }
    let (before, limit) = (params.before.map(Place::get), params.limit.get());
    let place = place(&state, &staff)?;
    let read = tokio::task::spawn_blocking(move || {
        let _place = place;
        let sees = |drop: DropId| match Standing::of(state.engine(), drop) {
            Some(found) => staff.sees(state.engine(), found.stream(), found.merchant()),
            None => staff.is_everybodys(),
        };
        let journal = state.ledger().open()?;
        stampede_report::commands::commands(&*journal, before, limit, sees)
    });
    let page = read.await.map_err(|error| Problem::internal(&error))??;
    let commands: Vec<_> = page.commands.iter().map(CommandLine::new).collect();
    let next = commands.last().filter(|_| page.more).map(|oldest| oldest.number);
    Ok(Json(CommandList { commands, next }))
}

/// Every hold, every order, the refusal tally as JSON lines. A body without the final `summary`
/// line is not complete. Names viewers, so hosts and the platform do not get it.
#[utoipa::path(
    get,
    path = "/v1/drops/{drop}/audit",
    tag = "ledger",
    operation_id = "drop_audit",
    params(("drop" = String, Path, description = "The drop's id, like `d17`.")),
    security(("staff" = [])),
    responses(
        (status = 200, description = "One JSON object per line, told apart by `type`.",
            body = String, content_type = "application/x-ndjson"),
        (status = 400, description = "The id is malformed.",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "No staff token, or one that is not known.",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The role is not trusted with viewers' names.",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such drop, or another merchant's.",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "The ledger is being read by as many as may.",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn audit(
    State(state): State<ControlState>,
    staff: Staff,
    DropPath(drop): DropPath,
) -> Result<Response, Problem> {
    visible(&state, &staff, drop)?;
    if !matches!(staff.role(), Role::Admin | Role::Ops | Role::Merchant) {
        let detail = format!("role {} may not audit: the lines name viewers", staff.role());
        return Err(Problem::new(Code::Forbidden, detail));
    }
    let mut pieces = pieces(&state, place(&state, &staff)?, drop);
    // What fails before the first line can still be answered as a problem.
    let first = match pieces.recv().await {
        Some(Piece::Failed(error)) => return Err(error.into()),
        Some(piece) => piece,
        None => return Err(Problem::internal(&CutOff)),
    };
    let rest = stream::unfold(Some((Some(first), pieces)), async |state| {
        let (ready, mut pieces) = state?;
        let piece = match ready {
            Some(piece) => Some(piece),
            None => pieces.recv().await,
        };
        match piece {
            Some(Piece::Lines(lines)) => Some((Ok(Bytes::from(lines)), Some((None, pieces)))),
            Some(Piece::End) => None,
            // An error here ends the connection without the final chunk: the reader notices.
            Some(Piece::Failed(_)) | None => Some((Err(CutOff), None)),
        }
    });
    let kind = [(header::CONTENT_TYPE, "application/x-ndjson")];
    Ok((kind, Body::from_stream(rest)).into_response())
}

/// A piece of an audit on its way to its reader.
enum Piece {
    Lines(Vec<u8>),
    End,
    Failed(ReportError),
}

/// The audit broke off.
#[derive(Debug, thiserror::Error)]
#[error("the audit broke off before its last line")]
struct CutOff;

/// Makes the audit on a thread of its own, no faster than it is read.
fn pieces(state: &ControlState, place: HeldPlace, drop: DropId) -> mpsc::Receiver<Piece> {
    let (to, pieces) = mpsc::channel(CHUNKS_AHEAD_MAX);
    let (state, runtime) = (state.clone(), Handle::current());
    tokio::task::spawn_blocking(move || {
        let _place = place;
        let send = |piece| send(&runtime, &to, piece, state.chunk_wait());
        let made = state.ledger().open().map_err(ReportError::from).and_then(|journal| {
            audit_ndjson(&*journal, drop, CHUNK_BYTES_MAX, &mut |lines| {
                metrics::count_audit_bytes(lines.len());
                send(Piece::Lines(lines))
            })
        });
        // Where the reader has gone or was too slow, the channel just closes.
        let _ = match made {
            Ok(AuditEnd { flow, damage }) => {
                if let Some(damage) = damage
                    && let Some(times) = state.note(Trouble::Audit)
                {
                    tracing::error!(%drop, %damage, times, "an audit found damage");
                }
                if flow.is_break() { flow } else { send(Piece::End) }
            }
            Err(error) => {
                if let Some(times) = state.note(Trouble::Audit) {
                    tracing::error!(%drop, %error, times, "an audit failed");
                }
                send(Piece::Failed(error))
            }
        };
    });
    pieces
}

/// Waits for room; breaks if the reader has gone or lets a piece wait too long.
pub(super) fn send<T>(
    runtime: &Handle,
    to: &mpsc::Sender<T>,
    piece: T,
    wait: DurationMs,
) -> ControlFlow<()> {
    let sent =
        runtime.block_on(async { tokio::time::timeout(wait.to_std(), to.send(piece)).await });
    if matches!(sent, Ok(Ok(()))) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
}

/// A place among those who read the ledger; a merchant's staff share theirs.
pub(super) fn place(state: &ControlState, staff: &Staff) -> Result<HeldPlace, Problem> {
    place_of(state, &staff.holder())
}

/// The same for whose share of the places it is.
pub(super) fn place_of(state: &ControlState, holder: &str) -> Result<HeldPlace, Problem> {
    state.ledger_reads().take(holder).map_err(|none| {
        let whose = match none {
            NoPlace::Share => "as many of your own reports, audits or lists as may be",
            NoPlace::Full => "other reports, audits or lists",
        };
        Problem::retry(Code::Busy, format!("{whose} are reading the ledger; try again soon"))
    })
}
