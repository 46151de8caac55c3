//! What staff put right about a sale that is under way.

use stampede_domain::{PoolIndex, Units};

/// Something that staff put right about a sale that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
}
