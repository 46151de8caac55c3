//! The report of a show as JSON has it.

use std::collections::BTreeMap;

use serde::Serialize;
use stampede_domain::{Currency, Money};

use super::{BestGoods, ShowChannel, ShowMoney, ShowReport, ShowSums};
use crate::{
    fold::{ChannelFigures, DropReport, OrderMoney},
    json::{
        self, AdjustmentsJson, CHANNELS_LISTED_MAX, OptionJson, OrderMoneyJson, count, exact,
        options, span, time,
    },
};

/// The shape of the report; a reader that knows it can read past fields that it does not.
const SCHEMA: &str = "stampede.show-report.v1";

/// A [`ShowReport`] as JSON has it.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "the fields are those of the report, with units in their names")]
pub struct ShowReportJson {
    pub schema: &'static str,
    pub show: String,
    pub stream: String,
    pub began_ms: Option<u64>,
    pub ended_ms: Option<u64>,
    pub as_of_ms: u64,
    pub running: bool,
    pub money: Vec<MoneyJson>,
    #[serde(flatten)]
    pub sums: SumsJson,
    pub buyers: u64,
    pub drops: Vec<ShowLineJson>,
    pub rehearsals: Vec<ShowLineJson>,
    pub cancelled: Vec<ShowLineJson>,
    pub best: Vec<BestJson>,
    pub channels: Vec<ShowChannelJson>,
    pub channels_left_out: u64,
    pub channels_rest: Option<ChannelSumsJson>,
    pub clicks_by_channel_other: Option<u64>,
    pub counts_complete: bool,
    pub adjustments: Option<Vec<CurrencyAdjustmentsJson>>,
}

/// Sums over the counted drops.
#[derive(Clone, Copy, Debug, Serialize)]
#[allow(missing_docs, reason = "see `ShowSums`")]
pub struct SumsJson {
    pub planned: u64,
    pub supplied: u64,
    pub taken: u64,
    pub held: u64,
    pub sold: u64,
    pub left: u64,
    pub came_back: u64,
    pub clicks: u64,
    pub refused_for_want: u64,
    pub orders: u64,
}

/// Money in one currency.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "see `ShowMoney`")]
pub struct MoneyJson {
    pub currency: String,
    pub gross_minor: u64,
    #[serde(flatten)]
    pub money: OrderMoneyJson,
}

/// What came after settlement, in one currency.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "see `Adjustments`")]
pub struct CurrencyAdjustmentsJson {
    pub currency: String,
    #[serde(flatten)]
    pub figures: AdjustmentsJson,
}

/// One drop of a show.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "see `DropReport`")]
pub struct ShowLineJson {
    pub drop: String,
    pub title: String,
    pub merchant: String,
    pub host: String,
    pub mode: &'static str,
    pub phase: &'static str,
    pub running_order: u16,
    pub opened_at_ms: Option<u64>,
    pub supplied: u64,
    pub taken: u64,
    pub held: u64,
    pub sold: u64,
    pub left: u64,
    pub came_back: u64,
    pub buyers: u64,
    pub orders: u64,
    pub clicks: u64,
    pub refused_for_want: u64,
    pub sold_out_after_ms: Option<u64>,
    pub all_paid_after_ms: Option<u64>,
    #[serde(flatten)]
    pub money: MoneyJson,
    pub closing_hash: Option<String>,
}

/// Goods that sold best.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "see `BestGoods`")]
pub struct BestJson {
    pub drop: String,
    pub title: String,
    pub sku: String,
    pub sku_title: String,
    pub merchant_sku: String,
    pub options: Vec<OptionJson>,
    pub drops: u64,
    pub sold: u64,
    pub supplied: u64,
    pub gross_minor: u64,
    pub currency: String,
}

/// What one channel brought.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "see `ShowChannel`")]
pub struct ShowChannelJson {
    pub channel: Option<String>,
    #[serde(flatten)]
    pub sums: ChannelSumsJson,
}

/// What a channel brought, or several together.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "see `ChannelFigures`")]
pub struct ChannelSumsJson {
    pub clicks: Option<u64>,
    pub taken: u64,
    pub came_back: u64,
    pub held: u64,
    pub orders: u64,
    pub units: u64,
    pub money: Vec<MoneyJson>,
}

impl ShowReport {
    /// The report for programs.
    pub fn json(&self) -> ShowReportJson {
        let channels = self.channels();
        let (listed, rest) = channels.split_at(channels.len().min(CHANNELS_LISTED_MAX));
        let money = self.money();
        let adjustments = self.adjustments().into_iter().map(|(currency, later)| {
            let figures = AdjustmentsJson::of(&later);
            CurrencyAdjustmentsJson { currency: currency.to_string(), figures }
        });
        let adjustments: Vec<_> = adjustments.collect();
        ShowReportJson {
            schema: SCHEMA,
            show: self.id().to_string(),
            stream: self.first().plan.stream.to_string(),
            began_ms: self.began_at().map(time),
            ended_ms: self.ended_at().map(time),
            as_of_ms: time(self.as_of()),
            running: self.is_running(),
            money: money.values().map(MoneyJson::of).collect(),
            sums: SumsJson::of(self.sums()),
            buyers: count(self.buyers()),
            drops: self.counted().map(|report| ShowLineJson::of(report)).collect(),
            rehearsals: self.rehearsals().map(|report| ShowLineJson::of(report)).collect(),
            cancelled: self.called_off().map(|report| ShowLineJson::of(report)).collect(),
            best: self.best().iter().map(BestJson::of).collect(),
            channels: listed.iter().map(ShowChannelJson::of).collect(),
            channels_left_out: count(rest.len()),
            channels_rest: ChannelSumsJson::of_all(rest),
            clicks_by_channel_other: self.clicks_by_channel_other().map(exact),
            counts_complete: self.counts_complete(),
            adjustments: (!adjustments.is_empty()).then_some(adjustments),
        }
    }
}

impl SumsJson {
    const fn of(sums: ShowSums) -> Self {
        Self {
            planned: exact(sums.planned),
            supplied: exact(sums.supplied),
            taken: exact(sums.taken),
            held: exact(sums.held),
            sold: exact(sums.sold),
            left: exact(sums.left),
            came_back: exact(sums.came_back),
            clicks: exact(sums.clicks),
            refused_for_want: exact(sums.refused_for_want),
            orders: exact(sums.orders),
        }
    }
}

impl MoneyJson {
    fn new(gross: Money, money: &OrderMoney) -> Self {
        let currency = gross.currency().to_string();
        Self { currency, gross_minor: gross.minor(), money: OrderMoneyJson::of(money) }
    }

    fn of(money: &ShowMoney) -> Self {
        Self::new(money.gross, &money.money)
    }
}

impl ShowLineJson {
    /// A drop as the list of a show has it.
    pub fn of(report: &DropReport) -> Self {
        let plan = &report.plan;
        Self {
            drop: report.drop.to_string(),
            title: plan.title.clone(),
            merchant: plan.merchant.to_string(),
            host: plan.host.to_string(),
            mode: json::mode(plan.mode),
            phase: report.phase.name(),
            running_order: plan.running_order,
            opened_at_ms: report.opened_at.map(time),
            supplied: exact(report.supplied),
            taken: exact(report.taken.all.units),
            held: exact(report.held),
            sold: exact(report.sold),
            left: exact(report.left()),
            came_back: exact(report.came_back().units),
            buyers: count(report.buyers.len()),
            orders: exact(report.taken.confirmed.holds),
            clicks: exact(report.clicks()),
            refused_for_want: exact(report.refused_for_want()),
            sold_out_after_ms: report.sold_out_after.map(span),
            all_paid_after_ms: report.all_paid_after.map(span),
            money: MoneyJson::new(report.gross, &report.money),
            closing_hash: report.closing_hash.map(|hash| hash.to_string()),
        }
    }
}

impl BestJson {
    fn of(goods: &BestGoods<'_>) -> Self {
        let BestGoods { report, plan, .. } = goods;
        Self {
            drop: report.drop.to_string(),
            title: report.plan.title.clone(),
            sku: plan.id.to_string(),
            sku_title: plan.title.clone(),
            merchant_sku: plan.merchant_sku.clone(),
            options: options(plan),
            drops: count(goods.drops),
            sold: exact(goods.sold),
            supplied: exact(goods.supplied),
            gross_minor: goods.gross.minor(),
            currency: goods.gross.currency().to_string(),
        }
    }
}

impl ShowChannelJson {
    fn of(channel: &ShowChannel) -> Self {
        let sums = ChannelSumsJson::of_all(std::slice::from_ref(channel));
        Self {
            channel: channel.channel.as_ref().map(ToString::to_string),
            sums: sums.expect("there is one channel"),
        }
    }
}

impl ChannelSumsJson {
    /// The sums of some channels; `None` without any.
    fn of_all(channels: &[ShowChannel]) -> Option<Self> {
        let all = channels.iter().map(ShowChannel::all).reduce(ChannelFigures::plus)?;
        let mut money: BTreeMap<Currency, ChannelFigures> = BTreeMap::new();
        for (currency, figures) in channels.iter().flat_map(|channel| &channel.figures) {
            let sum = |sum: &mut ChannelFigures| *sum = sum.plus(*figures);
            money.entry(*currency).and_modify(sum).or_insert(*figures);
        }
        Some(Self {
            clicks: all.clicks.map(exact),
            taken: exact(all.taken),
            came_back: exact(all.came_back),
            held: exact(all.held),
            orders: exact(all.orders),
            units: exact(all.units),
            money: money.values().map(|sums| MoneyJson::new(sums.gross, &sums.money)).collect(),
        })
    }
}
