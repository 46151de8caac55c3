//! The terms of the sale.

use stampede_domain::{
    DropPlan, DurationMs, Mode, Money, SkuPlan, StockDisplay, Units, WhenOffline,
};

/// Twelve units of two SKUs, shown rounded, paused when the stream is away for long.
pub(crate) fn plan() -> DropPlan {
    let units = |count| Units::new(count).expect("few");
    let sku = |id: &str, supply| SkuPlan {
        id: id.parse().expect("an id"),
        title: "Mug".into(),
        options: vec![],
        merchant_sku: "M-1".into(),
        image: None,
        price: Money::new(1990, "EUR".parse().expect("a currency")).expect("a price"),
        supply: units(supply),
        limit_per_viewer: units(3),
    };
    DropPlan {
        stream: "show".parse().expect("an id"),
        running_order: 1,
        title: "Mugs".into(),
        merchant: "acme".parse().expect("an id"),
        host: "nina".parse().expect("an id"),
        mode: Mode::Live,
        skus: vec![sku("mug", 9), sku("cup", 3)],
        limit_per_viewer: units(4),
        holds_per_viewer_max: 4,
        hold_ttl: DurationMs::from_secs(60),
        countdown: DurationMs::ZERO,
        starts_at: None,
        ends_at: None,
        stock_display: Some(StockDisplay { rounded_above: units(4), round_to: units(2) }),
        when_offline: Some(WhenOffline { pause_after: DurationMs::from_secs(10), resume: true }),
    }
}
