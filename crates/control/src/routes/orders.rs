//! Orders across drops, for whoever delivers and settles them.

use std::{collections::HashMap, ops::ControlFlow};

use axum::{
    Json,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use futures_util::stream;
use stampede_domain::{DropId, MerchantId};
use stampede_engine::Role;
use stampede_report::orders::{
    CSV_HEADER, OrdersError, OrdersPage, OrdersReader, PageStart, csv_line,
};
use tokio::{runtime::Handle, sync::mpsc};

use super::{
    QueryProblems,
    ledger::{CHUNK_BYTES_MAX, CHUNKS_AHEAD_MAX, place, send},
    standing::{Standing, sees, visible},
};
use crate::{
    auth::Staff,
    dto::{OrderForm, OrderLine, OrderList, OrderParams},
    extract::{OrderPath, PageLimit, Params},
    fair_use::HeldPlace,
    problem::{Code, Problem, ProblemBody},
    state::{ControlState, Trouble},
};

/// Orders that a piece of a file is made of at most.
const ORDERS_PER_PIECE: usize = 256;

/// Every order once, in the order in which they were confirmed or the other way round, a page at a time; as CSV all that are left at once.
/// Each comes as it stands when it is read: what changes later does not make it come again.
#[utoipa::path(
    get,
    path = "/v1/orders",
    tag = "ledger",
    operation_id = "list_orders",
    params(OrderParams),
    security(("staff" = [])),
    responses(
        (status = 200, description = "The orders that the token may see. A file of CSV that ends without the last \
            chunk is not complete.", content(
            (OrderList = "application/json"),
            (String = "text/csv"),
        )),
        QueryProblems,
        (status = 403, description = "The role is not trusted with viewers' names.",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such drop, or another merchant's.",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "The ledger is being read by as many as may.",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list(
    State(state): State<ControlState>,
    staff: Staff,
    Params(params): Params<OrderParams>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    may_read(&staff)?;
    let merchant = params.merchant.as_deref().map(str::parse::<MerchantId>).transpose();
    let merchant = merchant.map_err(|error| Problem::new(Code::BadQuery, error.to_string()))?;
    let drop = params.drop.as_deref().map(str::parse::<DropId>).transpose();
    let drop = drop.map_err(|error| Problem::new(Code::BadQuery, format!("drop: {error}")))?;
    if let Some(drop) = drop {
        visible(&state, &staff, drop)?;
    }
    let place = place(&state, &staff)?;
    let start = params.start();
    let view = OrdersView { state: state.clone(), staff, merchant, drop, seen: HashMap::new() };
    match params.format.unwrap_or_else(|| accepted(&headers)) {
        OrderForm::Json => json(view, place, start, params.limit.unwrap_or_default()).await,
        OrderForm::Csv => csv(view, place, start, params.limit).await,
    }
}

/// One order as it stands, by its id or its code.
#[utoipa::path(
    get,
    path = "/v1/orders/{order}",
    tag = "ledger",
    operation_id = "order_state",
    params(("order" = String, Path, description = "The order's id, or its code, like `17-4211-0`.")),
    security(("staff" = [])),
    responses(
        (status = 200, description = "The order.", body = OrderLine),
        (status = 400, description = "It is neither an id nor a code.",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "No staff token, or one that is not known.",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The role is not trusted with viewers' names.",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such order, or another merchant's; a code that is mistyped.",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "The ledger is being read by as many as may.",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn one(
    State(state): State<ControlState>,
    staff: Staff,
    OrderPath(name): OrderPath,
) -> Result<Json<OrderLine>, Problem> {
    may_read(&staff)?;
    let name = name.map_err(|mistyped| unknown(mistyped.to_string()))?;
    let none = || unknown(format!("there is no order {name}"));
    let found = Standing::of(state.engine(), name.drop_id());
    if !found.is_some_and(|found| sees(&state, &staff, &found)) {
        return Err(none());
    }
    let place = place(&state, &staff)?;
    let read = tokio::task::spawn_blocking(move || {
        let _place = place;
        state.orders().find(&*state.ledger().open()?, name)
    });
    let order = read.await.map_err(|error| Problem::internal(&error))??.ok_or_else(none)?;
    Ok(Json(OrderLine::new(&order)))
}

/// Orders name viewers, as audits do.
pub(super) fn may_read(staff: &Staff) -> Result<(), Problem> {
    if matches!(staff.role(), Role::Admin | Role::Ops | Role::Merchant) {
        return Ok(());
    }
    let detail = format!("role {} may not read orders: they name viewers", staff.role());
    Err(Problem::new(Code::Forbidden, detail))
}

pub(super) fn unknown(detail: String) -> Problem {
    Problem::new(Code::UnknownOrder, detail)
}

/// What a member of staff may see of the orders.
struct OrdersView {
    state: ControlState,
    staff: Staff,
    /// The merchant that was asked for.
    merchant: Option<MerchantId>,
    /// The drop that was asked for.
    drop: Option<DropId>,
    /// Drops that orders were seen of, with whether they may be told.
    seen: HashMap<DropId, bool>,
}

impl OrdersView {
    fn page(
        &mut self,
        journal: &dyn stampede_report::Journal,
        start: PageStart,
        limit: usize,
    ) -> Result<OrdersPage, OrdersError> {
        let Self { state, staff, merchant, drop: asked_for, seen } = self;
        let reader: &OrdersReader = state.orders();
        reader.page(journal, start, limit, &mut |drop| {
            if asked_for.is_some_and(|asked_for| asked_for != drop) {
                return false;
            }
            *seen.entry(drop).or_insert_with(|| {
                let found = Standing::of(state.engine(), drop);
                found.is_some_and(|found| {
                    let is_asked_for = merchant.as_ref().is_none_or(|own| own == found.merchant());
                    // Whoever collects orders to deliver them is not told of those that a rehearsal made.
                    let counts = asked_for.is_some() || !found.is_rehearsal_copy();
                    is_asked_for && counts && sees(state, staff, &found)
                })
            })
        })
    }
}

async fn json(
    mut view: OrdersView,
    place: HeldPlace,
    start: PageStart,
    limit: PageLimit,
) -> Result<Response, Problem> {
    let read = tokio::task::spawn_blocking(move || {
        // The place is free when the reading ends, whether or not anybody still waits for it.
        let _place = place;
        let journal = view.state.ledger().open()?;
        view.page(&*journal, start, limit.get())
    });
    let page = read.await.map_err(|error| Problem::internal(&error))??;
    let orders = page.orders.iter().map(OrderLine::listed).collect();
    // Nothing stands in front of the newest order yet: the next page begins anew.
    let cursor = if page.cursor == u64::MAX { 0 } else { page.cursor };
    Ok(Json(OrderList { orders, cursor, more: page.more }).into_response())
}

/// A piece of a file on its way to its reader.
enum Piece {
    Lines(Vec<u8>),
    End,
    Failed(OrdersError),
}

/// The file broke off.
#[derive(Debug, thiserror::Error)]
#[error("the list of orders broke off")]
struct CutOff;

async fn csv(
    view: OrdersView,
    place: HeldPlace,
    start: PageStart,
    limit: Option<PageLimit>,
) -> Result<Response, Problem> {
    let drop = view.drop;
    let mut pieces = pieces(view, place, start, limit.map(PageLimit::get));
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
    let file = drop.map_or_else(|| "orders.csv".to_owned(), |drop| format!("{drop}-orders.csv"));
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{file}\"")),
    ];
    Ok((headers, Body::from_stream(rest)).into_response())
}

/// Makes the file on a thread of its own, no faster than it is read.
fn pieces(
    mut view: OrdersView,
    place: HeldPlace,
    start: PageStart,
    limit: Option<usize>,
) -> mpsc::Receiver<Piece> {
    let (to, pieces) = mpsc::channel(CHUNKS_AHEAD_MAX);
    let runtime = Handle::current();
    tokio::task::spawn_blocking(move || {
        let _place = place;
        let state = view.state.clone();
        let mut sink = |piece| send(&runtime, &to, piece, state.chunk_wait());
        // Where the reader has gone or was too slow, the channel just closes.
        let _ = match lines(&mut view, start, limit, &mut sink) {
            Ok(ControlFlow::Continue(())) => sink(Piece::End),
            Ok(stopped) => stopped,
            Err(error) => {
                if let Some(times) = state.note(Trouble::Orders) {
                    tracing::error!(%error, times, "a list of orders failed");
                }
                sink(Piece::Failed(error))
            }
        };
    });
    pieces
}

/// Hands the header and every line to the sink, as far as the list reaches when it gets there.
fn lines(
    view: &mut OrdersView,
    start: PageStart,
    limit: Option<usize>,
    sink: &mut dyn FnMut(Piece) -> ControlFlow<()>,
) -> Result<ControlFlow<()>, OrdersError> {
    let journal = view.state.ledger().open()?;
    let (mut start, mut left) = (start, limit.unwrap_or(usize::MAX));
    let mut chunk = CSV_HEADER.as_bytes().to_vec();
    loop {
        let page = view.page(&*journal, start, left.min(ORDERS_PER_PIECE))?;
        for listed in &page.orders {
            csv_line(listed, &mut chunk);
            if chunk.len() >= CHUNK_BYTES_MAX
                && sink(Piece::Lines(std::mem::take(&mut chunk))).is_break()
            {
                return Ok(ControlFlow::Break(()));
            }
        }
        start = start.at(page.cursor);
        left -= page.orders.len();
        if !page.more || left == 0 {
            let is_done = chunk.is_empty();
            return Ok(if is_done { ControlFlow::Continue(()) } else { sink(Piece::Lines(chunk)) });
        }
    }
}

/// What the client asks for first.
fn accepted(headers: &HeaderMap) -> OrderForm {
    let lines = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut kinds = lines.flat_map(|line| line.split(','));
    let kind = |part: &str| part.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let first = kinds.find_map(|part| match kind(part).as_str() {
        "text/csv" => Some(OrderForm::Csv),
        "application/json" => Some(OrderForm::Json),
        _ => None,
    });
    first.unwrap_or(OrderForm::Json)
}
