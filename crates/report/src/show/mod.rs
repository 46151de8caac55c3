//! A show as a whole: the drops of one stream that followed each other.

mod best;
mod grouping;
mod json;
mod running;
mod tables;

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use stampede_domain::{ChannelId, Currency, DropId, Mode, Money, UnixMillis, ViewerNumber};

pub use self::{
    best::{BEST_LISTED_MAX, BestGoods},
    grouping::{SHOW_DROPS_MAX, SHOW_GAP_MS, Show, ShowDrop, shows},
    json::{ShowLineJson, ShowReportJson},
    running::is_running,
};
use crate::fold::{
    Adjustments, ChannelFigures, ChannelReport, DropReport, OrderMoney, sort_channels,
};

/// The report of a show.
///
/// Sums are over the live drops that were not called off. Rehearsals stand apart, for they sold nothing real; so do
/// drops that were cancelled and those whose opening was undone, which sold nothing at all.
#[derive(Clone, Debug)]
pub struct ShowReport {
    /// In the order of their times.
    drops: Vec<Arc<DropReport>>,
}

/// Sums over the counted drops of a show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShowSums {
    /// Units of the plans.
    pub planned: u64,
    /// Units of all lots.
    pub supplied: u64,
    /// Units ever taken.
    pub taken: u64,
    /// Units in holds now.
    pub held: u64,
    /// Units in orders.
    pub sold: u64,
    /// Units neither held nor sold.
    pub left: u64,
    /// Units released or expired.
    pub came_back: u64,
    /// Buys decided.
    pub clicks: u64,
    /// Buys refused for want of units.
    pub refused_for_want: u64,
    /// Orders.
    pub orders: u64,
}

/// Money of a show in one currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShowMoney {
    /// Price of all orders.
    pub gross: Money,
    /// What was charged, taken and given back for them.
    pub money: OrderMoney,
}

/// What one channel brought over the drops of a show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShowChannel {
    /// The channel; `None` for viewers whose ticket named none.
    pub channel: Option<ChannelId>,
    /// What it brought, by currency; never empty.
    pub figures: BTreeMap<Currency, ChannelFigures>,
}

impl ShowChannel {
    /// The counts over all currencies; the money is that of the first.
    pub fn all(&self) -> ChannelFigures {
        let all = self.figures.values().copied().reduce(ChannelFigures::plus);
        all.expect("a channel brought something in a currency")
    }
}

impl ShowReport {
    /// The report of these drops, in the order in which [`shows`] has them; `None` without any.
    pub fn new(drops: Vec<Arc<DropReport>>) -> Option<Self> {
        (!drops.is_empty()).then_some(Self { drops })
    }

    /// The show's name: its first drop.
    pub fn id(&self) -> DropId {
        self.first().drop
    }

    /// The drop that began it.
    pub fn first(&self) -> &Arc<DropReport> {
        self.drops.first().expect("a show has a drop")
    }

    /// The live drops that were not called off, in the order of their times: those that sums are over.
    pub fn counted(&self) -> impl Iterator<Item = &Arc<DropReport>> {
        self.drops.iter().filter(|report| class(report) == Class::Counted)
    }

    /// The rehearsals.
    pub fn rehearsals(&self) -> impl Iterator<Item = &Arc<DropReport>> {
        self.drops.iter().filter(|report| class(report) == Class::Rehearsal)
    }

    /// The live drops that were called off: cancelled, or voided, or about to be.
    pub fn called_off(&self) -> impl Iterator<Item = &Arc<DropReport>> {
        self.drops.iter().filter(|report| class(report) == Class::CalledOff)
    }

    /// When the first of the counted drops opened; `None` before one did.
    pub fn began_at(&self) -> Option<UnixMillis> {
        self.counted().filter_map(|report| report.opened_at).min()
    }

    /// When the last drop ended; `None` while one of them may still sell.
    pub fn ended_at(&self) -> Option<UnixMillis> {
        let ends = self.drops.iter().map(|report| ShowDrop::of(report).ended_at);
        ends.collect::<Option<Vec<_>>>()?.into_iter().max()
    }

    /// Time of the latest row of any of its drops' chains.
    pub fn as_of(&self) -> UnixMillis {
        self.drops.iter().map(|report| report.as_of).max().unwrap_or_default()
    }

    /// Whether its figures may still change: see [`is_running`].
    pub fn is_running(&self) -> bool {
        is_running(self.drops.iter().map(|report| (report.plan.mode, report.phase)))
    }

    /// Clicks by channels that the tallies do not name, over the counted drops; `None` if those of one do not tell.
    pub fn clicks_by_channel_other(&self) -> Option<u64> {
        let others = self.counted().map(|report| report.clicks_by_channel_other);
        others.reduce(|one, other| one.zip(other).map(|(one, other)| one.saturating_add(other)))?
    }

    /// Whether every click in the counted drops is counted.
    pub fn counts_complete(&self) -> bool {
        self.counted().all(|report| report.counts_complete())
    }

    /// The sums.
    pub fn sums(&self) -> ShowSums {
        self.counted().fold(ShowSums::default(), |sum, report| ShowSums {
            planned: sum.planned.saturating_add(report.planned()),
            supplied: sum.supplied.saturating_add(report.supplied),
            taken: sum.taken.saturating_add(report.taken.all.units),
            held: sum.held.saturating_add(report.held),
            sold: sum.sold.saturating_add(report.sold),
            left: sum.left.saturating_add(report.left()),
            came_back: sum.came_back.saturating_add(report.came_back().units),
            clicks: sum.clicks.saturating_add(report.clicks()),
            refused_for_want: sum.refused_for_want.saturating_add(report.refused_for_want()),
            orders: sum.orders.saturating_add(report.taken.confirmed.holds),
        })
    }

    /// Distinct viewers with an order in any of the counted drops.
    pub fn buyers(&self) -> usize {
        let buyers = self.counted().flat_map(|report| report.buyers.iter().copied());
        buyers.collect::<HashSet<ViewerNumber, foldhash::fast::RandomState>>().len()
    }

    /// The money by currency.
    pub fn money(&self) -> BTreeMap<Currency, ShowMoney> {
        let mut all: BTreeMap<Currency, ShowMoney> = BTreeMap::new();
        for report in self.counted() {
            let more = ShowMoney { gross: report.gross, money: report.money };
            let sum = |sum: &mut ShowMoney| {
                let gross = crate::fold::sum(sum.gross, more.gross);
                *sum = ShowMoney { gross, money: sum.money.plus(more.money) };
            };
            all.entry(report.gross.currency()).and_modify(sum).or_insert(more);
        }
        all
    }

    /// What came after its drops had settled, by currency.
    pub fn adjustments(&self) -> BTreeMap<Currency, Adjustments> {
        self.adjustments_of(|report| report.adjustments)
    }

    /// What came after its drops had settled, of a part of each of them, by currency.
    pub(crate) fn adjustments_of(
        &self,
        part: impl Fn(&DropReport) -> Option<Adjustments>,
    ) -> BTreeMap<Currency, Adjustments> {
        let mut all: BTreeMap<Currency, Adjustments> = BTreeMap::new();
        for report in self.counted() {
            let Some(more) = part(report) else { continue };
            let currency = report.gross.currency();
            all.entry(currency).and_modify(|sum| *sum = sum.plus(more)).or_insert(more);
        }
        all
    }

    /// Every channel, ranked as those of a drop; empty if nobody's ticket names one.
    pub fn channels(&self) -> Vec<ShowChannel> {
        let mut all: HashMap<Option<ChannelId>, BTreeMap<Currency, ChannelFigures>> =
            HashMap::new();
        for report in self.counted() {
            let currency = report.gross.currency();
            for ChannelReport { channel, figures, .. } in of_drop(report) {
                let by_currency = all.entry(channel).or_default();
                let sum = |sum: &mut ChannelFigures| *sum = sum.plus(figures);
                by_currency.entry(currency).and_modify(sum).or_insert(figures);
            }
        }
        if all.keys().all(Option::is_none) {
            return Vec::new();
        }
        let channels = all.into_iter().map(|(channel, figures)| ShowChannel { channel, figures });
        let mut ranked: Vec<ShowChannel> = channels.collect();
        sort_channels(&mut ranked, |one| (one.channel.as_ref(), one.all()));
        ranked
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Counted,
    Rehearsal,
    CalledOff,
}

fn class(report: &DropReport) -> Class {
    match (report.plan.mode, report.phase) {
        (Mode::Rehearsal, _) => Class::Rehearsal,
        (Mode::Live, phase) if phase.is_called_off() => Class::CalledOff,
        (Mode::Live, _) => Class::Counted,
    }
}

/// A drop's channels; all of it under none where nobody's ticket names one.
fn of_drop(report: &DropReport) -> Vec<ChannelReport> {
    if !report.channels.is_empty() {
        return report.channels.clone();
    }
    let figures = ChannelFigures {
        clicks: report.clicks_by_channel_other.map(|_| report.clicks()),
        holds: report.taken.all.holds,
        taken: report.taken.all.units,
        came_back: report.came_back().units,
        held: report.held,
        orders: report.taken.confirmed.holds,
        units: report.sold,
        gross: report.gross,
        money: report.money,
    };
    vec![ChannelReport { channel: None, figures, adjustments: report.adjustments }]
}
