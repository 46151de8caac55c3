//! Several drops at once, as JSON.

use serde::{Deserialize, Serialize};
use stampede_domain::{DropId, DurationMs, HostId, MerchantId, Mode, StreamId, Units, UnixMillis};
use stampede_engine::{DropStanding, DropSummary as Over, Moment, SaleDrop, SkuFigures};
use utoipa::{IntoParams, ToSchema};

use super::{ModeName, PhaseName};
use crate::{extract::PageLimit, needle::Needle, place::Place};

/// Which part of the list.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListParams {
    /// Only drops that are over (closed, settled, cancelled), or only the others; all if left out.
    #[serde(default)]
    pub(crate) over: Option<bool>,
    /// Only drops that have this text in their id, title, stream, merchant or host; capitals do not matter.
    #[serde(default)]
    #[param(value_type = Option<String>, example = "friday", max_length = 200)]
    pub(crate) q: Option<Needle>,
    /// The newest drop first.
    #[serde(default)]
    pub(crate) newest_first: bool,
    /// Drops to leave out before the first of the page.
    #[serde(default)]
    #[param(value_type = u64, default = 0, maximum = 9_007_199_254_740_991_i64)]
    pub(crate) skip: Place,
    /// List drops after this one: the `next` of the page before.
    #[serde(default)]
    #[param(example = "d100")]
    pub(crate) after: Option<String>,
    /// Drops of one page.
    #[serde(default)]
    #[param(value_type = usize, default = 100, minimum = 1, maximum = 1000)]
    pub(crate) limit: PageLimit,
}

/// Drops of one page.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DropList {
    /// The server's time, in milliseconds since 1970-01-01 UTC.
    pub(crate) server_time_ms: u64,
    /// The drops that the token may see.
    pub(crate) drops: Vec<DropSummary>,
    /// How many there are on all pages, also before `after`.
    pub(crate) total: usize,
    /// What to send as `after` for the next page; left out on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<String>,
}

/// A stream with its drops.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StreamState {
    /// The stream's id.
    #[schema(example = "friday-show")]
    pub(crate) stream: String,
    /// The server's time, in milliseconds since 1970-01-01 UTC.
    pub(crate) server_time_ms: u64,
    /// Distinct viewers connected to the stream with tickets for live drops.
    pub(crate) viewers_connected: u64,
    /// The drops that the token may see, in running order.
    pub(crate) drops: Vec<DropSummary>,
}

/// A drop in a few figures, summed over its SKUs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DropSummary {
    /// The drop's id.
    #[schema(example = "d17")]
    pub(crate) drop: String,
    /// The stream's id.
    stream: String,
    /// Title for viewers.
    title: String,
    /// Whose goods are sold.
    merchant: String,
    /// Who runs it.
    host: String,
    /// Live or rehearsal.
    mode: ModeName,
    /// Whether it is a copy for a rehearsal by one press; left out of any other drop.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    rehearsal_copy: bool,
    /// Where the drop stands.
    phase: PhaseName,
    /// Whether it is the one on air in its stream, among those of its mode.
    featured: bool,
    /// Whether viewers have not heard of it yet: the plan hides it, and no countdown has begun. Only while it is planned.
    hidden: bool,
    /// Rises with each change of phase.
    version: u64,
    /// Time left until the drop opens by itself, in milliseconds: of the countdown, or until its
    /// planned start. Left out while it waits for its host.
    #[serde(skip_serializing_if = "Option::is_none")]
    opens_in_ms: Option<u64>,
    /// When the drop was to open while nothing could open it, in milliseconds since 1970-01-01 UTC:
    /// the server was down, or the stream away. It waits for its host; open it by hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    start_missed_ms: Option<u64>,
    /// Units of all lots; before opening, the plan's supply.
    supplied: u64,
    /// Units that can be taken now.
    available: u64,
    /// Units in holds; left out for the role platform.
    #[serde(skip_serializing_if = "Option::is_none")]
    held: Option<u64>,
    /// Units in orders; left out for the role platform.
    #[serde(skip_serializing_if = "Option::is_none")]
    sold: Option<u64>,
    /// Units that are not on sale until somebody puts them there; left out for the role platform.
    #[serde(skip_serializing_if = "Option::is_none")]
    reserve: Option<u64>,
}

/// What a list says of a drop beside where it stands.
struct Labels<'a> {
    drop: DropId,
    stream: &'a StreamId,
    title: &'a str,
    merchant: &'a MerchantId,
    host: &'a HostId,
    mode: Mode,
    is_rehearsal_copy: bool,
}

impl DropSummary {
    pub(crate) fn new(sale: &SaleDrop, now: Moment) -> Self {
        let plan = sale.plan();
        let labels = Labels {
            drop: sale.id(),
            stream: &plan.stream,
            title: &plan.title,
            merchant: &plan.merchant,
            host: &plan.host,
            mode: plan.mode,
            is_rehearsal_copy: plan.rehearsal.is_some(),
        };
        Self::of(&labels, &sale.standing(), &sale.figures(), now)
    }

    /// A drop that has left memory.
    pub(crate) fn over(over: &Over, now: Moment) -> Self {
        let labels = Labels {
            drop: over.id,
            stream: &over.stream,
            title: &over.title,
            merchant: &over.merchant,
            host: &over.host,
            mode: over.mode,
            is_rehearsal_copy: over.is_rehearsal_copy,
        };
        let figures: Vec<SkuFigures> = over.figures().collect();
        Self::of(&labels, &DropStanding::over(over), &figures, now)
    }

    fn of(
        labels: &Labels<'_>,
        standing: &DropStanding,
        figures: &[SkuFigures],
        now: Moment,
    ) -> Self {
        let sum = |of: fn(&SkuFigures) -> Units| figures.iter().map(of).sum();
        Self {
            drop: labels.drop.to_string(),
            stream: labels.stream.to_string(),
            title: labels.title.to_owned(),
            merchant: labels.merchant.to_string(),
            host: labels.host.to_string(),
            mode: labels.mode.into(),
            rehearsal_copy: labels.is_rehearsal_copy,
            phase: standing.phase.into(),
            featured: standing.featured,
            hidden: standing.hidden,
            version: standing.version,
            opens_in_ms: standing.opens_in(now).map(DurationMs::get),
            start_missed_ms: standing.start_missed.map(UnixMillis::get),
            supplied: sum(|sku| sku.supplied),
            available: sum(|sku| sku.available),
            held: Some(sum(|sku| sku.held)),
            sold: Some(sum(|sku| sku.sold)),
            reserve: Some(sum(|sku| sku.reserve)),
        }
    }

    /// The same for whoever is not told what is held and paid.
    pub(crate) fn without_money(self) -> Self {
        Self { held: None, sold: None, reserve: None, ..self }
    }
}
