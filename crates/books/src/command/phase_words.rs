//! Phases in the sentences of refusals.

use stampede_domain::Phase;

/// How a drop stands in a phase, as the end of a sentence about it.
pub(super) const fn stands(phase: Phase) -> &'static str {
    match phase {
        Phase::Scheduled => "is scheduled",
        Phase::Countdown => "counts down",
        Phase::Open => "is open",
        Phase::Paused => "is paused",
        Phase::Closed => "is closed",
        Phase::Settled => "is settled",
        Phase::Cancelled => "is cancelled",
    }
}
