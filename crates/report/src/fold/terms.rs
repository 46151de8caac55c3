//! What a plan brings into the fold: its pools and SKUs, with their sums.

use std::sync::Arc;

use stampede_domain::{
    Amendment, DropPlan, Money, PoolIndex, PoolMap, SkuIndex, Units, UnixMillis,
};

/// Units of one pool, or of several together.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct PoolSums {
    pub(super) supplied: u64,
    pub(super) held: u64,
    pub(super) sold: u64,
    pub(super) taken: u64,
    pub(super) came_back: u64,
    pub(super) orders: u64,
    /// Not on sale.
    pub(super) reserve: u64,
    /// Ever supplied.
    pub(super) lots: u64,
}

/// What is kept of one SKU beside the sums of its pools.
#[derive(Clone, Copy, Debug)]
pub(super) struct SkuSums {
    pub(super) gross: Money,
    pub(super) sold_out: Option<UnixMillis>,
}

/// What the plan brings into the fold.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    pub(super) plan: Arc<DropPlan>,
    pub(super) revision: u32,
    pub(super) map: PoolMap,
    /// By pool.
    pub(super) pools: Vec<PoolSums>,
    /// By SKU.
    pub(super) skus: Vec<SkuSums>,
    pub(super) gross: Money,
}

impl PoolSums {
    pub(super) const fn lot(&mut self, units: u64) {
        self.supplied += units;
        self.lots += units;
    }

    pub(super) fn of<'a>(pools: impl IntoIterator<Item = &'a Self>) -> Self {
        pools.into_iter().fold(Self::default(), |sum, pool| Self {
            supplied: sum.supplied + pool.supplied,
            held: sum.held + pool.held,
            sold: sum.sold + pool.sold,
            taken: sum.taken + pool.taken,
            came_back: sum.came_back + pool.came_back,
            orders: sum.orders + pool.orders,
            reserve: sum.reserve + pool.reserve,
            lots: sum.lots + pool.lots,
        })
    }
}

impl Terms {
    /// Plans change only before anything is supplied, so the pools begin empty. `None` if the plan sells
    /// nothing.
    pub(super) fn new(plan: &Arc<DropPlan>, revision: u32, map: PoolMap) -> Option<Self> {
        let gross = Money::new(0, plan.skus.first()?.price.currency())?;
        let reserve = |sku| plan.sku(sku).map_or(0, |sku| u64::from(sku.reserve.get()));
        let pools = map.iter().map(|(pool, sku)| {
            let is_common = map.common(sku) == Some(pool);
            PoolSums { reserve: if is_common { reserve(sku) } else { 0 }, ..PoolSums::default() }
        });
        let pools = pools.collect();
        let skus = vec![SkuSums { gross, sold_out: None }; map.skus()];
        Some(Self { plan: Arc::clone(plan), revision, map, pools, skus, gross })
    }

    /// Other terms hold, of the same goods.
    pub(super) fn amend(&mut self, amendment: &Amendment) {
        self.plan = Arc::new(amendment.apply_to(&self.plan));
        self.revision = self.revision.saturating_add(1);
    }

    /// Units in the pools of a SKU.
    pub(super) fn of_sku(&self, sku: SkuIndex) -> PoolSums {
        PoolSums::of(self.map.pools_of(sku).map(|pool| &self.pools[usize::from(pool.get())]))
    }

    /// Units leave the sale, so that what is left may be taken already; returns what all pools have then. `None` if the
    /// pool has fewer.
    pub(super) fn withdraw(
        &mut self,
        pool: PoolIndex,
        units: Units,
        at: UnixMillis,
    ) -> Option<PoolSums> {
        let sums = self.pools.get_mut(usize::from(pool.get()))?;
        sums.supplied = sums.supplied.checked_sub(u64::from(units.get()))?;
        self.mark_sold_out(pool, at);
        Some(PoolSums::of(&self.pools))
    }

    /// Notes that nothing is left of a pool's SKU, if that is so for the first time. Where nothing was taken, nothing
    /// is sold out.
    pub(super) fn mark_sold_out(&mut self, pool: PoolIndex, now: UnixMillis) {
        let Some(sku) = self.map.sku_of(pool) else { return };
        let PoolSums { supplied, held, sold, .. } = self.of_sku(sku);
        if held + sold > 0 && held + sold >= supplied {
            self.skus[usize::from(sku.get())].sold_out.get_or_insert(now);
        }
    }

    /// Adds the price of an order; `None` if the pool has no SKU, or a sum is too large.
    pub(super) fn add_gross(&mut self, pool: PoolIndex, amount: Money) -> Option<()> {
        let sku = self.map.sku_of(pool)?;
        let sums = &mut self.skus[usize::from(sku.get())];
        sums.gross = sums.gross.checked_add(amount)?;
        self.gross = self.gross.checked_add(amount)?;
        Some(())
    }
}
