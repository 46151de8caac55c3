//! Which pool holds the units of which SKU.

use crate::{PoolIndex, SkuIndex, limits::POOLS_PER_DROP_MAX};

/// The pools of a drop, each with the SKU whose units it holds.
///
/// A pool is where units lie, one stock word; a SKU is what they are. A SKU has one pool at least: its
/// common pool, from which every viewer may take. What binds a viewer by SKU counts over all its pools.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolMap {
    /// The SKU of each pool.
    skus: Box<[SkuIndex]>,
    /// The common pool of each SKU.
    common: Box<[PoolIndex]>,
}

/// Why a list of SKUs by pool is no map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PoolMapError {
    /// No pool, or more than a drop may have.
    #[error("{count} pools; 1 to {max} are allowed")]
    Count {
        /// Pools in the list.
        count: usize,
        /// Most allowed.
        max: usize,
    },
    /// A SKU has no pool, though one with a higher number has.
    #[error("SKU {sku} has no pool")]
    NoPool {
        /// The SKU.
        sku: SkuIndex,
    },
}

impl PoolMap {
    /// The map in which pool n holds the units of `skus[n]`. The first pool of a SKU is its common one.
    ///
    /// # Errors
    /// [`PoolMapError`]: 1 to 256 pools are allowed, and every SKU up to the highest has one.
    pub fn new(skus: impl IntoIterator<Item = SkuIndex>) -> Result<Self, PoolMapError> {
        let skus: Box<[SkuIndex]> = skus.into_iter().collect();
        let (count, max) = (skus.len(), POOLS_PER_DROP_MAX);
        let highest = skus.iter().max().copied().filter(|_| count <= max);
        let highest = highest.ok_or(PoolMapError::Count { count, max })?;
        let first = |sku| numbered(&skus).find(|(_, of)| *of == sku).map(|(pool, _)| pool);
        let all = (0..=highest.get()).filter_map(SkuIndex::new);
        let common = all.map(|sku| first(sku).ok_or(PoolMapError::NoPool { sku }));
        let common = common.collect::<Result<_, _>>()?;
        Ok(Self { skus, common })
    }

    /// The map of this many SKUs with a common pool each and no other: pool n is SKU n's.
    pub(crate) fn of_common_pools(skus: usize) -> Self {
        let numbers = || (0..=u8::MAX).take(skus);
        Self {
            skus: numbers().filter_map(SkuIndex::new).collect(),
            common: numbers().filter_map(PoolIndex::new).collect(),
        }
    }

    /// How many pools there are.
    pub fn count(&self) -> usize {
        self.skus.len()
    }

    /// How many SKUs have pools: all below this number.
    pub fn skus(&self) -> usize {
        self.common.len()
    }

    /// The SKU whose units a pool holds; `None` if the drop has no such pool.
    pub fn sku_of(&self, pool: PoolIndex) -> Option<SkuIndex> {
        self.skus.get(usize::from(pool.get())).copied()
    }

    /// The pool of a SKU from which every viewer may take; `None` if the drop has no such SKU.
    pub fn common(&self, sku: SkuIndex) -> Option<PoolIndex> {
        self.common.get(usize::from(sku.get())).copied()
    }

    /// All pools with their SKUs, in the order of the pools.
    pub fn iter(&self) -> impl Iterator<Item = (PoolIndex, SkuIndex)> + '_ {
        numbered(&self.skus)
    }

    /// The pools that hold units of a SKU, in their order.
    pub fn pools_of(&self, sku: SkuIndex) -> impl Iterator<Item = PoolIndex> + '_ {
        self.iter().filter(move |(_, of)| *of == sku).map(|(pool, _)| pool)
    }
}

fn numbered(skus: &[SkuIndex]) -> impl Iterator<Item = (PoolIndex, SkuIndex)> + '_ {
    (0..=u8::MAX).filter_map(PoolIndex::new).zip(skus.iter().copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sku(number: u8) -> SkuIndex {
        SkuIndex::new(number).unwrap()
    }

    fn map(skus: &[u8]) -> Result<PoolMap, PoolMapError> {
        PoolMap::new(skus.iter().map(|number| sku(*number)))
    }

    fn pools_of(map: &PoolMap, number: u8) -> Vec<u8> {
        map.pools_of(sku(number)).map(PoolIndex::get).collect()
    }

    #[test]
    fn a_sku_may_have_several_pools_and_its_first_is_the_common_one() {
        let map = map(&[1, 0, 1, 0, 0]).unwrap();
        assert_eq!((map.count(), map.skus()), (5, 2));
        assert_eq!(map.common(sku(0)), PoolIndex::new(1));
        assert_eq!(map.common(sku(1)), PoolIndex::new(0));
        assert_eq!(map.common(sku(2)), None);
        assert_eq!((pools_of(&map, 0), pools_of(&map, 1)), (vec![1, 3, 4], vec![0, 2]));
        assert_eq!(pools_of(&map, 2), Vec::<u8>::new());
        for (pool, of) in map.iter() {
            assert_eq!(map.sku_of(pool), Some(of));
        }
        assert_eq!(map.sku_of(PoolIndex::new(5).unwrap()), None);
    }

    #[test]
    fn every_sku_has_a_pool_and_pools_are_bounded() {
        assert_eq!(map(&[]), Err(PoolMapError::Count { count: 0, max: 256 }));
        assert_eq!(map(&[0; 257]), Err(PoolMapError::Count { count: 257, max: 256 }));
        assert_eq!(map(&[0, 2, 3]), Err(PoolMapError::NoPool { sku: sku(1) }));
        assert_eq!(map(&[0, 2, 3]).unwrap_err().to_string(), "SKU 1 has no pool");
        assert_eq!(map(&[0; 256]).unwrap().pools_of(sku(0)).count(), 256);
    }

    #[test]
    fn with_common_pools_only_a_pool_has_the_number_of_its_sku() {
        let map = PoolMap::of_common_pools(3);
        assert_eq!(Ok(&map), self::map(&[0, 1, 2]).as_ref());
        assert_eq!(PoolMap::of_common_pools(300).count(), 256);
    }
}
