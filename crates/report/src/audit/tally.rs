//! The line of a tally.

use std::collections::BTreeMap;

use serde::Serialize;
use stampede_domain::{SkuIndex, UnixMillis};
use stampede_ledger::{Tally, TallySources};

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
    /// Clicks refused for want of units, by the SKU asked for; `None`, here and below, where an older program wrote
    /// the tally, which did not say.
    pub refused_for_want: Option<BTreeMap<String, u64>>,
    /// Clicks by the channel of the ticket, those with the most; clicks without a channel are missing to the sum.
    pub clicks_by_channel: Option<BTreeMap<String, u64>>,
    /// Clicks of all other channels.
    pub clicks_by_channel_other: Option<u64>,
    /// Viewers connected at that moment.
    pub connected: u64,
}

impl TallyLine {
    pub(super) fn of(tally: &Tally, at: UnixMillis, name_of: impl Fn(SkuIndex) -> String) -> Self {
        let sources = tally.sources.as_ref();
        let skus =
            |of: &TallySources| of.skus.iter().map(|(sku, n)| (name_of(*sku), exact(*n))).collect();
        let named = |of: &TallySources| {
            of.channels.named.iter().map(|(name, n)| (name.to_string(), exact(*n))).collect()
        };
        Self {
            at_ms: time(at),
            held: exact(tally.held),
            retries: exact(tally.retries),
            refusals: refusals(&tally.refusals),
            refused_for_want: sources.map(skus),
            clicks_by_channel: sources.map(named),
            clicks_by_channel_other: sources.map(|of| exact(of.channels.other)),
            connected: exact(tally.connected),
        }
    }
}
