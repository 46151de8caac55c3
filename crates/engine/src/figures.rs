//! The figures of a SKU.

use stampede_domain::{SkuIndex, Units};

/// Figures of one SKU at one moment; read without a lock, so held may lag by a take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SkuFigures {
    /// Which SKU.
    pub sku: SkuIndex,
    /// Units of all lots without those that were taken back; before opening, the plan's supply.
    pub supplied: Units,
    /// Units that can be taken now.
    pub available: Units,
    /// Units in holds.
    pub held: Units,
    /// Units in orders.
    pub sold: Units,
    /// Units that are not on sale until somebody puts them there.
    pub reserve: Units,
    /// Takes so far, the number of the latest where there is one pool; `None` for a drop that has left memory.
    pub last_take: Option<u64>,
}
