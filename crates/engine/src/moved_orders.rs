//! Orders of units that were taken again for a hold that had expired.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicBool, Ordering},
};

use parking_lot::Mutex;
use stampede_domain::HoldId;

type HoldMap = HashMap<HoldId, HoldId, foldhash::fast::RandomState>;

/// The hold that each such order was bought as: viewers know that one.
#[derive(Debug, Default)]
pub(crate) struct MovedOrders {
    by_order: Mutex<HoldMap>,
    by_hold: Mutex<HoldMap>,
    /// Whether there was ever one: most drops have none, and each answer about an order asks.
    any: AtomicBool,
}

impl MovedOrders {
    /// Before the order shows.
    pub(crate) fn add(&self, old: HoldId, new: HoldId) {
        self.by_order.lock().insert(new, old);
        self.by_hold.lock().insert(old, new);
        // ORDERING: Relaxed: whoever is told of the order comes after a commit.
        self.any.store(true, Ordering::Relaxed);
    }

    pub(crate) fn origin(&self, order: HoldId) -> HoldId {
        if !self.any.load(Ordering::Relaxed) {
            return order;
        }
        self.by_order.lock().get(&order).copied().unwrap_or(order)
    }

    pub(crate) fn order_of(&self, old: HoldId) -> Option<HoldId> {
        if !self.any.load(Ordering::Relaxed) {
            return None;
        }
        self.by_hold.lock().get(&old).copied()
    }
}
