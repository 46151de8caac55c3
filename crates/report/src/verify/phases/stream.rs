//! Compares the effects of an offline stream with the plan.

use stampede_domain::{DropPlan, UnixMillis};
use stampede_ledger::{PhaseRecord, Record, StreamRecord};

use super::Stage;
use crate::verify::finding::{Findings, Place};

/// A drop that did not take its stream's being offline as its plan says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "each message names its fields")]
pub enum StreamFault {
    /// The same report twice.
    #[error("the stream is reported {state}, as it was already")]
    Repeated { state: &'static str },
    /// Time ran out that the plan does not limit, or that had run out, or of a stream that is there.
    #[error("the stream's time runs out, but none was running")]
    NoTime,
    /// Time ran out before its end.
    #[error("the stream's time runs out at {at} ms, it has until {due} ms")]
    Early { due: u64, at: UnixMillis },
}

impl StreamFault {
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Repeated { .. } => "stream_reported_twice",
            Self::NoTime => "no_offline_time",
            Self::Early { .. } => "offline_time_early",
        }
    }
}

/// The stream as one drop's records have it.
#[derive(Debug, Default)]
pub(super) struct StreamBook {
    /// When it went offline, with the outages since; `None` while online.
    since_ms: Option<u64>,
    /// The plan's time has run out since.
    ran_out: bool,
    /// The drop is paused for that reason.
    paused: bool,
}

impl StreamBook {
    /// Follows one record; gives the stage that it leads to, where that depends on the stream.
    pub(super) fn record(
        &mut self,
        record: &Record,
        stage: Stage,
        plan: &DropPlan,
        at: UnixMillis,
        place: Place,
        findings: &mut Findings,
    ) -> Option<Stage> {
        match record {
            Record::Stream(record) => self.stream(*record, stage, plan, at, place, findings),
            // The host takes over a pause that the stream caused.
            Record::Phase(PhaseRecord::Paused) => {
                let taken_over = std::mem::take(&mut self.paused) && stage == Stage::Paused;
                taken_over.then_some(Stage::Paused)
            }
            Record::Phase(
                PhaseRecord::Resumed | PhaseRecord::Closed | PhaseRecord::UndoBegun { .. },
            ) => {
                self.paused = false;
                None
            }
            Record::Planned { .. } => {
                self.ran_out = false;
                None
            }
            Record::Recovered(recovered) => {
                let outage_ms = recovered.outage.get();
                self.since_ms = self.since_ms.map(|since| since.saturating_add(outage_ms));
                None
            }
            Record::Suspended { span, until } => {
                if let Some(since) = self.since_ms.as_mut().filter(|since| **since < until.get()) {
                    *since = since.saturating_add(span.get());
                }
                None
            }
            Record::Phase(
                PhaseRecord::Countdown { .. }
                | PhaseRecord::CountdownCancelled
                | PhaseRecord::Opened
                | PhaseRecord::Settled
                | PhaseRecord::Cancelled
                | PhaseRecord::Voided,
            )
            | Record::Lot { .. }
            | Record::Hold(_)
            | Record::Featured
            | Record::Correction(_)
            | Record::Request(_)
            | Record::Payment(_)
            | Record::Deadline(_)
            | Record::Unmatched(_)
            | Record::Tally(_)
            | Record::Command(_)
            | Record::Heartbeat(_)
            | Record::Room(_)
            | Record::Brake(_) => None,
        }
    }

    fn stream(
        &mut self,
        record: StreamRecord,
        stage: Stage,
        plan: &DropPlan,
        at: UnixMillis,
        place: Place,
        findings: &mut Findings,
    ) -> Option<Stage> {
        match record {
            StreamRecord::Offline { at } => {
                if self.since_ms.replace(at.get()).is_some() {
                    add(findings, place, StreamFault::Repeated { state: "offline" });
                }
                self.ran_out = false;
                None
            }
            StreamRecord::Online => {
                let resumes = self.paused && plan.when_offline.is_some_and(|rule| rule.resume);
                if std::mem::take(self).since_ms.is_none() {
                    add(findings, place, StreamFault::Repeated { state: "online" });
                }
                (resumes && stage == Stage::Paused).then_some(Stage::Open)
            }
            StreamRecord::OfflineLapsed => {
                self.check_time(plan, at, place, findings);
                self.ran_out = true;
                self.paused |= stage == Stage::Open;
                match stage {
                    Stage::Open => Some(Stage::Paused),
                    Stage::Countdown => Some(Stage::Planned),
                    _ => None,
                }
            }
        }
    }

    fn check_time(&self, plan: &DropPlan, at: UnixMillis, place: Place, findings: &mut Findings) {
        let since = self.since_ms.filter(|_| !self.ran_out);
        let (Some(since), Some(rule)) = (since, plan.when_offline) else {
            return add(findings, place, StreamFault::NoTime);
        };
        let due = since.saturating_add(rule.pause_after.get());
        if at.get() < due {
            add(findings, place, StreamFault::Early { due, at });
        }
    }
}

fn add(findings: &mut Findings, place: Place, fault: StreamFault) {
    findings.add(place, super::PhaseFault::Stream(fault));
}
