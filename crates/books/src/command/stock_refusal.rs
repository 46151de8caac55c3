//! Why units are not taken back.

use stampede_domain::{Phase, SkuId, Units};

/// Why units are not taken back.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StockRefusal {
    /// Nothing is on sale yet.
    #[error(
        "nothing of this drop is on sale before it opens; {}edit the supply of its plan instead",
        if matches!(phase, Phase::Countdown) { "cancel the countdown, then " } else { "" }
    )]
    NotOnSale {
        /// Where the drop stands.
        phase: Phase,
    },
    /// No unit was named.
    #[error("take back at least one unit")]
    NoUnits,
    /// Nothing is free.
    #[error("no unit of {sku} is free: all of them are held or sold")]
    NoneFree {
        /// Of which SKU.
        sku: SkuId,
    },
    /// Fewer units are free than were to be taken back.
    #[error(
        "{free} units of {sku} are free, not {units}: the others are held or sold; take back {free} or fewer"
    )]
    NotFree {
        /// Of which SKU.
        sku: SkuId,
        /// How many were to be taken back.
        units: Units,
        /// How many are free.
        free: Units,
    },
}
