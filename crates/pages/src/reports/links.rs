//! What the interface tells of links to reports, and what a link shows.

use serde::Deserialize;

use super::told::{Adjustments, AdjustmentsIn, Running};
use crate::answers::{Mode, Phase};

/// A report cut to one channel.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct ChannelReport {
    /// Of a drop.
    #[serde(default)]
    pub(crate) title: String,
    pub(crate) stream: String,
    pub(crate) channel: String,
    /// Of a drop.
    #[serde(default)]
    pub(crate) mode: Option<Mode>,
    /// Of a drop.
    #[serde(default)]
    pub(crate) phase: Option<Phase>,
    /// Of a show.
    #[serde(default)]
    pub(crate) running: bool,
    #[serde(default)]
    pub(crate) opened_at_ms: Option<u64>,
    /// Of a show.
    #[serde(default)]
    pub(crate) began_ms: Option<u64>,
    pub(crate) as_of_ms: u64,
    #[serde(default)]
    pub(crate) clicks: Option<u64>,
    /// Whether it may have had more clicks than are counted by its name.
    #[serde(default)]
    pub(crate) clicks_at_least: bool,
    pub(crate) taken: u64,
    pub(crate) sold: u64,
    pub(crate) came_back: u64,
    pub(crate) orders: u64,
    /// Of a drop.
    #[serde(flatten)]
    pub(crate) worth: Option<Worth>,
    /// Of a show.
    #[serde(default)]
    pub(crate) money: Vec<Worth>,
    #[serde(default)]
    pub(crate) adjustments: Option<Later>,
    #[serde(default)]
    pub(crate) closing_hash: Option<String>,
    /// Of a show: the same for each of its drops.
    #[serde(default)]
    pub(crate) drops: Vec<ChannelReport>,
}

/// What came of the channel's orders after settlement.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum Later {
    OfDrop(Adjustments),
    OfShow(Vec<AdjustmentsIn>),
}

/// What was sold by a channel, in one currency.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Worth {
    pub(crate) currency: String,
    pub(crate) gross_minor: u64,
    pub(crate) net_minor: u64,
}

/// How a link was made, of what it shows: that says what the report is.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Shared {
    pub(crate) share: SharedAs,
}

/// The report that a link shows.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct SharedReport<T> {
    pub(crate) report: T,
}

/// How a link was made.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct SharedAs {
    pub(crate) kind: SharedKind,
    pub(crate) ends_at_ms: u64,
}

/// What a link shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SharedKind {
    Drop,
    Show,
    DropChannel,
    ShowChannel,
}

/// Links of a report.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Shares {
    /// The newest of them.
    pub(crate) shares: Vec<Share>,
    /// How many there are.
    #[serde(default)]
    pub(crate) total: u64,
}

/// One link, without its secret.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Share {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) channel: Option<String>,
    #[serde(default)]
    pub(crate) label: Option<String>,
    pub(crate) by: String,
    pub(crate) ends_at_ms: u64,
    #[serde(default)]
    pub(crate) used_at_ms: Option<u64>,
}

impl ChannelReport {
    /// How figures can still change by selling.
    pub(crate) fn running(&self) -> Running {
        match self.phase {
            Some(phase) => Running::of([phase]),
            None => Running::of_show(self.running, self.drops.iter().filter_map(|drop| drop.phase)),
        }
    }

    /// What came of its orders after settlement, by currency.
    pub(crate) fn later(&self) -> Vec<(&str, Adjustments)> {
        match (&self.adjustments, &self.worth) {
            (Some(Later::OfDrop(later)), Some(worth)) => vec![(&worth.currency, *later)],
            (Some(Later::OfShow(all)), _) => {
                all.iter().map(|one| (one.currency.as_str(), one.later)).collect()
            }
            (Some(Later::OfDrop(_)) | None, _) => Vec::new(),
        }
    }

    /// What was sold, by currency.
    pub(crate) fn worth(&self) -> impl Iterator<Item = &Worth> {
        self.worth.iter().chain(&self.money)
    }
}
