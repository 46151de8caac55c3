//! The terms of the sale.

use stampede_domain::{DropPlan, DurationMs, StockDisplay, WhenOffline};
use stampede_testkit::{plan_of, sku, units};

/// Twelve units of two SKUs, shown rounded, paused when the stream is away for long.
pub(crate) fn plan() -> DropPlan {
    let mut skus = [sku("mug", 9), sku("cup", 3)];
    for sku in &mut skus {
        sku.limit_per_viewer = units(3);
    }
    DropPlan {
        limit_per_viewer: units(4),
        stock_display: Some(StockDisplay { rounded_above: units(4), round_to: units(2) }),
        when_offline: Some(WhenOffline { pause_after: DurationMs::from_secs(10), resume: true }),
        ..plan_of(skus)
    }
}
