//! What was changed during the sale, for a terminal.

use std::fmt;

use stampede_domain::SkuIndex;

use super::numbers::{seconds, utc};
use super::{counted, grouped};
use crate::fold::{Change, Changed, DropReport, LimitChange};

impl DropReport {
    /// Nothing where nothing was changed.
    pub(super) fn changed(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.changes.listed.is_empty() {
            return Ok(());
        }
        writeln!(f, "changed during the sale")?;
        for change in &self.changes.listed {
            let by = change.role.as_ref().map_or("-", |role| role.as_str());
            writeln!(f, "    {} UTC  {by:<10}{}", utc(change.at), self.what(change))?;
        }
        if self.changes.is_cut {
            writeln!(f, "    later changes are not listed")?;
        }
        writeln!(f)
    }

    fn what(&self, change: &Change) -> String {
        let name = |sku: SkuIndex| {
            let plan = self.plan.sku(sku);
            plan.map_or_else(|| "?".to_owned(), |plan| self.named(plan))
        };
        let units = |units: stampede_domain::Units| counted(units.get().into(), "unit");
        match &change.what {
            Changed::Restocked { sku, units: more, from_reserve } => {
                let reserve = match from_reserve.get() {
                    0 => String::new(),
                    drawn => format!(", {} from the reserve", grouped(drawn.into())),
                };
                format!("{}: {} added{reserve}", name(*sku), units(*more))
            }
            Changed::SoldAgain { sku, units: more } => {
                format!("{}: {} of a cancelled order on sale again", name(*sku), units(*more))
            }
            Changed::TakenBack { sku, units: less, to_reserve } => {
                let reserve = if *to_reserve { " into the reserve" } else { "" };
                format!("{}: {} taken back{reserve}", name(*sku), units(*less))
            }
            Changed::Limits(limits) => {
                let limit = |one: &LimitChange| {
                    let of = one.sku.map(|sku| format!(" of {}", name(sku))).unwrap_or_default();
                    let (limit, before) = (one.limit.get().into(), one.before.get().into());
                    format!("limit of a viewer{of} {}, was {}", grouped(limit), grouped(before))
                };
                limits.iter().map(limit).collect::<Vec<_>>().join("; ")
            }
            Changed::End { at, before } => {
                let end = |at: &Option<_>| {
                    at.map_or_else(|| "by hand".to_owned(), |at| format!("at {} UTC", utc(at)))
                };
                format!("ends {}, was to end {}", end(at), end(before))
            }
            Changed::HoldsExtended(by) => format!("every hold {} longer", seconds(*by)),
            Changed::CountdownCancelled => "countdown cancelled".to_owned(),
            Changed::WindDown { until } => format!("winds down, until {} UTC", utc(*until)),
            Changed::OpeningUndone(copy) => match copy.drop() {
                Some(copy) => format!("opening undone, {copy} planned in its place"),
                None => "opening undone, no copy planned".to_owned(),
            },
        }
    }
}
