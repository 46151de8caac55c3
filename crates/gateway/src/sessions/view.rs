//! The engine's values as messages of the viewer protocol.

use stampede_domain::{
    DropPlan, DurationMs, HoldId, ShownUnits, SkuId, SkuIndex, Units, UnixMillis,
};
use stampede_engine::{HoldStatus, Moment, SaleDrop};
use stampede_wire::{DropInfo, DropState, Ended, Held, Order, PhaseNotice, SkuStock, Stock};

/// Units available of each SKU, as the plan wants viewers to see them.
pub(crate) fn available(sale: &SaleDrop) -> Vec<ShownUnits> {
    sale.figures().iter().map(|sku| sale.plan().shown(sku.available)).collect()
}

/// A drop's terms with where it stands now, its stock as it was last shown: what moved since is the
/// next tick.
pub(crate) fn drop_info(sale: &SaleDrop, available: &[ShownUnits], now: Moment) -> DropInfo {
    let standing = sale.standing();
    let state = DropState {
        version: standing.version,
        phase: standing.phase,
        featured: standing.featured,
        opens_in_ms: standing.opens_in(now).map(DurationMs::get),
        closes_in_ms: standing.closes_in(now).map(DurationMs::get),
        available,
    };
    DropInfo::new(sale.id(), &sale.terms(), &state)
}

/// Where a drop stands now.
pub(crate) fn phase_notice(sale: &SaleDrop, now: Moment) -> PhaseNotice {
    let standing = sale.standing();
    PhaseNotice {
        drop: sale.id(),
        version: standing.version,
        phase: standing.phase,
        featured: standing.featured,
        server_time_ms: now.wall.get(),
        opens_in_ms: standing.opens_in(now).map(DurationMs::get),
        closes_in_ms: standing.closes_in(now).map(DurationMs::get),
    }
}

/// The SKUs among `available` that `wanted` chooses by their place.
pub(crate) fn stock(
    sale: &SaleDrop,
    available: &[ShownUnits],
    wanted: impl Fn(usize) -> bool,
) -> Stock {
    let skus = sale.plan().skus.iter().zip(available).enumerate();
    Stock {
        drop: sale.id(),
        version: sale.version(),
        skus: skus
            .filter(|(place, _)| wanted(*place))
            .map(|(_, (sku, shown))| SkuStock::new(sku, *shown))
            .collect(),
    }
}

/// A live hold; `now` by the sale's clock.
pub(crate) fn held(sale: &SaleDrop, status: &HoldStatus, now: UnixMillis) -> Held {
    let left = status.deadline.since(now).get();
    Held::new(status.hold, sku_id(sale.plan(), status.sku), status.units, status.amount, left)
}

/// An order, with the hold that its viewer bought it as.
pub(crate) fn order(sale: &SaleDrop, status: &HoldStatus) -> Order {
    let sku = sku_id(sale.plan(), status.sku);
    let order = Order::new(status.hold, sku, status.units, status.amount);
    Order { hold: sale.bought_as(status.hold), ..order }
}

/// A hold that is over without an order.
pub(crate) fn ended(sale: &SaleDrop, hold: HoldId, units: Units) -> Ended {
    let sku = sale.sku_of(hold.pool()).expect("a hold is of a pool of its drop");
    let (drop, sku) = (hold.drop_id(), sku_id(sale.plan(), sku));
    Ended { hold, drop, sku, units: units.get(), called_off: false }
}

fn sku_id(plan: &DropPlan, index: SkuIndex) -> SkuId {
    plan.sku(index).expect("a hold is of a SKU of its drop").id.clone()
}
