//! What staff put right in one drop, record by record.

use stampede_domain::{PoolIndex, Units};
use stampede_ledger::CorrectionRecord;

use super::DropReplay;
use crate::verify::finding::{Findings, Place};

impl DropReplay {
    pub(super) fn correct(
        &mut self,
        record: CorrectionRecord,
        place: Place,
        findings: &mut Findings,
    ) {
        match record {
            CorrectionRecord::Withdrawn { pool, units } => {
                self.withdraw(pool, units, place, findings);
            }
            // The phases have it.
            CorrectionRecord::Reserved { .. } => {}
        }
    }

    /// Units leave a pool; the phases have counted them out.
    fn withdraw(&mut self, pool: PoolIndex, units: Units, place: Place, findings: &mut Findings) {
        let number = usize::from(pool.get());
        let supplied = self.phases.as_ref().and_then(|phases| phases.supplied.get(number));
        if let (Some(book), Some(supplied)) = (self.pools.get_mut(number), supplied) {
            book.withdraw(units, *supplied, place, findings);
        }
    }
}
