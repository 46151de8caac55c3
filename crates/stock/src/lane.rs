//! One core's part of a drop: spare slots, so that a take never searches for one within its swap.

use std::sync::Arc;

use smallvec::SmallVec;
use stampede_domain::{PoolIndex, SlotIndex};

/// Never-used slots that a lane owns at a time; neighbours stay with one core.
pub(crate) const CHUNK: u32 = if cfg!(stampede_loom) { 1 } else { 8 };

/// A core's own spare slots in one drop; made by [`DropStock::lane`](crate::DropStock::lane).
///
/// One core uses it at a time. It belongs to the stock that made it, for as long as that lives.
#[derive(Debug)]
pub struct Lane {
    stock: Arc<()>,
    pools: Box<[Spares]>,
    wants_growth: bool,
}

impl Lane {
    pub(crate) fn new(stock: Arc<()>, pools: usize) -> Self {
        let pools = (0..pools).map(|_| Spares::default()).collect();
        Self { stock, pools, wants_growth: false }
    }

    /// Whether a take since the last call has left few places for further ones. A thread that may take
    /// the time then calls [`DropStock::grow_ahead`](crate::DropStock::grow_ahead).
    pub fn take_growth_wish(&mut self) -> bool {
        std::mem::take(&mut self.wants_growth)
    }

    pub(crate) fn wish_for_growth(&mut self) {
        self.wants_growth = true;
    }

    /// The spares of `pool`.
    ///
    /// # Panics
    /// If the lane was made by another stock: its slots would be written by two owners.
    pub(crate) fn spares(&mut self, stock: &Arc<()>, pool: PoolIndex) -> &mut Spares {
        assert!(Arc::ptr_eq(&self.stock, stock), "a lane takes only from the stock that made it");
        &mut self.pools[usize::from(pool.get())]
    }
}

/// Free slots of one pool that no other lane knows of.
#[derive(Debug, Default)]
pub(crate) struct Spares {
    slots: SmallVec<[u32; CHUNK as usize]>,
    wants_more: bool,
}

impl Spares {
    /// The slot that the next take will use.
    pub(crate) fn peek(&self) -> Option<SlotIndex> {
        self.slots.last().and_then(|index| SlotIndex::new(*index))
    }

    /// Gives up the slot that `peek` showed: a hold lives in it now.
    pub(crate) fn spend(&mut self) {
        self.slots.pop();
    }

    /// Adds a slot; at most `CHUNK` at a time, so this never allocates.
    pub(crate) fn put(&mut self, index: u32) {
        self.slots.push(index);
    }

    /// The table has few slots left that were never used.
    pub(crate) fn wish_for_more(&mut self) {
        self.wants_more = true;
    }

    /// Whether the table had few slots left since the last call.
    pub(crate) fn take_wish(&mut self) -> bool {
        std::mem::take(&mut self.wants_more)
    }
}
