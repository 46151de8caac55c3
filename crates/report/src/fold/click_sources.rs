//! What the tallies of a drop say about which SKU clicks went without, and who brought them.

use std::collections::BTreeMap;

use stampede_domain::SkuIndex;
use stampede_ledger::Tally;

/// Sums over the tallies so far. Clicks of named channels stand with what else these brought.
#[derive(Clone, Debug, Default)]
pub(super) struct ClickSources {
    /// Whether any tally says something of it: those of older programs do not.
    are_told: bool,
    for_want: BTreeMap<SkuIndex, u64>,
    other_channels: u64,
}

impl ClickSources {
    pub(super) fn add(&mut self, tally: &Tally) {
        self.are_told |= !tally.skus.is_empty() || !tally.channels.is_empty();
        for (sku, clicks) in &tally.skus {
            let sum = self.for_want.entry(*sku).or_default();
            *sum = sum.saturating_add(*clicks);
        }
        self.other_channels = self.other_channels.saturating_add(tally.channels.other);
    }

    /// Clicks refused for want of a SKU, of so many for want of any; `None` if the tallies do not tell.
    pub(super) fn for_want(&self, sku: SkuIndex, of_all: u64) -> Option<u64> {
        let is_known = self.are_told || of_all == 0;
        is_known.then(|| self.for_want.get(&sku).copied().unwrap_or(0))
    }

    /// Clicks of channels that no tally names; `None` if the tallies do not tell clicks by channel.
    pub(super) fn other_channels(&self) -> Option<u64> {
        self.are_told.then_some(self.other_channels)
    }
}
