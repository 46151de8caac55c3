//! The records of what staff put right.

use proptest::prelude::*;
use stampede_domain::{
    Amendment, DropPlan, DurationMs, NewEnd, SkuPlan, TakeNumber, Units, UnixMillis, ViewerLimits,
};
use stampede_ledger::{Amended, CorrectionRecord, Record, RecordError, codec::records};
use stampede_testkit::sku;

use super::{
    body_of,
    parts::{any_time, any_units},
    support::{AT_MS, plan, pool, units},
};

/// One record of each kind, by name.
pub(crate) fn samples() -> Vec<(&'static str, Record)> {
    let withdrawn = CorrectionRecord::Withdrawn { pool: pool(3), units: units(4_500) };
    let reserved = CorrectionRecord::Reserved { pool: pool(3), left: units(500) };
    let (mut plan, sku) = (plan(), sku("blue", 0));
    plan.skus.push(SkuPlan { reserve: units(500), ..sku });
    let hidden = DropPlan { hidden: true, ..self::plan() };
    let timed = DropPlan {
        ends_at: None,
        ends_after_opening: Some(DurationMs::from_secs(900)),
        ..plan.clone()
    };
    let planned = |plan: DropPlan| Record::Planned { plan: plan.into(), revision: 1 };
    vec![
        ("withdrawn", withdrawn.into()),
        ("reserved", reserved.into()),
        ("planned_with_a_reserve", planned(plan)),
        ("planned_hidden", planned(hidden)),
        ("planned_with_a_length", planned(timed)),
        ("amended_limits", amended(Some(limits(2, &[1, 2])), &[300, 0], None)),
        ("amended_end", amended(None, &[], Some(NewEnd::At(UnixMillis::new(AT_MS))))),
        ("amended_to_no_end", amended(Some(limits(9, &[9])), &[1], Some(NewEnd::Never))),
        ("winds_down", CorrectionRecord::WindsDown { until: UnixMillis::new(AT_MS) }.into()),
    ]
}

fn limits(of_drop: u32, of_skus: &[u32]) -> ViewerLimits {
    let of_skus = of_skus.iter().map(|limit| units(*limit)).collect();
    ViewerLimits { of_drop: units(of_drop), of_skus }
}

fn amended(limits: Option<ViewerLimits>, last_takes: &[u64], end: Option<NewEnd>) -> Record {
    let last_takes = last_takes.iter().map(|take| TakeNumber::new(*take).unwrap()).collect();
    let amended = Amended { amendment: Amendment { limits, end }, last_takes };
    CorrectionRecord::Amended(Box::new(amended)).into()
}

fn any_amended() -> impl Strategy<Value = Record> {
    let limit = || 1..=Units::MAX.get();
    let takes = prop::collection::vec(0..=TakeNumber::MAX.get(), 0..4);
    let changed = prop::option::of((limit(), prop::collection::vec(limit(), 0..4), takes));
    let end = prop::option::of(prop::option::of(any_time()));
    (changed, end).prop_map(|(changed, end)| {
        let end = end.map(|at| at.map_or(NewEnd::Never, NewEnd::At));
        match changed {
            Some((of_drop, of_skus, takes)) => {
                amended(Some(limits(of_drop, &of_skus)), &takes, end)
            }
            None => amended(None, &[], end.or(Some(NewEnd::Never))),
        }
    })
}

#[test]
fn an_amendment_that_says_nothing_or_lets_nobody_buy_is_refused() {
    let refused = |record: &Record| match records(&body_of(std::slice::from_ref(record))).next() {
        Some(Err(RecordError::Invalid { field, .. })) => field,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(&amended(None, &[], None)), "end");
    assert_eq!(refused(&amended(Some(limits(0, &[1])), &[0], None)), "limits");
    assert_eq!(refused(&amended(Some(limits(1, &[1, 0])), &[0], None)), "limits");
    assert_eq!(refused(&amended(Some(limits(1, &[1; 65])), &[0], None)), "skus");
    assert_eq!(refused(&amended(Some(limits(1, &[1])), &[0; 257], None)), "pools");
}

pub(crate) fn any_correction() -> impl Strategy<Value = Record> {
    let of = || (any::<u8>(), any_units());
    prop_oneof![
        of().prop_map(|(index, units)| {
            CorrectionRecord::Withdrawn { pool: pool(index), units }.into()
        }),
        any_amended(),
        any_time().prop_map(|until| CorrectionRecord::WindsDown { until }.into()),
        of().prop_map(|(index, left)| CorrectionRecord::Reserved { pool: pool(index), left }.into()),
    ]
}
