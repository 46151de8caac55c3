//! Streams that have something to sell.

use std::collections::{BTreeMap, HashSet};

use axum::{Json, extract::State};
use stampede_domain::{Mode, StreamId};
use stampede_engine::Moment;

use super::{
    QueryProblems,
    standing::{Standing, sees},
};
use crate::{
    auth::Staff,
    dto::{StreamList, StreamListParams, StreamSummary},
    extract::Params,
    problem::Problem,
    state::ControlState,
};

/// Drops that a stream of the list names.
const DROPS: usize = 6;

/// Streams of whose drops not all are over, a page at a time. Drops that are over are in `GET /v1/drops?over=true`.
#[utoipa::path(
    get,
    path = "/v1/streams",
    tag = "drops",
    operation_id = "list_streams",
    params(StreamListParams),
    security(("staff" = [])),
    responses(
        (status = 200, description = "The streams with drops that the token may see.", body = StreamList),
        QueryProblems,
    )
)]
pub(super) async fn list(
    State(state): State<ControlState>,
    staff: Staff,
    Params(params): Params<StreamListParams>,
) -> Result<Json<StreamList>, Problem> {
    let now = state.engine().moment();
    let all = Standing::shown(state.engine());
    let is_seen = |found: &&Standing| sees(&state, &staff, found);
    // Streams are told apart by what is not over, of which there is little; what is over is much.
    let going: HashSet<&StreamId> =
        all.iter().filter(|found| !found.is_over()).filter(is_seen).map(Standing::stream).collect();
    let mut streams: BTreeMap<&StreamId, Vec<&Standing>> = BTreeMap::new();
    for found in all.iter().filter(|found| going.contains(found.stream())).filter(is_seen) {
        streams.entry(found.stream()).or_default().push(found);
    }
    let mut shows: Vec<(&StreamId, Listed<'_>)> =
        streams.into_iter().map(|(stream, drops)| (stream, Listed::of(drops))).collect();
    shows.sort_by_key(|(_, listed)| !listed.drops.iter().any(|found| found.is_featured()));
    let total = shows.len();
    let page = shows.iter().skip(params.skip.count()).take(params.limit.get());
    let shows = page.map(|(stream, listed)| show(stream, listed, &staff, now)).collect();
    Ok(Json(StreamList { server_time_ms: now.wall.get(), shows, total }))
}

/// A stream's drops as its line of the list has them.
struct Listed<'a> {
    /// The live drops, where there are any.
    drops: Vec<&'a Standing>,
    /// Whether a rehearsal by one press goes on.
    is_rehearsing: bool,
}

impl<'a> Listed<'a> {
    fn of(drops: Vec<&'a Standing>) -> Self {
        let is_rehearsing = drops.iter().any(|found| found.is_rehearsal_copy());
        Self { drops: shown(drops), is_rehearsing }
    }
}

fn shown(drops: Vec<&Standing>) -> Vec<&Standing> {
    let is_live = |found: &&Standing| found.mode() == Mode::Live;
    if drops.iter().any(is_live) { drops.into_iter().filter(is_live).collect() } else { drops }
}

fn show(stream: &StreamId, listed: &Listed<'_>, staff: &Staff, now: Moment) -> StreamSummary {
    let Listed { drops, is_rehearsing } = listed;
    let (mut supplied, mut sold) = (0, 0);
    for units in drops.iter().map(|found| found.units()) {
        (supplied, sold) = (supplied + units.0, sold + units.1);
    }
    StreamSummary {
        stream: stream.to_string(),
        host: drops.first().map(|found| found.host().to_string()).unwrap_or_default(),
        featured: drops.iter().any(|found| found.is_featured()),
        rehearsing: *is_rehearsing,
        drops: drops.iter().take(DROPS).map(|found| found.summary(staff, now)).collect(),
        drops_total: drops.len(),
        supplied,
        sold: staff.reads_money().then_some(sold),
    }
}
