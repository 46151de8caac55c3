//! What a drop has in reserve: it changes by lots that draw on it and by units that were withdrawn into it.

use stampede_domain::{DropPlan, PoolIndex, Units};
use stampede_ledger::{CorrectionRecord, Record};

use super::PhaseFault;
use crate::verify::finding::{Findings, Place};

/// The reserves of one drop.
#[derive(Debug)]
pub(super) struct Reserves {
    /// By pool.
    left: Vec<u64>,
    /// What the record before this one withdrew.
    withdrawn: Option<(PoolIndex, u64)>,
    /// What a lot of this pool has drawn, which comes right behind: all that it has, as far as there was a reserve.
    drawn: Option<Drawn>,
    /// The pool of which units were drawn last, with what it had before.
    before: Option<(PoolIndex, u64)>,
}

/// Units that left the reserve.
#[derive(Clone, Copy, Debug)]
struct Drawn {
    pool: PoolIndex,
    left: Units,
    before: u64,
    place: Place,
}

impl Reserves {
    pub(super) fn of(plan: &DropPlan) -> Self {
        let pools = plan.pools();
        let reserve = |sku| plan.sku(sku).map_or(0, |sku| u64::from(sku.reserve.get()));
        let left = pools.iter().map(|(_, sku)| reserve(sku)).collect();
        Self { left, withdrawn: None, drawn: None, before: None }
    }

    /// What a pool has in reserve; for a lot, what it had before the lot drew on it.
    pub(super) fn before(&self, pool: PoolIndex) -> u64 {
        let drawn = self.before.filter(|(of, _)| *of == pool).map(|(_, before)| before);
        drawn.or_else(|| self.left.get(usize::from(pool.get())).copied()).unwrap_or(0)
    }

    /// Sees every record of the drop but takes, which come between others.
    pub(super) fn see(&mut self, record: &Record, place: Place, findings: &mut Findings) {
        self.before = self.drawn.map(|drawn| (drawn.pool, drawn.before));
        if let Some(drawn) = self.drawn.take() {
            let Drawn { pool, left, before, place: at } = drawn;
            let units = before - u64::from(left.get());
            let is_lot = matches!(record, Record::Lot { pool: of, units: lot, .. }
                if *of == pool && units == before.min(u64::from(lot.get())));
            let is_same_row = at.seq == place.seq && at.incarnation == place.incarnation;
            if !(is_lot && is_same_row) {
                findings.add(at, PhaseFault::Reserve { pool, left, before });
            }
        }
        if matches!(record, Record::Correction(CorrectionRecord::Reserved { .. })) {
            return;
        }
        self.withdrawn = match record {
            Record::Correction(CorrectionRecord::Withdrawn { pool, units }) => {
                Some((*pool, u64::from(units.get())))
            }
            _ => None,
        };
    }

    pub(super) fn reserved(
        &mut self,
        pool: PoolIndex,
        left: Units,
        place: Place,
        findings: &mut Findings,
    ) {
        let withdrawn = self.withdrawn.take();
        let pools = self.left.len();
        let Some(reserve) = self.left.get_mut(usize::from(pool.get())) else {
            return findings.add(place, PhaseFault::UnknownPool { pool, pools });
        };
        let before = *reserve;
        *reserve = u64::from(left.get());
        if *reserve < before {
            self.drawn = Some(Drawn { pool, left, before, place });
        } else if withdrawn != Some((pool, *reserve - before)) {
            findings.add(place, PhaseFault::Reserve { pool, left, before });
        }
    }
}
