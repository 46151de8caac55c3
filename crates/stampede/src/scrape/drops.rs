//! Series of live drops, bounded in number.

use std::{collections::HashMap, sync::Arc};

use stampede_domain::{DropId, MerchantId, Mode, Phase};
use stampede_engine::SaleDrop;

use super::exposition::{Exposition, Kind};

/// Live drops that have series of their own; the others are summed under `drop="other"`. They are
/// given in turn to each merchant's oldest, second oldest and so on.
const DROPS_SHOWN_MAX: usize = 100;
/// Phases that a drop can still leave.
const PHASES: [Phase; 6] =
    [Phase::Scheduled, Phase::Countdown, Phase::Open, Phase::Paused, Phase::Closed, Phase::Voiding];
/// The name of the sum; no drop has it.
const OTHER: &str = "other";

/// Adds the gauges of drops.
pub(super) fn show(text: &mut Exposition, sales: &[Arc<SaleDrop>]) {
    text.begin("stampede_drops", Kind::Gauge, "Drops that are not over, by phase.");
    for phase in PHASES {
        let count = sales.iter().filter(|sale| sale.phase() == phase).count();
        text.series(&[("phase", phase.name())], count);
    }
    let live: Vec<&SaleDrop> =
        sales.iter().map(|sale| &**sale).filter(|sale| sale.phase().is_live()).collect();
    let ids = live.iter().map(|sale| (&sale.plan().merchant, sale.id()));
    let shown = shown(ids, DROPS_SHOWN_MAX);
    let mut rows = Vec::with_capacity(shown.len() + 1);
    let mut other = Figures::default();
    for sale in live {
        let figures = Figures::of(sale);
        match shown.binary_search(&sale.id()) {
            Ok(_) => rows.push((sale.id().to_string(), figures, Some(sale))),
            Err(_) => other.add(&figures),
        }
    }
    rows.push((OTHER.to_owned(), other, None));
    series(text, &rows);
}

type Row<'a> = (String, Figures, Option<&'a SaleDrop>);

fn series(text: &mut Exposition, rows: &[Row<'_>]) {
    let info = "What a live drop is; the value is 1.";
    text.begin("stampede_drop_info", Kind::Gauge, info);
    for (drop, _, sale) in rows {
        let Some(plan) = sale.map(SaleDrop::plan) else { continue };
        let mode = match plan.mode {
            Mode::Live => "live",
            Mode::Rehearsal => "rehearsal",
        };
        let labels = [
            ("drop", drop.as_str()),
            ("merchant", plan.merchant.as_str()),
            ("stream", plan.stream.as_str()),
            ("mode", mode),
        ];
        text.series(&labels, 1);
    }
    text.begin("stampede_drop_units", Kind::Gauge, "Units of a live drop, by where they are.");
    for (drop, figures, _) in rows {
        for (state, units) in figures.units() {
            text.series(&[("drop", drop), ("state", state)], units);
        }
    }
    let viewers = "Viewers connected to a live drop's stream.";
    text.begin("stampede_drop_viewers", Kind::Gauge, viewers);
    for (drop, figures, _) in rows {
        text.series(&[("drop", drop)], figures.viewers);
    }
    let summed = rows.last().map_or(0, |(_, other, _)| other.drops);
    text.gauge("stampede_drops_summed", "Live drops that drop=\"other\" sums up.", summed);
    let max = "Live drops that have series of their own, at most.";
    text.gauge("stampede_drops_shown_max", max, DROPS_SHOWN_MAX);
}

/// Which drops have series of their own, ascending: each merchant's oldest before anybody's second.
fn shown<'a>(live: impl Iterator<Item = (&'a MerchantId, DropId)>, max: usize) -> Vec<DropId> {
    let mut of_merchant: HashMap<&MerchantId, usize> = HashMap::new();
    let mut turns: Vec<(usize, DropId)> = live
        .map(|(merchant, drop)| {
            let earlier = of_merchant.entry(merchant).or_default();
            let turn = *earlier;
            *earlier += 1;
            (turn, drop)
        })
        .collect();
    turns.sort_unstable();
    turns.truncate(max);
    let mut shown: Vec<DropId> = turns.into_iter().map(|(_, drop)| drop).collect();
    shown.sort_unstable();
    shown
}

/// What is shown of a drop, or of several.
#[derive(Debug, Default, PartialEq, Eq)]
struct Figures {
    drops: u64,
    available: u64,
    held: u64,
    sold: u64,
    viewers: u64,
}

impl Figures {
    fn of(sale: &SaleDrop) -> Self {
        let mut sum = Self { drops: 1, viewers: sale.viewers_connected(), ..Self::default() };
        for sku in sale.figures() {
            sum.available += u64::from(sku.available.get());
            sum.held += u64::from(sku.held.get());
            sum.sold += u64::from(sku.sold.get());
        }
        sum
    }

    fn add(&mut self, more: &Self) {
        self.drops += more.drops;
        self.available += more.available;
        self.held += more.held;
        self.sold += more.sold;
        self.viewers += more.viewers;
    }

    const fn units(&self) -> [(&'static str, u64); 3] {
        [("available", self.available), ("held", self.held), ("sold", self.sold)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_merchant_with_many_drops_leaves_room_for_the_others() {
        let [many, few]: [MerchantId; 2] = ["many", "few"].map(|name| name.parse().unwrap());
        let drops = (1..=200).map(|id| (&many, DropId::new(id)));
        let drops = drops.chain([201, 202].map(|id| (&few, DropId::new(id))));
        let shown = shown(drops, 100);
        assert_eq!(shown.len(), 100);
        let ids: Vec<u32> = (1..=98).chain([201, 202]).collect();
        assert_eq!(shown, ids.into_iter().map(DropId::new).collect::<Vec<_>>());
    }
}
