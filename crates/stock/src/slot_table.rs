//! The slots of one pool: segments that only grow, with lock-free hand-out of free ones.
//!
//! Memory follows takes: a lot only raises the limit. The first slots are there when a pool is first
//! supplied; then whoever is told that few are left grows the table ahead of need, one segment at a
//! time, and a taker that finds none grows one itself. Nothing is freed before the whole table.

use crossbeam_utils::CachePadded;
use stampede_domain::{SlotIndex, limits::CORES_MAX};

use crate::{
    lane::{CHUNK, Spares},
    slot::{HoldSlot, SlotWord},
    sync::{AtomicU32, AtomicU64, OnceLock, Ordering},
};

/// Lanes that one drop can have: one for each core plus one for the steward.
pub(crate) const LANES_MAX: u32 = if cfg!(stampede_loom) { 4 } else { 65 };
const _: () = assert!(cfg!(stampede_loom) || LANES_MAX as usize == CORES_MAX + 1);
/// Slots beyond the supplied units, so that every lane can own its chunk while all units are out.
const SPARE_SLOTS: u32 = LANES_MAX * CHUNK;

/// Size of the first segment as a power of two; the following ones double.
const FIRST_BITS: u32 = if cfg!(stampede_loom) { 3 } else { 9 };
/// Size of all segments from `LARGE_FROM` on, as a power of two: 65,536 slots, 4 MiB.
const LARGE_BITS: u32 = 16;
/// Place of the first segment of the large size; those before it have 65,536 slots together.
const LARGE_FROM: usize = (LARGE_BITS - FIRST_BITS + 1) as usize;
const SLOTS_MAX: u32 = SlotIndex::MAX.get() + 1;
/// Segments of the large size.
const LARGE_MAX: usize = (SLOTS_MAX >> LARGE_BITS) as usize - 1;

/// Slots that a supplied pool starts with at most: 64 KiB.
const START_SLOTS: u32 = if cfg!(stampede_loom) { 8 } else { 1_024 };
/// Slots that shall be ready ahead of need at most: 4 MiB.
const AHEAD_MAX: u32 = 1 << LARGE_BITS;

/// End of the free list.
const NIL: u32 = SLOTS_MAX;
/// Bits of the free list's head that name a slot or `NIL`; the rest is the tag against reuse.
const INDEX_BITS: u32 = SlotIndex::BITS + 1;
const INDEX_MASK: u64 = (1 << INDEX_BITS) - 1;

type Segment = Box<[HoldSlot]>;

/// All slots of one pool.
#[derive(Debug)]
pub(crate) struct SlotTable {
    small: [OnceLock<Segment>; LARGE_FROM],
    /// Made with the first large segment: few pools come that far.
    large: OnceLock<Box<[OnceLock<Segment>]>>,
    /// Slots that may be handed out: those below it are allocated.
    capacity: AtomicU32,
    /// Slots that the supplied units can need; the table grows no further by itself.
    limit: AtomicU32,
    /// The lowest index that was never handed out as fresh.
    fresh: CachePadded<AtomicU32>,
    /// Treiber stack of returned slots: a tag that rises with each change, above the top's index.
    free: CachePadded<AtomicU64>,
}

impl SlotTable {
    pub(crate) fn new() -> Self {
        Self {
            small: std::array::from_fn(|_| OnceLock::new()),
            large: OnceLock::new(),
            capacity: AtomicU32::new(0),
            limit: AtomicU32::new(0),
            fresh: CachePadded::new(AtomicU32::new(0)),
            free: CachePadded::new(AtomicU64::new(u64::from(NIL))),
        }
    }

    /// Allows `units` single-unit holds to live at once beside the lanes' spare slots. Costs the
    /// same for any number of units: the first slots are allocated, the others as takes come.
    ///
    /// Within `SPARE_SLOTS` of 2^24 units the spares shrink; a take then may find no slot for a
    /// moment, which it reports as a lack of room.
    pub(crate) fn allow(&self, units: u32) {
        let limit = units.saturating_add(SPARE_SLOTS).min(SLOTS_MAX);
        // ORDERING: Relaxed; the stock word's Release comes later, so who sees the units sees the
        // limit that lets them have their slots.
        self.limit.fetch_max(limit, Ordering::Relaxed);
        self.grow_to(limit.min(START_SLOTS));
    }

    /// Allocates all slots below `slots`.
    pub(crate) fn grow_to(&self, slots: u32) {
        // ORDERING: Acquire pairs with the Release below: the segments of that capacity are there.
        let capacity = self.capacity.load(Ordering::Acquire);
        if slots <= capacity {
            return;
        }
        let ((first, _), (last, _)) = (locate(capacity), locate(slots - 1));
        for segment in first..=last {
            // Whoever comes second waits for the first, for as long as a segment takes to clear.
            self.cell(segment)
                .get_or_init(|| (0..segment_slots(segment)).map(|_| HoldSlot::default()).collect());
        }
        // ORDERING: Release pairs with the Acquire in `hand_out`: who may hand out an index finds
        // its segment.
        self.capacity.fetch_max(slots, Ordering::Release);
    }

    /// Allocates `slots` beyond those handed out, as far as the limit allows.
    pub(crate) fn grow_for(&self, slots: u32) {
        // ORDERING: Relaxed; figures to decide by.
        let fresh = self.fresh.load(Ordering::Relaxed);
        self.grow_to(fresh.saturating_add(slots).min(self.limit.load(Ordering::Relaxed)));
    }

    /// Allocates until enough slots are ready ahead of need. For a thread that may take its time.
    pub(crate) fn grow_ahead(&self) {
        loop {
            // ORDERING: Relaxed; figures to decide by, `grow_beyond` looks again.
            let capacity = self.capacity.load(Ordering::Relaxed);
            let fresh = self.fresh.load(Ordering::Relaxed);
            if !runs_low(fresh, capacity) || !self.grow_beyond(capacity) {
                return;
            }
        }
    }

    /// Allocates the next segment as far as the limit allows, unless somebody has since `capacity`
    /// was read; `false` if all slots are there.
    fn grow_beyond(&self, capacity: u32) -> bool {
        // ORDERING: Relaxed; see `allow`.
        let limit = self.limit.load(Ordering::Relaxed);
        if self.capacity.load(Ordering::Relaxed) <= capacity {
            if capacity >= limit {
                return false;
            }
            let (segment, offset) = locate(capacity);
            let left = segment_slots(segment) - offset;
            let left = u32::try_from(left).expect("a segment has at most 65,536 slots");
            self.grow_to(capacity.saturating_add(left).min(limit));
        }
        true
    }

    fn cell(&self, segment: usize) -> &OnceLock<Segment> {
        match segment.checked_sub(LARGE_FROM) {
            None => &self.small[segment],
            Some(large) => {
                let made = || (0..LARGE_MAX).map(|_| OnceLock::new()).collect();
                &self.large.get_or_init(made)[large]
            }
        }
    }

    /// The slot at `index`, if that much is allocated.
    pub(crate) fn get(&self, index: SlotIndex) -> Option<&HoldSlot> {
        let (segment, offset) = locate(index.get());
        let cell = match segment.checked_sub(LARGE_FROM) {
            None => &self.small[segment],
            Some(large) => &self.large.get()?[large],
        };
        cell.get().map(|slots| &slots[offset])
    }

    fn slot(&self, index: u32) -> &HoldSlot {
        SlotIndex::new(index)
            .and_then(|index| self.get(index))
            .expect("only allocated slots are handed out")
    }

    /// A slot that the lane owns, refilled if it had none; `None` if every slot is in use.
    ///
    /// The slot stays the lane's until [`Spares::spend`].
    pub(crate) fn own(&self, spares: &mut Spares) -> Option<SlotIndex> {
        if spares.peek().is_none() {
            self.refill(spares);
        }
        spares.peek()
    }

    #[cold]
    fn refill(&self, spares: &mut Spares) {
        if let Some(index) = self.pop() {
            spares.put(index);
            return;
        }
        loop {
            // ORDERING: Acquire pairs with the Release in `grow_to`.
            let capacity = self.capacity.load(Ordering::Acquire);
            self.hand_out(capacity, spares);
            // Nobody has grown the table in time: the taker does, still before its swap.
            if spares.peek().is_some() || !self.grow_beyond(capacity) {
                return;
            }
        }
    }

    /// Gives a lane its chunk of the slots below `capacity` that were never used, if any are left.
    fn hand_out(&self, capacity: u32, spares: &mut Spares) {
        // ORDERING: Relaxed; the counter hands out indices and nothing else.
        let mut from = self.fresh.load(Ordering::Relaxed);
        while from < capacity {
            let to = from.saturating_add(CHUNK).min(capacity);
            // ORDERING: Relaxed as above; only the atomicity counts.
            let swapped =
                self.fresh.compare_exchange_weak(from, to, Ordering::Relaxed, Ordering::Relaxed);
            match swapped {
                // Recovery puts holds anywhere; their slots come round through the free list.
                Ok(_) => {
                    for index in (from..to).rev() {
                        if self.slot(index).word() == SlotWord::NEVER {
                            spares.put(index);
                        }
                    }
                    if spares.peek().is_some() {
                        // ORDERING: Relaxed; see `allow`.
                        if runs_low(to, capacity) && capacity < self.limit.load(Ordering::Relaxed) {
                            spares.wish_for_more();
                        }
                        return;
                    }
                    from = to;
                }
                Err(actual) => from = actual,
            }
        }
    }

    /// Hands a slot back whose hold has been given.
    pub(crate) fn push(&self, index: SlotIndex) {
        let slot = self.slot(index.get());
        // ORDERING: Relaxed; the swap below fails if the head is stale.
        let mut head = self.free.load(Ordering::Relaxed);
        loop {
            slot.set_next_free(index_of(head));
            // ORDERING: Release pairs with the Acquire in `pop`: the next owner sees the slot freed
            // and linked. Relaxed on failure: the head is only compared again.
            match self.free.compare_exchange_weak(
                head,
                retagged(head, index.get()),
                Ordering::Release,
                Ordering::Relaxed,
            ) {
                Ok(_) => return,
                Err(actual) => head = actual,
            }
        }
    }

    fn pop(&self) -> Option<u32> {
        // ORDERING: Acquire pairs with the Release in `push`; all changes of the head are
        // read-modify-writes, so the pairing holds for slots further down as well.
        let mut head = self.free.load(Ordering::Acquire);
        loop {
            let index = index_of(head);
            if index == NIL {
                return None;
            }
            let next = self.slot(index).next_free();
            // ORDERING: Acquire on both outcomes as above: the caller writes into the slot that it
            // gets, or the loop reads the link of the slot that it met. Nothing to release.
            match self.free.compare_exchange_weak(
                head,
                retagged(head, next),
                Ordering::Acquire,
                Ordering::Acquire,
            ) {
                Ok(_) => return Some(index),
                Err(actual) => head = actual,
            }
        }
    }
}

/// Whether too few of `capacity` slots are left once those below `fresh` are handed out.
fn runs_low(fresh: u32, capacity: u32) -> bool {
    capacity.saturating_sub(fresh) < (capacity / 2).min(AHEAD_MAX)
}

fn index_of(head: u64) -> u32 {
    u32::try_from(head & INDEX_MASK).expect("the mask leaves 25 bits")
}

/// A head that names `index` under the next tag.
fn retagged(head: u64, index: u32) -> u64 {
    let tag = (head >> INDEX_BITS).wrapping_add(1);
    tag << INDEX_BITS | u64::from(index)
}

/// Segment with the offset in it.
fn locate(index: u32) -> (usize, usize) {
    let large = (index >> LARGE_BITS) as usize;
    let (segment, offset) = if large > 0 {
        (LARGE_FROM - 1 + large, index & ((1 << LARGE_BITS) - 1))
    } else {
        let bits = u32::BITS - (index >> FIRST_BITS).leading_zeros();
        let offset = if bits == 0 { index } else { index - (1 << (FIRST_BITS - 1 + bits)) };
        (bits as usize, offset)
    };
    (segment, offset as usize)
}

fn segment_slots(segment: usize) -> usize {
    let bits = FIRST_BITS as usize + segment.saturating_sub(1);
    1 << bits.min(LARGE_BITS as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_index_has_one_place_and_every_segment_is_full() {
        let mut expected = (0, 0);
        for index in (0..200_000).chain(SLOTS_MAX - 100..SLOTS_MAX) {
            let (segment, offset) = locate(index);
            if index == SLOTS_MAX - 100 {
                expected = (segment, offset);
            }
            assert_eq!((segment, offset), expected, "index {index}");
            assert!(segment < LARGE_FROM + LARGE_MAX);
            expected = if offset + 1 == segment_slots(segment) {
                (segment + 1, 0)
            } else {
                (segment, offset + 1)
            };
        }
        assert_eq!(expected, (LARGE_FROM + LARGE_MAX, 0), "the last slot ends the last segment");
    }

    #[cfg(not(stampede_loom))]
    #[test]
    fn a_table_follows_what_is_handed_out_as_far_as_the_limit() {
        let table = SlotTable::new();
        let ready = |table: &SlotTable| table.capacity.load(Ordering::Relaxed);
        table.allow(100_000);
        assert_eq!(ready(&table), START_SLOTS, "a lot allocates the first slots alone");
        let limit = 100_000 + SPARE_SLOTS;
        let mut spares = Spares::default();
        for handed_out in 1..=limit {
            let index = table.own(&mut spares).expect("the limit is not reached").get();
            assert!(table.get(SlotIndex::new(index).unwrap()).is_some());
            spares.spend();
            let ahead = ready(&table) - handed_out.min(ready(&table));
            assert!(ahead <= AHEAD_MAX, "{ahead} slots ahead of {handed_out}");
        }
        assert_eq!((ready(&table), table.own(&mut spares)), (limit, None));
    }

    #[cfg(not(stampede_loom))]
    #[test]
    fn a_lane_that_leaves_few_slots_asks_for_more_and_finds_them() {
        let table = SlotTable::new();
        table.allow(1 << 20);
        let mut spares = Spares::default();
        for _ in 0..300_000 {
            let before = table.capacity.load(Ordering::Relaxed);
            assert!(table.own(&mut spares).is_some());
            assert_eq!(table.capacity.load(Ordering::Relaxed), before, "no taker had to grow it");
            spares.spend();
            if spares.take_wish() {
                table.grow_ahead();
                assert!(table.capacity.load(Ordering::Relaxed) > before);
            }
        }
    }

    /// Without the tag, the slow pop would install a link that another thread's pops have undone.
    #[cfg(stampede_loom)]
    #[test]
    fn races_pop_against_two_pops_and_a_push_hand_out_each_slot_once() {
        use loom::{sync::Arc, thread};

        loom::model(|| {
            let table = Arc::new(SlotTable::new());
            table.allow(0);
            for index in [0, 1] {
                table.push(SlotIndex::new(index).unwrap());
            }
            let other = {
                let table = Arc::clone(&table);
                thread::spawn(move || {
                    let again = table.pop();
                    let kept = table.pop();
                    if let Some(index) = again {
                        table.push(SlotIndex::new(index).unwrap());
                    }
                    kept
                })
            };
            let mine = {
                let table = Arc::clone(&table);
                thread::spawn(move || table.pop())
            };
            let mine = mine.join().unwrap();
            let kept = other.join().unwrap();
            let mut owned: Vec<u32> = mine.into_iter().chain(kept).collect();
            owned.extend(std::iter::from_fn(|| table.pop()).take(3));
            owned.sort_unstable();
            assert_eq!(owned, [0, 1]);
        });
    }

    #[cfg(not(stampede_loom))]
    #[test]
    fn a_table_grows_by_whole_segments_and_only_as_far_as_lots_allow() {
        let table = SlotTable::new();
        let ready = || table.capacity.load(Ordering::Relaxed);
        table.grow_for(100);
        assert_eq!(ready(), 0, "nothing is supplied");
        table.allow(600);
        let limit = 600 + SPARE_SLOTS;
        let mut spares = Spares::default();
        let take = |spares: &mut Spares, count| {
            (0..count).for_each(|_| {
                assert!(table.own(spares).is_some());
                spares.spend();
            });
        };
        take(&mut spares, 520);
        assert!(spares.take_wish(), "504 of 1,024 are left");
        table.grow_ahead();
        assert_eq!(ready(), limit);
        take(&mut spares, 80);
        assert!(!spares.take_wish(), "there is nothing more to grow");
        table.grow_ahead();
        assert_eq!(ready(), limit);
        table.allow(5_000);
        table.grow_ahead();
        assert_eq!(ready(), 2_048, "the segment that the limit had cut is whole");
        table.grow_for(2_000);
        assert_eq!(ready(), 2_600, "600 are handed out");
        table.grow_for(9_000);
        assert_eq!(ready(), 5_000 + SPARE_SLOTS);
    }

    #[test]
    fn a_lane_asks_for_more_once_less_than_half_is_left() {
        assert!(!runs_low(512, 1_024) && runs_low(513, 1_024) && runs_low(2_000, 1_024));
        let large = 1 << 20;
        assert!(!runs_low(large - AHEAD_MAX, large) && runs_low(large - AHEAD_MAX + 1, large));
    }

    #[test]
    fn the_head_of_the_free_list_never_repeats_for_the_same_slot() {
        let mut head = u64::from(NIL);
        let mut seen = std::collections::HashSet::new();
        for _ in 0..1_000 {
            for index in [7, NIL] {
                head = retagged(head, index);
                assert_eq!(index_of(head), index);
                assert!(seen.insert(head), "a slow swap would take this head for an older one");
            }
        }
    }
}
