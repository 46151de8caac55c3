//! The copies that undone openings name: each is planned in the same commit, with the terms of its drop.

use std::{collections::HashMap, sync::Arc};

use stampede_domain::{DropId, DropPlan};
use stampede_ledger::{CorrectionRecord, PhaseRecord, PlannedCopy, Record};

use super::finding::{Findings, Place};

/// A copy that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "each sentence says what its fields are")]
pub enum CopyFault {
    /// Nothing was planned under that number in the commit.
    #[error("the undo names {copy} as the copy, and its commit plans no such drop")]
    Missing { copy: DropId },
    /// It has other terms than the drop in whose place it stands.
    #[error("the undo names {copy} as the copy, which has other terms; only times may be left out")]
    Differs { copy: DropId },
}

impl CopyFault {
    /// A stable name for programs.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "copy_missing",
            Self::Differs { .. } => "copy_differs",
        }
    }
}

/// Follows plans and undone openings, commit by commit: the chains of one commit come in no order of their own.
#[derive(Debug, Default)]
pub(super) struct CopyCheck {
    commit: Place,
    /// The terms of drops that are not over.
    plans: HashMap<DropId, Arc<DropPlan>>,
    /// Drops that the commit plans.
    planned: HashMap<DropId, Arc<DropPlan>>,
    /// Copies that the commit names, with the terms that they are copied from.
    named: Vec<(Place, DropId, Option<Arc<DropPlan>>)>,
}

impl CopyCheck {
    /// Follows the records of one row.
    pub(super) fn row(
        &mut self,
        drop: DropId,
        records: &[(u32, Record)],
        row: Place,
        findings: &mut Findings,
    ) {
        let commit = Place { drop: None, ..row };
        if self.commit != commit {
            self.finish(findings);
            self.commit = commit;
        }
        for (number, record) in records {
            match record {
                Record::Planned { plan, revision } => {
                    if *revision == 1 {
                        self.planned.insert(drop, Arc::clone(plan));
                    }
                    self.plans.insert(drop, Arc::clone(plan));
                }
                Record::Phase(PhaseRecord::UndoBegun { copy: PlannedCopy::Drop(copy) }) => {
                    let terms = self.plans.get(&drop).map(Arc::clone);
                    self.named.push((row.record(*number), *copy, terms));
                }
                Record::Correction(CorrectionRecord::Amended(amended)) => {
                    if let Some(plan) = self.plans.get_mut(&drop) {
                        *plan = Arc::new(amended.amendment.apply_to(plan));
                    }
                }
                Record::Phase(record) if record.begins().is_final() => {
                    self.plans.remove(&drop);
                }
                Record::Phase(_)
                | Record::Lot { .. }
                | Record::Hold(_)
                | Record::Stream(_)
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
                | Record::Brake(_) => {}
            }
        }
    }

    /// Looks at what the commit has named; also behind the last row.
    pub(super) fn finish(&mut self, findings: &mut Findings) {
        for (place, copy, terms) in self.named.drain(..) {
            match self.planned.get(&copy) {
                None => findings.add(place, CopyFault::Missing { copy }),
                Some(plan) if terms.is_some_and(|terms| !is_copy(plan, &terms)) => {
                    findings.add(place, CopyFault::Differs { copy });
                }
                Some(_) => {}
            }
        }
        self.planned.clear();
    }
}

/// Whether a plan has the terms of another one, but for planned times that it may lack.
fn is_copy(copy: &DropPlan, of: &DropPlan) -> bool {
    let starts_at = copy.starts_at.and(of.starts_at);
    let ends_at = copy.ends_at.and(of.ends_at);
    *copy == DropPlan { starts_at, ends_at, ..of.clone() }
}
