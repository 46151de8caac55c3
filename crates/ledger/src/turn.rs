//! What a row says about its drop as a whole: what a seal is made of, besides orders and units.

use std::sync::Arc;

use stampede_domain::{DropPlan, Phase, PoolIndex, Units};

use crate::{CorrectionRecord, PhaseRecord, Record};

/// What a row says about the drop as a whole.
#[derive(Clone, Debug, Default)]
pub(crate) struct Turn {
    pub(crate) planned: Option<(u32, Arc<DropPlan>)>,
    pub(crate) opened: bool,
    pub(crate) ended: Option<Phase>,
    /// Whether viewers hear of the drop by it.
    pub(crate) is_known: bool,
    pub(crate) is_supplied: bool,
    /// How often terms were amended.
    pub(crate) amended: u32,
    /// What is in reserve by it, in the row's order.
    pub(crate) reserved: Vec<(PoolIndex, Units)>,
}

impl Turn {
    pub(crate) fn take_in(&mut self, record: &Record) {
        match record {
            Record::Planned { plan, revision } => {
                self.planned = Some((*revision, Arc::clone(plan)));
                self.is_known |= !plan.hidden;
            }
            Record::Phase(record) => {
                self.opened |= *record == PhaseRecord::Opened;
                self.is_known |=
                    matches!(record, PhaseRecord::Countdown { .. } | PhaseRecord::Opened);
                let phase = record.begins();
                if phase.is_final() {
                    self.ended = Some(phase);
                }
            }
            Record::Lot { .. } => self.is_supplied = true,
            Record::Correction(CorrectionRecord::Reserved { pool, left }) => {
                self.reserved.push((*pool, *left));
            }
            Record::Correction(CorrectionRecord::Amended(_)) => self.amended += 1,
            Record::Hold(_)
            | Record::Stream(_)
            | Record::Featured
            | Record::Request(_)
            | Record::Correction(
                CorrectionRecord::Withdrawn { .. } | CorrectionRecord::WindsDown { .. },
            )
            | Record::Payment(_)
            | Record::Deadline(_)
            | Record::Unmatched(_)
            | Record::Suspended { .. }
            | Record::Recovered(_)
            | Record::Tally(_)
            | Record::Command(_)
            | Record::Heartbeat(_)
            | Record::Room(_)
            | Record::Brake(_) => {}
        }
    }

    pub(crate) const fn has_ended(&self) -> bool {
        self.ended.is_some()
    }
}
