//! The phases that a drop went through, with their times.

use stampede_domain::{DropPlan, DurationMs, Phase, UnixMillis};
use stampede_ledger::{Record, StreamRecord};

/// A phase with its beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PhaseTime {
    /// The phase.
    pub phase: Phase,
    /// Commit time of the record that began it.
    pub at: UnixMillis,
    /// Whether it began because the stream was offline, or was back.
    pub by_stream: bool,
}

/// The phase that follows when the phases so far are `phases`, with whether it is the stream's doing.
pub(super) fn next(
    phases: &[PhaseTime],
    plan: Option<&DropPlan>,
    record: &Record,
) -> Option<(Phase, bool)> {
    let latest = phases.last();
    match record {
        Record::Planned { revision: 1, .. } => Some((Phase::Scheduled, false)),
        Record::Phase(record) => Some((record.begins(), false)),
        Record::Stream(StreamRecord::OfflineLapsed) => match latest?.phase {
            Phase::Open => Some((Phase::Paused, true)),
            Phase::Countdown => Some((Phase::Scheduled, true)),
            _ => None,
        },
        Record::Stream(StreamRecord::Online) => {
            let paused = latest.is_some_and(|last| last.phase == Phase::Paused && last.by_stream);
            let resumes = plan?.when_offline.is_some_and(|rule| rule.resume);
            (paused && resumes).then_some((Phase::Open, true))
        }
        Record::Stream(StreamRecord::Offline { .. })
        | Record::Planned { .. }
        | Record::Lot { .. }
        | Record::Hold(_)
        | Record::Featured
        | Record::Correction(_)
        | Record::Request(_)
        | Record::Payment(_)
        | Record::Deadline(_)
        | Record::Unmatched(_)
        | Record::Suspended { .. }
        | Record::Recovered(_)
        | Record::Tally(_)
        | Record::Command(_)
        | Record::Heartbeat(_)
        | Record::Room(_)
        | Record::Brake(_) => None,
    }
}

/// Whether viewers may hold something as the drop stands.
pub(super) fn sells(phases: &[PhaseTime]) -> bool {
    let latest = phases.last().map(|begun| begun.phase);
    latest.is_some_and(|phase| phase.is_live() && phase != Phase::Countdown)
}

/// Time spent in `phase` up to `until`.
pub(super) fn time_in(phases: &[PhaseTime], phase: Phase, until: UnixMillis) -> DurationMs {
    let ends = phases.iter().skip(1).map(|next| next.at).chain([until]);
    let spans = phases.iter().zip(ends).filter(|(begun, _)| begun.phase == phase);
    DurationMs::new(spans.map(|(begun, end)| end.since(begun.at).get()).sum())
}
