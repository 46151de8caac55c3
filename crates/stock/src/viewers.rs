//! The takes of each winner: keys for retries, quantities for limits.

use smallvec::SmallVec;
use stampede_domain::{
    DropId, HoldId, Incarnation, KeyFingerprint, PoolIndex, SlotIndex, TakeNumber, Units,
    ViewerNumber,
};

use crate::filter::WinnerFilter;

#[cfg(stampede_loom)]
#[path = "viewers_loom.rs"]
mod map;
#[cfg(not(stampede_loom))]
#[path = "viewers_map.rs"]
mod map;

/// The notes of all winners, behind a filter that answers for most strangers.
#[derive(Debug)]
pub(crate) struct Viewers {
    filter: WinnerFilter,
    map: map::Map,
}

impl Viewers {
    pub(crate) fn new() -> Self {
        Self { filter: WinnerFilter::new(), map: map::Map::new() }
    }

    /// Makes places for `winners` in all, so that takes need not make them. For any thread.
    pub(crate) fn grow_for(&self, winners: usize) {
        self.map.reserve(winners);
        self.filter.grow(winners, |add| self.map.each_viewer(add));
    }

    /// Looks at a viewer's notes after a load of the stock word; strangers have none.
    pub(crate) fn read_after_load<R>(
        &self,
        viewer: ViewerNumber,
        look: impl FnOnce(&[HoldNote]) -> R,
    ) -> R {
        if self.filter.may_know(viewer) { self.map.read(viewer, look) } else { look(&[]) }
    }

    /// Looks at a viewer's notes; strangers have none.
    pub(crate) fn read<R>(&self, viewer: ViewerNumber, look: impl FnOnce(&[HoldNote]) -> R) -> R {
        self.map.read(viewer, look)
    }

    /// Adds the note that `commit` makes, if `admit` agrees; nobody else sees or changes the
    /// viewer's notes in between. The place is made before `commit`, which is the last fallible
    /// step. The filter learns of the viewer under the map's lock, which its growth counts on.
    pub(crate) fn book<E>(
        &self,
        viewer: ViewerNumber,
        admit: impl FnOnce(&[HoldNote]) -> Result<(), E>,
        commit: impl FnOnce() -> Result<HoldNote, E>,
    ) -> Result<(), E> {
        self.map.book(viewer, admit, || {
            self.filter.add(viewer);
            commit()
        })
    }

    /// Adds a note read back from the journal.
    pub(crate) fn restore(&self, viewer: ViewerNumber, note: HoldNote) {
        self.filter.add(viewer);
        self.map.restore(viewer, note);
    }

    /// Lets `change` work on a winner's notes.
    pub(crate) fn amend(&self, viewer: ViewerNumber, change: impl FnOnce(&mut [HoldNote])) {
        self.map.amend(viewer, change);
    }

    /// Returns once every booking that was under way is over.
    pub(crate) fn wait_for_bookings(&self) {
        self.map.wait_for_bookings();
    }

    /// Whether the filter takes the viewer for a winner.
    #[cfg(all(test, not(stampede_loom)))]
    pub(crate) fn filter_knows(&self, viewer: ViewerNumber) -> bool {
        self.filter.may_know(viewer)
    }
}

/// The notes of one viewer: nearly always a single one, which needs no allocation.
pub(crate) type Notes = SmallVec<[HoldNote; 1]>;

/// What is kept of a hold for as long as the drop lives; 32 bytes.
///
/// The id is kept without its drop, which is the same for all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HoldNote {
    key: [u64; 2],
    /// Take number (38 bits) above the incarnation (26 bits).
    take: u64,
    /// Slot (24 bits), pool (8), units (24), and the lowest bit of the rest: counts for limits.
    claim: u64,
}

const COUNTS: u64 = 1;
const UNITS_SHIFT: u32 = 8;
const POOL_SHIFT: u32 = UNITS_SHIFT + Units::BITS;
const SLOT_SHIFT: u32 = POOL_SHIFT + PoolIndex::BITS;
const _: () = assert!(SLOT_SHIFT + SlotIndex::BITS == u64::BITS, "the claim fills its word");
const _: () = assert!(TakeNumber::BITS + Incarnation::BITS == u64::BITS, "so does the take");
const _: () = assert!(size_of::<Notes>() == 40, "a million winners stay affordable");

impl HoldNote {
    /// A note that counts for its viewer's limits.
    pub(crate) fn new(hold: HoldId, key: KeyFingerprint, units: Units) -> Self {
        Self {
            key: halves(key),
            take: take_word(hold),
            claim: u64::from(hold.slot().get()) << SLOT_SHIFT
                | u64::from(hold.pool().get()) << POOL_SHIFT
                | u64::from(units.get()) << UNITS_SHIFT
                | COUNTS,
        }
    }

    pub(crate) fn has_key(&self, key: KeyFingerprint) -> bool {
        self.key == halves(key)
    }

    /// Whether it is the note of `hold`, given that the drop is the same.
    pub(crate) fn is_of(&self, hold: HoldId) -> bool {
        self.take == take_word(hold) && self.pool() == hold.pool()
    }

    /// Whether its units are still out: held, ordered, or ended without a durable record.
    pub(crate) const fn counts(&self) -> bool {
        self.claim & COUNTS != 0
    }

    /// The units are back, so the viewer may take others.
    pub(crate) fn stop_counting(&mut self) {
        self.claim &= !COUNTS;
    }

    pub(crate) fn units(&self) -> Units {
        Units::new(self.field(UNITS_SHIFT, Units::BITS)).expect("the field has the type's width")
    }

    pub(crate) fn pool(&self) -> PoolIndex {
        u8::try_from(self.field(POOL_SHIFT, PoolIndex::BITS))
            .ok()
            .and_then(PoolIndex::new)
            .expect("the field has the type's width")
    }

    pub(crate) fn hold(&self, drop: DropId) -> HoldId {
        let incarnation = u32::try_from(self.take & u64::from(Incarnation::MAX.get()))
            .ok()
            .and_then(Incarnation::new)
            .expect("the mask leaves the type's width");
        let slot = SlotIndex::new(self.field(SLOT_SHIFT, SlotIndex::BITS))
            .expect("the field has the type's width");
        let take = TakeNumber::new(self.take >> Incarnation::BITS)
            .expect("the shift leaves the type's width");
        HoldId::new(drop, incarnation, self.pool(), slot, take)
    }

    fn field(&self, shift: u32, bits: u32) -> u32 {
        u32::try_from((self.claim >> shift) & ((1 << bits) - 1)).expect("a field fits 32 bits")
    }
}

fn take_word(hold: HoldId) -> u64 {
    hold.take().get() << Incarnation::BITS | u64::from(hold.incarnation().get())
}

fn halves(key: KeyFingerprint) -> [u64; 2] {
    let bits = key.bits().to_be_bytes();
    let (high, low) = bits.split_at(8);
    [high, low].map(|half| u64::from_be_bytes(half.try_into().expect("half of 16 bytes is 8")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_note_keeps_its_hold(
            drop: u32,
            incarnation in 0..=Incarnation::MAX.get(),
            pool: u8,
            slot in 0..=SlotIndex::MAX.get(),
            take in 0..=TakeNumber::MAX.get(),
            key: u128,
            units in 0..=Units::MAX.get(),
        ) {
            let drop = DropId::new(drop);
            let units = Units::new(units).unwrap();
            let hold = HoldId::new(
                drop,
                Incarnation::new(incarnation).unwrap(),
                PoolIndex::new(pool).unwrap(),
                SlotIndex::new(slot).unwrap(),
                TakeNumber::new(take).unwrap(),
            );
            let key = KeyFingerprint::from_bits(key);
            let mut note = HoldNote::new(hold, key, units);
            for counts in [true, false] {
                prop_assert_eq!(note.counts(), counts);
                prop_assert_eq!((note.hold(drop), note.units()), (hold, units));
                prop_assert_eq!(note.pool(), hold.pool());
                prop_assert!(note.is_of(hold));
                prop_assert!(note.has_key(key));
                prop_assert!(!note.has_key(KeyFingerprint::from_bits(key.bits() ^ (1 << 64))));
                note.stop_counting();
            }
        }
    }

    #[cfg(not(stampede_loom))]
    fn hold(take: u64) -> HoldId {
        HoldId::new(
            DropId::new(1),
            Incarnation::default(),
            PoolIndex::default(),
            SlotIndex::default(),
            TakeNumber::new(take).unwrap(),
        )
    }

    #[cfg(not(stampede_loom))]
    #[test]
    fn a_filter_that_grows_with_its_winners_knows_them_all_and_few_others() {
        let viewer = |number: u64| ViewerNumber::new(number << 7).unwrap();
        let viewers = Viewers::new();
        for number in 1..=5_000 {
            let note = HoldNote::new(hold(number), KeyFingerprint::from_bits(1), Units::ONE);
            viewers.restore(viewer(number), note);
        }
        let passing = || (10_000..20_000).filter(|n| viewers.filter_knows(viewer(*n))).count();
        assert!(passing() > 9_000, "256 winners were expected, so 5,000 fill it");
        viewers.grow_for(5_000);
        assert!(passing() < 400, "{} of 10,000 strangers pass", passing());
        for number in 1..=5_000 {
            let known = viewers.read_after_load(viewer(number), <[HoldNote]>::len);
            assert_eq!(known, 1, "viewer {number}");
        }
    }
}
