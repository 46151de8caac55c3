//! The summary that stays in memory when a drop is over.

use std::sync::Arc;

use stampede_books::Totals;
use stampede_domain::{
    DropId, DropPlan, HostId, MerchantId, Mode, Money, Phase, PoolIndex, PoolMap, SkuIndex,
    StreamId, Units, UnixMillis,
};
use stampede_ledger::{SealedDrop, SealedSku};

use crate::{figures::SkuFigures, sale::SaleDrop};

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
    /// Whether it was made for a rehearsal by one press.
    pub is_rehearsal_copy: bool,
    /// Whether it was cancelled before viewers had heard of it.
    pub was_hidden: bool,
    /// When it first opened, by the sale's clock. `None` if it never did, and where an older version wrote the seal
    /// that the summary is read from.
    pub opened_at: Option<UnixMillis>,
    /// What all orders cost, goods alone. `None` where an older version wrote the seal, which names no currency, and
    /// if it is more than an amount can be.
    pub gross: Option<Money>,
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
    /// Units that were in reserve to the end.
    pub reserve: Units,
}

impl FinalFigures {
    /// The sums over all pools of each SKU.
    pub(crate) fn by_sku(
        map: &PoolMap,
        supplied: impl IntoIterator<Item = (PoolIndex, Units)>,
        sold: impl IntoIterator<Item = (PoolIndex, Units)>,
    ) -> Vec<Self> {
        let mut skus = vec![
            Self { supplied: Units::ZERO, sold: Units::ZERO, reserve: Units::ZERO };
            map.skus()
        ];
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
            reserve: figures.reserve,
            last_take: None,
        })
    }

    /// The summary of a drop that has been over for long enough, and what its book says of it.
    pub(crate) fn of(
        sale: &SaleDrop,
        opened_at: Option<UnixMillis>,
        over_since: UnixMillis,
    ) -> Self {
        let figures = sale.figures();
        let skus = figures.iter().map(|sku| FinalFigures {
            supplied: sku.supplied,
            sold: sku.sold,
            reserve: sku.reserve,
        });
        Self {
            version: sale.version(),
            totals: sale.totals(),
            opened_at,
            was_hidden: sale.is_hidden(),
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
        let skus: Box<[FinalFigures]> = skus.collect();
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
            is_rehearsal_copy: plan.rehearsal.is_some(),
            was_hidden: false,
            opened_at: None,
            gross: gross(plan, &skus),
            skus,
            totals: Totals::default(),
        }
    }

    /// The same from a seal.
    pub(crate) fn sealed(SealedDrop { seal, summary }: SealedDrop) -> Self {
        let figures = |sku: &SealedSku| FinalFigures {
            supplied: sku.supplied,
            sold: sku.sold,
            reserve: sku.reserve,
        };
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
            is_rehearsal_copy: summary.is_rehearsal_copy,
            was_hidden: summary.was_hidden,
            opened_at: summary.opened_at,
            gross: summary.currency.and_then(|currency| Money::new(seal.amount_minor, currency)),
            skus: summary.skus.iter().map(figures).collect(),
            totals: Totals::default(),
        }
    }
}

/// What the orders of a drop cost together.
fn gross(plan: &DropPlan, skus: &[FinalFigures]) -> Option<Money> {
    let amounts = plan.skus.iter().zip(skus).map(|(sku, of)| sku.price.checked_times(of.sold));
    amounts.reduce(|sum, amount| sum?.checked_add(amount?))?
}

#[cfg(test)]
mod tests {
    use stampede_domain::{
        Currency, Incarnation, Seq,
        limits::{SKUS_PER_DROP_MAX, TEXT_ID_BYTES_MAX, TITLE_BYTES_MAX},
    };
    use stampede_ledger::{RowHash, Seal, SealSummary};
    use stampede_testkit::{euros, plan_of, sku, units};

    use super::*;

    /// What stands before the text of a shared id.
    const COUNTS_BYTES: usize = 2 * size_of::<usize>();

    #[test]
    fn a_sku_is_left_with_the_sums_of_all_its_pools() {
        let map = PoolMap::new([1, 0, 1].map(|sku| SkuIndex::new(sku).unwrap())).unwrap();
        let by_pool = |figures: [(u8, u32); 3]| {
            figures.map(|(pool, count)| (PoolIndex::new(pool).unwrap(), units(count)))
        };
        let (supplied, sold) =
            (by_pool([(0, 5), (1, 3), (2, 7)]), by_pool([(2, 1), (0, 2), (2, 4)]));
        let left = FinalFigures::by_sku(&map, supplied, sold);
        let figures = |supplied, sold| FinalFigures {
            supplied: units(supplied),
            sold: units(sold),
            reserve: Units::ZERO,
        };
        assert_eq!(left, [figures(3, 0), figures(12, 7)]);
    }

    #[test]
    fn a_seal_of_an_older_version_has_neither_opening_nor_gross() {
        let commit = (Incarnation::default(), Seq::default());
        let of = |amount_minor, currency: Option<Currency>| {
            let summary = SealSummary {
                phase: Phase::Settled,
                revision: 1,
                stream: "show".parse().unwrap(),
                running_order: 0,
                title: "Mugs".into(),
                merchant: "acme".parse().unwrap(),
                host: "nina".parse().unwrap(),
                mode: Mode::Live,
                is_rehearsal_copy: false,
                was_hidden: false,
                skus: Box::default(),
                opened_at: currency.map(|_| UnixMillis::new(5)),
                currency,
            };
            let seal = Seal {
                drop: DropId::new(1),
                first: commit,
                last: commit,
                rows: 1,
                records: 1,
                head: RowHash::genesis(DropId::new(1)),
                units_supplied: 1,
                units_sold: 1,
                orders: 1,
                amount_minor,
                settled_at: UnixMillis::new(9),
                summary: summary.encode(),
            };
            let over = DropSummary::sealed(SealedDrop { seal, summary });
            (over.opened_at, over.gross)
        };
        let cost = euros(1990);
        assert_eq!(of(1990, None), (None, None));
        assert_eq!(of(1990, Some(cost.currency())), (Some(UnixMillis::new(5)), Some(cost)));
        let more = Money::MINOR_MAX + 1;
        assert_eq!(of(more, Some(cost.currency())), (Some(UnixMillis::new(5)), None));
    }

    #[test]
    fn a_drop_has_the_gross_of_all_its_skus() {
        let mut plan = plan_of([sku("mug", 5), sku("cup", 3)]);
        plan.skus[1].price = euros(100);
        let sold =
            |sold| FinalFigures { supplied: units(9), sold: units(sold), reserve: Units::ZERO };
        assert_eq!(gross(&plan, &[sold(2), sold(3)]), Some(euros(2 * 1990 + 300)));
        plan.skus[1].price = euros(Money::MINOR_MAX);
        assert_eq!(gross(&plan, &[sold(0), sold(1)]), Some(euros(Money::MINOR_MAX)));
        assert_eq!(gross(&plan, &[sold(1), sold(1)]), None, "no amount is as large");
    }

    #[test]
    fn a_summary_has_less_than_two_kibibytes() {
        let id = "i".repeat(TEXT_ID_BYTES_MAX);
        let figures = FinalFigures { supplied: Units::MAX, sold: Units::ZERO, reserve: Units::MAX };
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
            is_rehearsal_copy: false,
            was_hidden: false,
            opened_at: Some(UnixMillis::new(u64::MAX)),
            gross: Some(euros(Money::MINOR_MAX)),
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
