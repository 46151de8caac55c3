//! A report cut to one channel: what a creator may see of a drop or a show, and nothing of anybody else.

use serde::Serialize;
use stampede_domain::{ChannelId, Currency};

use crate::{
    fold::{Adjustments, ChannelFigures, ChannelReport, DropReport},
    json::{self, exact, time},
    show::ShowReport,
};

/// The shape of the report; a reader that knows it can read past fields that it does not.
const SCHEMA: &str = "stampede.channel-report.v1";
/// The shape of that of a show.
const SHOW_SCHEMA: &str = "stampede.show-channel-report.v1";

/// What one channel brought in one drop: no supply, no sums of the drop, nothing of other channels.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "see `DropReport` and `ChannelFigures`")]
pub struct ChannelReportJson {
    pub schema: &'static str,
    pub drop: String,
    pub title: String,
    pub stream: String,
    pub channel: String,
    pub mode: &'static str,
    pub phase: &'static str,
    pub opened_at_ms: Option<u64>,
    pub as_of_ms: u64,
    #[serde(flatten)]
    pub figures: CutJson,
    #[serde(flatten)]
    pub money: CutMoneyJson,
    pub adjustments: Option<CutAdjustmentsJson>,
    pub closing_hash: Option<String>,
}

/// What one channel brought in a show, drop by drop.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "see `ShowReport` and `ChannelFigures`")]
pub struct ShowChannelReportJson {
    pub schema: &'static str,
    pub show: String,
    pub stream: String,
    pub channel: String,
    pub began_ms: Option<u64>,
    pub ended_ms: Option<u64>,
    pub as_of_ms: u64,
    pub running: bool,
    #[serde(flatten)]
    pub figures: CutJson,
    pub money: Vec<CutMoneyJson>,
    pub adjustments: Option<Vec<CutCurrencyAdjustmentsJson>>,
    pub drops: Vec<ChannelReportJson>,
}

/// Counts of one channel. Clicks may be counted by another name, or be lost: then there are `clicks_at_least` so many.
#[derive(Clone, Copy, Debug, Serialize)]
#[allow(missing_docs, reason = "see `ChannelFigures`")]
pub struct CutJson {
    pub clicks: Option<u64>,
    pub clicks_at_least: bool,
    pub counts_complete: bool,
    pub taken: u64,
    pub held: u64,
    pub sold: u64,
    pub came_back: u64,
    pub orders: u64,
}

/// Money of one channel.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "see `ChannelFigures`")]
pub struct CutMoneyJson {
    pub currency: String,
    pub gross_minor: u64,
    pub net_minor: u64,
}

/// What came of one channel's orders after settlement, as differences.
#[derive(Clone, Copy, Debug, Serialize)]
#[allow(missing_docs, reason = "see `Adjustments`")]
pub struct CutAdjustmentsJson {
    pub as_of_ms: u64,
    pub orders_cancelled: u64,
    pub units_cancelled: u64,
    pub paid_minor: i64,
    pub refunded_minor: i64,
    pub net_minor: i64,
}

/// What came of one channel's orders after settlement, in one currency.
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "see `Adjustments`")]
pub struct CutCurrencyAdjustmentsJson {
    pub currency: String,
    #[serde(flatten)]
    pub figures: CutAdjustmentsJson,
}

impl DropReport {
    /// What one channel brought; all is 0 for a channel that brought nothing.
    pub fn of_channel(&self, channel: &ChannelId) -> ChannelReportJson {
        let figures = self.figures_of(channel);
        ChannelReportJson {
            schema: SCHEMA,
            drop: self.drop.to_string(),
            title: self.plan.title.clone(),
            stream: self.plan.stream.to_string(),
            channel: channel.to_string(),
            mode: json::mode(self.plan.mode),
            phase: self.phase.name(),
            opened_at_ms: self.opened_at.map(time),
            as_of_ms: time(self.as_of),
            figures: CutJson::of(&figures, self.channels_lack_clicks(), self.counts_complete()),
            money: CutMoneyJson::of(&figures),
            adjustments: self.adjustments_of(channel).as_ref().map(CutAdjustmentsJson::of),
            closing_hash: self.closing_hash.map(|hash| hash.to_string()),
        }
    }

    fn find_channel(&self, channel: &ChannelId) -> Option<&ChannelReport> {
        self.channels.iter().find(|report| report.channel.as_ref() == Some(channel))
    }

    fn figures_of(&self, channel: &ChannelId) -> ChannelFigures {
        let Some(ChannelReport { figures, .. }) = self.find_channel(channel) else {
            let clicks = self.clicks_by_channel_other.map(|_| 0);
            return ChannelFigures { clicks, ..ChannelFigures::zero(self.gross.currency()) };
        };
        // Each hold was a click, by whichever name the tallies counted it.
        let clicks = figures.clicks.map(|clicks| clicks.max(figures.holds));
        ChannelFigures { clicks, ..*figures }
    }

    fn adjustments_of(&self, channel: &ChannelId) -> Option<Adjustments> {
        self.find_channel(channel)?.adjustments
    }
}

impl ShowReport {
    /// What one channel brought in the counted drops; all is 0 for a channel that brought nothing.
    pub fn of_channel(&self, channel: &ChannelId) -> ShowChannelReportJson {
        let currency = self.first().gross.currency();
        let of_drops = self.counted().map(|report| report.figures_of(channel));
        let all = of_drops.reduce(ChannelFigures::plus);
        let brought = self.channels();
        let own = brought.iter().find(|one| one.channel.as_ref() == Some(channel));
        let later = self.adjustments_of(|report| report.adjustments_of(channel));
        let adjustments: Vec<_> = later.iter().map(CutCurrencyAdjustmentsJson::of).collect();
        let lack_clicks = self.counted().any(|report| report.channels_lack_clicks());
        let figures = all.unwrap_or_else(|| ChannelFigures::zero(currency));
        let money = own.map(|own| own.figures.values().map(CutMoneyJson::of).collect());
        ShowChannelReportJson {
            schema: SHOW_SCHEMA,
            show: self.id().to_string(),
            stream: self.first().plan.stream.to_string(),
            channel: channel.to_string(),
            began_ms: self.began_at().map(time),
            ended_ms: self.ended_at().map(time),
            as_of_ms: time(self.as_of()),
            running: self.is_running(),
            figures: CutJson::of(&figures, lack_clicks, self.counts_complete()),
            money: money.unwrap_or_default(),
            adjustments: (!adjustments.is_empty()).then_some(adjustments),
            drops: self.counted().map(|report| report.of_channel(channel)).collect(),
        }
    }
}

impl CutJson {
    fn of(figures: &ChannelFigures, lack_clicks: bool, counts_complete: bool) -> Self {
        Self {
            clicks: figures.clicks.map(exact),
            clicks_at_least: figures.clicks.is_some() && lack_clicks,
            counts_complete,
            taken: exact(figures.taken),
            held: exact(figures.held),
            sold: exact(figures.units),
            came_back: exact(figures.came_back),
            orders: exact(figures.orders),
        }
    }
}

impl CutMoneyJson {
    fn of(figures: &ChannelFigures) -> Self {
        Self {
            currency: figures.gross.currency().to_string(),
            gross_minor: figures.gross.minor(),
            net_minor: figures.money.net().minor(),
        }
    }
}

impl CutAdjustmentsJson {
    fn of(later: &Adjustments) -> Self {
        Self {
            as_of_ms: time(later.as_of),
            orders_cancelled: exact(later.cancelled.orders),
            units_cancelled: exact(later.cancelled.units),
            paid_minor: later.money.paid_minor,
            refunded_minor: later.money.refunded_minor,
            net_minor: later.money.net_minor(),
        }
    }
}

impl CutCurrencyAdjustmentsJson {
    fn of((currency, later): (&Currency, &Adjustments)) -> Self {
        Self { currency: currency.to_string(), figures: CutAdjustmentsJson::of(later) }
    }
}
