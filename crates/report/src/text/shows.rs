//! The sums of each show, over its drops.

use std::{collections::BTreeMap, fmt};

use stampede_domain::{Currency, Mode, Money, Phase, StreamId};

use super::numbers::{grouped, money};
use crate::fold::DropReport;

/// The sums of one show in one currency.
#[derive(Default)]
struct Show {
    drops: u64,
    sold: u64,
    orders: u64,
    gross_minor: u64,
}

/// Writes a line for each show and currency. Rehearsals sell nothing real and cancelled drops sold
/// nothing, so neither is a part of a show's sums; below stands how many were left out.
pub(super) fn write(f: &mut fmt::Formatter<'_>, reports: &[DropReport]) -> fmt::Result {
    let mut shows: BTreeMap<(&StreamId, Currency), Show> = BTreeMap::new();
    let (mut rehearsals, mut cancelled) = (0_u64, 0_u64);
    for report in reports {
        match (report.plan.mode, report.phase) {
            (Mode::Rehearsal, _) => rehearsals += 1,
            (Mode::Live, Phase::Cancelled) => cancelled += 1,
            (Mode::Live, _) => {
                let show = shows.entry((&report.plan.stream, report.gross.currency())).or_default();
                show.drops += 1;
                show.sold += report.sold;
                show.orders += report.taken.confirmed.holds;
                show.gross_minor = show.gross_minor.saturating_add(report.gross.minor());
            }
        }
    }
    writeln!(f, "{:<38}{:>8}{:>12}{:>12}{:>20}", "show", "drops", "orders", "sold", "gross")?;
    for ((stream, currency), show) in shows {
        let (drops, orders, sold) = (grouped(show.drops), grouped(show.orders), grouped(show.sold));
        // A show can have more than one drop may: then its sum is not told rather than told wrong.
        let gross = Money::new(show.gross_minor, currency).map_or_else(|| "-".to_owned(), money);
        writeln!(f, "{:<38}{drops:>8}{orders:>12}{sold:>12}{gross:>20}", stream.as_str())?;
    }
    let (rehearsals, cancelled) = (grouped(rehearsals), grouped(cancelled));
    writeln!(f, "    left out: rehearsals {rehearsals}, cancelled drops {cancelled}")
}
