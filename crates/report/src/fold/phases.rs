//! The phases that a drop went through, with their times.

use stampede_domain::{DurationMs, Phase, UnixMillis};
use stampede_ledger::Record;

/// A phase with its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PhaseTime {
    /// The phase.
    pub phase: Phase,
    /// Commit time of the record that began it.
    pub at: UnixMillis,
}

/// The phase that a record begins, if it does.
pub(super) const fn begun_by(record: &Record) -> Option<Phase> {
    Some(match record {
        Record::Planned { revision: 1, .. } | Record::CountdownCancelled => Phase::Scheduled,
        Record::Countdown { .. } => Phase::Countdown,
        Record::Opened | Record::Resumed => Phase::Open,
        Record::Paused => Phase::Paused,
        Record::Closed => Phase::Closed,
        Record::Settled => Phase::Settled,
        Record::Cancelled => Phase::Cancelled,
        _ => return None,
    })
}

/// Time spent in `phase` up to `until`.
pub(super) fn time_in(phases: &[PhaseTime], phase: Phase, until: UnixMillis) -> DurationMs {
    let ends = phases.iter().skip(1).map(|next| next.at).chain([until]);
    let spans = phases.iter().zip(ends).filter(|(begun, _)| begun.phase == phase);
    DurationMs::new(spans.map(|(begun, end)| end.since(begun.at).get()).sum())
}
