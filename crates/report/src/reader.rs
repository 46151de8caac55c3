//! Reads reports without folding the ledger anew for each.

use std::sync::Arc;

use stampede_domain::DropId;
use stampede_ledger::Journal;

use crate::{
    ReportError,
    chain::Chain,
    fold::{DropFold, DropReport},
    kept::{Kept, Room},
};

/// Folded drops that are kept, as long as they are small.
const DROPS_KEPT_MAX: usize = 1_024;
/// Entries of all folded drops that are kept: seconds, channels, buyers, live holds, accounts of orders and payments.
/// An entry has a few hundred bytes at most.
const ENTRIES_KEPT_MAX: usize = 400_000;

/// Reads reports of one ledger. Folded drops stay in memory: of a running drop a later read only takes in what was
/// written since, of a settled one only what came after it had settled.
#[derive(Debug)]
pub struct ReportReader {
    kept: Kept<FoldedReport>,
}

impl Default for ReportReader {
    fn default() -> Self {
        Self::new()
    }
}

#[derive(Debug)]
struct FoldedReport {
    chain: Chain,
    fold: DropFold,
    /// The figures, until more rows come.
    report: Option<Arc<DropReport>>,
}

impl ReportReader {
    /// Nothing is folded yet.
    pub fn new() -> Self {
        Self::with_room(ENTRIES_KEPT_MAX)
    }

    /// A reader that keeps so many entries: seconds, channels, buyers, live holds, accounts of orders and payments.
    pub fn with_room(entries_max: usize) -> Self {
        Self { kept: Kept::new(Room { drops_max: DROPS_KEPT_MAX, entries_max }) }
    }

    /// The report of one drop as it stands. Whoever asks for the same drop meanwhile waits, for another one does not.
    ///
    /// # Errors
    /// [`ReportError`]; the next call reads the drop from its beginning.
    pub fn drop(
        &self,
        journal: &dyn Journal,
        drop: DropId,
    ) -> Result<Arc<DropReport>, ReportError> {
        let folded = self.kept.take(drop, || FoldedReport::new(drop));
        let mut folded = folded.lock();
        let followed = folded.follow(journal);
        let found = followed.and_then(|()| folded.report().ok_or(ReportError::NoDrop { drop }));
        if found.is_err() {
            // What has failed half-way cannot go on; somebody may wait for it already.
            *folded = FoldedReport::new(drop);
            self.kept.forget(drop);
        } else {
            self.kept.make_room(drop, folded.fold.entries());
        }
        found
    }
}

impl FoldedReport {
    fn new(drop: DropId) -> Self {
        Self { chain: Chain::new(drop), fold: DropFold::new(drop), report: None }
    }

    /// Takes in what was written since.
    fn follow(&mut self, journal: &dyn Journal) -> Result<(), ReportError> {
        let Self { chain, fold, report } = self;
        chain.follow(journal, |row| {
            *report = None;
            fold.apply(row).map_err(ReportError::from)
        })
    }

    fn report(&mut self) -> Option<Arc<DropReport>> {
        if self.report.is_none() {
            self.report = self.fold.report().map(Arc::new);
        }
        self.report.clone()
    }
}
