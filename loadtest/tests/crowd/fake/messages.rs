//! The server's messages in tests.

use stampede_domain::{
    HoldId, IdempotencyKey, Incarnation, OrderId, PoolIndex, SlotIndex, TakeNumber,
};
use stampede_wire::{
    DropInfo, Ended, Held, Order, PhaseNotice, Refused, Request, ServerMessage, SkuInfo,
};
use tokio::time::Instant;

use super::{DROP, Hold, SKU};

pub(crate) fn amount(units: u32) -> u64 {
    u64::from(units) * 499
}

pub(crate) fn hold_id(number: u64) -> HoldId {
    let (pool, slot) = (PoolIndex::new(0).unwrap(), SlotIndex::new(0).unwrap());
    let take = TakeNumber::new(number).unwrap();
    HoldId::new(DROP, Incarnation::new(1).unwrap(), pool, slot, take)
}

pub(crate) fn held(id: HoldId, hold: &Hold, key: Option<&IdempotencyKey>, retry: bool) -> Held {
    let left = hold.deadline.saturating_duration_since(Instant::now());
    Held {
        key: key.cloned(),
        retry,
        hold: id,
        drop: DROP,
        sku: SKU.parse().unwrap(),
        units: hold.units,
        amount_minor: amount(hold.units),
        currency: "EUR".parse().unwrap(),
        expires_in_ms: u64::try_from(left.as_millis()).unwrap(),
    }
}

pub(crate) fn order(id: HoldId, hold: &Hold, key: Option<&IdempotencyKey>) -> Order {
    Order {
        key: key.cloned(),
        order: OrderId::of(id),
        hold: id,
        drop: DROP,
        sku: SKU.parse().unwrap(),
        units: hold.units,
        amount_minor: amount(hold.units),
        currency: "EUR".parse().unwrap(),
    }
}

pub(crate) fn ended(id: HoldId, hold: &Hold) -> Ended {
    let sku = SKU.parse().unwrap();
    Ended { hold: id, drop: DROP, sku, units: hold.units, called_off: false }
}

pub(crate) fn refused(
    request: Request,
    key: Option<&IdempotencyKey>,
    hold: Option<HoldId>,
    code: &'static str,
) -> ServerMessage {
    ServerMessage::Refused(Refused {
        request,
        key: key.cloned(),
        hold,
        code: code.into(),
        message: String::new(),
        temporary: true,
        retry_after_ms: None,
        limit: None,
        available: None,
    })
}

pub(crate) fn drop_info(notice: &PhaseNotice, available: u32) -> DropInfo {
    let sku = SkuInfo {
        sku: SKU.parse().unwrap(),
        title: "Mug".into(),
        options: Vec::new(),
        merchant_sku: "M".into(),
        image: None,
        price_minor: amount(1),
        available,
        approximate: false,
        limit_per_viewer: 9,
        units_per_buy_max: 9,
    };
    DropInfo {
        drop: DROP,
        version: notice.version,
        title: "Mugs".into(),
        merchant: "acme".parse().unwrap(),
        phase: notice.phase,
        featured: notice.featured,
        opens_in_ms: notice.opens_in_ms,
        closes_in_ms: notice.closes_in_ms,
        hold_ttl_ms: 1,
        limit_per_viewer: 9,
        currency: "EUR".parse().unwrap(),
        skus: vec![sku],
    }
}
