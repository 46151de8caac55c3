//! Counters that one thread writes and anybody reads.

use std::sync::atomic::{AtomicU64, Ordering};

/// Adds one to a counter that no other thread writes.
pub(crate) fn bump(counter: &AtomicU64) {
    // ORDERING: Relaxed: readers want totals, not an order.
    add(counter, 1, Ordering::Relaxed);
}

/// Adds to a counter that no other thread writes: a plain load and store spare the locked instruction
/// of a `fetch_add`.
pub(crate) fn add(counter: &AtomicU64, more: u64, stored: Ordering) {
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(more), stored);
}
