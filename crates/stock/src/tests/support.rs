//! Short names that all kinds of test share.

use stampede_domain::{
    DropId, HoldId, Incarnation, KeyFingerprint, PoolIndex, PoolMap, SkuIndex, Units, UnixMillis,
    ViewerNumber,
};

use crate::{DropStock, SkuLimits, StockConfig, Take, TakeRequest};

pub(super) fn units(count: u32) -> Units {
    Units::new(count).unwrap()
}

pub(super) fn viewer(number: u64) -> ViewerNumber {
    ViewerNumber::new(number).unwrap()
}

pub(super) fn pool(index: u8) -> PoolIndex {
    PoolIndex::new(index).unwrap()
}

pub(super) fn key(number: u64) -> KeyFingerprint {
    KeyFingerprint::from_bits(u128::from(number))
}

/// A request for `count` units of pool 0.
pub(super) fn request(by: u64, with: u64, count: u32) -> TakeRequest {
    TakeRequest {
        viewer: viewer(by),
        key: key(with),
        pool: pool(0),
        units: units(count),
        now: UnixMillis::new(1_000),
        deadline: UnixMillis::new(4_000),
    }
}

/// The map with these SKUs by pool.
pub(super) fn pools(skus: &[u8]) -> PoolMap {
    PoolMap::new(skus.iter().map(|sku| SkuIndex::new(*sku).unwrap())).unwrap()
}

/// A drop of one pool, of one limit; shut.
pub(super) fn config(limit: u32) -> StockConfig {
    config_of(&[0], &[limit], limit)
}

/// A drop whose pools are of these SKUs, whose SKUs have these limits; shut.
pub(super) fn config_of(skus: &[u8], limits: &[u32], limit: u32) -> StockConfig {
    let limits = limits.iter().map(|limit| SkuLimits { limit_per_viewer: units(*limit) });
    StockConfig {
        drop: DropId::new(1),
        incarnation: Incarnation::new(1).unwrap(),
        pools: pools(skus),
        skus: limits.collect(),
        limit_per_viewer: units(limit),
        holds_per_viewer_max: 16,
    }
}

/// An open drop of one pool with `supply` units.
pub(super) fn open_stock(supply: u32) -> DropStock {
    open(config(1_000), supply)
}

/// An open drop with `supply` units in each pool.
pub(super) fn open(config: StockConfig, supply: u32) -> DropStock {
    let stock = DropStock::new(config);
    for (pool, _) in stock.map().iter() {
        stock.add_supply(pool, units(supply)).unwrap();
    }
    stock.permit_takes();
    stock
}

pub(super) fn taken(take: Take) -> Option<HoldId> {
    match take {
        Take::Taken(hold) => Some(hold),
        _ => None,
    }
}
