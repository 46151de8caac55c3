//! Drops as they stand, for those who may see them.

use std::sync::Arc;

use axum::{Json, extract::State};
use stampede_domain::DropId;
use stampede_engine::SaleDrop;

use crate::{
    auth::Staff,
    dto::{DropList, DropState, DropSummary, ListParams, StreamState},
    extract::{DropPath, Params, StreamPath},
    problem::{Code, Problem, ProblemBody},
    state::ControlState,
};

/// The drop, if this member of staff may see it.
pub(super) fn visible(
    state: &ControlState,
    staff: &Staff,
    drop: DropId,
) -> Result<Arc<SaleDrop>, Problem> {
    let found = state.engine().sale(drop).filter(|sale| staff.sees(&sale.plan().merchant));
    found.ok_or_else(Problem::unknown_drop)
}

/// Drops, oldest first, a page at a time.
#[utoipa::path(
    get,
    path = "/v1/drops",
    tag = "drops",
    operation_id = "list_drops",
    params(ListParams),
    security(("staff" = [])),
    responses(
        (status = 200, description = "The drops that the token may see.", body = DropList),
        (status = 400, description = "The query is malformed.",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "No staff token, or one that is not known.",
            body = ProblemBody, content_type = "application/problem+json"),
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
    let mut sales = state.engine().sales().into_iter().filter(|sale| {
        after.is_none_or(|after| sale.id() > after) && staff.sees(&sale.plan().merchant)
    });
    let drops: Vec<_> =
        sales.by_ref().take(params.limit.get()).map(|sale| DropSummary::new(&sale, now)).collect();
    let next = sales.next().and(drops.last()).map(|last| last.drop.clone());
    Ok(Json(DropList { server_time_ms: now.wall.get(), drops, next }))
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
        (status = 200, description = "Phase, figures, demand, terms.", body = DropState),
        (status = 400, description = "The id is malformed.",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "No staff token, or one that is not known.",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such drop, or another merchant's.",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn state(
    State(state): State<ControlState>,
    staff: Staff,
    DropPath(drop): DropPath,
) -> Result<Json<DropState>, Problem> {
    let sale = visible(&state, &staff, drop)?;
    Ok(Json(DropState::new(&sale, state.engine().moment())))
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
    let mut sales = state.engine().stream(&stream);
    sales.retain(|sale| staff.sees(&sale.plan().merchant));
    let Some(first) = sales.first() else {
        let detail = format!("no drop is planned in stream {stream}");
        return Err(Problem::new(Code::UnknownStream, detail));
    };
    let now = state.engine().moment();
    Ok(Json(StreamState {
        stream: stream.to_string(),
        server_time_ms: now.wall.get(),
        viewers_connected: first.viewers_connected(),
        drops: sales.iter().map(|sale| DropSummary::new(sale, now)).collect(),
    }))
}
