//! The sell-out report on its way to JSON.

mod changes;
mod curves;

use std::collections::BTreeMap;

use serde::Serialize;
use stampede_domain::{DurationMs, Mode, Money, SkuOption, SkuPlan, UnixMillis};
use stampede_ledger::{AnswerTimes, RefusalCounts};

pub use self::curves::CountsJson;
use self::{
    changes::HistoryJson,
    curves::{CurvesJson, GapJson, MarksJson},
};
use crate::fold::{
    Adjustments, ChannelFigures, ChannelReport, DropReport, Ends, JournalFigures, OpenMoney,
    OrderMoney, PhaseTime, SkuReport, TakenUnits,
};

/// The shape of a report as JSON; a reader that knows it can read past fields that it does not.
const SCHEMA: &str = "stampede.report.v1";
/// Channels that JSON, text and pages list, those with the most units; tables for spreadsheets have all.
pub const CHANNELS_LISTED_MAX: usize = 100;

/// A [`DropReport`] as JSON has it: ids are strings, no integer is above 2^53 - 1.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "the fields are those of the report, with units in their names")]
pub struct ReportJson {
    pub schema: &'static str,
    pub drop: String,
    pub title: String,
    pub stream: String,
    pub merchant: String,
    pub host: String,
    pub mode: &'static str,
    pub revision: u32,
    pub phase: &'static str,
    #[serde(flatten)]
    pub history: HistoryJson,
    pub as_of_ms: u64,
    pub closing_hash: Option<String>,
    pub planned: u64,
    pub supplied: u64,
    pub held: u64,
    pub sold: u64,
    pub left: u64,
    pub reserve: u64,
    pub oversold: u64,
    pub stranded: Option<u64>,
    pub taken: TakenJson,
    pub came_back: EndsJson,
    pub taken_again: u64,
    pub skus: Vec<SkuJson>,
    pub buyers: u64,
    pub channels: Vec<ChannelJson>,
    pub channels_left_out: u64,
    pub channels_rest: Option<ChannelFiguresJson>,
    pub clicks_by_channel_other: Option<u64>,
    pub clicks: u64,
    pub retries: u64,
    pub tallied_held: u64,
    pub restarts_live: u64,
    pub counts_complete: bool,
    pub answer_times: Option<AnswersJson>,
    pub refusals: BTreeMap<&'static str, u64>,
    pub refused_for_want: u64,
    pub tally_clicks_max: u64,
    pub connected_max: u64,
    pub opened_at_ms: Option<u64>,
    pub sold_out_after_ms: Option<u64>,
    #[serde(flatten)]
    pub marks: MarksJson,
    pub settled_after_ms: Option<u64>,
    pub gaps: Vec<GapJson>,
    pub gaps_cut: bool,
    pub paused_ms: u64,
    pub outage_ms: u64,
    pub restarts: u64,
    pub currency: String,
    pub gross_minor: u64,
    #[serde(flatten)]
    pub money: OrderMoneyJson,
    pub cancelled_orders: u64,
    pub cancelled_units: u64,
    #[serde(flatten)]
    pub open_money: OpenMoneyJson,
    pub adjustments: Option<AdjustmentsJson>,
    #[serde(flatten)]
    pub curves: CurvesJson,
    pub journal: JournalJson,
}

/// A phase with its beginning.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "see `PhaseTime`")]
pub struct PhaseJson {
    pub phase: &'static str,
    pub at_ms: u64,
    #[serde(skip_serializing_if = "is_false")]
    pub by_stream: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

/// Everything ever taken.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "see `TakenUnits`")]
pub struct TakenJson {
    pub all: EndsJson,
    pub confirmed: EndsJson,
    pub released: EndsJson,
    pub expired: EndsJson,
}

/// Holds with their units.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "see `Ends`")]
pub struct EndsJson {
    pub holds: u64,
    pub units: u64,
}

/// Figures of one SKU.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "see `SkuReport`")]
pub struct SkuJson {
    pub sku: String,
    pub title: String,
    pub merchant_sku: String,
    pub options: Vec<OptionJson>,
    pub price_minor: u64,
    pub supplied: u64,
    pub held: u64,
    pub sold: u64,
    pub left: u64,
    pub reserve: u64,
    pub taken: u64,
    pub came_back: u64,
    pub orders: u64,
    pub refused_for_want: Option<u64>,
    pub gross_minor: u64,
    #[serde(flatten)]
    pub money: OrderMoneyJson,
    pub sold_out_after_ms: Option<u64>,
}

/// What tells a SKU from the others, such as its size.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "see `SkuOption`")]
pub struct OptionJson {
    pub name: String,
    pub value: String,
}

/// What one channel brought.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "see `ChannelReport`")]
pub struct ChannelJson {
    pub channel: Option<String>,
    #[serde(flatten)]
    pub figures: ChannelFiguresJson,
}

/// What a channel brought, or several together.
#[derive(Clone, Copy, Debug, Serialize)]
#[allow(missing_docs, reason = "see `ChannelFigures`")]
pub struct ChannelFiguresJson {
    pub clicks: Option<u64>,
    pub taken: u64,
    pub came_back: u64,
    pub held: u64,
    pub orders: u64,
    pub units: u64,
    pub gross_minor: u64,
    #[serde(flatten)]
    pub money: OrderMoneyJson,
}

/// Money of orders.
#[derive(Clone, Copy, Debug, Serialize)]
#[allow(missing_docs, reason = "see `OrderMoney`")]
pub struct OrderMoneyJson {
    #[serde(rename = "charges_minor")]
    pub charges: u64,
    #[serde(rename = "paid_minor")]
    pub paid: u64,
    #[serde(rename = "refunded_minor")]
    pub refunded: u64,
    #[serde(rename = "net_minor")]
    pub net: u64,
}

/// Money that somebody has to look at.
#[derive(Clone, Copy, Debug, Serialize)]
#[allow(missing_docs, reason = "see `OpenMoney`")]
pub struct OpenMoneyJson {
    pub refunds_due: u64,
    pub refund_due_minor: u64,
    pub authorized_minor: u64,
    pub declined: u64,
    pub unpaid_orders: u64,
}

/// How long answers to buys took: the ends of the buckets that the quantiles fall into.
#[derive(Clone, Copy, Debug, Serialize)]
#[allow(missing_docs, reason = "see `DropReport::answers`")]
pub struct AnswersJson {
    pub answers: u64,
    pub p50_us: u64,
    pub p99_us: u64,
    pub p999_us: u64,
}

/// What came after the drop's chain had ended.
#[derive(Clone, Copy, Debug, Serialize)]
#[allow(missing_docs, reason = "see `Adjustments`")]
pub struct AdjustmentsJson {
    pub as_of_ms: u64,
    pub records: u64,
    pub orders_cancelled: u64,
    pub units_cancelled: u64,
    pub charges_minor: i64,
    pub paid_minor: i64,
    pub refunded_minor: i64,
    pub net_minor: i64,
}

/// What the journal needed.
#[derive(Clone, Copy, Debug, Serialize)]
#[allow(missing_docs, reason = "see `JournalFigures`")]
pub struct JournalJson {
    pub records: u64,
    pub commits: u64,
    pub bytes: u64,
}

impl DropReport {
    /// The report for programs.
    pub fn json(&self) -> ReportJson {
        let plan = &self.plan;
        ReportJson {
            schema: SCHEMA,
            drop: self.drop.to_string(),
            title: plan.title.clone(),
            stream: plan.stream.to_string(),
            merchant: plan.merchant.to_string(),
            host: plan.host.to_string(),
            mode: mode(plan.mode),
            revision: self.revision,
            phase: self.phase.name(),
            history: HistoryJson::of(self),
            as_of_ms: time(self.as_of),
            closing_hash: self.closing_hash.map(|hash| hash.to_string()),
            planned: exact(self.planned()),
            supplied: exact(self.supplied),
            held: exact(self.held),
            sold: exact(self.sold),
            left: exact(self.left()),
            reserve: exact(self.reserve()),
            oversold: exact(self.oversold),
            stranded: self.stranded.map(exact),
            taken: TakenJson::of(&self.taken),
            came_back: EndsJson::of(self.came_back()),
            taken_again: exact(self.taken_again),
            skus: self.skus.iter().map(|sku| self.sku_json(sku)).collect(),
            buyers: count(self.buyers.len()),
            channels: self.channels.iter().take(CHANNELS_LISTED_MAX).map(ChannelJson::of).collect(),
            channels_left_out: count(self.channels.len().saturating_sub(CHANNELS_LISTED_MAX)),
            channels_rest: self.channels_rest().as_ref().map(ChannelFiguresJson::of),
            clicks_by_channel_other: self.clicks_by_channel_other.map(exact),
            clicks: exact(self.clicks()),
            retries: exact(self.retries),
            tallied_held: exact(self.tallied_held),
            restarts_live: exact(self.restarts_live),
            counts_complete: self.counts_complete(),
            answer_times: AnswersJson::of(&self.answers),
            refusals: refusals(&self.refusals),
            refused_for_want: exact(self.refused_for_want()),
            tally_clicks_max: exact(self.tally_clicks_max),
            connected_max: exact(self.connected_max),
            opened_at_ms: self.opened_at.map(time),
            sold_out_after_ms: self.sold_out_after.map(span),
            marks: MarksJson::of(self),
            settled_after_ms: self.settled_after.map(span),
            gaps: self.gaps.iter().map(GapJson::of).collect(),
            gaps_cut: self.gaps_cut,
            paused_ms: span(self.paused),
            outage_ms: span(self.outage),
            restarts: exact(self.restarts),
            currency: self.gross.currency().to_string(),
            gross_minor: self.gross.minor(),
            money: OrderMoneyJson::of(&self.money),
            cancelled_orders: exact(self.cancelled.orders),
            cancelled_units: exact(self.cancelled.units),
            open_money: OpenMoneyJson::of(&self.open_money),
            adjustments: self.adjustments.as_ref().map(AdjustmentsJson::of),
            curves: CurvesJson::of(self),
            journal: JournalJson::of(self.journal),
        }
    }

    /// The channels that a list leaves out, together; `None` if it has them all.
    fn channels_rest(&self) -> Option<ChannelFigures> {
        let rest = self.channels.iter().skip(CHANNELS_LISTED_MAX);
        rest.map(|channel| channel.figures).reduce(ChannelFigures::plus)
    }

    fn sku_json(&self, figures: &SkuReport) -> SkuJson {
        let plan = self.plan.sku(figures.sku).expect("the fold has the plan's SKUs");
        SkuJson {
            sku: plan.id.to_string(),
            title: plan.title.clone(),
            merchant_sku: plan.merchant_sku.clone(),
            options: options(plan),
            price_minor: plan.price.minor(),
            supplied: exact(figures.supplied),
            held: exact(figures.held),
            sold: exact(figures.sold),
            left: exact(figures.left()),
            reserve: exact(figures.reserve),
            taken: exact(figures.taken),
            came_back: exact(figures.came_back),
            orders: exact(figures.orders),
            refused_for_want: figures.refused_for_want.map(exact),
            gross_minor: figures.gross.minor(),
            money: OrderMoneyJson::of(&figures.money),
            sold_out_after_ms: figures.sold_out_after.map(span),
        }
    }
}

/// The options of a SKU.
pub(crate) fn options(plan: &SkuPlan) -> Vec<OptionJson> {
    let option =
        |option: &SkuOption| OptionJson { name: option.name.clone(), value: option.value.clone() };
    plan.options.iter().map(option).collect()
}

impl PhaseJson {
    const fn of(begun: &PhaseTime) -> Self {
        Self { phase: begun.phase.name(), at_ms: time(begun.at), by_stream: begun.by_stream }
    }
}

impl JournalJson {
    const fn of(journal: JournalFigures) -> Self {
        Self {
            records: exact(journal.records),
            commits: exact(journal.commits),
            bytes: exact(journal.bytes),
        }
    }
}

impl ChannelJson {
    fn of(report: &ChannelReport) -> Self {
        Self {
            channel: report.channel.as_ref().map(ToString::to_string),
            figures: ChannelFiguresJson::of(&report.figures),
        }
    }
}

impl ChannelFiguresJson {
    fn of(figures: &ChannelFigures) -> Self {
        Self {
            clicks: figures.clicks.map(exact),
            taken: exact(figures.taken),
            came_back: exact(figures.came_back),
            held: exact(figures.held),
            orders: exact(figures.orders),
            units: exact(figures.units),
            gross_minor: figures.gross.minor(),
            money: OrderMoneyJson::of(&figures.money),
        }
    }
}

impl AdjustmentsJson {
    pub(crate) fn of(later: &Adjustments) -> Self {
        Self {
            as_of_ms: time(later.as_of),
            records: exact(later.records),
            orders_cancelled: exact(later.cancelled.orders),
            units_cancelled: exact(later.cancelled.units),
            charges_minor: later.money.charges_minor,
            paid_minor: later.money.paid_minor,
            refunded_minor: later.money.refunded_minor,
            net_minor: later.money.net_minor(),
        }
    }
}

impl OrderMoneyJson {
    pub(crate) fn of(money: &OrderMoney) -> Self {
        Self {
            charges: money.charges.minor(),
            paid: money.paid.minor(),
            refunded: money.refunded.minor(),
            net: money.net().minor(),
        }
    }
}

impl OpenMoneyJson {
    const fn of(money: &OpenMoney) -> Self {
        Self {
            refunds_due: exact(money.refunds_due),
            refund_due_minor: money.refund_due.minor(),
            authorized_minor: money.authorized.minor(),
            declined: exact(money.declined),
            unpaid_orders: exact(money.unpaid_orders),
        }
    }
}

impl AnswersJson {
    fn of(times: &AnswerTimes) -> Option<Self> {
        let at = |per_mille| times.quantile_us(per_mille).map(exact);
        let (p50_us, p99_us, p999_us) = (at(500)?, at(990)?, at(999)?);
        Some(Self { answers: exact(times.total()), p50_us, p99_us, p999_us })
    }
}

impl TakenJson {
    fn of(taken: &TakenUnits) -> Self {
        Self {
            all: EndsJson::of(taken.all),
            confirmed: EndsJson::of(taken.confirmed),
            released: EndsJson::of(taken.released),
            expired: EndsJson::of(taken.expired),
        }
    }
}

impl EndsJson {
    const fn of(ends: Ends) -> Self {
        Self { holds: exact(ends.holds), units: exact(ends.units) }
    }
}

/// Refusals by the reason's name; reasons that never occurred are left out.
pub(crate) fn refusals(counts: &RefusalCounts) -> BTreeMap<&'static str, u64> {
    counts.iter().map(|(code, times)| (code.name(), exact(times))).collect()
}

/// The mode's name.
pub(crate) const fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Live => "live",
        Mode::Rehearsal => "rehearsal",
    }
}

/// The largest integer that every JSON reader keeps exact; only a damaged ledger gets there.
pub(crate) const fn exact(number: u64) -> u64 {
    if number < Money::MINOR_MAX { number } else { Money::MINOR_MAX }
}

/// How many things a list in memory has.
pub(crate) fn count(things: usize) -> u64 {
    u64::try_from(things).map_or(Money::MINOR_MAX, exact)
}

pub(crate) const fn time(at: UnixMillis) -> u64 {
    exact(at.get())
}

pub(crate) const fn span(span: DurationMs) -> u64 {
    exact(span.get())
}
