//! The sums of each show, over its drops.

use std::{collections::BTreeMap, fmt};

use stampede_domain::{Currency, DropId, Mode, Money};

use super::numbers::{grouped, money};
use crate::{
    fold::DropReport,
    show::{ShowDrop, shows},
};

/// The sums of one show in one currency.
#[derive(Default)]
struct Sums {
    drops: u64,
    sold: u64,
    orders: u64,
    gross_minor: u64,
}

/// Writes a line for each show and currency, with the show's first drop. Rehearsals sell nothing real and drops that
/// were called off sold nothing, so neither is a part of a show's sums; below stands how many were left out.
pub(super) fn write(f: &mut fmt::Formatter<'_>, reports: &[DropReport]) -> fmt::Result {
    let by_drop: BTreeMap<DropId, &DropReport> =
        reports.iter().map(|report| (report.drop, report)).collect();
    let (mut rehearsals, mut called_off) = (0_u64, 0_u64);
    writeln!(f, "{:<38}{:>8}{:>12}{:>12}{:>20}", "show", "drops", "orders", "sold", "gross")?;
    let now = reports.iter().map(|report| report.as_of).max().unwrap_or_default();
    // What was rehearsed by one press belongs to no show, here as on the control interface.
    let counted = reports.iter().filter(|report| report.plan.rehearsal.is_none());
    for show in shows(counted.map(ShowDrop::of), now) {
        let mut sums: BTreeMap<Currency, Sums> = BTreeMap::new();
        for report in show.drops.iter().filter_map(|drop| by_drop.get(drop)) {
            match (report.plan.mode, report.phase) {
                (Mode::Rehearsal, _) => rehearsals += 1,
                (Mode::Live, phase) if phase.is_called_off() => called_off += 1,
                (Mode::Live, _) => {
                    let sums = sums.entry(report.gross.currency()).or_default();
                    sums.drops += 1;
                    sums.sold += report.sold;
                    sums.orders += report.taken.confirmed.holds;
                    sums.gross_minor = sums.gross_minor.saturating_add(report.gross.minor());
                }
            }
        }
        for (currency, Sums { drops, sold, orders, gross_minor }) in sums {
            let name = format!("{} {}", show.stream, show.id);
            let [drops, orders, sold] = [drops, orders, sold].map(grouped);
            // A show can have more than one drop may: then its sum is not told rather than told wrong.
            let gross = Money::new(gross_minor, currency).map_or_else(|| "-".to_owned(), money);
            writeln!(f, "{name:<38}{drops:>8}{orders:>12}{sold:>12}{gross:>20}")?;
        }
    }
    let (rehearsals, called_off) = (grouped(rehearsals), grouped(called_off));
    writeln!(f, "    left out: rehearsals {rehearsals}, cancelled and voided drops {called_off}")
}
