//! The records of what staff put right.

use proptest::prelude::*;
use stampede_domain::{DropPlan, SkuPlan};
use stampede_ledger::{CorrectionRecord, Record};
use stampede_testkit::sku;

use super::{
    parts::any_units,
    support::{plan, pool, units},
};

/// One record of each kind, by name.
pub(crate) fn samples() -> Vec<(&'static str, Record)> {
    let withdrawn = CorrectionRecord::Withdrawn { pool: pool(3), units: units(4_500) };
    let reserved = CorrectionRecord::Reserved { pool: pool(3), left: units(500) };
    let (mut plan, sku) = (plan(), sku("blue", 0));
    plan.skus.push(SkuPlan { reserve: units(500), ..sku });
    let hidden = DropPlan { hidden: true, ..self::plan() };
    let planned = Record::Planned { plan: plan.into(), revision: 1 };
    vec![
        ("withdrawn", withdrawn.into()),
        ("reserved", reserved.into()),
        ("planned_with_a_reserve", planned),
        ("planned_hidden", Record::Planned { plan: hidden.into(), revision: 1 }),
    ]
}

pub(crate) fn any_correction() -> impl Strategy<Value = Record> {
    let of = || (any::<u8>(), any_units());
    prop_oneof![
        of().prop_map(|(index, units)| {
            CorrectionRecord::Withdrawn { pool: pool(index), units }.into()
        }),
        of().prop_map(|(index, left)| CorrectionRecord::Reserved { pool: pool(index), left }.into()),
    ]
}
