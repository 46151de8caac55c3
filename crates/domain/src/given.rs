//! A plan for tests.

use crate::{DropPlan, DurationMs, Mode, Money, SkuOption, SkuPlan, Units};

pub(crate) fn plan() -> DropPlan {
    let sku = |id: &str| SkuPlan {
        id: id.parse().unwrap(),
        title: "Mug".into(),
        options: vec![SkuOption { name: "colour".into(), value: "red".into() }],
        merchant_sku: "M-1".into(),
        image: None,
        price: Money::new(1990, "EUR".parse().unwrap()).unwrap(),
        supply: Units::new(100).unwrap(),
        reserve: Units::ZERO,
        limit_per_viewer: Units::new(2).unwrap(),
        numbered: false,
    };
    DropPlan {
        stream: "show".parse().unwrap(),
        running_order: 1,
        title: "Mugs".into(),
        merchant: "acme".parse().unwrap(),
        host: "nina".parse().unwrap(),
        mode: Mode::Live,
        skus: vec![sku("red"), sku("blue")],
        limit_per_viewer: Units::new(3).unwrap(),
        holds_per_viewer_max: 4,
        hold_ttl: DurationMs::from_secs(60),
        countdown: DurationMs::from_secs(10),
        starts_at: None,
        ends_at: None,
        ends_after_opening: None,
        stock_display: None,
        when_offline: None,
        payment_terms: None,
        hidden: false,
        more_by_request: false,
        rehearsal: None,
    }
}
