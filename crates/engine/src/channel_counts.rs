//! Clicks by channel: counted by one core, read by anybody.

use std::{
    collections::HashMap,
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
    },
};

use stampede_domain::ChannelId;

use crate::{counter::add, hold_channels::ChannelNumber};

/// Channels that a core counts by name in one drop. Clicks of any further one are one sum.
pub(crate) const CHANNELS_COUNTED_MAX: usize = 1 << COUNTED_BITS;
const COUNTED_BITS: usize = 10;
/// Channels without a place whose numbers a core remembers. When full: all are forgotten, and asked for again.
const BEYOND_MAX: usize = 256;
/// Places of the first block, as a power of two.
const FIRST_BITS: usize = 2;
const BLOCKS: usize = COUNTED_BITS - FIRST_BITS + 1;

/// Counts by the places that names get in the order in which they come; only one core adds.
///
/// Places come in blocks that never move, each as large as all before it, so that readers need no lock and
/// a drop with few channels needs little memory.
#[derive(Debug)]
pub(crate) struct ChannelCounts {
    blocks: [OnceLock<Box<[Named]>>; BLOCKS],
    /// Clicks of channels without a place.
    other: AtomicU64,
}

#[derive(Debug, Default)]
struct Named {
    name: OnceLock<ChannelId>,
    clicks: AtomicU64,
}

/// Where a click counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClickChannel {
    /// The ticket names no channel.
    None,
    /// The channel with this place.
    At(usize),
    /// A channel without a place.
    Other,
}

impl ChannelCounts {
    pub(crate) fn new() -> Self {
        Self { blocks: std::array::from_fn(|_| OnceLock::new()), other: AtomicU64::new(0) }
    }

    /// Counts a click that the core has counted by what became of it.
    pub(crate) fn count(&self, channel: ClickChannel) {
        let counter = match channel {
            ClickChannel::None => return,
            ClickChannel::At(place) => &self.named(place).clicks,
            ClickChannel::Other => &self.other,
        };
        // ORDERING: Release pairs with the Acquire loads in `read`: who sees the click here also sees it
        // counted by what became of it.
        add(counter, 1, Ordering::Release);
    }

    /// Names with their clicks in the order of their places, then the clicks of all others.
    pub(crate) fn read(&self, mut each: impl FnMut(&ChannelId, u64)) -> u64 {
        for (name, clicks) in self.places() {
            // ORDERING: Acquire here and below pairs with the Release in `count`.
            each(name, clicks.load(Ordering::Acquire));
        }
        self.other.load(Ordering::Acquire)
    }

    fn places(&self) -> impl Iterator<Item = (&ChannelId, &AtomicU64)> {
        let blocks = self.blocks.iter().map_while(OnceLock::get);
        blocks.flatten().map_while(|named| Some((named.name.get()?, &named.clicks)))
    }

    /// Gives the next place to a name that has none.
    fn add_name(&self, place: usize, name: &ChannelId) {
        let set = self.named(place).name.set(name.clone());
        set.expect("only the core adds names, each to a new place");
    }

    fn named(&self, place: usize) -> &Named {
        let (block, within, len) = block_of(place);
        let block = self.blocks[block].get_or_init(|| (0..len).map(|_| Named::default()).collect());
        &block[within]
    }
}

/// The block of a place, the place within it, how many the block has.
fn block_of(place: usize) -> (usize, usize, usize) {
    match place.checked_ilog2().map(|bits| bits as usize).filter(|bits| *bits >= FIRST_BITS) {
        None => (0, place, 1 << FIRST_BITS),
        Some(bits) => (bits - FIRST_BITS + 1, place - (1 << bits), 1 << bits),
    }
}

/// The channels that one core knows in one drop: the place of each in its [`ChannelCounts`], with the number
/// that the ledger's thread knows it by, once something was taken by it.
#[derive(Debug)]
pub(crate) struct KnownChannels {
    places: HashMap<ChannelId, usize, foldhash::fast::RandomState>,
    /// By place.
    numbers: Vec<Option<ChannelNumber>>,
    /// Of channels without a place, those that were taken by lately: at most [`BEYOND_MAX`].
    beyond: HashMap<ChannelId, ChannelNumber, foldhash::fast::RandomState>,
}

impl KnownChannels {
    /// What the core has counted in the drop before, under an earlier plan.
    pub(crate) fn of(counts: &ChannelCounts) -> Self {
        let names = counts.places().map(|(name, _)| name.clone());
        let places: HashMap<_, _, _> = names.zip(0..).collect();
        Self { numbers: vec![None; places.len()], places, beyond: HashMap::default() }
    }

    /// Where a click of a ticket with this channel counts; gives a new channel its place, as long as there
    /// are any.
    pub(crate) fn of_click(
        &mut self,
        channel: Option<&ChannelId>,
        counts: &ChannelCounts,
    ) -> ClickChannel {
        let Some(channel) = channel else { return ClickChannel::None };
        if let Some(place) = self.places.get(channel) {
            return ClickChannel::At(*place);
        }
        let place = self.numbers.len();
        if place >= CHANNELS_COUNTED_MAX {
            return ClickChannel::Other;
        }
        counts.add_name(place, channel);
        self.places.insert(channel.clone(), place);
        self.numbers.push(None);
        ClickChannel::At(place)
    }

    /// The number by which the ledger's thread knows the channel of a take; asks for one that this core has
    /// not taken by, or has forgotten.
    pub(crate) fn number(
        &mut self,
        (channel, at): (Option<&ChannelId>, ClickChannel),
        ask: impl FnOnce(&ChannelId) -> ChannelNumber,
    ) -> ChannelNumber {
        let Some(channel) = channel else { return ChannelNumber::default() };
        if let ClickChannel::At(place) = at {
            return *self.numbers[place].get_or_insert_with(|| ask(channel));
        }
        if let Some(number) = self.beyond.get(channel) {
            return *number;
        }
        if self.beyond.len() >= BEYOND_MAX {
            self.beyond.clear();
        }
        let number = ask(channel);
        self.beyond.insert(channel.clone(), number);
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(place: usize) -> ChannelId {
        format!("creator-{place}").parse().unwrap()
    }

    fn read(counts: &ChannelCounts) -> (Vec<(ChannelId, u64)>, u64) {
        let mut named = Vec::new();
        let other = counts.read(|name, clicks| named.push((name.clone(), clicks)));
        (named, other)
    }

    #[test]
    fn blocks_have_all_places_and_no_more() {
        let mut next = [0; BLOCKS];
        for place in 0..CHANNELS_COUNTED_MAX {
            let (block, within, len) = block_of(place);
            assert!(within == next[block] && within < len, "{place}");
            next[block] += 1;
        }
        assert_eq!(next, [4, 4, 8, 16, 32, 64, 128, 256, 512]);
    }

    #[test]
    fn channels_beyond_the_limit_are_one_sum() {
        let counts = ChannelCounts::new();
        let mut known = KnownChannels::of(&counts);
        let all = CHANNELS_COUNTED_MAX + 5;
        for _ in 0..2 {
            for place in 0..all {
                counts.count(known.of_click(Some(&name(place)), &counts));
            }
            counts.count(known.of_click(None, &counts));
        }
        let (named, other) = read(&counts);
        let wanted: Vec<_> = (0..CHANNELS_COUNTED_MAX).map(|place| (name(place), 2)).collect();
        assert_eq!((named, other), (wanted, 10));
    }

    #[test]
    fn one_channel_needs_one_small_block() {
        let counts = ChannelCounts::new();
        let mut known = KnownChannels::of(&counts);
        counts.count(known.of_click(None, &counts));
        assert!(counts.blocks[0].get().is_none(), "clicks without a channel need none");
        counts.count(known.of_click(Some(&name(1)), &counts));
        let places: usize = counts.blocks.iter().filter_map(OnceLock::get).map(|b| b.len()).sum();
        assert_eq!((places, size_of::<Named>() <= 48), (4, true));
    }

    #[test]
    fn a_core_goes_on_with_the_places_it_gave_under_another_plan() {
        let counts = ChannelCounts::new();
        let mut before = KnownChannels::of(&counts);
        for place in [3, 1, 3] {
            counts.count(before.of_click(Some(&name(place)), &counts));
        }
        let mut after = KnownChannels::of(&counts);
        for place in [1, 2] {
            counts.count(after.of_click(Some(&name(place)), &counts));
        }
        assert_eq!(read(&counts), (vec![(name(3), 2), (name(1), 2), (name(2), 1)], 0));
    }

    #[test]
    fn a_number_is_asked_for_once_unless_too_many_channels_have_no_place() {
        let counts = ChannelCounts::new();
        let mut known = KnownChannels::of(&counts);
        let mut asked = 0;
        let mut ask = |known: &mut KnownChannels, place| {
            let channel = name(place);
            let at = known.of_click(Some(&channel), &counts);
            known.number((Some(&channel), at), |_| {
                asked += 1;
                ChannelNumber::default()
            })
        };
        let all = CHANNELS_COUNTED_MAX + BEYOND_MAX;
        for place in (0..all).chain([0, all - 1]) {
            let _ = ask(&mut known, place);
        }
        assert_eq!(known.beyond.len(), BEYOND_MAX);
        // One more has no room beside the others: the last one is asked for once more, one with a place is not.
        for place in [all, all - 1, all, 0] {
            let _ = ask(&mut known, place);
        }
        assert_eq!((asked, known.beyond.len()), (all + 2, 2));
    }
}
