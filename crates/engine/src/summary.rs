//! The summary that stays in memory when a drop is over.

use std::sync::Arc;

use stampede_books::Totals;
use stampede_domain::{
    DropId, DropPlan, HostId, MerchantId, Mode, Phase, PoolIndex, PoolMap, SkuIndex, StreamId,
    Units, UnixMillis,
};
use stampede_ledger::{SealedDrop, SealedSku};

use crate::sale::{SaleDrop, SkuFigures};

/// A settled or cancelled drop that has left memory: under 2 KiB, whatever was sold.
#[derive(Clone, Debug)]
pub struct DropSummary {
    /// The id within the ledger.
    pub id: DropId,
    /// Counts the edits of the plan; the first plan is 1.
    pub revision: u32,
    /// The version that viewers were told last.
    pub version: u64,
    /// Settled or cancelled.
    pub phase: Phase,
    /// When it was settled or cancelled.
    pub over_since: UnixMillis,
    /// The stream.
    pub stream: StreamId,
    /// Place among the stream's drops.
    pub running_order: u16,
    /// Title for viewers.
    pub title: Box<str>,
    /// Whose goods were sold.
    pub merchant: MerchantId,
    /// Who ran it.
    pub host: HostId,
    /// Live or rehearsal.
    pub mode: Mode,
    /// What was left of each SKU, in the plan's order.
    pub skus: Box<[FinalFigures]>,
    /// What viewers asked for between the engine's start and the end of the drop.
    pub totals: Totals,
}

/// Final figures of one SKU: what is not sold is left; nothing is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FinalFigures {
    /// Units of all lots; of a cancelled drop the plan's supply.
    pub supplied: Units,
    /// Units in orders.
    pub sold: Units,
}

impl FinalFigures {
    /// The sums over all pools of each SKU.
    pub(crate) fn by_sku(
        map: &PoolMap,
        supplied: impl IntoIterator<Item = (PoolIndex, Units)>,
        sold: impl IntoIterator<Item = (PoolIndex, Units)>,
    ) -> Vec<Self> {
        let mut skus = vec![Self { supplied: Units::ZERO, sold: Units::ZERO }; map.skus()];
        let add = |sum: &mut Units, units| *sum = sum.checked_add(units).unwrap_or(Units::MAX);
        let place = |pool| map.sku_of(pool).map(|sku| usize::from(sku.get()));
        for (pool, units) in supplied {
            if let Some(sku) = place(pool) {
                add(&mut skus[sku].supplied, units);
            }
        }
        for (pool, units) in sold {
            if let Some(sku) = place(pool) {
                add(&mut skus[sku].sold, units);
            }
        }
        skus
    }

    /// Units that nobody bought.
    pub fn available(&self) -> Units {
        self.supplied.checked_take(self.sold).unwrap_or(Units::ZERO)
    }
}

impl DropSummary {
    /// The figures of every SKU, in the plan's order: nothing is held any more.
    pub fn figures(&self) -> impl Iterator<Item = SkuFigures> + '_ {
        (0_u8..).map(SkuIndex::new).zip(&self.skus).map(|(sku, figures)| SkuFigures {
            sku: sku.expect("plans bound their SKUs"),
            supplied: figures.supplied,
            available: figures.available(),
            held: Units::ZERO,
            sold: figures.sold,
            last_take: None,
        })
    }

    pub(crate) fn of(sale: &SaleDrop, over_since: UnixMillis) -> Self {
        let figures = sale.figures();
        let skus =
            figures.iter().map(|sku| FinalFigures { supplied: sku.supplied, sold: sku.sold });
        Self {
            version: sale.version(),
            totals: sale.totals(),
            ..Self::new(sale.id(), sale.revision(), sale.plan(), sale.phase(), over_since, skus)
        }
    }

    /// The summary of a drop that was over before the engine started.
    pub(crate) fn new(
        id: DropId,
        revision: u32,
        plan: &Arc<DropPlan>,
        phase: Phase,
        over_since: UnixMillis,
        skus: impl Iterator<Item = FinalFigures>,
    ) -> Self {
        Self {
            id,
            revision,
            version: SaleDrop::first_version(revision) + 1,
            phase,
            over_since,
            stream: plan.stream.clone(),
            running_order: plan.running_order,
            title: plan.title.as_str().into(),
            merchant: plan.merchant.clone(),
            host: plan.host.clone(),
            mode: plan.mode,
            skus: skus.collect(),
            totals: Totals::default(),
        }
    }

    /// The same from a seal.
    pub(crate) fn sealed(SealedDrop { seal, summary }: SealedDrop) -> Self {
        let figures = |sku: &SealedSku| FinalFigures { supplied: sku.supplied, sold: sku.sold };
        Self {
            id: seal.drop,
            revision: summary.revision,
            version: SaleDrop::first_version(summary.revision) + 1,
            phase: summary.phase,
            over_since: seal.settled_at,
            stream: summary.stream,
            running_order: summary.running_order,
            title: summary.title,
            merchant: summary.merchant,
            host: summary.host,
            mode: summary.mode,
            skus: summary.skus.iter().map(figures).collect(),
            totals: Totals::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use stampede_domain::limits::{SKUS_PER_DROP_MAX, TEXT_ID_BYTES_MAX, TITLE_BYTES_MAX};

    use super::*;

    /// What stands before the text of a shared id.
    const COUNTS_BYTES: usize = 2 * size_of::<usize>();

    #[test]
    fn a_sku_is_left_with_the_sums_of_all_its_pools() {
        let map = PoolMap::new([1, 0, 1].map(|sku| SkuIndex::new(sku).unwrap())).unwrap();
        let units = |count| Units::new(count).unwrap();
        let by_pool = |figures: [(u8, u32); 3]| {
            figures.map(|(pool, count)| (PoolIndex::new(pool).unwrap(), units(count)))
        };
        let (supplied, sold) =
            (by_pool([(0, 5), (1, 3), (2, 7)]), by_pool([(2, 1), (0, 2), (2, 4)]));
        let left = FinalFigures::by_sku(&map, supplied, sold);
        let figures =
            |supplied, sold| FinalFigures { supplied: units(supplied), sold: units(sold) };
        assert_eq!(left, [figures(3, 0), figures(12, 7)]);
    }

    #[test]
    fn a_summary_has_less_than_two_kibibytes() {
        let id = "i".repeat(TEXT_ID_BYTES_MAX);
        let figures = FinalFigures { supplied: Units::MAX, sold: Units::ZERO };
        let largest = DropSummary {
            id: DropId::new(u32::MAX),
            revision: u32::MAX,
            version: u64::MAX,
            phase: Phase::Settled,
            over_since: UnixMillis::new(u64::MAX),
            stream: id.parse().unwrap(),
            running_order: u16::MAX,
            title: "t".repeat(TITLE_BYTES_MAX).into(),
            merchant: id.parse().unwrap(),
            host: id.parse().unwrap(),
            mode: Mode::Live,
            skus: vec![figures; SKUS_PER_DROP_MAX].into(),
            totals: Totals::default(),
        };
        let ids = [largest.stream.as_str(), largest.merchant.as_str(), largest.host.as_str()];
        let ids: usize = ids.iter().map(|id| COUNTS_BYTES + id.len()).sum();
        let heap = ids + largest.title.len() + size_of_val(&*largest.skus);
        let bytes = COUNTS_BYTES + size_of::<DropSummary>() + heap;
        assert!(bytes < 2_048, "{bytes} bytes");
    }
}
