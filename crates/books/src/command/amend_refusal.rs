//! Why terms are not amended.

use stampede_domain::{Phase, SkuId};

/// Why the terms of a drop that is on sale are not amended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AmendRefusal {
    /// Nothing is on sale yet, so all terms can be edited.
    #[error(
        "this drop is not on sale yet; {}edit its plan instead",
        if matches!(phase, Phase::Countdown) { "cancel the countdown, then " } else { "" }
    )]
    NotOnSale {
        /// Where the drop stands.
        phase: Phase,
    },
    /// Buys that come meanwhile would be judged by either limit.
    #[error("limits change only while the drop is paused; pause it first, then resume it")]
    NotPaused,
    /// Nothing is named that is to change.
    #[error("name what is to change: limit_per_viewer, limits of skus, or ends_at_ms")]
    Nothing,
    /// A SKU has two limits.
    #[error("skus names {sku} twice")]
    SkuTwice {
        /// Which.
        sku: SkuId,
    },
    /// The end is nearer than anybody can react to.
    #[error("ends_at_ms is {ends_at} and it is {now} now; it has to be at least {min_ms} ms ahead")]
    EndsTooSoon {
        /// What was asked for, in milliseconds since 1970.
        ends_at: u64,
        /// The server's time, in milliseconds since 1970.
        now: u64,
        /// The shortest time ahead, in milliseconds.
        min_ms: u64,
    },
}
