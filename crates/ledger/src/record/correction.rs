//! What staff put right or begin about a sale that is under way.

use stampede_domain::{Amendment, PoolIndex, TakeNumber, Units, UnixMillis};

/// Something that staff put right or begin about a sale that is under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CorrectionRecord {
    /// Units that nobody had taken left the sale.
    Withdrawn {
        /// Where they were.
        pool: PoolIndex,
        /// How many.
        units: Units,
    },
    /// What a SKU has in reserve has changed, by the lot right behind or by the units that were withdrawn right before.
    Reserved {
        /// The pool that the SKU's lots go to.
        pool: PoolIndex,
        /// Units in reserve from now on.
        left: Units,
    },
    /// Limits or the planned end are others from now on, which makes another revision of the terms.
    Amended(Box<Amended>),
    /// The drop goes on selling what comes back, then closes by itself.
    WindsDown {
        /// When at the latest, by the sale's clock.
        until: UnixMillis,
    },
}

/// Terms that were changed while the drop was on sale.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Amended {
    /// What has changed.
    pub amendment: Amendment,
    /// By pool, where limits have changed: the last take under those before. Such a take may become durable later than
    /// this record.
    pub last_takes: Vec<TakeNumber>,
}
