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
}
