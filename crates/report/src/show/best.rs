//! What sold best in a show.

use std::{
    cmp::Reverse,
    collections::{HashMap, hash_map::Entry},
    sync::Arc,
};

use stampede_domain::{Currency, MerchantId, Money, SkuId, SkuPlan};

use super::ShowReport;
use crate::fold::{DropReport, SkuReport, sum};

/// Best sellers that a report lists.
pub const BEST_LISTED_MAX: usize = 10;

/// Goods with what was sold of them in all drops of a show that had them.
#[derive(Clone, Debug)]
pub struct BestGoods<'a> {
    /// The drop in which most of them were sold, the first of equals.
    pub report: &'a Arc<DropReport>,
    /// The plan of the goods there.
    pub plan: &'a SkuPlan,
    /// How many drops had them.
    pub drops: usize,
    /// Units in orders.
    pub sold: u64,
    /// Units ever taken.
    pub taken: u64,
    /// Units of all lots without those that were taken back.
    pub supplied: u64,
    /// Price of all orders.
    pub gross: Money,
    /// Units in orders of that drop.
    most: u64,
}

/// What makes goods of two drops the same.
#[derive(PartialEq, Eq, Hash)]
enum Same<'a> {
    /// The merchant's own code.
    Code(&'a str),
    /// Goods without one have to be called the same: titles of the drop and of the SKU, options, the SKU's id.
    Names(&'a str, &'a str, Vec<(&'a str, &'a str)>, &'a SkuId),
}

/// Goods of one merchant in one currency, for amounts of two have no sum.
type Key<'a> = (&'a MerchantId, Currency, Same<'a>);

fn key<'a>(report: &'a DropReport, plan: &'a SkuPlan) -> Key<'a> {
    // A plan that names no code has the SKU's id in its place, which other goods in another drop may have as well. A code
    // that several sizes share tells none of them.
    let code = plan.merchant_sku.as_str();
    let is_shared =
        report.plan.skus.iter().any(|other| other.id != plan.id && other.merchant_sku == code);
    let same = if code != plan.id.as_str() && !is_shared {
        Same::Code(code)
    } else {
        let options = plan.options.iter().map(|option| (&*option.name, &*option.value)).collect();
        Same::Names(&report.plan.title, &plan.title, options, &plan.id)
    };
    (&report.plan.merchant, plan.price.currency(), same)
}

impl<'a> BestGoods<'a> {
    fn new(report: &'a Arc<DropReport>, plan: &'a SkuPlan, figures: &SkuReport) -> Self {
        let SkuReport { sold, taken, supplied, gross, .. } = *figures;
        Self { report, plan, drops: 1, sold, taken, supplied, gross, most: sold }
    }

    fn and(&mut self, report: &'a Arc<DropReport>, plan: &'a SkuPlan, more: &SkuReport) {
        if more.sold > self.most {
            (self.report, self.plan, self.most) = (report, plan, more.sold);
        }
        self.drops += 1;
        self.sold = self.sold.saturating_add(more.sold);
        self.taken = self.taken.saturating_add(more.taken);
        self.supplied = self.supplied.saturating_add(more.supplied);
        self.gross = sum(self.gross, more.gross);
    }
}

impl ShowReport {
    /// The goods with the most units in orders, at most [`BEST_LISTED_MAX`]. The same goods in several drops, such as a
    /// drop and its copy, are counted together.
    pub fn best(&self) -> Vec<BestGoods<'_>> {
        let mut all: Vec<BestGoods<'_>> = Vec::new();
        let mut places: HashMap<Key<'_>, usize> = HashMap::new();
        for report in self.counted() {
            for figures in &report.skus {
                let plan = report.plan.sku(figures.sku).expect("the fold has the plan's SKUs");
                match places.entry(key(report, plan)) {
                    Entry::Occupied(place) => all[*place.get()].and(report, plan, figures),
                    Entry::Vacant(place) => {
                        place.insert(all.len());
                        all.push(BestGoods::new(report, plan, figures));
                    }
                }
            }
        }
        all.retain(|goods| goods.sold > 0);
        // Of equals the first of the show.
        all.sort_by_key(|goods| Reverse((goods.sold, goods.taken)));
        all.truncate(BEST_LISTED_MAX);
        all
    }
}
