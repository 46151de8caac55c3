//! Events for followers of a stream, as JSON.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};
use stampede_domain::{DropId, DurationMs};
use stampede_engine::{DropView, Second};
use utoipa::{IntoParams, ToSchema};

use super::{
    PersonState, PhaseName, StreamFacts,
    drop::{Demand, HeldEnding, PayingState, SkuState},
};

/// How a stream is followed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct FollowParams {
    /// Least time between two `figures` of a drop, in milliseconds. Changes come at once in any case.
    #[serde(default)]
    #[param(value_type = u64, default = 500, minimum = 100, maximum = 10_000)]
    pub(crate) figures_ms: FiguresEvery,
    /// Whether the others who are present see the caller's name and role, and the caller theirs: for control rooms. A
    /// poller is there for 3.5 s after each request. Roles that may not stop a sale are never present.
    #[serde(default)]
    #[param(default = false)]
    pub(crate) present: bool,
}

/// The least time between two figures of a drop, within its range.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "u64")]
pub(crate) struct FiguresEvery(u64);

impl FiguresEvery {
    const MIN_MS: u64 = 100;
    const MAX_MS: u64 = 10_000;

    pub(crate) const fn get(self) -> DurationMs {
        DurationMs::new(self.0)
    }
}

impl Default for FiguresEvery {
    fn default() -> Self {
        Self(500)
    }
}

/// Figures would come too often, or too seldom.
#[derive(Debug, thiserror::Error)]
#[error("figures_ms is {0}; {min} to {max} are allowed",
    min = FiguresEvery::MIN_MS, max = FiguresEvery::MAX_MS)]
pub(crate) struct FiguresEveryError(u64);

impl TryFrom<u64> for FiguresEvery {
    type Error = FiguresEveryError;

    fn try_from(millis: u64) -> Result<Self, FiguresEveryError> {
        let allowed = (Self::MIN_MS..=Self::MAX_MS).contains(&millis);
        if allowed { Ok(Self(millis)) } else { Err(FiguresEveryError(millis)) }
    }
}

/// A stream as it stands now: what a follower is sent first, again after a gap, and what a poller gets.
/// Drops that have left memory are not in it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StreamSnapshot {
    /// The stream's id.
    #[schema(example = "friday-show")]
    pub(crate) stream: String,
    /// The server's time, in milliseconds since 1970-01-01 UTC.
    pub(crate) server_time_ms: u64,
    #[serde(flatten)]
    pub(crate) facts: StreamFacts,
    /// The drops that the token may see, in running order; for the roles stage and platform each is a `StageDrop`.
    #[schema(value_type = Vec<super::DropState>)]
    pub(crate) drops: Vec<Encoded>,
    /// By drop: the seconds of the last minute in which viewers asked for anything, oldest first.
    #[schema(value_type = BTreeMap<String, Vec<SecondState>>)]
    pub(crate) seconds: BTreeMap<String, Vec<Encoded>>,
    /// Who is present, the caller included; left out if the caller is not, and while nobody is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) people: Vec<PersonState>,
}

/// A value that was encoded once for everybody.
#[derive(Clone, Debug)]
pub(crate) struct Encoded(Arc<RawValue>);

impl Encoded {
    pub(crate) fn new(value: &impl Serialize) -> Self {
        let json = to_raw_value(value).expect("what is sent has text for every key of a map");
        Self(Arc::from(json))
    }

    /// The JSON, on one line.
    pub(crate) fn json(&self) -> &str {
        self.0.get()
    }
}

impl Serialize for Encoded {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

/// The figures of a drop; sent when any of them has changed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DropFigures {
    /// The drop's id.
    #[schema(example = "d17")]
    drop: String,
    /// The server's time, in milliseconds since 1970-01-01 UTC.
    server_time_ms: u64,
    /// Where the drop stands.
    phase: PhaseName,
    /// Rises with each change of phase.
    version: u64,
    /// The figures of every SKU, in the plan's order.
    skus: Vec<SkuState>,
    /// What viewers asked for since this server started.
    totals: Demand,
    /// Distinct viewers connected to the drop's stream.
    viewers_connected: u64,
    /// When what is held comes back if nobody pays.
    held_ending: HeldEnding,
    /// How it goes with paying for what was held.
    #[serde(skip_serializing_if = "Option::is_none")]
    paying: Option<PayingState>,
}

/// What viewers asked for within a second; seconds in which nobody asked for anything are left out.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SecondState {
    /// The drop's id.
    #[schema(example = "d17")]
    drop: String,
    /// When the second was over, in milliseconds since 1970-01-01 UTC.
    at_ms: u64,
    /// Buys decided.
    clicks: u64,
    /// Buys that took units.
    takes: u64,
    /// Buys refused, by reason; reasons that did not occur are left out.
    #[schema(example = json!({"sold_out": 184, "over_viewer_limit": 12}))]
    refused: BTreeMap<&'static str, u64>,
    /// Microseconds within which 99 of 100 answers left; left out if none left.
    #[serde(skip_serializing_if = "Option::is_none")]
    answer_p99_us: Option<u64>,
}

/// A drop that has left the stream's list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DropGone {
    /// The drop's id.
    #[schema(example = "d17")]
    pub(crate) drop: String,
}

/// Sent in each second in which nothing else was, so that the age of what is shown is always known.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StillThere {
    /// The server's time, in milliseconds since 1970-01-01 UTC.
    pub(crate) server_time_ms: u64,
}

impl From<&DropView> for DropFigures {
    fn from(view: &DropView) -> Self {
        Self {
            drop: view.drop.to_string(),
            server_time_ms: view.now.wall.get(),
            phase: view.standing.phase.into(),
            version: view.standing.version,
            skus: SkuState::all(view),
            totals: Demand::new(&view.totals),
            viewers_connected: view.viewers_connected,
            held_ending: HeldEnding::new(&view.ending, view.now),
            paying: view.paying.map(PayingState::from),
        }
    }
}

impl SecondState {
    pub(crate) fn new(drop: DropId, second: &Second) -> Self {
        Self {
            drop: drop.to_string(),
            at_ms: second.at.wall.get(),
            clicks: second.clicks,
            takes: second.takes,
            refused: second.refused.iter().map(|(code, times)| (code.name(), *times)).collect(),
            answer_p99_us: second.answer_us_p99,
        }
    }
}
