//! What the interface tells of reports, as far as pages read it. A figure that it does not know is `None`.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::answers::{Choice, Mode, Phase};

/// The report of one drop.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Report {
    pub(crate) drop: String,
    pub(crate) title: String,
    pub(crate) stream: String,
    pub(crate) merchant: String,
    pub(crate) host: String,
    pub(crate) mode: Mode,
    pub(crate) phase: Phase,
    pub(crate) phases: Vec<PhaseTime>,
    #[serde(default)]
    pub(crate) changes: Vec<Change>,
    #[serde(default)]
    pub(crate) changes_cut: bool,
    pub(crate) as_of_ms: u64,
    pub(crate) planned: u64,
    pub(crate) supplied: u64,
    pub(crate) held: u64,
    pub(crate) sold: u64,
    #[serde(default)]
    pub(crate) left: u64,
    #[serde(default)]
    pub(crate) reserve: u64,
    pub(crate) oversold: u64,
    pub(crate) taken: Taken,
    #[serde(default)]
    pub(crate) came_back: Ends,
    #[serde(default)]
    pub(crate) taken_again: u64,
    pub(crate) skus: Vec<Sku>,
    pub(crate) buyers: u64,
    pub(crate) channels: Vec<Channel>,
    #[serde(default)]
    pub(crate) channels_left_out: u64,
    #[serde(default)]
    pub(crate) channels_rest: Option<Channel>,
    /// Clicks of channels beyond those that are counted by name.
    #[serde(default)]
    pub(crate) clicks_by_channel_other: Option<u64>,
    pub(crate) clicks: u64,
    pub(crate) retries: u64,
    pub(crate) counts_complete: bool,
    #[serde(default)]
    pub(crate) answer_times: Option<Answers>,
    pub(crate) refusals: BTreeMap<String, u64>,
    #[serde(default)]
    pub(crate) refused_for_want: u64,
    pub(crate) tally_clicks_max: u64,
    pub(crate) connected_max: u64,
    pub(crate) opened_at_ms: Option<u64>,
    pub(crate) sold_out_after_ms: Option<u64>,
    pub(crate) half_after_ms: Option<u64>,
    pub(crate) nine_tenths_after_ms: Option<u64>,
    #[serde(default)]
    pub(crate) all_paid_after_ms: Option<u64>,
    #[serde(default)]
    pub(crate) half_paid_after_ms: Option<u64>,
    #[serde(default)]
    pub(crate) last_paid_after_ms: Option<u64>,
    #[serde(default)]
    pub(crate) gaps: Vec<Gap>,
    pub(crate) paused_ms: u64,
    pub(crate) outage_ms: u64,
    pub(crate) restarts: u64,
    pub(crate) currency: String,
    // Flat, like all of it: whatever a flattened part might have is put aside before it is looked at.
    #[serde(default)]
    pub(crate) charges_minor: u64,
    #[serde(default)]
    pub(crate) paid_minor: u64,
    #[serde(default)]
    pub(crate) refunded_minor: u64,
    #[serde(default)]
    pub(crate) net_minor: u64,
    #[serde(default)]
    pub(crate) refund_due_minor: u64,
    #[serde(default)]
    pub(crate) authorized_minor: u64,
    #[serde(default)]
    pub(crate) unpaid_orders: u64,
    #[serde(default)]
    pub(crate) pace: Pace,
    #[serde(default)]
    pub(crate) course: Course,
    #[serde(default)]
    pub(crate) closing_hash: Option<String>,
    #[serde(default)]
    pub(crate) cancelled_units: u64,
    #[serde(default)]
    pub(crate) adjustments: Option<Adjustments>,
    pub(crate) journal: Journal,
}

/// A phase with its beginning.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct PhaseTime {
    pub(crate) phase: Phase,
    pub(crate) at_ms: u64,
    #[serde(default)]
    pub(crate) by_stream: bool,
}

/// Something that was changed during the sale.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Change {
    pub(crate) what: String,
    pub(crate) at_ms: u64,
    #[serde(default)]
    pub(crate) role: Option<String>,
    #[serde(default)]
    pub(crate) sku: Option<String>,
    #[serde(default)]
    pub(crate) units: Option<u64>,
    #[serde(default)]
    pub(crate) reserve_units: Option<u64>,
    #[serde(default)]
    pub(crate) limits: Vec<Limit>,
    #[serde(default)]
    pub(crate) ends_at_ms: Option<u64>,
    #[serde(default)]
    pub(crate) ends_at_before_ms: Option<u64>,
    #[serde(default)]
    pub(crate) extended_ms: Option<u64>,
    #[serde(default)]
    pub(crate) closes_by_ms: Option<u64>,
    #[serde(default)]
    pub(crate) copy: Option<String>,
}

/// Another limit of a viewer.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Limit {
    pub(crate) sku: Option<String>,
    #[serde(rename = "limit_per_viewer")]
    pub(crate) units: u64,
    #[serde(rename = "limit_per_viewer_before")]
    pub(crate) before: u64,
}

/// Everything ever taken, by how it ended.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(crate) struct Taken {
    pub(crate) all: Ends,
    pub(crate) confirmed: Ends,
    pub(crate) released: Ends,
    pub(crate) expired: Ends,
}

/// Holds with their units.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(crate) struct Ends {
    pub(crate) holds: u64,
    pub(crate) units: u64,
}

/// Money of orders.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(crate) struct Sums {
    #[serde(default, rename = "paid_minor")]
    pub(crate) paid: u64,
    #[serde(default, rename = "refunded_minor")]
    pub(crate) refunded: u64,
    #[serde(default, rename = "net_minor")]
    pub(crate) net: u64,
}

/// Figures of one SKU.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Sku {
    #[serde(rename = "sku")]
    pub(crate) id: String,
    pub(crate) title: String,
    /// The merchant's own code for it.
    #[serde(rename = "merchant_sku")]
    pub(crate) code: String,
    #[serde(default)]
    pub(crate) options: Vec<Choice>,
    pub(crate) price_minor: u64,
    pub(crate) supplied: u64,
    pub(crate) sold: u64,
    #[serde(default)]
    pub(crate) taken: u64,
    #[serde(default)]
    pub(crate) left: u64,
    #[serde(default)]
    pub(crate) refused_for_want: Option<u64>,
    #[serde(flatten)]
    pub(crate) money: Sums,
}

/// What one channel brought.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Channel {
    #[serde(default, rename = "channel")]
    pub(crate) name: Option<String>,
    #[serde(default)]
    pub(crate) clicks: Option<u64>,
    /// Units ever taken.
    #[serde(default)]
    pub(crate) taken: u64,
    #[serde(default)]
    pub(crate) came_back: u64,
    /// Units that became orders.
    #[serde(default)]
    pub(crate) units: u64,
    #[serde(flatten)]
    pub(crate) money: Sums,
}

/// How long answers to buys took.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Answers {
    pub(crate) p50_us: u64,
    pub(crate) p99_us: u64,
}

/// A time in which nobody could buy, after the opening.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Gap {
    pub(crate) kind: String,
    pub(crate) from_ms: u64,
    pub(crate) to_ms: u64,
}

/// Units taken per step from the opening on.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Pace {
    pub(crate) step_ms: u64,
    pub(crate) units: Vec<u64>,
}

/// What each step of the sale brought.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Course {
    pub(crate) step_ms: u64,
    pub(crate) steps: Vec<Step>,
}

/// One step of the sale.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(crate) struct Step {
    #[serde(default)]
    pub(crate) taken: u64,
    #[serde(default)]
    pub(crate) paid: u64,
    #[serde(default)]
    pub(crate) came_back: u64,
    #[serde(default)]
    pub(crate) connected: Option<u64>,
}

/// What came after a drop had settled.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(crate) struct Adjustments {
    pub(crate) as_of_ms: u64,
    #[serde(default)]
    pub(crate) orders_cancelled: u64,
    #[serde(default)]
    pub(crate) units_cancelled: u64,
    #[serde(default)]
    pub(crate) paid_minor: i64,
    #[serde(default)]
    pub(crate) refunded_minor: i64,
    #[serde(default)]
    pub(crate) net_minor: i64,
}

/// The same in one currency of a show.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct AdjustmentsIn {
    pub(crate) currency: String,
    #[serde(flatten)]
    pub(crate) later: Adjustments,
}

/// What the journal needed.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub(crate) struct Journal {
    pub(crate) records: u64,
}

/// The report of a show.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct ShowReport {
    #[serde(default)]
    pub(crate) planned: u64,
    #[serde(default)]
    pub(crate) clicks: u64,
    #[serde(default)]
    pub(crate) counts_complete: bool,
    /// Clicks of channels beyond those that are counted by name.
    #[serde(default)]
    pub(crate) clicks_by_channel_other: Option<u64>,
    /// What came after drops had settled.
    #[serde(default)]
    pub(crate) adjustments: Option<Vec<AdjustmentsIn>>,
    /// The first drop of the show, which names it.
    pub(crate) show: String,
    pub(crate) stream: String,
    /// `None` while nobody knows when it will begin.
    pub(crate) began_ms: Option<u64>,
    pub(crate) ended_ms: Option<u64>,
    pub(crate) as_of_ms: u64,
    pub(crate) running: bool,
    pub(crate) money: Vec<InCurrency>,
    pub(crate) supplied: u64,
    pub(crate) held: u64,
    pub(crate) sold: u64,
    pub(crate) left: u64,
    pub(crate) came_back: u64,
    pub(crate) refused_for_want: u64,
    pub(crate) buyers: u64,
    pub(crate) orders: u64,
    pub(crate) drops: Vec<Line>,
    #[serde(default)]
    pub(crate) rehearsals: Vec<Line>,
    #[serde(default)]
    pub(crate) cancelled: Vec<Line>,
    #[serde(default)]
    pub(crate) best: Vec<Best>,
    #[serde(default)]
    pub(crate) channels: Vec<ShowChannel>,
    #[serde(default)]
    pub(crate) channels_left_out: u64,
    #[serde(default)]
    pub(crate) channels_rest: Option<ShowChannel>,
}

/// Money in one currency.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct InCurrency {
    pub(crate) currency: String,
    #[serde(flatten)]
    pub(crate) sums: Sums,
}

/// One drop of a show.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Line {
    pub(crate) drop: String,
    pub(crate) title: String,
    pub(crate) phase: Phase,
    pub(crate) supplied: u64,
    pub(crate) sold: u64,
    pub(crate) left: u64,
    #[serde(default)]
    pub(crate) refused_for_want: u64,
    #[serde(default)]
    pub(crate) sold_out_after_ms: Option<u64>,
    #[serde(default)]
    pub(crate) closing_hash: Option<String>,
    pub(crate) currency: String,
    #[serde(flatten)]
    pub(crate) money: Sums,
}

/// Goods that sold best.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Best {
    pub(crate) drop: String,
    pub(crate) title: String,
    pub(crate) sku: String,
    pub(crate) sku_title: String,
    pub(crate) merchant_sku: String,
    #[serde(default)]
    pub(crate) options: Vec<Choice>,
    pub(crate) sold: u64,
    pub(crate) supplied: u64,
    pub(crate) gross_minor: u64,
    pub(crate) currency: String,
}

/// What one channel brought to a show.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct ShowChannel {
    #[serde(default, rename = "channel")]
    pub(crate) name: Option<String>,
    #[serde(default)]
    pub(crate) clicks: Option<u64>,
    #[serde(default)]
    pub(crate) taken: u64,
    #[serde(default)]
    pub(crate) came_back: u64,
    #[serde(default)]
    pub(crate) units: u64,
    #[serde(default)]
    pub(crate) money: Vec<InCurrency>,
}

/// How figures can still change by selling; a page follows them accordingly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Running {
    /// A sale goes on, or is about to.
    Live,
    /// What is planned may open at any moment: its page is read anew, slowly.
    Planned,
    /// Every figure is final.
    Over,
}

impl Running {
    /// Of drops in these phases together.
    pub(crate) fn of(phases: impl IntoIterator<Item = Phase>) -> Self {
        let one = |phase| match phase {
            Phase::Settled | Phase::Cancelled | Phase::Voided => Self::Over,
            Phase::Scheduled => Self::Planned,
            _ => Self::Live,
        };
        phases.into_iter().map(one).fold(Self::Over, |all, one| match (all, one) {
            (Self::Live, _) | (_, Self::Live) => Self::Live,
            (Self::Planned, _) | (_, Self::Planned) => Self::Planned,
            (Self::Over, Self::Over) => Self::Over,
        })
    }

    /// Of a show that says whether it runs: drops that this reader is not shown may go on.
    pub(super) fn of_show(is_running: bool, phases: impl IntoIterator<Item = Phase>) -> Self {
        match Self::of(phases) {
            Self::Over if is_running => Self::Live,
            found => found,
        }
    }

    /// What the page's script is told; nothing where there is nothing to follow.
    pub(crate) const fn attribute(self) -> Option<&'static str> {
        match self {
            Self::Live => Some("true"),
            Self::Planned => Some("planned"),
            Self::Over => None,
        }
    }

    pub(crate) fn is_live(self) -> bool {
        self == Self::Live
    }
}

impl ShowReport {
    /// How figures can still change by selling: over only if every drop that counts is final. A show of rehearsals alone
    /// goes by those.
    pub(crate) fn running(&self) -> Running {
        let lines = if self.drops.is_empty() { &self.rehearsals } else { &self.drops };
        Running::of_show(self.running, lines.iter().map(|line| line.phase))
    }
}

impl Best {
    /// The merchant's own code: a plan that names none has the SKU's id in its place.
    pub(crate) fn code(&self) -> Option<&str> {
        (self.merchant_sku != self.sku).then_some(self.merchant_sku.as_str())
    }
}

impl Report {
    /// Whether the figures can change only by what is adjusted.
    pub(crate) fn is_settled(&self) -> bool {
        self.phase == Phase::Settled
    }

    /// Whether the sale goes on, or what it held still ends.
    pub(crate) fn is_running(&self) -> bool {
        self.running() == Running::Live
    }

    /// How figures can still change by selling.
    pub(crate) fn running(&self) -> Running {
        Running::of([self.phase])
    }

    /// Units that were on sale in all; before the opening those of the plan.
    pub(crate) fn on_sale(&self) -> u64 {
        if self.opened_at_ms.is_some() { self.supplied } else { self.planned }
    }

    /// Whether units came on sale after the plan's, or were taken back.
    pub(crate) fn supply_changed(&self) -> bool {
        self.supplied != self.planned
    }

    /// From the opening to the close; so far where it goes on. Holds may be paid for after it.
    pub(crate) fn lasted_ms(&self) -> Option<u64> {
        let opened = self.opened_at_ms?;
        let is_end = |begun: &&PhaseTime| begun.phase.is_over();
        let closed = self.phases.iter().find(is_end);
        Some(closed.map_or(self.as_of_ms, |begun| begun.at_ms).saturating_sub(opened))
    }

    /// Units that came back and were taken again, as far as that is certain.
    pub(crate) fn taken_again(&self) -> u64 {
        self.taken_again.min(self.came_back.units)
    }

    /// Whether all that came back was taken again: never while anything is left.
    pub(crate) fn is_all_taken_again(&self) -> bool {
        self.came_back.units > 0 && self.left == 0 && self.taken_again() == self.came_back.units
    }

    /// Paid of held, in tenths of a percent.
    pub(crate) fn paid_of_held(&self) -> Option<u64> {
        let paid = self.taken.confirmed.units;
        crate::numbers::share(paid, paid.saturating_add(self.came_back.units))
    }
}
