//! Changes that records make to the counters of pools.

use stampede_domain::{PoolIndex, SkuIndex, Units};

use crate::{CorrectionRecord, HoldRecord, Record, drop_pools::DropPools};

/// Change of a pool's counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SupplyDelta {
    /// The pool.
    pub pool: PoolIndex,
    /// The SKU whose units it holds.
    pub sku: SkuIndex,
    /// Units added by lots minus units withdrawn.
    pub supplied: i64,
    /// Units taken minus units released or expired.
    pub taken: i64,
}

impl SupplyDelta {
    /// What a record changes in its pool's counters, if anything.
    pub(crate) fn of(record: &Record, pools: &DropPools) -> Option<Self> {
        let count = |units: Units| i64::from(units.get());
        let (pool, supplied, taken) = match record {
            Record::Lot { pool, units, .. } => (*pool, count(*units), 0),
            Record::Correction(CorrectionRecord::Withdrawn { pool, units }) => {
                (*pool, -count(*units), 0)
            }
            Record::Hold(HoldRecord::Taken { hold, units, .. }) => (hold.pool(), 0, count(*units)),
            Record::Hold(
                HoldRecord::Released { hold, units } | HoldRecord::Expired { hold, units },
            ) => (hold.pool(), 0, -count(*units)),
            Record::Hold(HoldRecord::Confirmed { .. })
            | Record::Correction(
                CorrectionRecord::Reserved { .. }
                | CorrectionRecord::Amended(_)
                | CorrectionRecord::WindsDown { .. },
            )
            | Record::Planned { .. }
            | Record::Phase(_)
            | Record::Stream(_)
            | Record::Featured
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
            | Record::Brake(_) => return None,
        };
        Some(Self { pool, sku: pools.sku_of(pool), supplied, taken })
    }
}
