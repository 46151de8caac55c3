//! Under which SKU the ledger files what happens in a pool.

use std::sync::Arc;

use stampede_domain::{DropPlan, PoolIndex, PoolMap, SkuIndex};

/// The pools of one drop, as its latest plan has them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct DropPools(Option<Arc<PoolMap>>);

impl DropPools {
    /// The pools of a plan.
    pub(crate) fn of(plan: &DropPlan) -> Self {
        plan.pools().into()
    }

    /// The SKU whose units a pool holds. Nobody sells from a pool that no plan has; where a record says
    /// so all the same, the pool's own number stands in, and `verify` names the record.
    pub(crate) fn sku_of(&self, pool: PoolIndex) -> SkuIndex {
        let planned = self.0.as_ref().and_then(|pools| pools.sku_of(pool));
        planned.or_else(|| SkuIndex::new(pool.get())).expect("both numbers have 8 bits")
    }
}

impl From<PoolMap> for DropPools {
    fn from(pools: PoolMap) -> Self {
        Self(Some(Arc::new(pools)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_is_filed_under_its_sku_and_one_that_no_plan_has_under_its_number() {
        let sku = |number| SkuIndex::new(number).unwrap();
        let pool = |number| PoolIndex::new(number).unwrap();
        let pools = DropPools::from(PoolMap::new([1, 0, 1].map(sku)).unwrap());
        assert_eq!([0, 1, 2, 3].map(|number| pools.sku_of(pool(number))), [1, 0, 1, 3].map(sku));
        assert_eq!(DropPools::default().sku_of(pool(255)), sku(255));
    }
}
