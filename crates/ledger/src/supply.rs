//! What records change in the counters of pools.

use stampede_domain::{PoolIndex, Units};

use crate::{HoldRecord, Record};

/// Change of a pool's counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SupplyDelta {
    /// The pool.
    pub pool: PoolIndex,
    /// Units added by lots.
    pub supplied: i64,
    /// Units taken minus units released or expired.
    pub taken: i64,
}

impl SupplyDelta {
    /// What a record changes in its pool's counters, if anything.
    pub fn of(record: &Record) -> Option<Self> {
        let count = |units: Units| i64::from(units.get());
        Some(match record {
            Record::Lot { pool, units, .. } => {
                Self { pool: *pool, supplied: count(*units), taken: 0 }
            }
            Record::Hold(HoldRecord::Taken { hold, units, .. }) => {
                Self { pool: hold.pool(), supplied: 0, taken: count(*units) }
            }
            Record::Hold(
                HoldRecord::Released { hold, units } | HoldRecord::Expired { hold, units },
            ) => Self { pool: hold.pool(), supplied: 0, taken: -count(*units) },
            Record::Hold(HoldRecord::Confirmed { .. })
            | Record::Planned { .. }
            | Record::Phase(_)
            | Record::Stream(_)
            | Record::Featured
            | Record::Suspended { .. }
            | Record::Recovered(_)
            | Record::Tally(_)
            | Record::Command(_)
            | Record::Heartbeat(_)
            | Record::Room(_)
            | Record::Brake(_) => return None,
        })
    }
}
