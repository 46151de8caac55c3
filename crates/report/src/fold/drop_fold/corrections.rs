//! What staff put right about a sale, in the fold of its drop.

use stampede_domain::{PoolIndex, Seq, Units, UnixMillis};
use stampede_ledger::CorrectionRecord;

use super::DropFold;
use crate::fold::FoldError;

impl DropFold {
    pub(super) fn correct(
        &mut self,
        record: &CorrectionRecord,
        (at, seq): (UnixMillis, Seq),
    ) -> Result<(), FoldError> {
        match record {
            CorrectionRecord::Withdrawn { pool, units } => {
                self.withdraw((*pool, *units), (at, seq))?;
            }
            CorrectionRecord::Reserved { pool, left } => {
                self.pool(*pool, seq)?.reserve = u64::from(left.get());
            }
            CorrectionRecord::Amended(amended) => {
                if let Some(terms) = &mut self.terms {
                    terms.amend(&amended.amendment);
                }
            }
            // Its close is a record of its own.
            CorrectionRecord::WindsDown { .. } => {}
        }
        Ok(())
    }

    /// Units leave the sale: what is left may be taken already.
    fn withdraw(
        &mut self,
        (pool, units): (PoolIndex, Units),
        (at, seq): (UnixMillis, Seq),
    ) -> Result<(), FoldError> {
        let unbalanced = FoldError::Unbalanced { drop: self.drop, seq, pool };
        let all = self.terms.as_mut().and_then(|terms| terms.withdraw(pool, units, at));
        let all = all.ok_or(unbalanced)?;
        self.pace.shrink(at, (all.held + all.sold, all.sold), all.supplied);
        Ok(())
    }
}
