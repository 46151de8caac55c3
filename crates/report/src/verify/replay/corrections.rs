//! What staff put right in one drop, record by record.

use stampede_domain::{PoolIndex, TakeNumber, Units};
use stampede_ledger::CorrectionRecord;

use super::DropReplay;
use crate::verify::{
    finding::{Findings, Place},
    phases::PhaseFault,
};

impl DropReplay {
    pub(super) fn correct(
        &mut self,
        record: &CorrectionRecord,
        place: Place,
        findings: &mut Findings,
    ) {
        match record {
            CorrectionRecord::Withdrawn { pool, units } => {
                self.withdraw(*pool, *units, place, findings);
            }
            // The phases have it.
            CorrectionRecord::Reserved { .. } | CorrectionRecord::WindsDown { .. } => {}
            CorrectionRecord::Amended(amended) => {
                self.limits_amended(&amended.last_takes, place, findings);
            }
        }
    }

    /// Takes under the limits before may commit later, but none beyond the last of them has committed yet.
    fn limits_amended(&self, last_takes: &[TakeNumber], place: Place, findings: &mut Findings) {
        for ((number, pool), last) in (0..).zip(&self.pools).zip(last_takes) {
            let (found, last) = (pool.highest_take(), last.get());
            let Some(pool) = PoolIndex::new(number).filter(|_| found > last) else { continue };
            findings.add(place, PhaseFault::AmendedTakes { pool, last, found });
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
