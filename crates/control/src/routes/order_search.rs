//! Orders by what people call them, and what became of each: for support.

use axum::{Json, extract::State};
use stampede_domain::{
    DropId, HoldId, IdError, OrderCodeError, OrderReference, limits::ORDER_REFERENCE_CHARS_MAX,
};
use stampede_report::{
    Journal,
    lineage::{Lineage, LineageError, Standing as Stands, Subject, lineage},
    orders::{OrderName, OrdersError},
};

use super::{
    QueryProblems,
    ledger::place,
    orders::{may_read, unknown},
    standing::{Standing, is_seen, sees},
};
use crate::{
    auth::Staff,
    dto::{
        FoundHold, HoldStory, OrderLine, OrderSearch, OrderSearchParams, OrderTextKind,
        SEARCH_FOUND_DEFAULT, Timeline,
    },
    extract::{OrderPath, Params, has_form_of_code},
    problem::{Code, Problem, ProblemBody},
    state::ControlState,
};

/// Orders, and holds that are none, by a text that names them: the order's code, an id, what the platform calls the
/// order, the name of a payment.
#[utoipa::path(
    get,
    path = "/v1/orders/search",
    tag = "ledger",
    operation_id = "search_orders",
    params(OrderSearchParams),
    security(("staff" = [])),
    responses(
        (status = 200, description = "What the token may see of what goes by the text.", body = OrderSearch),
        QueryProblems,
        (status = 403, description = "The role is not trusted with viewers' names.",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "The text is an order code that is mistyped, or nothing can go by it.",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "The ledger is being read by as many as may.",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn search(
    State(state): State<ControlState>,
    staff: Staff,
    Params(params): Params<OrderSearchParams>,
) -> Result<Json<OrderSearch>, Problem> {
    may_read(&staff)?;
    let wanted = Wanted::of(&params)?;
    let limit = params.limit.map_or(SEARCH_FOUND_DEFAULT, crate::extract::PageLimit::get);
    let below = params
        .after
        .as_deref()
        .map(str::parse)
        .transpose()
        .map_err(|error: IdError| Problem::new(Code::BadQuery, format!("after: {error}")))?;
    let place = place(&state, &staff)?;
    let read = tokio::task::spawn_blocking(move || {
        let _place = place;
        let journal = state.ledger().open()?;
        match wanted {
            Wanted::Name(name) => by_name(&state, &staff, &*journal, name),
            Wanted::Reference(reference) => {
                by_reference(&state, &staff, &*journal, (&reference, below, limit))
            }
        }
    });
    let found = read.await.map_err(|error| Problem::internal(&error))?;
    found.map(Json).map_err(|error| Problem::internal(&error))
}

/// What a text means.
enum Wanted {
    Name(OrderName),
    Reference(OrderReference),
}

impl Wanted {
    fn of(params: &OrderSearchParams) -> Result<Self, Problem> {
        let (characters, max) = (params.text.chars().count(), ORDER_REFERENCE_CHARS_MAX);
        if !(1..=max).contains(&characters) {
            let error = IdError::Characters { kind: "order reference", characters, max };
            return Err(Problem::new(Code::BadQuery, format!("text: {error}")));
        }
        // Nobody sees the blanks that came with a text from elsewhere, or that a reference was given with.
        let text = params.text.trim();
        let name: Result<OrderName, OrderCodeError> = text.parse();
        match (params.meant, name) {
            (None, Ok(name)) => return Ok(Self::Name(name)),
            // Many codes are one slip of a finger away from another order's: nothing is looked for.
            (None, Err(error)) if has_form_of_code(text) => return Err(unknown(error.to_string())),
            (None, Err(_)) | (Some(OrderTextKind::Reference), _) => {}
        }
        // Nothing can go by a text that is blank, or has what nobody sees.
        text.parse().map(Self::Reference).map_err(|error: IdError| unknown(error.to_string()))
    }
}

/// The order of this name; of an id that is a hold's, what became of the hold.
fn by_name(
    state: &ControlState,
    staff: &Staff,
    journal: &dyn Journal,
    name: OrderName,
) -> Result<OrderSearch, LineageFailure> {
    let mut found = OrderSearch { orders: Vec::new(), holds: Vec::new(), next: None };
    if !is_seen(state, staff, name.drop_id()) {
        return Ok(found);
    }
    if let OrderName::Code(_) = name {
        let order = state.orders().find(journal, name)?;
        found.orders.extend(order.as_ref().map(OrderLine::new));
        return Ok(found);
    }
    for told in stories(state, journal, name)? {
        match told {
            (_, Some(order)) => found.orders.push(OrderLine::new(&order)),
            (lineage, None) => {
                let plan = lineage.plan.as_deref();
                found.holds.extend(plan.and_then(|plan| FoundHold::new(lineage.hold, plan)));
            }
        }
    }
    Ok(found)
}

fn by_reference(
    state: &ControlState,
    staff: &Staff,
    journal: &dyn Journal,
    (reference, below, limit): (&OrderReference, Option<HoldId>, usize),
) -> Result<OrderSearch, LineageFailure> {
    let all = Standing::all(state.engine()).into_iter().rev();
    let behind = all.filter(|found| below.is_none_or(|below| found.id() <= below.drop_id()));
    let drops: Vec<DropId> =
        behind.filter(|found| sees(state, staff, found)).map(|found| found.id()).collect();
    let found = state.orders().search(journal, reference, (&drops, below), limit)?;
    let holds = found.holds.iter().filter_map(|(hold, plan)| FoundHold::new(*hold, plan));
    Ok(OrderSearch {
        orders: found.orders.iter().map(OrderLine::new).collect(),
        holds: holds.collect(),
        next: found.next.map(|next| next.to_string()),
    })
}

/// What became of an order, or of a hold that is none: taken, paid, ordered, cancelled, refunded. Where a late payment
/// took the units again, both holds are told of.
#[utoipa::path(
    get,
    path = "/v1/orders/{order}/timeline",
    tag = "ledger",
    operation_id = "order_timeline",
    params(("order" = String, Path, description = "The order's id or its code, or the id of any hold.")),
    security(("staff" = [])),
    responses(
        (status = 200, description = "What the ledger tells of it.", body = Timeline),
        (status = 400, description = "It is neither an id nor a code.",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 401, description = "No staff token, or one that is not known.",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 403, description = "The role is not trusted with viewers' names.",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "No such order or hold, or another merchant's; a code that is mistyped.",
            body = ProblemBody, content_type = "application/problem+json"),
        (status = 503, description = "The ledger is being read by as many as may.",
            body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub(super) async fn timeline(
    State(state): State<ControlState>,
    staff: Staff,
    OrderPath(name): OrderPath,
) -> Result<Json<Timeline>, Problem> {
    may_read(&staff)?;
    let name = name.map_err(|mistyped| unknown(mistyped.to_string()))?;
    let none = || unknown(format!("there is no order and no hold {name}"));
    if !is_seen(&state, &staff, name.drop_id()) {
        return Err(none());
    }
    let place = place(&state, &staff)?;
    let read = tokio::task::spawn_blocking(move || {
        let _place = place;
        stories(&state, &*state.ledger().open()?, name)
    });
    let told = read.await.map_err(|error| Problem::internal(&error))?;
    let told = told.map_err(|error| Problem::internal(&error))?;
    if told.is_empty() {
        return Err(none());
    }
    let holds = told.iter().map(|(lineage, order)| HoldStory::new(lineage, order.as_ref()));
    Ok(Json(Timeline { holds: holds.collect() }))
}

/// Why a search or a timeline fails.
#[derive(Debug, thiserror::Error)]
enum LineageFailure {
    #[error(transparent)]
    Lineage(#[from] LineageError),
    #[error(transparent)]
    Orders(#[from] OrdersError),
    #[error(transparent)]
    Read(#[from] stampede_report::ReadError),
}

/// A hold's lineage, with its order, if it is one.
type Story = (Lineage, Option<stampede_report::orders::Order>);

/// What became of an order or a hold; nothing if there is none of this name.
fn stories(
    state: &ControlState,
    journal: &dyn Journal,
    name: OrderName,
) -> Result<Vec<Story>, LineageFailure> {
    let subject = match name {
        // Every order's id is its hold's, and most holds are no orders.
        OrderName::Id(id) => Subject::Hold(id.hold()),
        OrderName::Code(_) => Subject::Order(name),
    };
    let told = match lineage(journal, state.orders(), &subject) {
        Ok(told) => told,
        Err(LineageError::NoHold { .. } | LineageError::NoOrder { .. }) => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let with_order = told.into_iter().map(|lineage| {
        let order = match &lineage.stands {
            // With its buyer's name, which a lineage does not have.
            Stands::Ordered(order) => state.orders().find(journal, OrderName::Id(order.id))?,
            Stands::Held { .. } | Stands::Ended | Stands::Unknown => None,
        };
        Ok((lineage, order))
    });
    with_order.collect()
}
