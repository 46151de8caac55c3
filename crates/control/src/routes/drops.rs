//! Drops as they stand, for those who may see them.

use axum::{Json, extract::State, http::header, response::IntoResponse};
use stampede_domain::{DropId, Mode};
use stampede_engine::DropView;

use super::{
    QueryProblems, ledger,
    standing::{Standing, sees, visible},
};
use crate::{
    auth::Staff,
    dto::{DropList, DropState, ListParams, StreamState},
    extract::{DropPath, Params, StreamPath, tag},
    problem::{Code, Problem, ProblemBody},
    state::ControlState,
};

/// Drops, oldest first or newest first, a page at a time.
#[utoipa::path(
    get,
    path = "/v1/drops",
    tag = "drops",
    operation_id = "list_drops",
    params(ListParams),
    security(("staff" = [])),
    responses(
        (status = 200, description = "The drops that the token may see.", body = DropList),
        QueryProblems,
    )
)]
pub(super) async fn list(
    State(state): State<ControlState>,
    staff: Staff,
    Params(params): Params<ListParams>,
) -> Result<Json<DropList>, Problem> {
    let bad = |detail: String| Problem::new(Code::BadQuery, detail);
    let after: Option<DropId> = params
        .after
        .as_deref()
        .map(str::parse)
        .transpose()
        .map_err(|error: stampede_domain::IdError| bad(format!("after: {error}")))?;
    let now = state.engine().moment();
    let mut found = Standing::shown(state.engine());
    found.retain(|found| {
        params.over.is_none_or(|over| found.is_over() == over)
            && sees(&state, &staff, found)
            && params.q.as_ref().is_none_or(|q| found.has(q))
    });
    let total = found.len();
    if params.newest_first {
        found.reverse();
    }
    let is_behind = |found: &&Standing| match after {
        None => true,
        Some(after) if params.newest_first => found.id() < after,
        Some(after) => found.id() > after,
    };
    let mut all = found.iter().filter(is_behind).skip(params.skip.count());
    let drops: Vec<_> =
        all.by_ref().take(params.limit.get()).map(|found| found.summary(&staff, now)).collect();
    let next = all.next().and(drops.last()).map(|last| last.drop.clone());
    Ok(Json(DropList { server_time_ms: now.wall.get(), drops, total, next }))
}

/// A drop as it stands now.
#[utoipa::path(
    get,
    path = "/v1/drops/{drop}",
    tag = "drops",
    operation_id = "drop_state",
    params(("drop" = String, Path, description = "The drop's id, like `d17`.")),
    security(("staff" = [])),
    responses(
        (status = 200, description = "Phase, figures, demand, terms.", body = DropState,
            headers(("ETag", description = "Of the terms, for `If-Match` of an edit."))),
        (status = 400, description = "The id is malformed.",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "No staff token, or one that is not known.",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The platform reads nobody's money.",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such drop, or another merchant's.",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "The drop has been over for more than ten minutes; its terms are \
            in the ledger, which too many requests are reading.",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn state(
    State(state): State<ControlState>,
    staff: Staff,
    DropPath(drop): DropPath,
) -> Result<impl IntoResponse, Problem> {
    let found = visible(&state, &staff, drop)?;
    staff.must_read_money("follow the stream, or list its drops")?;
    let now = state.engine().moment();
    let view = match found {
        Standing::Here(sale) => sale.view(now),
        Standing::Over(over) => {
            let plan = ledger::plan(&state, &staff, drop).await?;
            let viewers = state.engine().viewers_connected(&over.stream, over.mode);
            DropView::over(&over, plan, viewers, now)
        }
    };
    let terms = [(header::ETAG, tag(view.standing.revision))];
    Ok((terms, Json(DropState::from(&view))))
}

/// A stream with its drops in running order.
#[utoipa::path(
    get,
    path = "/v1/streams/{stream}",
    tag = "drops",
    operation_id = "stream_state",
    params(("stream" = String, Path, description = "The stream's id, as the plans name it.")),
    security(("staff" = [])),
    responses(
        (status = 200, description = "The stream's drops that the token may see.", body = StreamState),
        (status = 400, description = "The id is malformed.",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "No staff token, or one that is not known.",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No drop that the token may see is planned in this stream.",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn stream(
    State(state): State<ControlState>,
    staff: Staff,
    StreamPath(stream): StreamPath,
) -> Result<Json<StreamState>, Problem> {
    let mut drops = Standing::shown(state.engine());
    drops.retain(|found| *found.stream() == stream && sees(&state, &staff, found));
    drops.sort_by_key(Standing::running_order);
    if drops.is_empty() {
        let detail = format!("no drop is planned in stream {stream}");
        return Err(Problem::new(Code::UnknownStream, detail));
    }
    let now = state.engine().moment();
    Ok(Json(StreamState {
        stream: stream.to_string(),
        server_time_ms: now.wall.get(),
        viewers_connected: state.engine().viewers_connected(&stream, Mode::Live),
        drops: drops.iter().map(|found| found.summary(&staff, now)).collect(),
    }))
}
