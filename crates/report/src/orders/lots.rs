//! The lots of one drop: how many units of each SKU were ever on sale.

use std::collections::{BTreeMap, BTreeSet};

use stampede_domain::SkuIndex;

/// Lots as they come, with the sum for each SKU.
#[derive(Clone, Debug, Default)]
pub(super) struct Lots {
    /// Units of each lot, by its number.
    all: BTreeMap<u32, (SkuIndex, u32)>,
    /// Lots that brought back units of cancelled orders.
    back: BTreeSet<u32>,
    /// By SKU, each unit once; every order of numbered goods asks for it.
    supplied: BTreeMap<SkuIndex, u64>,
}

impl Lots {
    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// A lot came on sale.
    pub(super) fn add(&mut self, lot: u32, sku: SkuIndex, units: u32) {
        self.uncount(lot);
        self.all.insert(lot, (sku, units));
        if !self.back.contains(&lot) {
            *self.supplied.entry(sku).or_default() += u64::from(units);
        }
    }

    /// A lot has the units of a cancelled order, which were counted before.
    pub(super) fn bring_back(&mut self, lot: u32) {
        self.uncount(lot);
        self.back.insert(lot);
    }

    /// Units of a SKU's lots, each unit once: lots that brought units of cancelled orders back do not count.
    pub(super) fn supplied(&self, sku: SkuIndex) -> u64 {
        self.supplied.get(&sku).copied().unwrap_or_default()
    }

    /// Units left the sale before anybody took them.
    pub(super) fn withdraw(&mut self, sku: SkuIndex, units: u32) {
        if let Some(supplied) = self.supplied.get_mut(&sku) {
            *supplied = supplied.saturating_sub(u64::from(units));
        }
    }

    fn uncount(&mut self, lot: u32) {
        if let Some((sku, units)) = self.all.get(&lot)
            && !self.back.contains(&lot)
            && let Some(supplied) = self.supplied.get_mut(sku)
        {
            *supplied = supplied.saturating_sub(u64::from(*units));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_that_came_back_count_once_whichever_record_comes_first() {
        let [mug, cup] = [0, 1].map(|place| SkuIndex::new(place).expect("a small place"));
        let mut lots = Lots::default();
        assert!(lots.is_empty());
        lots.add(1, mug, 5);
        lots.add(2, cup, 80);
        lots.bring_back(3);
        lots.add(3, mug, 2);
        lots.add(4, mug, 1);
        lots.bring_back(4);
        lots.bring_back(4);
        lots.add(5, mug, 7);
        assert_eq!([mug, cup].map(|sku| lots.supplied(sku)), [12, 80]);
        // The verifier says that a lot came twice; the last one counts.
        lots.add(5, mug, 1);
        assert_eq!(lots.supplied(mug), 6);
    }
}
