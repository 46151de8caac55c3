//! A report cut to one channel: what a creator may see of a drop or a show, and nothing of anybody else.

use serde::Serialize;
use stampede_domain::ChannelId;

use crate::{
    fold::{ChannelFigures, DropReport},
    json::{exact, time},
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
    pub phase: &'static str,
    pub opened_at_ms: Option<u64>,
    pub as_of_ms: u64,
    #[serde(flatten)]
    pub figures: CutJson,
    #[serde(flatten)]
    pub money: CutMoneyJson,
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
    pub drops: Vec<ChannelReportJson>,
}

/// Counts of one channel.
#[derive(Clone, Copy, Debug, Serialize)]
#[allow(missing_docs, reason = "see `ChannelFigures`")]
pub struct CutJson {
    pub clicks: Option<u64>,
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
            phase: self.phase.name(),
            opened_at_ms: self.opened_at.map(time),
            as_of_ms: time(self.as_of),
            figures: CutJson::of(&figures),
            money: CutMoneyJson::of(&figures),
            closing_hash: self.closing_hash.map(|hash| hash.to_string()),
        }
    }

    fn figures_of(&self, channel: &ChannelId) -> ChannelFigures {
        let mut all = self.channels.iter();
        let found = all.find(|report| report.channel.as_ref() == Some(channel));
        found.map_or_else(
            || {
                let known = self.clicks_by_channel_other.map(|_| 0);
                ChannelFigures { clicks: known, ..ChannelFigures::zero(self.gross.currency()) }
            },
            |report| report.figures,
        )
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
            figures: CutJson::of(&all.unwrap_or_else(|| ChannelFigures::zero(currency))),
            money: money.unwrap_or_default(),
            drops: self.counted().map(|report| report.of_channel(channel)).collect(),
        }
    }
}

impl CutJson {
    fn of(figures: &ChannelFigures) -> Self {
        Self {
            clicks: figures.clicks.map(exact),
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
