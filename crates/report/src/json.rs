//! The sell-out report on its way to JSON.

use std::collections::BTreeMap;

use serde::Serialize;
use stampede_domain::{DurationMs, Mode, Money, UnixMillis};
use stampede_ledger::{AnswerTimes, RefusalCounts};

use crate::fold::{
    ChannelReport, DropReport, Ends, JournalFigures, OpenMoney, OrderMoney, PhaseTime, SkuReport,
    TakenUnits,
};

/// A [`DropReport`] as JSON has it: ids are strings, no integer is above 2^53 - 1.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "the fields are those of the report, with units in their names")]
pub struct ReportJson {
    pub drop: String,
    pub title: String,
    pub stream: String,
    pub merchant: String,
    pub host: String,
    pub mode: &'static str,
    pub revision: u32,
    pub phase: &'static str,
    pub phases: Vec<PhaseJson>,
    pub as_of_ms: u64,
    pub planned: u64,
    pub supplied: u64,
    pub held: u64,
    pub sold: u64,
    pub oversold: u64,
    pub stranded: Option<u64>,
    pub taken: TakenJson,
    pub skus: Vec<SkuJson>,
    pub buyers: u64,
    pub channels: Vec<ChannelJson>,
    pub channels_left_out: u64,
    pub clicks: u64,
    pub retries: u64,
    pub tallied_held: u64,
    pub restarts_live: u64,
    pub counts_complete: bool,
    pub answer_times: Option<AnswersJson>,
    pub refusals: BTreeMap<&'static str, u64>,
    pub tally_clicks_max: u64,
    pub connected_max: u64,
    pub opened_at_ms: Option<u64>,
    pub sold_out_after_ms: Option<u64>,
    pub half_after_ms: Option<u64>,
    pub nine_tenths_after_ms: Option<u64>,
    pub settled_after_ms: Option<u64>,
    pub paused_ms: u64,
    pub outage_ms: u64,
    pub restarts: u64,
    pub currency: String,
    pub gross_minor: u64,
    #[serde(flatten)]
    pub money: OrderMoneyJson,
    #[serde(flatten)]
    pub open_money: OpenMoneyJson,
    pub busiest_second: Option<SecondJson>,
    pub units_per_second: Vec<SecondJson>,
    pub units_per_second_cut: bool,
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
    pub price_minor: u64,
    pub supplied: u64,
    pub held: u64,
    pub sold: u64,
    pub gross_minor: u64,
    #[serde(flatten)]
    pub money: OrderMoneyJson,
    pub sold_out_after_ms: Option<u64>,
}

/// What one channel sold.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "see `ChannelReport`")]
pub struct ChannelJson {
    pub channel: Option<String>,
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

/// Units taken in one second after opening.
#[derive(Clone, Copy, Debug, Serialize)]
#[allow(missing_docs, reason = "see `Second`")]
pub struct SecondJson {
    pub second: u64,
    pub units: u64,
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
        let second = |second: crate::fold::Second| SecondJson {
            second: exact(second.second),
            units: exact(second.units),
        };
        ReportJson {
            drop: self.drop.to_string(),
            title: plan.title.clone(),
            stream: plan.stream.to_string(),
            merchant: plan.merchant.to_string(),
            host: plan.host.to_string(),
            mode: mode(plan.mode),
            revision: self.revision,
            phase: self.phase.name(),
            phases: self.phases.iter().map(PhaseJson::of).collect(),
            as_of_ms: time(self.as_of),
            planned: exact(self.planned()),
            supplied: exact(self.supplied),
            held: exact(self.held),
            sold: exact(self.sold),
            oversold: exact(self.oversold),
            stranded: self.stranded.map(exact),
            taken: TakenJson::of(&self.taken),
            skus: self.skus.iter().map(|sku| self.sku_json(sku)).collect(),
            buyers: exact(self.buyers),
            channels: self.channels.iter().map(ChannelJson::of).collect(),
            channels_left_out: exact(self.channels_left_out),
            clicks: exact(self.clicks()),
            retries: exact(self.retries),
            tallied_held: exact(self.tallied_held),
            restarts_live: exact(self.restarts_live),
            counts_complete: self.restarts_live == 0,
            answer_times: AnswersJson::of(&self.answers),
            refusals: refusals(&self.refusals),
            tally_clicks_max: exact(self.tally_clicks_max),
            connected_max: exact(self.connected_max),
            opened_at_ms: self.opened_at.map(time),
            sold_out_after_ms: self.sold_out_after.map(span),
            half_after_ms: self.half_after.map(span),
            nine_tenths_after_ms: self.nine_tenths_after.map(span),
            settled_after_ms: self.settled_after.map(span),
            paused_ms: span(self.paused),
            outage_ms: span(self.outage),
            restarts: exact(self.restarts),
            currency: self.gross.currency().to_string(),
            gross_minor: self.gross.minor(),
            money: OrderMoneyJson::of(&self.money),
            open_money: OpenMoneyJson::of(&self.open_money),
            busiest_second: self.busiest_second().map(second),
            units_per_second: self.seconds.iter().copied().map(second).collect(),
            units_per_second_cut: self.seconds_cut,
            journal: JournalJson::of(self.journal),
        }
    }

    fn sku_json(&self, figures: &SkuReport) -> SkuJson {
        let plan = self.plan.sku(figures.sku).expect("the fold has the plan's SKUs");
        SkuJson {
            sku: plan.id.to_string(),
            title: plan.title.clone(),
            merchant_sku: plan.merchant_sku.clone(),
            price_minor: plan.price.minor(),
            supplied: exact(figures.supplied),
            held: exact(figures.held),
            sold: exact(figures.sold),
            gross_minor: figures.gross.minor(),
            money: OrderMoneyJson::of(&figures.money),
            sold_out_after_ms: figures.sold_out_after.map(span),
        }
    }
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
            orders: exact(report.orders),
            units: exact(report.units),
            gross_minor: report.gross.minor(),
            money: OrderMoneyJson::of(&report.money),
        }
    }
}

impl OrderMoneyJson {
    fn of(money: &OrderMoney) -> Self {
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
        let ends = |ends: Ends| EndsJson { holds: exact(ends.holds), units: exact(ends.units) };
        Self {
            all: ends(taken.all),
            confirmed: ends(taken.confirmed),
            released: ends(taken.released),
            expired: ends(taken.expired),
        }
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

pub(crate) const fn time(at: UnixMillis) -> u64 {
    exact(at.get())
}

pub(crate) const fn span(span: DurationMs) -> u64 {
    exact(span.get())
}
