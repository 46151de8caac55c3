//! What a drop went through, as JSON has it: its phases, and what was changed during the sale.

use serde::Serialize;
use stampede_domain::{DropPlan, SkuIndex, Units};

use super::{PhaseJson, span, time};
use crate::fold::{Change, Changed, DropReport, LimitChange};

/// The phases, with what was changed.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "see `DropReport::phases` and `DropReport::changes`")]
pub struct HistoryJson {
    pub phases: Vec<PhaseJson>,
    pub changes: Vec<ChangeJson>,
    pub changes_cut: bool,
}

impl HistoryJson {
    pub(super) fn of(report: &DropReport) -> Self {
        let changes = report.changes.listed.iter();
        Self {
            phases: report.phases.iter().map(PhaseJson::of).collect(),
            changes: changes.map(|change| ChangeJson::of(change, &report.plan)).collect(),
            changes_cut: report.changes.is_cut,
        }
    }
}

/// Something that was changed while the drop was on sale.
#[derive(Clone, Debug, Default, Serialize)]
#[allow(missing_docs, reason = "see `Changed`")]
pub struct ChangeJson {
    pub what: &'static str,
    pub at_ms: u64,
    pub role: Option<String>,
    pub sku: Option<String>,
    pub units: Option<u64>,
    pub reserve_units: Option<u64>,
    pub limits: Vec<LimitJson>,
    pub ends_at_ms: Option<u64>,
    pub ends_at_before_ms: Option<u64>,
    pub extended_ms: Option<u64>,
    pub closes_by_ms: Option<u64>,
    pub copy: Option<String>,
}

/// Another limit.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "see `LimitChange`")]
pub struct LimitJson {
    pub sku: Option<String>,
    pub limit_per_viewer: u64,
    pub limit_per_viewer_before: u64,
}

fn count(units: Units) -> u64 {
    units.get().into()
}

impl ChangeJson {
    pub(super) fn of(change: &Change, plan: &DropPlan) -> Self {
        let named = |sku: SkuIndex| plan.sku(sku).map(|sku| sku.id.to_string());
        let change_json = Self {
            what: change.what.name(),
            at_ms: time(change.at),
            role: change.role.as_ref().map(ToString::to_string),
            ..Self::default()
        };
        match &change.what {
            Changed::Restocked { sku, units, from_reserve } => Self {
                sku: named(*sku),
                units: Some(count(*units)),
                reserve_units: Some(count(*from_reserve)),
                ..change_json
            },
            Changed::SoldAgain { sku, units } => {
                Self { sku: named(*sku), units: Some(count(*units)), ..change_json }
            }
            Changed::TakenBack { sku, units, to_reserve } => Self {
                sku: named(*sku),
                units: Some(count(*units)),
                reserve_units: Some(count(if *to_reserve { *units } else { Units::ZERO })),
                ..change_json
            },
            Changed::Limits(limits) => Self {
                limits: limits.iter().map(|limit| LimitJson::of(limit, named)).collect(),
                ..change_json
            },
            Changed::End { at, before } => Self {
                ends_at_ms: at.map(time),
                ends_at_before_ms: before.map(time),
                ..change_json
            },
            Changed::HoldsExtended(by) => Self { extended_ms: Some(span(*by)), ..change_json },
            Changed::WindDown { until } => Self { closes_by_ms: Some(time(*until)), ..change_json },
            Changed::OpeningUndone(copy) => {
                Self { copy: copy.drop().map(|drop| drop.to_string()), ..change_json }
            }
            Changed::CountdownCancelled => change_json,
        }
    }
}

impl LimitJson {
    fn of(limit: &LimitChange, named: impl Fn(SkuIndex) -> Option<String>) -> Self {
        Self {
            sku: limit.sku.and_then(named),
            limit_per_viewer: limit.limit.get().into(),
            limit_per_viewer_before: limit.before.get().into(),
        }
    }
}
