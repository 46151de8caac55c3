//! What staff put right about a sale, in the fold of its drop.

use stampede_domain::{Amendment, NewEnd, Phase, PoolIndex, Seq, Units, UnixMillis};
use stampede_ledger::CorrectionRecord;

use super::DropFold;
use crate::fold::{
    FoldError,
    changes::{self, Changed},
};

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
                let reserve = &mut self.pool(*pool, seq)?.reserve;
                let before = std::mem::replace(reserve, u64::from(left.get()));
                self.changes.reserve(before, *left);
            }
            CorrectionRecord::Amended(amended) => self.amend(&amended.amendment, at),
            // Its close is a record of its own.
            CorrectionRecord::WindsDown { until } => {
                self.changes.add(at, Changed::WindDown { until: *until });
            }
        }
        Ok(())
    }

    /// Units go on sale. The first lots do so before the opening, and are the plan's.
    pub(super) fn lot(
        &mut self,
        (pool, units): (PoolIndex, Units),
        (at, seq): (UnixMillis, Seq),
    ) -> Result<(), FoldError> {
        self.pool(pool, seq)?.lot(u64::from(units.get()));
        let phase = self.phases.last().map(|begun| begun.phase);
        let sku = self.terms.as_ref().and_then(|terms| terms.map.sku_of(pool));
        if let (Some(Phase::Open | Phase::Paused), Some(sku)) = (phase, sku) {
            self.changes.lot(at, sku, units);
        }
        Ok(())
    }

    /// Other terms hold.
    fn amend(&mut self, amendment: &Amendment, at: UnixMillis) {
        let opened_at = self.pace.opened_at();
        let Some(terms) = &mut self.terms else { return };
        let limits = amendment.limits.as_ref();
        let limits = limits.map(|limits| changes::limits(&terms.plan, limits)).unwrap_or_default();
        if !limits.is_empty() {
            self.changes.add(at, Changed::Limits(limits));
        }
        if let Some(end) = amendment.end {
            let after = opened_at.zip(terms.plan.ends_after_opening);
            let before = terms.plan.ends_at.or(after.map(|(opened, span)| opened.plus(span)));
            let end = match end {
                NewEnd::At(at) => Some(at),
                NewEnd::Never => None,
            };
            self.changes.add(at, Changed::End { at: end, before });
        }
        terms.amend(amendment);
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
        if let Some(sku) = self.terms.as_ref().and_then(|terms| terms.map.sku_of(pool)) {
            self.changes.add(at, Changed::TakenBack { sku, units, to_reserve: false });
        }
        self.pace.shrink(at, (all.held + all.sold, all.sold), all.supplied);
        Ok(())
    }
}
