//! The terms of a drop, sound as they are, to be changed field by field.

use stampede_domain::{DropPlan, DurationMs, Mode, SkuPlan};

use crate::{euros, units};

/// A drop of one SKU, `mug`, that opens at once.
///
/// It belongs to `acme`, is live in `show`, allows two units for each viewer in four holds of a minute.
///
/// # Panics
/// The supply is out of range.
#[track_caller]
pub fn plan(supply: u32) -> DropPlan {
    plan_of([sku("mug", supply)])
}

/// The same drop with other SKUs.
#[track_caller]
pub fn plan_of(skus: impl IntoIterator<Item = SkuPlan>) -> DropPlan {
    DropPlan {
        stream: "show".parse().expect("a stream's id"),
        running_order: 1,
        title: "Mugs".into(),
        merchant: "acme".parse().expect("a merchant's id"),
        host: "nina".parse().expect("a host's id"),
        mode: Mode::Live,
        skus: skus.into_iter().collect(),
        limit_per_viewer: units(2),
        holds_per_viewer_max: 4,
        hold_ttl: DurationMs::from_secs(60),
        countdown: DurationMs::ZERO,
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

/// A mug at 19.90 euros, two for each viewer.
///
/// # Panics
/// The id has no form, or the supply is out of range.
#[track_caller]
pub fn sku(id: &str, supply: u32) -> SkuPlan {
    SkuPlan {
        id: id.parse().expect("a SKU's id"),
        title: "Mug".into(),
        options: Vec::new(),
        merchant_sku: "M-1".into(),
        image: None,
        price: euros(1990),
        supply: units(supply),
        reserve: units(0),
        limit_per_viewer: units(2),
        numbered: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plan_is_sound() {
        assert!(plan(1).validate().is_ok());
        assert!(plan_of([sku("mug", 5), sku("cup", 3)]).validate().is_ok());
    }
}
