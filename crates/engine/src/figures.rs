//! The figures of a SKU, and how they follow from what a drop has in its pools.

use stampede_domain::{Phase, SkuIndex, Units};

use crate::sale::SaleDrop;

/// Figures of one SKU at one moment; read without a lock, so held may lag by a take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SkuFigures {
    /// Which SKU.
    pub sku: SkuIndex,
    /// Units of all lots without those that were taken back; before opening, the plan's supply.
    pub supplied: Units,
    /// Units that can be taken now.
    pub available: Units,
    /// Units in holds.
    pub held: Units,
    /// Units in orders.
    pub sold: Units,
    /// Units that are not on sale until somebody puts them there.
    pub reserve: Units,
    /// Takes so far, the number of the latest where there is one pool; `None` for a drop that has left memory.
    pub last_take: Option<u64>,
}

impl SaleDrop {
    /// The figures of every SKU, in the plan's order.
    pub fn figures(&self) -> Vec<SkuFigures> {
        self.figures_in(self.phase())
    }

    /// The same for a reader who has read the phase.
    pub(crate) fn figures_in(&self, phase: Phase) -> Vec<SkuFigures> {
        let opened = !matches!(phase, Phase::Scheduled | Phase::Countdown | Phase::Cancelled);
        let places = (0..=u8::MAX).filter_map(SkuIndex::new);
        let skus = places.zip(&self.plan().skus).map(|(sku, terms)| {
            let units = if opened { Units::ZERO } else { terms.supply };
            let (held, sold) = (Units::ZERO, Units::ZERO);
            let (supplied, available, last_take) = (units, units, Some(0));
            SkuFigures { sku, supplied, available, held, sold, reserve: Units::ZERO, last_take }
        });
        let mut all: Vec<SkuFigures> = skus.collect();
        for (pool, sold) in self.stock().pools().zip(self.sold()) {
            let Some(sku) = self.sku_of(pool.pool) else { continue };
            let figures = &mut all[usize::from(sku.get())];
            if opened {
                add(&mut figures.supplied, pool.supplied);
                add(&mut figures.available, pool.available);
            }
            add(&mut figures.sold, sold);
            figures.last_take = figures.last_take.map(|takes| takes + pool.last_take.get());
        }
        for SkuFigures { sku, supplied, available, held, sold, reserve, .. } in &mut all {
            // Units that are taken back leave the stock first: read later, the reserve has them.
            *reserve = self.reserves().get(*sku);
            let given = supplied.checked_take(*available).unwrap_or(Units::ZERO);
            *held = given.checked_take(*sold).unwrap_or(Units::ZERO);
        }
        all
    }
}

/// Adds units of another pool. All pools of a SKU together may have more than one can count.
fn add(sum: &mut Units, units: Units) {
    *sum = sum.checked_add(units).unwrap_or(Units::MAX);
}
