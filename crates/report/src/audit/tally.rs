//! The line of a tally.

use std::collections::BTreeMap;

use serde::Serialize;
use stampede_domain::{SkuIndex, UnixMillis};
use stampede_ledger::Tally;

use crate::json::{exact, refusals, time};

/// What happened since the tally before.
#[derive(Clone, Debug, Serialize)]
pub struct TallyLine {
    /// Time of the tally's commit.
    pub at_ms: u64,
    /// Buys that took units.
    pub held: u64,
    /// Buys answered again with their first answer.
    pub retries: u64,
    /// Refusals by reason.
    pub refusals: BTreeMap<&'static str, u64>,
    /// Clicks refused for want of units, by the SKU asked for.
    pub refused_for_want: BTreeMap<String, u64>,
    /// Clicks by the channel of the ticket, those with the most; clicks without a channel are missing to the sum.
    pub clicks_by_channel: BTreeMap<String, u64>,
    /// Clicks of all other channels.
    pub clicks_by_channel_other: u64,
    /// Viewers connected at that moment.
    pub connected: u64,
}

impl TallyLine {
    pub(super) fn of(tally: &Tally, at: UnixMillis, name_of: impl Fn(SkuIndex) -> String) -> Self {
        let channels = tally.channels.named.iter();
        let skus = tally.skus.iter();
        Self {
            at_ms: time(at),
            held: exact(tally.held),
            retries: exact(tally.retries),
            refusals: refusals(&tally.refusals),
            refused_for_want: skus.map(|(sku, n)| (name_of(*sku), exact(*n))).collect(),
            clicks_by_channel: channels.map(|(name, n)| (name.to_string(), exact(*n))).collect(),
            clicks_by_channel_other: exact(tally.channels.other),
            connected: exact(tally.connected),
        }
    }
}
