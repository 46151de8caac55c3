//! A drop as it stands now, as JSON.

use std::collections::BTreeMap;

use serde::Serialize;
use stampede_domain::{DurationMs, UnixMillis};
use stampede_engine::{DropView, HoldEnding, Moment, PayingFigures, SkuFigures, Totals};
use utoipa::ToSchema;

use super::{PhaseName, PlanBody, RequestState};

/// A drop as it stands now. The figures are read while the sale goes on, so they may differ by the
/// takes of a moment.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DropState {
    /// The drop's id.
    #[schema(example = "d17")]
    drop: String,
    /// Where the drop stands.
    phase: PhaseName,
    /// Whether it is the one on air in its stream, among those of its mode.
    featured: bool,
    /// Whether viewers have not heard of it yet: the plan hides it, and no countdown has begun. Only while it is planned.
    hidden: bool,
    /// Rises with each change of phase.
    version: u64,
    /// Counts the plan and its edits; the first plan is 1.
    revision: u32,
    /// Counts the changes of phase and the edits since the drop was planned, over restarts too; left out once
    /// the drop has left memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    phase_changes: Option<u64>,
    /// The server's time, in milliseconds since 1970-01-01 UTC.
    #[schema(example = 1_700_000_000_000_i64)]
    server_time_ms: u64,
    /// Time left until the drop opens by itself, in milliseconds: of the countdown, or until its
    /// planned start. Left out while it waits for its host.
    #[serde(skip_serializing_if = "Option::is_none")]
    opens_in_ms: Option<u64>,
    /// When the drop was to open while nothing could open it, in milliseconds since 1970-01-01 UTC:
    /// the server was down, or the stream away. It waits for its host; open it by hand.
    #[serde(skip_serializing_if = "Option::is_none")]
    start_missed_ms: Option<u64>,
    /// Time since its countdown ended and it opened, in milliseconds; left out before that, and after a
    /// restart of the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    opened_ago_ms: Option<u64>,
    /// How much later viewers see and hear the stream, in milliseconds; 0 if it is not set.
    video_delay_ms: u64,
    /// Time left until the drop closes by itself, in milliseconds; only where it has an end, or winds down.
    #[serde(skip_serializing_if = "Option::is_none")]
    closes_in_ms: Option<u64>,
    /// Time left until a drop that winds down closes at the latest, in milliseconds; left out for any other.
    #[serde(skip_serializing_if = "Option::is_none")]
    winds_down_in_ms: Option<u64>,
    /// When the platform reported the stream offline, in milliseconds since 1970-01-01 UTC, moved by
    /// the server's own outages since; only while it is offline.
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_offline_since_ms: Option<u64>,
    /// Distinct viewers connected to the drop's stream with tickets of its mode.
    viewers_connected: u64,
    /// The figures of every SKU, in the plan's order.
    skus: Vec<SkuState>,
    /// Requests for more units than are in reserve: open ones, the oldest first, then the latest that have ended, newest
    /// first. Left out while there are none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    requests: Vec<RequestState>,
    /// What viewers asked for since this server started; the report has the totals over restarts.
    totals: Demand,
    /// When what is held comes back if nobody pays.
    held_ending: HeldEnding,
    /// How it goes with paying for what was held; left out once the drop has left memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    paying: Option<PayingState>,
    /// The live drop of which this is a copy, for a rehearsal by one press; left out of any other drop.
    #[schema(example = "d3")]
    #[serde(skip_serializing_if = "Option::is_none")]
    rehearses: Option<String>,
    /// Time left until that rehearsal ends by itself, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    rehearsal_ends_in_ms: Option<u64>,
    /// The terms.
    plan: PlanBody,
}

/// Figures of one SKU: supplied is available plus held plus sold.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SkuState {
    /// The SKU's id.
    #[schema(example = "n5-50")]
    sku: String,
    /// Units of all lots; before opening, the plan's supply.
    supplied: u32,
    /// Units that can be taken now.
    available: u32,
    /// Units in holds.
    held: u32,
    /// Units in orders.
    sold: u32,
    /// Units that are not on sale until somebody puts them there.
    reserve: u32,
    /// Number of the latest take, 0 before the first; left out once the drop has left memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_take: Option<u64>,
}

/// What viewers asked for.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Demand {
    /// Buys that took units.
    held: u64,
    /// Buys that got the answer of an earlier buy again.
    retries: u64,
    /// Buys refused, by reason; reasons that did not occur are left out.
    #[schema(example = json!({"sold_out": 184_213, "over_viewer_limit": 12}))]
    refused: BTreeMap<&'static str, u64>,
}

/// When what is held comes back if nobody pays, known to a second.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HeldEnding {
    /// Holds that end within 30 seconds.
    soon_holds: u64,
    /// Their units.
    soon_units: u64,
    /// Time left until the first hold ends, in milliseconds; left out if nothing is held.
    #[serde(skip_serializing_if = "Option::is_none")]
    first_in_ms: Option<u64>,
    /// Time left until the last one ends, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_in_ms: Option<u64>,
}

/// How it goes with paying for what was held.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PayingState {
    /// Units that became orders since this server started.
    ordered_units: u64,
    /// Units that came back since then: nobody paid for them in time, or their viewers gave them up.
    returned_units: u64,
    /// Orders that were made in the last five minutes.
    recent_orders: u64,
    /// Attempts to pay that came to nothing in the last five minutes.
    recent_failed: u64,
}

impl From<&DropView> for DropState {
    fn from(view: &DropView) -> Self {
        let standing = &view.standing;
        Self {
            drop: view.drop.to_string(),
            phase: standing.phase.into(),
            featured: standing.featured,
            hidden: standing.hidden,
            version: standing.version,
            revision: standing.revision,
            phase_changes: standing.phase_changes,
            server_time_ms: view.now.wall.get(),
            opens_in_ms: view.opens_in().map(DurationMs::get),
            start_missed_ms: standing.start_missed.map(UnixMillis::get),
            opened_ago_ms: standing.opened_ago(view.now).map(DurationMs::get),
            video_delay_ms: standing.video_delay.get(),
            closes_in_ms: view.closes_in().map(DurationMs::get),
            winds_down_in_ms: view.winds_down_in().map(DurationMs::get),
            stream_offline_since_ms: standing.stream_offline_since(view.now).map(UnixMillis::get),
            viewers_connected: view.viewers_connected,
            skus: SkuState::all(view),
            requests: RequestState::all(view),
            totals: Demand::new(&view.totals),
            held_ending: HeldEnding::new(&view.ending, view.now),
            paying: view.paying.map(PayingState::from),
            rehearses: view.plan.rehearsal.map(|copy| copy.of.to_string()),
            rehearsal_ends_in_ms: view
                .plan
                .rehearsal
                .map(|copy| copy.until.since(view.now.wall).get()),
            plan: PlanBody::from(&*view.plan),
        }
    }
}

impl Demand {
    pub(super) fn new(totals: &Totals) -> Self {
        Self {
            held: totals.held,
            retries: totals.retries,
            refused: totals.refusals().map(|(code, count)| (code.name(), count)).collect(),
        }
    }
}

impl SkuState {
    pub(super) fn all(view: &DropView) -> Vec<Self> {
        let skus = view.skus.iter().zip(&view.plan.skus);
        skus.map(|(figures, sku)| Self::new(sku.id.to_string(), figures)).collect()
    }

    fn new(sku: String, figures: &SkuFigures) -> Self {
        Self {
            sku,
            supplied: figures.supplied.get(),
            available: figures.available.get(),
            held: figures.held.get(),
            sold: figures.sold.get(),
            reserve: figures.reserve.get(),
            last_take: figures.last_take,
        }
    }
}

impl HeldEnding {
    pub(crate) fn new(ending: &HoldEnding, now: Moment) -> Self {
        let left = |at: UnixMillis| at.since(now.sale).get();
        Self {
            soon_holds: ending.soon_holds,
            soon_units: ending.soon_units,
            first_in_ms: ending.first.map(left),
            last_in_ms: ending.last.map(left),
        }
    }
}

impl From<PayingFigures> for PayingState {
    fn from(figures: PayingFigures) -> Self {
        let PayingFigures { ordered_units, returned_units, recent_orders, recent_failed } = figures;
        Self { ordered_units, returned_units, recent_orders, recent_failed }
    }
}
