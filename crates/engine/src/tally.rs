//! Counts of what viewers asked for, kept per core so that counting costs no contention.

use std::sync::atomic::{AtomicU64, Ordering};

use stampede_domain::RefusalCode;

/// Counts of one drop on one core; only that core adds.
#[derive(Debug)]
pub(crate) struct CoreTally {
    held: AtomicU64,
    retries: AtomicU64,
    refused: [AtomicU64; RefusalCode::ALL.len()],
}

/// Totals of one drop since the engine started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Buys that took units.
    pub held: u64,
    /// Buys that were answered with what an earlier one had got.
    pub retries: u64,
    /// Buys refused, by the ordinal of the reason.
    pub refused: [u64; RefusalCode::ALL.len()],
}

impl CoreTally {
    pub(crate) fn new() -> Self {
        Self {
            held: AtomicU64::new(0),
            retries: AtomicU64::new(0),
            refused: std::array::from_fn(|_| AtomicU64::new(0)),
        }
    }

    pub(crate) fn count_held(&self) {
        bump(&self.held);
    }

    pub(crate) fn count_retry(&self) {
        bump(&self.retries);
    }

    pub(crate) fn count_refused(&self, code: RefusalCode) {
        bump(&self.refused[usize::from(code.ordinal())]);
    }
}

/// Adds one to a counter that no other thread writes.
fn bump(counter: &AtomicU64) {
    // ORDERING: Relaxed: one writer, and readers want totals, not an order. A plain load and store
    // spare the locked instruction of a fetch_add.
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
}

impl Totals {
    /// Adds what one core counted.
    pub(crate) fn add(&mut self, core: &CoreTally) {
        self.held += core.held.load(Ordering::Relaxed);
        self.retries += core.retries.load(Ordering::Relaxed);
        for (sum, count) in self.refused.iter_mut().zip(&core.refused) {
            *sum += count.load(Ordering::Relaxed);
        }
    }

    /// What was counted since `earlier` totals of the same drop.
    pub(crate) fn since(&self, earlier: &Self) -> Self {
        let mut delta = self.clone();
        delta.held -= earlier.held;
        delta.retries -= earlier.retries;
        for (now, before) in delta.refused.iter_mut().zip(&earlier.refused) {
            *now -= before;
        }
        delta
    }

    /// Reasons that occurred, with their counts.
    pub fn refusals(&self) -> impl Iterator<Item = (RefusalCode, u64)> + '_ {
        RefusalCode::ALL.into_iter().zip(self.refused).filter(|(_, count)| *count > 0)
    }
}
