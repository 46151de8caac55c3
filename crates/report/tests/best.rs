//! What sold best in a show, over drops that had the same goods.
#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod support;

use std::{path::Path, sync::Arc};

use serde_json::Value;
use stampede_domain::{DropId, DropPlan};
use stampede_report::{DropReport, ReportReader, ShowReport};
use stampede_testkit::{PastLedger, plan_of, sku};
use support::{at, journal};

/// A drop of mugs whose merchant has a code for them.
fn mugs(title: &str) -> DropPlan {
    let mut plan = plan_of([sku("mug", 10)]);
    title.clone_into(&mut plan.title);
    plan
}

fn report(path: &Path, drop: u32) -> Arc<DropReport> {
    ReportReader::new().drop(&journal(path), DropId::new(drop)).unwrap()
}

/// What sold best in a show of a drop that sold two mugs, then of one with other terms that sold three: drop, number of
/// drops, units in orders, units supplied, price.
fn best_of_two(change: impl Fn(&mut DropPlan)) -> Vec<(String, u64, u64, u64, u64)> {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = PastLedger::create(dir.path(), at(0));
    let mut plan = mugs("Mugs");
    let first = plan.clone();
    change(&mut plan);
    for (place, plan) in [first, plan].into_iter().enumerate() {
        let mut drop = ledger.plan(plan);
        drop.open(&mut ledger);
        for who in 1..=2 + place as u64 {
            let hold = drop.take(&mut ledger, who, (0, 1), None);
            drop.confirm(&mut ledger, &hold);
        }
        drop.settle(&mut ledger);
    }
    ledger.finish();
    let show = ShowReport::new([1, 2].map(|drop| report(dir.path(), drop)).to_vec()).unwrap();
    let json = serde_json::to_value(show.json()).unwrap();
    let number = |best: &Value, name: &str| best[name].as_u64().unwrap();
    let best = json["best"].as_array().unwrap().iter().map(|best| {
        let numbers = ["drops", "sold", "supplied", "gross_minor"].map(|name| number(best, name));
        let [drops, sold, supplied, gross] = numbers;
        (best["drop"].as_str().unwrap().to_owned(), drops, sold, supplied, gross)
    });
    best.collect()
}

#[test]
fn the_same_goods_in_two_drops_are_counted_together() {
    let together = [("d2".to_owned(), 2, 5, 20, 9_950)];
    let apart = [("d2".to_owned(), 1, 3, 10, 5_970), ("d1".to_owned(), 1, 2, 10, 3_980)];
    // By the merchant's own code, whatever they are called.
    let renamed = |plan: &mut DropPlan| {
        plan.title = "Mugs again".to_owned();
        plan.skus[0].title = "A mug".to_owned();
    };
    assert_eq!(best_of_two(|_| {}), together);
    assert_eq!(best_of_two(renamed), together);
    assert_eq!(best_of_two(|plan| plan.skus[0].merchant_sku = "M-2".to_owned()), apart);
    // Another merchant's code is no code of this one.
    assert_eq!(best_of_two(|plan| plan.merchant = "potter".parse().unwrap()), apart);
}

#[test]
fn goods_without_a_code_are_the_same_if_they_are_called_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = PastLedger::create(dir.path(), at(0));
    let plan = |title: &str| {
        let mut plan = mugs(title);
        plan.skus[0].merchant_sku = plan.skus[0].id.to_string();
        plan
    };
    for title in ["Nuit", "Jour", "Nuit"] {
        let mut drop = ledger.plan(plan(title));
        drop.open(&mut ledger);
        let hold = drop.take(&mut ledger, 1, (0, 1), None);
        drop.confirm(&mut ledger, &hold);
        drop.settle(&mut ledger);
    }
    ledger.finish();
    let show = [1, 2, 3].map(|drop| report(dir.path(), drop)).to_vec();
    let show = ShowReport::new(show).unwrap();
    let best = show.best();
    let told: Vec<_> =
        best.iter().map(|goods| (goods.report.plan.title.as_str(), goods.drops)).collect();
    assert_eq!(told, [("Nuit", 2), ("Jour", 1)]);
}
