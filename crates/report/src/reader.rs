//! Reads reports without folding the ledger anew for each.

use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
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
/// Records of a settled drop that may be folded beside others. A drop has fewer entries than records.
const SMALL_RECORDS_MAX: u64 = 10_000;

/// Reads reports of one ledger. Folded drops stay in memory: of a running drop a later read only takes in what was
/// written since, of a settled one only what came after it had settled.
#[derive(Debug)]
pub struct ReportReader {
    kept: Kept<FoldedReport>,
    /// Held while a drop is folded from its beginning that may be large: its entries count among those kept only once
    /// it is folded, so several at once would need room that nobody has counted.
    large: Mutex<()>,
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
        let kept = Kept::new(Room { drops_max: DROPS_KEPT_MAX, entries_max });
        Self { kept, large: Mutex::default() }
    }

    /// The report of one drop as it stands. Whoever asks for the same drop meanwhile waits. So does whoever asks for
    /// another one that is not kept and may be large: a running drop, or a settled one of many records.
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
        let found = self.read(&mut folded, journal, drop);
        if found.is_err() {
            // What has failed half-way cannot go on; somebody may wait for it already.
            *folded = FoldedReport::new(drop);
            self.kept.forget(drop);
        }
        found
    }

    fn read(
        &self,
        folded: &mut FoldedReport,
        journal: &dyn Journal,
        drop: DropId,
    ) -> Result<Arc<DropReport>, ReportError> {
        // The turn goes on until there is room for what was folded.
        let _turn = if folded.is_new() { self.turn(journal, drop)? } else { None };
        folded.follow(journal)?;
        let report = folded.report().ok_or(ReportError::NoDrop { drop })?;
        self.kept.make_room(drop, folded.fold.entries());
        Ok(report)
    }

    /// Waits for the turn of a drop that may be large; how many records a running one has is not known.
    fn turn(
        &self,
        journal: &dyn Journal,
        drop: DropId,
    ) -> Result<Option<MutexGuard<'_, ()>>, ReportError> {
        let is_small = journal.seal(drop)?.is_some_and(|seal| seal.records <= SMALL_RECORDS_MAX);
        Ok((!is_small).then(|| self.large.lock()))
    }
}

impl FoldedReport {
    fn new(drop: DropId) -> Self {
        Self { chain: Chain::new(drop), fold: DropFold::new(drop), report: None }
    }

    /// Whether nothing was read yet.
    fn is_new(&self) -> bool {
        self.chain.first().is_none()
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
