//! How a drop stands, by what is never a figure, as JSON.

use serde::{Deserialize, Serialize};
use stampede_domain::Phase;
use stampede_engine::SeenDrop;
use utoipa::ToSchema;

use crate::place::Place;

/// The phases of a drop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = Phase)]
pub(crate) enum PhaseName {
    /// Planned, can still be edited.
    Scheduled,
    /// Opens when the countdown ends.
    Countdown,
    /// Viewers can take.
    Open,
    /// Takes are refused for now; holds live on.
    Paused,
    /// Takes are over; holds live on until they end.
    Closed,
    /// Every hold has ended: the figures are final.
    Settled,
    /// Called off before it began.
    Cancelled,
    /// Its opening is undone: takes are over, its holds end one after the other, and none becomes an order.
    Voiding,
    /// Its opening was undone, and every hold has ended: nothing was sold.
    Voided,
}

impl From<PhaseName> for Phase {
    fn from(name: PhaseName) -> Self {
        match name {
            PhaseName::Scheduled => Self::Scheduled,
            PhaseName::Countdown => Self::Countdown,
            PhaseName::Open => Self::Open,
            PhaseName::Paused => Self::Paused,
            PhaseName::Closed => Self::Closed,
            PhaseName::Settled => Self::Settled,
            PhaseName::Cancelled => Self::Cancelled,
            PhaseName::Voiding => Self::Voiding,
            PhaseName::Voided => Self::Voided,
        }
    }
}

impl From<Phase> for PhaseName {
    fn from(phase: Phase) -> Self {
        match phase {
            Phase::Scheduled => Self::Scheduled,
            Phase::Countdown => Self::Countdown,
            Phase::Open => Self::Open,
            Phase::Paused => Self::Paused,
            Phase::Closed => Self::Closed,
            Phase::Settled => Self::Settled,
            Phase::Cancelled => Self::Cancelled,
            Phase::Voiding => Self::Voiding,
            Phase::Voided => Self::Voided,
        }
    }
}

/// How a drop stands, by what is never a figure: three fields of the drop as `GET /v1/drops/{drop}` and
/// followers get it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SeenState {
    /// The phase.
    phase: PhaseName,
    /// Counts the plan and its edits.
    #[schema(format = Int64, example = 1, minimum = 0, maximum = 4_294_967_295_i64)]
    revision: u32,
    /// Counts the changes of phase and the edits: tells a pause from a later one. Not compared if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>, example = 3, maximum = 9_007_199_254_740_991_i64)]
    phase_changes: Option<Place>,
}

impl From<SeenState> for SeenDrop {
    fn from(seen: SeenState) -> Self {
        let SeenState { phase, revision, phase_changes } = seen;
        Self { phase: phase.into(), revision, phase_changes: phase_changes.map(Place::get) }
    }
}

impl From<SeenDrop> for SeenState {
    fn from(seen: SeenDrop) -> Self {
        let SeenDrop { phase, revision, phase_changes } = seen;
        let phase_changes = phase_changes.map(|count| count.try_into().unwrap_or_default());
        Self { phase: phase.into(), revision, phase_changes }
    }
}
