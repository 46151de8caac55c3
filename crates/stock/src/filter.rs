//! A lock-free filter that knows nearly every stranger without touching the winners' map.
//!
//! Once the stock is gone, nearly everyone who clicks is a stranger. The map would answer, but its
//! look-up writes to a shard's lock twice, so refusals on many cores would pass cache lines
//! around and each would wait for the one before. Here a look-up only reads.

use std::sync::OnceLock;

use stampede_domain::{Units, ViewerNumber};

use crate::sync::{AtomicU64, Ordering};

/// Bits for each expected winner; with two bits set by each, 2 % of strangers are taken for winners.
const BITS_PER_WINNER: usize = 16;
/// Words of the first layer.
const WORDS_MIN: usize = if cfg!(stampede_loom) { 1 } else { 64 };
/// Words of the largest layer: 8 MiB.
const WORDS_MAX: usize = 1 << 20;
/// Layers double at least, so this many lead from the smallest to the largest.
const LAYERS_MAX: usize = if cfg!(stampede_loom) { 1 } else { 15 };
const _: () = assert!(cfg!(stampede_loom) || WORDS_MIN << (LAYERS_MAX - 1) == WORDS_MAX);
const _: () = assert!(WORDS_MAX * 64 >= Units::MAX.get() as usize, "a full drop still filters");

type Layer = Box<[AtomicU64]>;

/// Who may have won; never wrong about who has not.
///
/// Winners are added to the newest layer and looked for in all. A drop that is supplied once has
/// the first layer with one other.
#[derive(Debug)]
pub(crate) struct WinnerFilter([OnceLock<Layer>; LAYERS_MAX]);

impl WinnerFilter {
    pub(crate) fn new() -> Self {
        let filter = Self(std::array::from_fn(|_| OnceLock::new()));
        filter.0[0].get_or_init(|| layer(WORDS_MIN));
        filter
    }

    /// Prepares for `winners` in all. For the steward alone.
    pub(crate) fn reserve(&self, winners: usize) {
        let words = (winners.saturating_mul(BITS_PER_WINNER) / 64).next_power_of_two();
        let words = words.min(WORDS_MAX);
        if words <= self.layers().last().map_or(0, <[AtomicU64]>::len) {
            return;
        }
        if let Some(place) = self.0.get(self.layers().count()) {
            place.get_or_init(|| layer(words));
        }
    }

    /// Adds a viewer who is about to take: before the swap, so that whoever meets the word that the
    /// take leaves behind also meets the viewer here.
    pub(crate) fn add(&self, viewer: ViewerNumber) {
        let hash = hash(viewer);
        if let Some(words) = self.layers().last() {
            // ORDERING: Relaxed; the Release swap of the stock word comes after it, pairs with the
            // Acquire load of that word before `may_know`.
            place(words, hash).fetch_or(bits(hash), Ordering::Relaxed);
        }
    }

    /// Whether the viewer may have won. The caller has loaded the stock word before.
    pub(crate) fn may_know(&self, viewer: ViewerNumber) -> bool {
        let hash = hash(viewer);
        let bits = bits(hash);
        // ORDERING: Relaxed; see `add`.
        self.layers().any(|words| place(words, hash).load(Ordering::Relaxed) & bits == bits)
    }

    fn layers(&self) -> impl Iterator<Item = &[AtomicU64]> {
        self.0.iter().map_while(|layer| layer.get().map(|words| &**words))
    }
}

fn layer(words: usize) -> Layer {
    (0..words).map(|_| AtomicU64::new(0)).collect()
}

/// The word of a hash; both bits of a viewer share it, so a look-up reads one cache line.
fn place(words: &[AtomicU64], hash: u64) -> &AtomicU64 {
    let high = usize::try_from(hash >> 32).expect("32 bits fit a usize");
    &words[high & (words.len() - 1)]
}

fn bits(hash: u64) -> u64 {
    1 << (hash & 63) | 1 << ((hash >> 6) & 63)
}

/// Spreads a viewer number over all bits; the numbers are random, so one folded product is enough.
pub(crate) fn hash(viewer: ViewerNumber) -> u64 {
    // 2^64 divided by the golden ratio, made odd: small numbers (tests use them) spread too.
    let product = u128::from(viewer.get()) * 0x9e37_79b9_7f4a_7c15;
    let bytes = product.to_le_bytes();
    let (low, high) = bytes.split_at(8);
    let half = |half: &[u8]| u64::from_le_bytes(half.try_into().expect("half of 16 bytes is 8"));
    half(low) ^ half(high)
}

#[cfg(not(stampede_loom))]
#[cfg(test)]
mod tests {
    use super::*;

    fn viewer(index: u64) -> ViewerNumber {
        // Any bijection that spreads: stands for the random draw of numbers.
        let mixed = (index ^ (index << 21)).wrapping_mul(0xd6e8_feb8_6659_fd93);
        ViewerNumber::new(mixed ^ (mixed >> 32)).unwrap()
    }

    fn strangers_let_through(filter: &WinnerFilter) -> usize {
        (1_000_000..1_100_000).filter(|index| filter.may_know(viewer(*index))).count()
    }

    #[test]
    fn no_winner_is_a_stranger_and_few_strangers_pass() {
        let filter = WinnerFilter::new();
        filter.reserve(100_000);
        (0..100_000).for_each(|index| filter.add(viewer(index)));
        assert!((0..100_000).all(|index| filter.may_know(viewer(index))));
        let passed = strangers_let_through(&filter);
        assert!(passed < 4_000, "{passed} of 100,000 strangers pass");
    }

    #[test]
    fn a_later_lot_adds_room_without_forgetting() {
        let filter = WinnerFilter::new();
        for lot in 0..10 {
            filter.reserve(10_000 * (lot + 1));
            let winners = lot as u64 * 10_000..(lot as u64 + 1) * 10_000;
            winners.for_each(|index| filter.add(viewer(index)));
        }
        assert!((0..100_000).all(|index| filter.may_know(viewer(index))));
        let passed = strangers_let_through(&filter);
        assert!(passed < 20_000, "{passed} of 100,000 strangers pass");
    }
}
