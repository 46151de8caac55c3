//! Commands with what they did, as JSON.

use serde::{Deserialize, Serialize};
use stampede_domain::{DropId, DurationMs, HoldId, RequestId, SkuId, StreamId, Units};
use stampede_engine::{
    CancelOrder, Done, DropAction, NoCopy, PlannedCopy, SeenDrop, TakeBack as TakenBack,
};
use utoipa::ToSchema;

use super::{
    SeenState,
    plan::{parsed, units},
};
use crate::{place::Place, problem::Problem};

/// What a command without parameters may say.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Reason {
    /// Why, in the actor's words; recorded with the command, at most 500 bytes.
    #[serde(default)]
    #[schema(max_length = 500, example = "sound check")]
    pub(crate) reason: Option<String>,
}

/// What a command may say that is meant for a drop as its caller saw it.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Decision {
    /// Why, in the actor's words; recorded with the command, at most 500 bytes.
    #[serde(default)]
    #[schema(max_length = 500, example = "sound check")]
    pub(crate) reason: Option<String>,
    /// The drop as the caller saw it: if it stands differently when the command's turn comes, the command
    /// is refused as `drop_changed`. Not compared if left out.
    #[serde(default)]
    seen: Option<SeenState>,
}

/// The body of a command without parameters.
pub(crate) trait PlainBody {
    /// The drop as the caller saw it; what stops a sale is never too late.
    fn seen(&self) -> Option<SeenDrop> {
        None
    }
}

impl PlainBody for Reason {}

impl PlainBody for Decision {
    fn seen(&self) -> Option<SeenDrop> {
        self.seen.map(SeenDrop::from)
    }
}

/// How a drop is opened.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OpenBody {
    /// The countdown in place of the plan's, in milliseconds; at least 3,000 more than the stream's
    /// `video_delay_ms`, if it has one.
    #[serde(default)]
    #[schema(example = 10_000, maximum = 600_000)]
    countdown_ms: Option<u64>,
    /// Why, in the actor's words; recorded with the command, at most 500 bytes.
    #[serde(default)]
    #[schema(max_length = 500)]
    pub(crate) reason: Option<String>,
    /// The drop as the caller saw it, as for the other commands.
    #[serde(default)]
    seen: Option<SeenState>,
}

impl PlainBody for OpenBody {
    fn seen(&self) -> Option<SeenDrop> {
        self.seen.map(SeenDrop::from)
    }
}

impl OpenBody {
    /// The command.
    pub(crate) fn to_action(&self) -> DropAction {
        match self.countdown_ms {
            None => DropAction::StartCountdown,
            Some(millis) => DropAction::StartCountdownFor { countdown: DurationMs::new(millis) },
        }
    }
}

/// Another place in the running order.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewPlace)]
pub(crate) struct MoveBody {
    /// The place; drops with the same one keep the order in which they were planned.
    #[schema(example = 20, maximum = 65_535)]
    running_order: u16,
    /// Why, in the actor's words; recorded with the command, at most 500 bytes.
    #[serde(default)]
    #[schema(max_length = 500)]
    pub(crate) reason: Option<String>,
    /// The drop as the caller saw it, as for the other commands.
    #[serde(default)]
    seen: Option<SeenState>,
}

impl MoveBody {
    /// The command.
    pub(crate) const fn to_action(&self) -> DropAction {
        DropAction::Move { place: self.running_order }
    }

    /// The drop as the caller saw it.
    pub(crate) fn seen(&self) -> Option<SeenDrop> {
        self.seen.map(SeenDrop::from)
    }
}

/// A lot of units to put on sale.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Restock {
    /// The SKU, by its id in the plan.
    #[schema(example = "n5-50", max_length = 64)]
    sku: String,
    /// Units of the lot; all lots of a SKU together have at most 16,777,215.
    #[schema(example = 500, minimum = 1, maximum = 16_777_215)]
    units: u32,
    /// Why, in the actor's words; recorded with the command, at most 500 bytes.
    #[serde(default)]
    #[schema(max_length = 500)]
    pub(crate) reason: Option<String>,
    /// The drop as the caller saw it, as for the other commands.
    #[serde(default)]
    seen: Option<SeenState>,
}

impl Restock {
    /// The command.
    pub(crate) fn to_action(&self) -> Result<DropAction, Problem> {
        let sku: SkuId = parsed("sku", &self.sku)?;
        Ok(DropAction::Restock { sku, units: units("units", self.units)? })
    }

    /// The drop as the caller saw it.
    pub(crate) fn seen(&self) -> Option<SeenDrop> {
        self.seen.map(SeenDrop::from)
    }
}

/// Units to take off the sale.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TakeBack {
    /// The SKU, by its id in the plan.
    #[schema(example = "n5-50", max_length = 64)]
    sku: String,
    /// How many: nobody may have taken them. If it is left out, all that nobody has taken, one at least.
    #[serde(default)]
    #[schema(example = 4500, minimum = 1, maximum = 16_777_215)]
    units: Option<u32>,
    /// Whether they go into the reserve, from where a restock puts them on sale again; else they are gone.
    #[serde(default)]
    #[schema(default = false)]
    to_reserve: bool,
    /// Why, in the actor's words; recorded with the command, at most 500 bytes.
    #[serde(default)]
    #[schema(max_length = 500)]
    pub(crate) reason: Option<String>,
    /// The drop as the caller saw it, as for the other commands.
    #[serde(default)]
    seen: Option<SeenState>,
}

impl TakeBack {
    /// The command.
    pub(crate) fn to_action(&self) -> Result<DropAction, Problem> {
        let sku: SkuId = parsed("sku", &self.sku)?;
        let units = self.units.map(|count| units("units", count)).transpose()?;
        let to_reserve = self.to_reserve;
        Ok(DropAction::TakeBack(TakenBack { sku, units, to_reserve }))
    }

    /// The drop as the caller saw it.
    pub(crate) fn seen(&self) -> Option<SeenDrop> {
        self.seen.map(SeenDrop::from)
    }
}

/// What is cancelled of an order.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cancellation {
    /// Units that the buyer does not get any more; 0 gives money back as goodwill. All cancellations of an order
    /// together have no more than its units.
    #[schema(example = 1, minimum = 0, maximum = 16_777_215)]
    units: u32,
    /// What goes back to the buyer, in minor units: no more than is left of the order's payment. If it is left out,
    /// what the units cost, with all charges once no unit of the order is left. Without units it is needed.
    #[serde(default)]
    #[schema(value_type = Option<u64>, example = 1990, minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    amount: Option<Place>,
    /// Whether the units go back on sale, as a lot of their own; while the drop is open or paused.
    #[serde(default)]
    restock: bool,
    /// How many `cancellations` the order had when it was read: with another since, the command is refused. No part of
    /// what the key names.
    #[serde(default)]
    #[schema(value_type = Option<u64>, example = 0, minimum = 0, maximum = 4_294_967_295_i64)]
    seen_cancellations: Option<u32>,
    /// Why, in the actor's words; recorded with the command, at most 500 bytes.
    #[schema(max_length = 500, min_length = 1, example = "the parcel came back")]
    pub(crate) reason: String,
}

impl Cancellation {
    /// The command.
    pub(crate) fn to_action(&self, order: HoldId) -> DropAction {
        let (units, amount, restock) = (self.units, self.amount.map(Place::get), self.restock);
        let seen = self.seen_cancellations;
        DropAction::CancelOrder(CancelOrder { order, units, amount, restock, seen })
    }
}

/// More time for every live hold.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Extension {
    /// How much more, in milliseconds; all extensions of a drop together have at most 86,400,000.
    #[schema(example = 120_000, minimum = 1_000, maximum = 3_600_000)]
    by_ms: u64,
    /// Why, in the actor's words; recorded with the command, at most 500 bytes.
    #[schema(max_length = 500, min_length = 1, example = "the provider is down")]
    pub(crate) reason: String,
}

impl Extension {
    /// The command.
    pub(crate) fn to_action(&self) -> DropAction {
        DropAction::Extend { by: DurationMs::new(self.by_ms) }
    }
}

/// How money that nobody can match was seen to.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Closing {
    /// What was done, in the actor's words; recorded with the command, at most 500 bytes.
    #[schema(max_length = 500, min_length = 1, example = "the other shop's")]
    pub(crate) reason: String,
}

/// An accepted command: what it did, the same again for every retry with its key.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Accepted {
    /// The drop, new or old; left out for commands that hold for every drop.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "d17")]
    drop: Option<String>,
    /// The command.
    #[schema(example = "restock")]
    action: &'static str,
    /// The lot's number within the drop, where units were put on sale.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 2)]
    lot: Option<u32>,
    /// How many units were taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 4500)]
    units: Option<u32>,
    /// The ban, for a ban that was made or ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "b7")]
    ban: Option<String>,
    /// The drop that was planned in the place of one whose opening was undone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "d18")]
    copy: Option<String>,
    /// Why no drop was planned in its place: the code of the refusal that a plan of the copy would have got.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "stream_full")]
    no_copy: Option<&'static str>,
    /// The request that was made, or that the command was about.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "q17-2")]
    request: Option<String>,
    /// Units of the SKU that were in reserve, where a restock went beyond it and became a request: so many may be
    /// put on sale without asking.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = 250)]
    reserve: Option<u32>,
}

impl Accepted {
    pub(crate) fn new(action: &'static str, done: &Done) -> Self {
        Self {
            drop: (done.drop != DropId::HOUSE).then(|| done.drop.to_string()),
            action,
            lot: done.lot,
            units: done.units.map(Units::get),
            ban: done.ban.map(|ban| ban.to_string()),
            copy: done.copy.and_then(PlannedCopy::drop).map(|drop| drop.to_string()),
            no_copy: done.copy.and_then(PlannedCopy::why_none).map(NoCopy::code),
            request: done.asked.map(|asked| asked.request.to_string()),
            reserve: done.asked.map(|asked| asked.reserve.get()),
        }
    }

    /// The same, about a request.
    pub(crate) fn about(self, request: RequestId) -> Self {
        Self { request: Some(request.to_string()), ..self }
    }
}

/// A report about a stream that was accepted, the same again for every retry with its key.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StreamReported {
    /// The stream.
    #[schema(example = "friday-show")]
    stream: String,
    /// What it was reported to be.
    #[schema(example = "offline")]
    reported: &'static str,
}

impl StreamReported {
    pub(crate) fn new(stream: &StreamId, online: bool) -> Self {
        let reported = if online { "online" } else { "offline" };
        Self { stream: stream.to_string(), reported }
    }
}
