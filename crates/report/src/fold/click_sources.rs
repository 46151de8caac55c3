//! What the tallies of a drop say about which SKU clicks went without, and who brought them.

use std::collections::BTreeMap;

use stampede_domain::SkuIndex;
use stampede_ledger::Tally;

/// Sums over the tallies so far. Clicks of named channels stand with what else these brought.
#[derive(Clone, Debug, Default)]
pub(super) struct ClickSources {
    /// Whether a tally with clicks does not tell: an older program wrote it, so that sums would be too low.
    are_partly_unknown: bool,
    for_want: BTreeMap<SkuIndex, u64>,
    other_channels: u64,
}

impl ClickSources {
    pub(super) fn add(&mut self, tally: &Tally) {
        let Some(sources) = &tally.sources else {
            self.are_partly_unknown |= tally.clicks() > 0;
            return;
        };
        for (sku, clicks) in &sources.skus {
            let sum = self.for_want.entry(*sku).or_default();
            *sum = sum.saturating_add(*clicks);
        }
        self.other_channels = self.other_channels.saturating_add(sources.channels.other);
    }

    /// Clicks refused for want of a SKU, of so many for want of any; `None` if a tally does not tell.
    pub(super) fn for_want(&self, sku: SkuIndex, of_all: u64) -> Option<u64> {
        let is_known = !self.are_partly_unknown || of_all == 0;
        is_known.then(|| self.for_want.get(&sku).copied().unwrap_or(0))
    }

    /// Clicks of channels that no tally names; `None` if a tally does not tell its clicks by channel.
    pub(super) fn other_channels(&self) -> Option<u64> {
        (!self.are_partly_unknown).then_some(self.other_channels)
    }
}
