//! Counts of viewers' requests by what they wanted and who brought them.

use std::cmp::Reverse;

use stampede_domain::{ChannelId, SkuIndex, limits::CHANNELS_PER_TALLY_MAX};
use stampede_ledger::ChannelClicks;

use crate::totals::Totals;

/// Everything that is counted of one drop since the engine started: what its tallies are made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Clicks by what became of them.
    pub totals: Totals,
    /// The same clicks by SKU and channel; one of the moment may be missing.
    pub sources: Sources,
}

impl Counted {
    /// What was counted since the `earlier` state of the same drop.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let totals = self.totals.since(&earlier.totals);
        Self { totals, sources: self.sources.since(&earlier.sources) }
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.totals.is_empty() && self.sources.is_empty()
    }
}

/// Clicks by the SKU that they went without, and by the channel of their tickets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    /// Clicks refused for want of units, by the SKU asked for: ascending, only those with a click.
    pub skus: Vec<(SkuIndex, u64)>,
    /// Clicks by channel: ascending, only those with a click. A channel that was named once stays named.
    pub channels: Vec<(ChannelId, u64)>,
    /// Clicks of channels that have no place of their own.
    pub other_channels: u64,
}

impl Sources {
    /// What was counted since the `earlier` state of the same drop.
    fn since(&self, earlier: &Self) -> Self {
        Self {
            skus: list_since(&self.skus, &earlier.skus),
            channels: list_since(&self.channels, &earlier.channels),
            other_channels: self.other_channels - earlier.other_channels,
        }
    }

    fn is_empty(&self) -> bool {
        self.skus.is_empty() && self.channels.is_empty() && self.other_channels == 0
    }

    /// The clicks of channels as a tally has them. The channels with the most clicks stay named, of equal
    /// ones those first in the alphabet; the others are one sum.
    pub(crate) fn channel_clicks(&self) -> ChannelClicks {
        let (mut named, mut other) = (self.channels.clone(), self.other_channels);
        if named.len() > CHANNELS_PER_TALLY_MAX {
            named.sort_by_key(|(_, clicks)| Reverse(*clicks));
            other += named.drain(CHANNELS_PER_TALLY_MAX..).map(|(_, clicks)| clicks).sum::<u64>();
            named.sort_unstable();
        }
        ChannelClicks { named, other }
    }
}

/// What came on top in an ascending list; what is in the `earlier` one is in both.
fn list_since<K: Ord + Clone>(now: &[(K, u64)], earlier: &[(K, u64)]) -> Vec<(K, u64)> {
    let mut earlier = earlier.iter().peekable();
    let grown = now.iter().filter_map(|(key, count)| {
        let before = earlier.next_if(|(known, _)| known == key).map_or(0, |(_, count)| *count);
        let more = count - before;
        (more > 0).then(|| (key.clone(), more))
    });
    grown.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channels(clicks: impl IntoIterator<Item = (usize, u64)>) -> Vec<(ChannelId, u64)> {
        clicks
            .into_iter()
            .map(|(n, clicks)| (format!("c{n:04}").parse().unwrap(), clicks))
            .collect()
    }

    fn sku(place: u8) -> SkuIndex {
        SkuIndex::new(place).unwrap()
    }

    #[test]
    fn any_click_is_something() {
        assert!(Sources::default().is_empty());
        for one in [
            Sources { skus: vec![(sku(0), 1)], ..Sources::default() },
            Sources { channels: channels([(1, 1)]), ..Sources::default() },
            Sources { other_channels: 1, ..Sources::default() },
        ] {
            assert!(!one.is_empty(), "{one:?}");
        }
    }

    #[test]
    fn what_was_counted_since_is_what_came_on_top() {
        let earlier = Sources {
            skus: vec![(sku(1), 4)],
            channels: channels([(2, 5), (4, 7)]),
            other_channels: 1,
        };
        let now = Sources {
            skus: vec![(sku(0), 2), (sku(1), 4)],
            channels: channels([(1, 3), (2, 5), (3, 1), (4, 9)]),
            other_channels: 6,
        };
        let since = Sources {
            skus: vec![(sku(0), 2)],
            channels: channels([(1, 3), (3, 1), (4, 2)]),
            other_channels: 5,
        };
        assert_eq!(now.since(&earlier), since);
        assert!(now.since(&now).is_empty() && !since.is_empty());
        let only = |sources| Counted { sources, totals: Totals::default() };
        assert!(!only(since).is_empty() && only(Sources::default()).is_empty());
    }

    #[test]
    fn the_channels_with_the_most_clicks_stay_named() {
        // Channel 7 has the most, channels 0, 299 and 298 have few.
        let clicks = |n: usize| match n {
            7 => 1_000,
            0 | 298 | 299 => 1,
            _ => 2,
        };
        let all: Vec<_> = (0..300).map(|n| (n, clicks(n))).collect();
        let sum: u64 = all.iter().map(|(_, clicks)| clicks).sum();
        let sources = Sources { channels: channels(all), other_channels: 40, ..Sources::default() };
        let told = sources.channel_clicks();
        let wanted = (1..=256).map(|n| (n, clicks(n)));
        assert_eq!(told.named, channels(wanted));
        assert_eq!(told.total(), sum + 40);
        let few = Sources { channels: channels([(1, 9)]), ..Sources::default() };
        let told = few.channel_clicks();
        assert_eq!((told.named, told.other), (channels([(1, 9)]), 0));
    }
}
