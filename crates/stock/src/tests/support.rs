//! Short names that all kinds of test share.

use stampede_domain::{
    DropId, HoldId, Incarnation, KeyFingerprint, PoolIndex, Units, UnixMillis, ViewerNumber,
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

/// A drop of one pool with wide limits; shut.
pub(super) fn config(limit: u32) -> StockConfig {
    StockConfig {
        drop: DropId::new(1),
        incarnation: Incarnation::new(1).unwrap(),
        skus: vec![SkuLimits { limit_per_viewer: units(limit) }],
        limit_per_viewer: units(limit),
        holds_per_viewer_max: 16,
    }
}

/// An open drop of one pool with `supply` units.
pub(super) fn open_stock(supply: u32) -> DropStock {
    let stock = DropStock::new(config(1_000));
    stock.add_supply(pool(0), units(supply)).unwrap();
    stock.open();
    stock
}

pub(super) fn taken(take: Take) -> Option<HoldId> {
    match take {
        Take::Taken(hold) => Some(hold),
        _ => None,
    }
}
