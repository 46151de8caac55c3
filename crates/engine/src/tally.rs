//! Counts of what viewers asked for, kept per core so that counting costs no contention.

use std::sync::atomic::{AtomicU64, Ordering};

use stampede_books::Totals;
use stampede_domain::RefusalCode;
use stampede_ledger::AnswerTimes;

/// Counts of one drop on one core; only that core adds.
#[derive(Debug)]
pub(crate) struct CoreTally {
    held: AtomicU64,
    retries: AtomicU64,
    refused: [AtomicU64; RefusalCode::ALL.len()],
    /// Answers that left, by the time that they took.
    answers: [AtomicU64; AnswerTimes::BUCKETS],
    /// Microseconds that all of them took together.
    answers_us: AtomicU64,
}

impl CoreTally {
    pub(crate) fn new() -> Self {
        Self {
            held: AtomicU64::new(0),
            retries: AtomicU64::new(0),
            refused: std::array::from_fn(|_| AtomicU64::new(0)),
            answers: std::array::from_fn(|_| AtomicU64::new(0)),
            answers_us: AtomicU64::new(0),
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

    /// Counts answers that left this many microseconds after their requests came.
    pub(crate) fn count_answers(&self, took_us: u64, times: u64) {
        add(&self.answers_us, took_us.saturating_mul(times), Ordering::Relaxed);
        // ORDERING: Release pairs with the Acquire in `add_up`: who sees an answer also sees
        // its buy counted.
        add(&self.answers[AnswerTimes::bucket_of(took_us)], times, Ordering::Release);
    }
}

/// Adds one to a counter that no other thread writes.
fn bump(counter: &AtomicU64) {
    // ORDERING: Relaxed: readers want totals, not an order.
    add(counter, 1, Ordering::Relaxed);
}

/// Adds to a counter that no other thread writes: a plain load and store spare the locked instruction
/// of a `fetch_add`.
fn add(counter: &AtomicU64, more: u64, stored: Ordering) {
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(more), stored);
}

/// Adds what one core counted.
pub(crate) fn add_up(totals: &mut Totals, core: &CoreTally) {
    for (bucket, count) in core.answers.iter().enumerate() {
        // ORDERING: Acquire pairs with the Release in `count_answers`; answers are read first.
        totals.answers.add(bucket, count.load(Ordering::Acquire));
    }
    totals.answers_us += core.answers_us.load(Ordering::Relaxed);
    totals.held += core.held.load(Ordering::Relaxed);
    totals.retries += core.retries.load(Ordering::Relaxed);
    for (sum, count) in totals.refused.iter_mut().zip(&core.refused) {
        *sum += count.load(Ordering::Relaxed);
    }
}
