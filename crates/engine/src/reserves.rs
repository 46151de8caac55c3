//! What a drop has in reserve, as staff are shown it.

use std::sync::atomic::{AtomicU32, Ordering};

use stampede_domain::{DropPlan, SkuIndex, Units};

/// Units that are not on sale, by SKU; written by the steward alone.
///
/// It shows what is durable, but for units that were taken back: those show at once, so that nothing seems to be sold
/// out meanwhile.
pub(crate) struct Reserves(Box<[AtomicU32]>);

// ORDERING: Relaxed throughout; readers want a figure, not an order.
impl Reserves {
    pub(crate) fn of(plan: &DropPlan) -> Self {
        Self(plan.skus.iter().map(|sku| AtomicU32::new(sku.reserve.get())).collect())
    }

    pub(crate) fn get(&self, sku: SkuIndex) -> Units {
        let found = self.of_sku(sku).map(|units| units.load(Ordering::Relaxed));
        found.and_then(Units::new).unwrap_or(Units::ZERO)
    }

    /// Units more.
    pub(crate) fn add(&self, sku: SkuIndex, units: Units) {
        if let Some(reserve) = self.of_sku(sku) {
            reserve.fetch_add(units.get(), Ordering::Relaxed);
        }
    }

    /// Units fewer.
    pub(crate) fn draw(&self, sku: SkuIndex, units: Units) {
        if let Some(reserve) = self.of_sku(sku) {
            reserve.fetch_sub(units.get(), Ordering::Relaxed);
        }
    }

    /// Start only: what the journal leaves.
    pub(crate) fn restore(&self, sku: SkuIndex, left: Units) {
        if let Some(reserve) = self.of_sku(sku) {
            reserve.store(left.get(), Ordering::Relaxed);
        }
    }

    fn of_sku(&self, sku: SkuIndex) -> Option<&AtomicU32> {
        self.0.get(usize::from(sku.get()))
    }
}
