//! Requests for more units than a drop has in reserve, as JSON.

use serde::{Deserialize, Serialize};
use stampede_domain::{DropId, DropPlan, Phase, RequestId, UnixMillis};
use stampede_engine::{DropView, RequestEnd, RestockRequest, SaleDrop};
use utoipa::{IntoParams, ToSchema};

use crate::{
    extract::PageLimit,
    place::Place,
    problem::{Code, Problem},
};

/// Which requests.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RequestParams {
    /// Those of this drop alone.
    #[serde(default)]
    #[param(example = "d17")]
    drop: Option<String>,
    /// Leave out so many.
    #[serde(default)]
    #[param(value_type = u64, default = 0, minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub(crate) skip: Place,
    /// Requests of one page.
    #[serde(default)]
    #[param(value_type = usize, default = 100, minimum = 1, maximum = 1000)]
    pub(crate) limit: PageLimit,
}

impl RequestParams {
    /// The one drop that is asked for.
    pub(crate) fn drop(&self) -> Result<Option<DropId>, Problem> {
        let drop = self.drop.as_deref().map(str::parse::<DropId>).transpose();
        drop.map_err(|error| Problem::new(Code::BadQuery, format!("drop: {error}")))
    }
}

/// Requests of one page.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RequestList {
    /// The server's time, in milliseconds since 1970-01-01 UTC.
    pub(crate) server_time_ms: u64,
    /// Open ones first, the oldest first; then those that have ended, as far as they are kept, newest first.
    pub(crate) requests: Vec<RequestLine>,
    /// How many are open.
    pub(crate) open: usize,
    /// How many there are, on all pages.
    pub(crate) total: usize,
}

/// A request with the drop that it is about.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RequestLine {
    /// The stream of the drop.
    #[schema(example = "friday-show")]
    stream: String,
    /// The drop's title.
    #[schema(example = "Perfume, 50 ml")]
    title: String,
    /// Whose goods they are.
    #[schema(example = "maison-nord")]
    merchant: String,
    /// What the SKU is called: its options, else its title.
    #[schema(example = "Cedar")]
    goods: String,
    #[serde(flatten)]
    pub(crate) request: RequestState,
}

/// A request for more units than were in reserve.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct RequestState {
    /// The request's id.
    #[schema(example = "q17-2")]
    request: String,
    /// The drop's id.
    #[schema(example = "d17")]
    drop: String,
    /// Units of which SKU are asked for.
    #[schema(example = "n5-50")]
    sku: String,
    /// How many.
    #[schema(example = 500)]
    units: u32,
    /// How it stands.
    state: RequestStanding,
    /// Who asked.
    #[schema(example = "nina")]
    asked_by: String,
    /// Why, in the words of whoever asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// When, in milliseconds since 1970-01-01 UTC.
    asked_at_ms: u64,
    /// Who granted, declined or withdrew it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "maison-nord")]
    ended_by: Option<String>,
    /// Why, in the words of whoever did.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_reason: Option<String>,
    /// When, in milliseconds since 1970-01-01 UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at_ms: Option<u64>,
    /// The lot by which the units went on sale.
    #[serde(skip_serializing_if = "Option::is_none")]
    lot: Option<u32>,
}

/// How a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RequestStanding {
    /// Nobody has answered it.
    Open,
    /// Its units went on sale.
    Granted,
    /// The merchant leaves the units where they are.
    Declined,
    /// Nobody asks any more.
    Withdrawn,
    /// The drop's end has ended it.
    DropEnded,
}

impl RequestState {
    /// The requests of a drop, as they are shown.
    pub(super) fn all(view: &DropView) -> Vec<Self> {
        let of = (view.drop, &*view.plan, view.standing.phase);
        view.requests.iter().map(|request| Self::new(request, of)).collect()
    }

    fn new(request: &RestockRequest, (drop, plan, phase): (DropId, &DropPlan, Phase)) -> Self {
        let RestockRequest { number, pool, units, asked, ended } = request;
        let is_over = phase.is_ending() || phase.is_final();
        let (state, lot) = match ended {
            None if is_over => (RequestStanding::DropEnded, None),
            None => (RequestStanding::Open, None),
            Some((RequestEnd::Granted { lot }, _)) => (RequestStanding::Granted, Some(*lot)),
            Some((RequestEnd::Declined, _)) => (RequestStanding::Declined, None),
            Some((RequestEnd::Withdrawn, _)) => (RequestStanding::Withdrawn, None),
        };
        let by = ended.as_ref().map(|(_, by)| by);
        let words = |reason: &str| (!reason.is_empty()).then(|| reason.to_owned());
        let sku = plan.pools().sku_of(*pool).and_then(|sku| plan.sku(sku));
        Self {
            request: RequestId { drop, number: *number }.to_string(),
            drop: drop.to_string(),
            sku: sku.map_or_else(String::new, |sku| sku.id.to_string()),
            units: units.get(),
            state,
            asked_by: asked.actor.to_string(),
            reason: words(asked.reason.as_str()),
            asked_at_ms: asked.at.get(),
            ended_by: by.map(|by| by.actor.to_string()),
            ended_reason: by.and_then(|by| words(by.reason.as_str())),
            ended_at_ms: by.map(|by| UnixMillis::get(by.at)),
            lot,
        }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.state == RequestStanding::Open
    }

    /// Open ones first, the oldest first; then those that have ended, newest first.
    pub(crate) fn order(&self) -> (bool, i128, &str) {
        let at = i128::from(self.ended_at_ms.unwrap_or(self.asked_at_ms));
        (!self.is_open(), if self.is_open() { at } else { -at }, &self.request)
    }
}

impl RequestLine {
    /// The requests of a drop in memory.
    pub(crate) fn all(sale: &SaleDrop) -> Vec<Self> {
        let plan = sale.plan();
        let of = (sale.id(), &**plan, sale.phase());
        let requests = sale.asked().shown();
        let lines = requests.iter().map(|request| Self {
            stream: plan.stream.to_string(),
            title: plan.title.clone(),
            merchant: plan.merchant.to_string(),
            goods: goods(plan, request),
            request: RequestState::new(request, of),
        });
        lines.collect()
    }
}

/// What tells the SKU of a request from the others of its drop.
fn goods(plan: &DropPlan, request: &RestockRequest) -> String {
    let sku = plan.pools().sku_of(request.pool).and_then(|sku| plan.sku(sku));
    sku.map_or_else(String::new, |sku| match sku.options.as_slice() {
        [] => sku.title.clone(),
        options => options.iter().map(|one| one.value.as_str()).collect::<Vec<_>>().join(", "),
    })
}
