//! Reports straight from a journal.

use std::sync::Arc;

use stampede_domain::{DropId, DropPlan, KeyFingerprint};
use stampede_ledger::{
    CorrectionRecord, Journal, PhaseRecord, PlannedCopy, ReadError, Record, RecordedOutcome,
    RequestAsked, RequestRecord, RowKey, Rows,
};

use crate::fold::{DropFold, DropReport, Fold, FoldError, UnmatchedMoney};

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The ledger cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The journal contradicts itself.
    #[error("the journal gives no report: {0}")]
    Fold(#[from] FoldError),
    /// The ledger has no such drop.
    #[error("no drop {drop} in this ledger")]
    NoDrop {
        /// What was asked for.
        drop: DropId,
    },
}

/// The report of one drop, also while the server runs.
///
/// # Errors
/// [`ReportError`].
pub fn drop_report(journal: &dyn Journal, drop: DropId) -> Result<DropReport, ReportError> {
    let mut fold = DropFold::new(drop);
    for row in Rows::of_drop(journal, drop)?.chain(Rows::of_adjustments(journal, drop)?) {
        fold.apply(&row?)?;
    }
    fold.report().ok_or(ReportError::NoDrop { drop })
}

/// The terms of one drop as they were edited or amended last. Reads the drop's rows until nothing can change them any
/// more: it closed, was called off, or its opening was undone.
///
/// # Errors
/// [`ReportError`].
pub fn drop_plan(journal: &dyn Journal, drop: DropId) -> Result<Arc<DropPlan>, ReportError> {
    let mut latest = None;
    for row in Rows::of_drop(journal, drop)? {
        let row = row?;
        let (incarnation, seq) = (row.incarnation, row.seq);
        let damaged = |source| FoldError::Record { drop, incarnation, seq, source };
        for record in row.decode() {
            match record.map_err(damaged)? {
                Record::Planned { plan, .. } => latest = Some(plan),
                Record::Correction(CorrectionRecord::Amended(amended)) => {
                    let plan = latest.as_deref();
                    latest = plan.map(|plan| Arc::new(amended.amendment.apply_to(plan))).or(latest);
                }
                Record::Phase(
                    PhaseRecord::Closed | PhaseRecord::Cancelled | PhaseRecord::UndoBegun { .. },
                ) => {
                    return latest.ok_or(ReportError::NoDrop { drop });
                }
                Record::Phase(
                    PhaseRecord::Countdown { .. }
                    | PhaseRecord::CountdownCancelled
                    | PhaseRecord::Opened
                    | PhaseRecord::Paused
                    | PhaseRecord::Resumed
                    | PhaseRecord::Settled
                    | PhaseRecord::Voided,
                )
                | Record::Lot { .. }
                | Record::Hold(_)
                | Record::Stream(_)
                | Record::Featured
                | Record::Request(_)
                | Record::Correction(
                    CorrectionRecord::Withdrawn { .. }
                    | CorrectionRecord::Reserved { .. }
                    | CorrectionRecord::WindsDown { .. },
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
    }
    latest.ok_or(ReportError::NoDrop { drop })
}

/// What became of the copy that an undo has planned in the place of this drop; `None` if its opening was not undone.
pub(crate) fn planned_copy(
    journal: &dyn Journal,
    drop: DropId,
) -> Result<Option<PlannedCopy>, ReportError> {
    for row in Rows::of_drop(journal, drop)? {
        let row = row?;
        let (incarnation, seq) = (row.incarnation, row.seq);
        for record in row.decode() {
            let damaged = |source| FoldError::Record { drop, incarnation, seq, source };
            if let Record::Phase(PhaseRecord::UndoBegun { copy }) = record.map_err(damaged)? {
                return Ok(Some(copy));
            }
        }
    }
    Ok(None)
}

/// What a restock of this drop has asked for that had this key; `None` if it has put a lot on sale.
pub(crate) fn asked_for(
    journal: &dyn Journal,
    drop: DropId,
    (actor, key): (&str, KeyFingerprint),
) -> Result<Option<RequestAsked>, ReportError> {
    let mut latest = None;
    for row in Rows::of_drop(journal, drop)? {
        let row = row?;
        let (incarnation, seq) = (row.incarnation, row.seq);
        for record in row.decode() {
            let damaged = |source| FoldError::Record { drop, incarnation, seq, source };
            match record.map_err(damaged)? {
                Record::Request(RequestRecord::Asked(asked)) => latest = Some(*asked),
                Record::Command(command) => {
                    let asked = latest.take();
                    let is_it = command.key == key && command.actor.as_str() == actor;
                    if is_it && command.outcome == RecordedOutcome::Accepted {
                        return Ok(asked);
                    }
                }
                // Takes come between.
                _ => {}
            }
        }
    }
    Ok(None)
}

/// What a whole ledger says.
#[derive(Clone, Debug)]
pub struct LedgerReport {
    /// The reports of all drops, oldest drop first.
    pub drops: Vec<DropReport>,
    /// Money that nobody can match.
    pub unmatched: UnmatchedMoney,
}

/// The reports of all drops, oldest drop first.
///
/// # Errors
/// [`ReportError`], except for a missing drop.
pub fn reports(journal: &dyn Journal) -> Result<Vec<DropReport>, ReportError> {
    ledger_report(journal).map(|report| report.drops)
}

/// The reports of all drops, with what belongs to none.
///
/// # Errors
/// [`ReportError`], except for a missing drop.
pub fn ledger_report(journal: &dyn Journal) -> Result<LedgerReport, ReportError> {
    let mut fold = Fold::new();
    for row in Rows::after(journal, RowKey::default()) {
        fold.apply(&row?)?;
    }
    Ok(LedgerReport { drops: fold.reports(), unmatched: fold.unmatched().clone() })
}
