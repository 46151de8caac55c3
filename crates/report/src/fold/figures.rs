//! The figures of one drop.

use std::sync::Arc;

use stampede_domain::{
    DropId, DropPlan, DurationMs, Money, Phase, SkuIndex, UnixMillis, ViewerNumber,
};
use stampede_ledger::{AnswerTimes, RefusalCounts, RowHash};

use super::{
    adjustments::Adjustments,
    changes::ChangeList,
    channels::ChannelReport,
    course::{Counts, EarlyClicks, Second},
    curve::Curve,
    gaps::Gap,
    money::OpenMoney,
    phases::PhaseTime,
    sums::{Cancellations, OrderMoney},
};

/// Holds that ended in one way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ends {
    /// How many holds.
    pub holds: u64,
    /// How many units they held.
    pub units: u64,
}

/// Everything ever taken, by what became of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TakenUnits {
    /// All takes.
    pub all: Ends,
    /// Became orders.
    pub confirmed: Ends,
    /// Given back by the viewer.
    pub released: Ends,
    /// Given back by the deadline.
    pub expired: Ends,
}

/// What the journal needed for a drop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JournalFigures {
    /// Records of the drop.
    pub records: u64,
    /// Commits that touched the drop.
    pub commits: u64,
    /// Bytes of the drop's rows, hashes left out.
    pub bytes: u64,
}

/// Figures of one SKU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SkuReport {
    /// Which SKU of the plan.
    pub sku: SkuIndex,
    /// Units of all lots without those that were taken back.
    pub supplied: u64,
    /// Units of all lots, those that were taken back among them.
    pub lots: u64,
    /// Units that are not on sale until somebody puts them there.
    pub reserve: u64,
    /// Units in holds now.
    pub held: u64,
    /// Units in orders.
    pub sold: u64,
    /// Units ever taken.
    pub taken: u64,
    /// Units of them that were released or expired.
    pub came_back: u64,
    /// Orders.
    pub orders: u64,
    /// Buys that asked for it and were refused for want of units; `None` where the tallies do not tell them by SKU.
    pub refused_for_want: Option<u64>,
    /// Price of all orders.
    pub gross: Money,
    /// What was charged, taken and given back for them.
    pub money: OrderMoney,
    /// From opening to the first moment with nothing of this SKU available.
    pub sold_out_after: Option<DurationMs>,
}

impl SkuReport {
    /// Units neither held nor sold.
    pub const fn left(&self) -> u64 {
        self.supplied.saturating_sub(self.held).saturating_sub(self.sold)
    }

    /// Units ever taken beyond all that were supplied: so many takes at least were of units that had come back.
    pub const fn taken_again(&self) -> u64 {
        self.taken.saturating_sub(self.lots)
    }
}

/// The sell-out report of one drop, as far as its journal goes.
///
/// Once the drop's chain has ended, which is when it is settled or called off, every figure stays as it was then.
/// Two go on: [`DropReport::adjustments`] sums up what came later, [`DropReport::open_money`] is as of now.
///
/// Spans begin at the opening, which is the commit time of the first `opened` record. They are
/// plain clock time: pauses and outages are not taken out, [`DropReport::paused`] and
/// [`DropReport::outage`] state them. Moments of takes are the times when the stock moved, not
/// those of their commits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DropReport {
    /// The drop.
    pub drop: DropId,
    /// Its plan in the latest revision.
    pub plan: Arc<DropPlan>,
    /// The plan's revision.
    pub revision: u32,
    /// Where the drop stands.
    pub phase: Phase,
    /// Every phase with its beginning, in order.
    pub phases: Vec<PhaseTime>,
    /// What was changed while it was on sale; pauses are among the phases.
    pub changes: ChangeList,
    /// Time of the latest row of the drop's chain.
    pub as_of: UnixMillis,
    /// Hash of the chain's last row, once the chain has ended.
    pub closing_hash: Option<RowHash>,
    /// Units of all lots.
    pub supplied: u64,
    /// Units in holds now.
    pub held: u64,
    /// Units in orders.
    pub sold: u64,
    /// Most units held or sold beyond supply at any point, over all pools. Zero, or the sale is
    /// broken.
    pub oversold: u64,
    /// Units unsold at the end, of any SKU, if somebody was refused for want of units of any SKU. Known once the
    /// drop has settled.
    pub stranded: Option<u64>,
    /// Everything ever taken.
    pub taken: TakenUnits,
    /// Sum over the SKUs of [`SkuReport::taken_again`].
    pub taken_again: u64,
    /// Figures by SKU, in the plan's order.
    pub skus: Vec<SkuReport>,
    /// Viewers with an order, ascending.
    pub buyers: Arc<[ViewerNumber]>,
    /// Every channel by which somebody clicked, took or bought, most units in orders first; empty if nobody's ticket
    /// names one.
    pub channels: Vec<ChannelReport>,
    /// Clicks by channels that the tallies do not name one by one; `None` where they do not tell clicks by channel.
    pub clicks_by_channel_other: Option<u64>,
    /// Refusals by reason, as the engine tallied them.
    pub refusals: RefusalCounts,
    /// Buys answered again with their first answer, as tallied.
    pub retries: u64,
    /// Buys that took units, as tallied. Lags the journal's takes by the last second at most; a
    /// crash loses up to one tally. The journal's own count is in [`DropReport::taken`].
    pub tallied_held: u64,
    /// Restarts that found the drop open, paused or closed: what was refused or answered again
    /// since the tally before may be missing from the counts. Takes are never missing.
    pub restarts_live: u64,
    /// How long answers to buys took, as tallied.
    pub answers: AnswerTimes,
    /// Most clicks between two tallies, which come once a second.
    pub tally_clicks_max: u64,
    /// Most viewers connected to the drop's stream at a tally.
    pub connected_max: u64,
    /// When takes first began.
    pub opened_at: Option<UnixMillis>,
    /// From opening to the first moment with nothing available: held + sold = supplied.
    pub sold_out_after: Option<DurationMs>,
    /// From opening to the first moment when held + sold reached half of what was supplied then.
    pub half_after: Option<DurationMs>,
    /// The same for nine tenths.
    pub nine_tenths_after: Option<DurationMs>,
    /// From opening to the latest take.
    pub last_taken_after: Option<DurationMs>,
    /// From opening to the first moment when half of what was supplied then was in orders.
    pub half_paid_after: Option<DurationMs>,
    /// The same for all of it: sold = supplied.
    pub all_paid_after: Option<DurationMs>,
    /// From opening to the latest order.
    pub last_paid_after: Option<DurationMs>,
    /// From opening to settlement.
    pub settled_after: Option<DurationMs>,
    /// Times since the opening in which nobody could take, at most [`super::GAPS_MAX`].
    pub gaps: Vec<Gap>,
    /// Whether there are more.
    pub gaps_cut: bool,
    /// Time spent paused, up to [`DropReport::as_of`].
    pub paused: DurationMs,
    /// Time that the node was away, as restarts measured it.
    pub outage: DurationMs,
    /// Restarts that the drop went through.
    pub restarts: u64,
    /// Price of all orders ever made.
    pub gross: Money,
    /// What was charged, taken and given back for them. In a plan without terms of payment no money is on record
    /// and every order counts as paid.
    pub money: OrderMoney,
    /// Orders cancelled, and their units.
    pub cancelled: Cancellations,
    /// Money that somebody has to look at as of now, of orders and of payments that bought nothing.
    pub open_money: OpenMoney,
    /// What came after the chain had ended; `None` if nothing did.
    pub adjustments: Option<Adjustments>,
    /// Units taken over time, from the opening until all were taken for the first time.
    pub pace: Curve<u64>,
    /// What happened over time, from the opening to the latest event.
    pub course: Curve<Counts>,
    /// Clicks that were tallied before the opening.
    pub early: EarlyClicks,
    /// The seconds since opening in which something happened.
    pub seconds: Vec<Second>,
    /// Whether there were more than [`super::SECONDS_MAX`], so that later ones are missing.
    pub seconds_cut: bool,
    /// What the journal needed.
    pub journal: JournalFigures,
}

impl DropReport {
    /// Buys that were decided: held by the journal, refused or answered again by the tallies.
    pub fn clicks(&self) -> u64 {
        self.taken.all.holds.saturating_add(self.refusals.total()).saturating_add(self.retries)
    }

    /// Whether every click is counted: no restart lost any.
    pub const fn counts_complete(&self) -> bool {
        self.restarts_live == 0
    }

    /// Whether a channel may have brought more clicks than are counted by its name: some were counted as those of
    /// other channels, or are lost.
    pub fn channels_lack_clicks(&self) -> bool {
        self.clicks_by_channel_other.is_some_and(|other| other > 0) || !self.counts_complete()
    }

    /// Units of the first lots, as the latest plan has them. Until the drop begins to open they are not supplied.
    pub fn planned(&self) -> u64 {
        self.plan.skus.iter().map(|sku| u64::from(sku.supply.get())).sum()
    }

    /// Units that are not on sale until somebody puts them there.
    pub fn reserve(&self) -> u64 {
        self.skus.iter().map(|sku| sku.reserve).sum()
    }

    /// Refusals for want of units.
    pub fn refused_for_want(&self) -> u64 {
        self.refusals.for_want()
    }

    /// Units neither held nor sold.
    pub const fn left(&self) -> u64 {
        self.supplied.saturating_sub(self.held).saturating_sub(self.sold)
    }

    /// Holds that were released or expired.
    pub const fn came_back(&self) -> Ends {
        let (released, expired) = (self.taken.released, self.taken.expired);
        Ends {
            holds: released.holds.saturating_add(expired.holds),
            units: released.units.saturating_add(expired.units),
        }
    }

    /// The second with the most units taken; the first of equals.
    pub fn busiest_second(&self) -> Option<Second> {
        let taken = self.seconds.iter().copied().filter(|second| second.counts.taken > 0);
        taken.reduce(|best, next| if next.counts.taken > best.counts.taken { next } else { best })
    }
}
