//! The bans in force, found by whoever they keep out.

use std::{
    collections::{BTreeMap, HashMap},
    hash::Hash,
    net::IpAddr,
    sync::Arc,
};

use stampede_books::brake::{Arrival, Ban};
use stampede_domain::{AddressRange, BanId, BanTarget, ChannelId, StreamId, ViewerId};

type Map<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

/// Bans by id, counted by target: several may keep out the same.
///
/// Bounded by `BANS_MAX`; the steward refuses one more.
#[derive(Debug, Default)]
pub(super) struct BanBook {
    by_id: BTreeMap<BanId, Arc<Ban>>,
    viewers: Map<ViewerId, u32>,
    channels: Map<(ChannelId, Option<StreamId>), u32>,
    /// Ranges by the number of leading bits, so that an address is looked up once for each number
    /// in use: at most 33 times, or 129 for IPv6.
    addresses: BTreeMap<(Family, u8), Map<AddressRange, u32>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Family {
    V4,
    V6,
}

impl Family {
    const fn of(address: IpAddr) -> Self {
        if address.is_ipv4() { Self::V4 } else { Self::V6 }
    }
}

impl BanBook {
    pub(super) fn len(&self) -> usize {
        self.by_id.len()
    }

    pub(super) fn get(&self, id: BanId) -> Option<Arc<Ban>> {
        self.by_id.get(&id).cloned()
    }

    pub(super) fn after(&self, id: BanId, limit: usize) -> Vec<Arc<Ban>> {
        let Some(first) = id.next() else { return Vec::new() };
        self.by_id.range(first..).take(limit).map(|(_, ban)| Arc::clone(ban)).collect()
    }

    pub(super) fn add(&mut self, ban: Arc<Ban>) {
        match &ban.target {
            BanTarget::Viewer(viewer) => count_in(&mut self.viewers, viewer.clone()),
            BanTarget::Addresses(range) => {
                let kind = (Family::of(range.first()), range.prefix());
                count_in(self.addresses.entry(kind).or_default(), *range);
            }
            BanTarget::Channel { channel, stream } => {
                count_in(&mut self.channels, (channel.clone(), stream.clone()));
            }
        }
        self.by_id.insert(ban.id, ban);
    }

    pub(super) fn remove(&mut self, id: BanId) {
        let Some(ban) = self.by_id.remove(&id) else { return };
        match &ban.target {
            BanTarget::Viewer(viewer) => count_out(&mut self.viewers, viewer),
            BanTarget::Addresses(range) => {
                let kind = (Family::of(range.first()), range.prefix());
                if let Some(ranges) = self.addresses.get_mut(&kind) {
                    count_out(ranges, range);
                    if ranges.is_empty() {
                        self.addresses.remove(&kind);
                    }
                }
            }
            BanTarget::Channel { channel, stream } => {
                count_out(&mut self.channels, &(channel.clone(), stream.clone()));
            }
        }
    }

    pub(super) fn has_address(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let family = Family::of(address);
        let prefixes = self.addresses.range((family, 0)..=(family, u8::MAX));
        prefixes.into_iter().any(|((_, prefix), ranges)| {
            AddressRange::new(address, *prefix).is_some_and(|range| ranges.contains_key(&range))
        })
    }

    pub(super) fn has(&self, who: Arrival<'_>) -> bool {
        let channel = |channel: &ChannelId| {
            !self.channels.is_empty()
                && (self.channels.contains_key(&(channel.clone(), None))
                    || self.channels.contains_key(&(channel.clone(), Some(who.stream.clone()))))
        };
        self.viewers.contains_key(who.viewer)
            || who.channel.is_some_and(channel)
            || who.address.is_some_and(|address| self.has_address(address))
    }
}

fn count_in<K: Eq + Hash>(counts: &mut Map<K, u32>, key: K) {
    *counts.entry(key).or_insert(0) += 1;
}

fn count_out<K: Eq + Hash>(counts: &mut Map<K, u32>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use stampede_books::brake::BrakeEntry;
    use stampede_domain::UnixMillis;

    use super::*;

    fn ban(id: u32, target: BanTarget) -> Arc<Ban> {
        let since = UnixMillis::new(1);
        let entry =
            BrakeEntry { actor: "olga".into(), reason: String::new(), since, expires_at: None };
        Arc::new(Ban { id: BanId::new(id), target, releases_holds: false, entry })
    }

    fn addresses(range: &str) -> BanTarget {
        BanTarget::Addresses(range.parse().unwrap())
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn any_range_that_holds_the_address_counts() {
        let mut book = BanBook::default();
        for (id, range) in
            (1..).zip(["198.51.100.0/24", "198.51.0.0/16", "2001:db8::/32", "203.0.113.9"])
        {
            book.add(ban(id, addresses(range)));
        }
        for (address, banned) in [
            ("198.51.100.7", true),
            ("198.51.7.7", true),
            ("198.52.0.1", false),
            ("203.0.113.9", true),
            ("203.0.113.10", false),
            ("2001:db8:9::1", true),
            ("2001:db9::1", false),
            ("::ffff:198.51.100.7", true),
        ] {
            assert_eq!(book.has_address(ip(address)), banned, "{address}");
        }
        book.remove(BanId::new(2));
        assert!(!book.has_address(ip("198.51.7.7")));
        assert!(book.has_address(ip("198.51.100.7")));
    }

    #[test]
    fn a_target_banned_twice_stays_banned_until_both_are_lifted() {
        let mut book = BanBook::default();
        let channel = BanTarget::Channel {
            channel: "nina-tv".parse().unwrap(),
            stream: Some("friday".parse().unwrap()),
        };
        book.add(ban(1, channel.clone()));
        book.add(ban(2, channel));
        let (viewer, nina) = ("v1".parse().unwrap(), "nina-tv".parse().unwrap());
        let banned = |book: &BanBook, stream: &str| {
            let stream = stream.parse().unwrap();
            book.has(Arrival {
                viewer: &viewer,
                channel: Some(&nina),
                stream: &stream,
                address: None,
            })
        };
        assert!(banned(&book, "friday"));
        assert!(!banned(&book, "monday"));
        book.remove(BanId::new(1));
        assert!(banned(&book, "friday"));
        book.remove(BanId::new(2));
        assert!(!banned(&book, "friday"));
        assert_eq!(book.len(), 0);
    }

    #[test]
    fn pages_follow_the_ids() {
        let mut book = BanBook::default();
        for id in 1..=5 {
            book.add(ban(id, addresses("198.51.100.0/24")));
        }
        let ids = |after, limit| -> Vec<u32> {
            book.after(BanId::new(after), limit).iter().map(|ban| ban.id.get()).collect()
        };
        assert_eq!(ids(0, 2), [1, 2]);
        assert_eq!(ids(2, 9), [3, 4, 5]);
        assert!(ids(5, 9).is_empty());
    }
}
