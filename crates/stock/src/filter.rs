//! A lock-free filter that knows nearly every stranger without touching the winners' map.
//!
//! Once the stock is gone, nearly everyone who clicks is a stranger. The map would answer, but its
//! look-up writes to a shard's lock twice, so refusals on many cores would pass cache lines
//! around and each would wait for the one before. Here a look-up only reads.

use stampede_domain::{Units, ViewerNumber};

use crate::sync::{AtomicU32, AtomicU64, OnceLock, Ordering};

/// Bits for each expected winner; with two bits set by each, 2 % of strangers are taken for winners.
const BITS_PER_WINNER: usize = 16;
/// Words of the first layer: 512 bytes, for 256 winners.
const WORDS_MIN: usize = if cfg!(stampede_loom) { 1 } else { 64 };
/// Words of the largest layer: 8 MiB.
const WORDS_MAX: usize = 1 << 20;
/// How much larger the next layer is at least.
const GROWTH: usize = 4;
/// Layers from the smallest to the largest, each as little larger as may be.
const LAYERS_MAX: usize = if cfg!(stampede_loom) { 2 } else { 8 };
const _: () = assert!(cfg!(stampede_loom) || WORDS_MIN << (2 * (LAYERS_MAX - 1)) == WORDS_MAX);
const _: () = assert!(GROWTH == 1 << 2);
const _: () = assert!(WORDS_MAX * 64 >= Units::MAX.get() as usize, "a full drop still filters");

type Layer = Box<[AtomicU64]>;

/// Who may have won; never wrong about who has not.
///
/// It grows with its winners: a larger layer comes into use, learns of every winner, and replaces
/// those before it, which stay where they are for readers that still look at them. Winners are
/// added to the newest layer and looked for from the first that knows all on: nearly always one.
#[derive(Debug)]
pub(crate) struct WinnerFilter {
    layers: [OnceLock<Layer>; LAYERS_MAX],
    /// Place of the newest layer that knows every winner of the layers before it.
    first: AtomicU32,
}

impl WinnerFilter {
    pub(crate) fn new() -> Self {
        let layers = std::array::from_fn(|_| OnceLock::new());
        let filter = Self { layers, first: AtomicU32::new(0) };
        filter.layers[0].get_or_init(|| layer(WORDS_MIN));
        filter
    }

    /// Prepares for `winners` in all. `each` shows every winner, under the lock that is held while
    /// that winner is added here and noted there.
    ///
    /// A winner is added before the lock on its note is left. If that lock was left before `each`
    /// takes it, the note is there and is shown. If it is taken after, the winner's core sees
    /// everything that was done before `each` held it, the new layer too, and adds to that.
    pub(crate) fn grow(&self, winners: usize, each: impl FnOnce(&mut dyn FnMut(ViewerNumber))) {
        let needed = winners.saturating_mul(BITS_PER_WINNER) / 64;
        let Some((newest, has)) = self.newest() else { return };
        if needed <= has.len() || has.len() >= WORDS_MAX || newest + 1 >= LAYERS_MAX {
            return;
        }
        let words = needed.next_power_of_two().max(has.len() * GROWTH).min(WORDS_MAX);
        let next = self.layers[newest + 1].get_or_init(|| layer(words));
        each(&mut |viewer| set(next, hash(viewer)));
        let first = u32::try_from(newest + 1).expect("there are few layers");
        // ORDERING: Release pairs with the Acquire in `layers_in_use`: who skips the old layers finds
        // all their winners in the new one.
        self.first.fetch_max(first, Ordering::Release);
    }

    /// Adds a viewer who is about to take: before the swap, so that a reader of the word that the
    /// take leaves behind also meets the viewer here. The caller holds the lock on the viewer's note.
    pub(crate) fn add(&self, viewer: ViewerNumber) {
        if let Some((_, words)) = self.newest() {
            set(words, hash(viewer));
        }
    }

    /// Whether the viewer may have won. The caller has loaded the stock word before.
    pub(crate) fn may_know(&self, viewer: ViewerNumber) -> bool {
        let hash = hash(viewer);
        let bits = bits(hash);
        // ORDERING: Relaxed; see `set`.
        self.layers_in_use()
            .any(|(_, words)| place(words, hash).load(Ordering::Relaxed) & bits == bits)
    }

    fn newest(&self) -> Option<(usize, &[AtomicU64])> {
        self.layers_in_use().last()
    }

    /// The layers that are not replaced, with their places.
    fn layers_in_use(&self) -> impl Iterator<Item = (usize, &[AtomicU64])> {
        // ORDERING: Acquire pairs with the Release in `grow`.
        let first = self.first.load(Ordering::Acquire) as usize;
        let layers = self.layers.iter().enumerate().skip(first);
        layers.map_while(|(at, layer)| layer.get().map(|words| (at, &**words)))
    }
}

fn set(words: &[AtomicU64], hash: u64) {
    // ORDERING: Relaxed; a taker's Release swap of the stock word comes after it, pairs with the
    // Acquire load of that word before `may_know`. What a growth adds, it publishes by `first`.
    place(words, hash).fetch_or(bits(hash), Ordering::Relaxed);
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
        filter.grow(100_000, |_| {});
        (0..100_000).for_each(|index| filter.add(viewer(index)));
        assert!((0..100_000).all(|index| filter.may_know(viewer(index))));
        let passed = strangers_let_through(&filter);
        assert!(passed < 4_000, "{passed} of 100,000 strangers pass");
    }

    #[test]
    fn growing_with_its_winners_forgets_none_and_looks_at_one_layer() {
        let filter = WinnerFilter::new();
        for index in 0..100_000_u64 {
            if index.is_multiple_of(100) {
                let so_far = usize::try_from(index).unwrap();
                filter.grow(so_far + 100, |add| (0..index).map(viewer).for_each(add));
            }
            filter.add(viewer(index));
        }
        assert!((0..100_000).all(|index| filter.may_know(viewer(index))));
        assert_eq!(filter.layers_in_use().count(), 1);
        let passed = strangers_let_through(&filter);
        assert!(passed < 4_000, "{passed} of 100,000 strangers pass");
    }

    #[test]
    fn a_filter_grows_to_the_largest_drop_and_no_further() {
        let filter = WinnerFilter::new();
        for bits in 0..=40 {
            filter.grow(1 << bits, |_| {});
        }
        assert_eq!(filter.newest().map(|(_, words)| words.len()), Some(WORDS_MAX));
    }

    #[test]
    fn nobody_passes_a_filter_that_knows_nobody() {
        assert_eq!(strangers_let_through(&WinnerFilter::new()), 0);
    }

    #[test]
    fn numbers_that_follow_each_other_spread_too() {
        let (filter, plain) = (WinnerFilter::new(), |number| ViewerNumber::new(number).unwrap());
        filter.grow(10_000, |_| {});
        (0..10_000).for_each(|number| filter.add(plain(number)));
        let passed =
            (1_000_000..1_100_000).filter(|number| filter.may_know(plain(*number))).count();
        assert!(passed < 4_000, "{passed} of 100,000 strangers pass");
    }
}
