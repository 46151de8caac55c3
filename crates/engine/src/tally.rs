//! Counts of what viewers asked for, kept per core so that counting costs no contention.

use std::sync::{
    OnceLock,
    atomic::{AtomicU64, Ordering},
};

use stampede_books::Totals;
use stampede_domain::{RefusalCode, SkuIndex, limits::SKUS_PER_DROP_MAX};
use stampede_ledger::AnswerTimes;

use crate::{
    channel_counts::{ChannelCounts, ClickChannel},
    counter::{add, bump},
};

/// Counts of one drop on one core; only that core adds.
#[derive(Debug)]
pub(crate) struct CoreTally {
    held: AtomicU64,
    retries: AtomicU64,
    refused: [AtomicU64; RefusalCode::ALL.len()],
    /// Refusals for want of units, by SKU; nobody needs memory for them as long as there is enough.
    for_want: OnceLock<Box<[AtomicU64]>>,
    channels: ChannelCounts,
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
            for_want: OnceLock::new(),
            channels: ChannelCounts::new(),
            answers: std::array::from_fn(|_| AtomicU64::new(0)),
            answers_us: AtomicU64::new(0),
        }
    }

    /// Clicks by channel.
    pub(crate) fn channels(&self) -> &ChannelCounts {
        &self.channels
    }

    pub(crate) fn count_held(&self, channel: ClickChannel) {
        bump(&self.held);
        self.channels.count(channel);
    }

    pub(crate) fn count_retry(&self, channel: ClickChannel) {
        bump(&self.retries);
        self.channels.count(channel);
    }

    pub(crate) fn count_refused(&self, code: RefusalCode, channel: ClickChannel) {
        bump(&self.refused[usize::from(code.ordinal())]);
        self.channels.count(channel);
    }

    /// Counts that a click which was counted as refused found too few units of a SKU.
    pub(crate) fn count_want(&self, sku: SkuIndex) {
        let all = || (0..SKUS_PER_DROP_MAX).map(|_| AtomicU64::new(0)).collect();
        let counter = &self.for_want.get_or_init(all)[usize::from(sku.get())];
        // ORDERING: Release pairs with the Acquire in `for_want`: who sees the want also sees the
        // refusal counted.
        add(counter, 1, Ordering::Release);
    }

    /// Refusals for want of units, for every SKU that may have any.
    pub(crate) fn for_want(&self) -> impl Iterator<Item = u64> + '_ {
        // ORDERING: Acquire pairs with the Release in `count_want`.
        self.for_want.get().into_iter().flatten().map(|count| count.load(Ordering::Acquire))
    }

    /// Counts answers that left this many microseconds after their requests came.
    pub(crate) fn count_answers(&self, took_us: u64, times: u64) {
        add(&self.answers_us, took_us.saturating_mul(times), Ordering::Relaxed);
        // ORDERING: Release pairs with the Acquire in `add_up`: who sees an answer also sees
        // its buy counted.
        add(&self.answers[AnswerTimes::bucket_of(took_us)], times, Ordering::Release);
    }
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
