//! Everything that is counted of one drop.

use std::{collections::BTreeMap, sync::Arc};

use crossbeam_utils::CachePadded;
use stampede_books::{Counted, Sources, Totals};
use stampede_domain::{ChannelId, SkuIndex};

use crate::{
    recent::Recent,
    tally::{CoreTally, add_up},
};

/// What is counted of one drop, over all edits of its plan.
#[derive(Clone, Debug)]
pub(crate) struct Counts {
    /// By core.
    pub(crate) cores: Arc<[CachePadded<CoreTally>]>,
    pub(crate) recent: Arc<Recent>,
}

impl Counts {
    /// Counts of a drop that has just come to be.
    pub(crate) fn new(cores: usize) -> Self {
        let cores = (0..cores).map(|_| CachePadded::new(CoreTally::new())).collect();
        Self { cores, recent: Arc::default() }
    }

    /// All cores together.
    pub(crate) fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for core in self.cores.iter() {
            add_up(&mut totals, core);
        }
        totals
    }

    /// The same with SKUs and channels, as tallies have them.
    pub(crate) fn counted(&self) -> Counted {
        // A click is counted for its SKU and its channel last: reading these first finds none of them without
        // the click.
        let sources = self.sources();
        Counted { totals: self.totals(), sources }
    }

    fn sources(&self) -> Sources {
        let mut skus = BTreeMap::<SkuIndex, u64>::new();
        let mut channels = BTreeMap::<ChannelId, u64>::new();
        let mut other_channels = 0;
        for core in self.cores.iter() {
            let wants = (0..).filter_map(SkuIndex::new).zip(core.for_want());
            for (sku, clicks) in wants.filter(|(_, clicks)| *clicks > 0) {
                *skus.entry(sku).or_default() += clicks;
            }
            other_channels += core.channels().read(|name, clicks| {
                // A core may have given a place to a channel, and not have counted the click yet.
                if clicks == 0 {
                    return;
                }
                match channels.get_mut(name) {
                    Some(sum) => *sum += clicks,
                    None => drop(channels.insert(name.clone(), clicks)),
                }
            });
        }
        let (skus, channels) = (skus.into_iter().collect(), channels.into_iter().collect());
        Sources { skus, channels, other_channels }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use stampede_domain::RefusalCode;

    use super::*;
    use crate::channel_counts::KnownChannels;

    #[test]
    fn a_click_of_a_channel_or_for_a_sku_is_never_read_before_the_click() {
        const CLICKS: u64 = 300_000;
        let counts = Counts::new(2);
        let (channel, sku) = ("nina-tv".parse().unwrap(), SkuIndex::default());
        let click = |core: &CoreTally| {
            let mut known = KnownChannels::of(core.channels());
            for _ in 0..CLICKS {
                let at = known.of_click(Some(&channel), core.channels());
                core.count_refused(RefusalCode::SoldOut, at);
                core.count_want(sku);
            }
        };
        thread::scope(|scope| {
            let clicking: Vec<_> =
                counts.cores.iter().map(|core| scope.spawn(|| click(core))).collect();
            let mut is_over = false;
            while !is_over {
                is_over = clicking.iter().all(thread::ScopedJoinHandle::is_finished);
                let Counted { totals, sources } = counts.counted();
                let clicks: u64 = totals.refused.iter().sum();
                let of = |clicks: Option<u64>| clicks.unwrap_or(0);
                assert!(of(sources.channels.first().map(|(_, n)| *n)) <= clicks);
                assert!(of(sources.skus.first().map(|(_, n)| *n)) <= clicks);
            }
        });
        let Counted { sources, .. } = counts.counted();
        assert_eq!(sources.channels, [(channel, 2 * CLICKS)]);
        assert_eq!(sources.skus, [(sku, 2 * CLICKS)]);
    }
}
