//! One hold slot: its state word next to the body that the word vouches for.

use stampede_domain::{Incarnation, PoolIndex, TakeNumber, Units, UnixMillis, ViewerNumber};

use crate::{
    hold::HoldBody,
    sync::{AtomicU32, AtomicU64, Ordering, fence},
};

/// Where a slot's hold stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum SlotState {
    /// Holds nothing. With take number 0 the slot was never used.
    Free = 0,
    /// Taken in memory, not yet durable.
    Pending = 1,
    /// Durable; the only state that a hold can end from.
    Held = 2,
    /// An order. Final: the slot is never used again.
    Confirmed = 3,
    /// Ended by decision; the units are still out until the record is durable.
    Ended = 4,
}

const STATE_BITS: u32 = 3;
const _: () = assert!(TakeNumber::BITS + STATE_BITS <= u64::BITS, "both fit one word");

/// Generation with state. The generation is the hold's take number, which never repeats in a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SlotWord(u64);

impl SlotWord {
    /// A slot that no hold has used since the process started.
    pub(crate) const NEVER: Self = Self(0);

    pub(crate) const fn new(take: TakeNumber, state: SlotState) -> Self {
        Self(take.get() << STATE_BITS | state as u64)
    }

    pub(crate) fn take(self) -> TakeNumber {
        TakeNumber::new(self.0 >> STATE_BITS).expect("the word was built from a take number")
    }

    pub(crate) fn state(self) -> SlotState {
        match self.0 & ((1 << STATE_BITS) - 1) {
            0 => SlotState::Free,
            1 => SlotState::Pending,
            2 => SlotState::Held,
            3 => SlotState::Confirmed,
            4 => SlotState::Ended,
            other => unreachable!("slot state {other} is never stored"),
        }
    }
}

/// A hold's place, one cache line each, so that two cores never write the same line.
///
/// Readers follow the seqlock rule: load the word, load the body, load the word again; the body
/// counts only if both loads name the same live generation.
#[derive(Debug, Default)]
#[repr(align(64))]
pub(crate) struct HoldSlot {
    word: AtomicU64,
    viewer: AtomicU64,
    /// Incarnation above the units.
    claim: AtomicU64,
    taken_at: AtomicU64,
    deadline: AtomicU64,
    /// Successor in the free list; meaningful only while the slot is in it.
    next: AtomicU32,
}

#[cfg(not(stampede_loom))]
const _: () = assert!(size_of::<HoldSlot>() == 64, "a slot is one cache line");
const _: () = assert!(Incarnation::BITS + Units::BITS <= u64::BITS, "both fit one word");

impl HoldSlot {
    /// The word as it stands.
    pub(crate) fn word(&self) -> SlotWord {
        // ORDERING: Acquire pairs with the Release in `publish` and in `advance`: who acts on a
        // state sees what led to it.
        SlotWord(self.word.load(Ordering::Acquire))
    }

    /// Writes a body, then publishes it under `word`. The caller owns the free slot.
    pub(crate) fn publish(&self, word: SlotWord, incarnation: Incarnation, body: &HoldBody) {
        // ORDERING: the Release fence pairs with the Acquire fence in `read`: a reader that meets
        // any of the stores below finds the word changed away from the generation it began with.
        fence(Ordering::Release);
        // ORDERING: Relaxed body stores; the word's Release store after them publishes them.
        self.viewer.store(body.viewer.get(), Ordering::Relaxed);
        let claim = u64::from(incarnation.get()) << Units::BITS | u64::from(body.units.get());
        self.claim.store(claim, Ordering::Relaxed);
        self.taken_at.store(body.taken_at.get(), Ordering::Relaxed);
        self.deadline.store(body.deadline.get(), Ordering::Relaxed);
        // ORDERING: Release publishes the body; pairs with the first load in `read`.
        self.word.store(word.0, Ordering::Release);
    }

    /// The state and body of the hold that `take` and `incarnation` name, or `None` if the slot
    /// holds another or none.
    pub(crate) fn read(
        &self,
        pool: PoolIndex,
        take: TakeNumber,
        incarnation: Incarnation,
    ) -> Option<(SlotState, HoldBody)> {
        let lives = |word: SlotWord| word.take() == take && word.state() != SlotState::Free;
        if !lives(self.word()) {
            return None;
        }
        // ORDERING: Relaxed body loads; `self.word()` above is Acquire, so they see at least the
        // body of this generation, and the fence below catches a later one.
        let viewer = self.viewer.load(Ordering::Relaxed);
        let claim = self.claim.load(Ordering::Relaxed);
        let taken_at = self.taken_at.load(Ordering::Relaxed);
        let deadline = self.deadline.load(Ordering::Relaxed);
        // ORDERING: the Acquire fence pairs with the Release fence in `publish`: if a load above
        // met a later body, the load below meets the word that came before that body.
        fence(Ordering::Acquire);
        let word = SlotWord(self.word.load(Ordering::Relaxed));
        if !lives(word) || claim >> Units::BITS != u64::from(incarnation.get()) {
            return None;
        }
        let units = u32::try_from(claim & u64::from(Units::MAX.get()))
            .ok()
            .and_then(Units::new)
            .expect("the mask leaves 24 bits");
        let body = HoldBody {
            viewer: ViewerNumber::new(viewer).expect("a viewer number uses all 64 bits"),
            pool,
            units,
            taken_at: UnixMillis::new(taken_at),
            deadline: UnixMillis::new(deadline),
        };
        Some((word.state(), body))
    }

    /// Moves generation `take` from one state to another; on failure tells what stands instead.
    pub(crate) fn advance(
        &self,
        take: TakeNumber,
        from: SlotState,
        to: SlotState,
    ) -> Result<(), SlotWord> {
        // ORDERING: Release pairs with the Acquire in `word`: who sees the new state sees what its
        // maker did before. Acquire on both outcomes, because the caller acts on the state it met.
        self.word
            .compare_exchange(
                SlotWord::new(take, from).0,
                SlotWord::new(take, to).0,
                Ordering::AcqRel,
                Ordering::Acquire,
            )
            .map(drop)
            .map_err(SlotWord)
    }

    pub(crate) fn next_free(&self) -> u32 {
        // ORDERING: Relaxed; the caller's Acquire load of the list's head came first, and a stale
        // value makes its tagged compare-and-swap fail.
        self.next.load(Ordering::Relaxed)
    }

    pub(crate) fn set_next_free(&self, next: u32) {
        // ORDERING: Relaxed; the Release swap of the list's head publishes it.
        self.next.store(next, Ordering::Relaxed);
    }
}
