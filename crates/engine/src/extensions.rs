//! Time that staff have given every live hold of a drop.

use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use stampede_domain::{DurationMs, UnixMillis};

/// The extensions of one drop in this run, oldest first. As with suspensions, a hold's slot keeps the deadline of
/// its take, so that one entry moves every hold, those on their way to the ledger among them.
#[derive(Debug, Default)]
pub(crate) struct Extensions {
    all: Mutex<Decided>,
    /// Whether there was ever one: most drops have none, and each answer about a hold asks.
    any: AtomicBool,
}

#[derive(Debug, Default)]
struct Decided {
    /// Bounded by the commands of the drop.
    extensions: Vec<Extension>,
    /// How many of them are durable: viewers may see those.
    shown: usize,
}

#[derive(Clone, Copy, Debug)]
struct Extension {
    /// Holds taken from here on have their time as it was.
    until: UnixMillis,
    /// By how much this one and all before it have moved deadlines.
    sum: DurationMs,
}

impl Decided {
    /// All of the first so many.
    fn sum(&self, count: usize) -> u64 {
        count.checked_sub(1).map_or(0, |last| self.extensions[last].sum.get())
    }
}

/// By how much the deadline of a hold has moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Moved {
    /// As decided.
    pub(crate) decided: DurationMs,
    /// By how much of that viewers may not know yet.
    pub(crate) hidden: DurationMs,
}

impl Extensions {
    /// Steward only: holds taken before `until`, which is no earlier than any before, stay for longer.
    pub(crate) fn add(&self, span: DurationMs, until: UnixMillis) {
        let mut all = self.all.lock();
        let sum = DurationMs::new(all.sum(all.extensions.len()).saturating_add(span.get()));
        all.extensions.push(Extension { until, sum });
        // ORDERING: Relaxed: a reader that misses it sees the deadline as it was, as one that comes earlier.
        self.any.store(true, Ordering::Relaxed);
    }

    /// Steward only: the earliest one that does not show is durable.
    pub(crate) fn show_next(&self) {
        let mut all = self.all.lock();
        all.shown = all.extensions.len().min(all.shown + 1);
    }

    /// By how much the deadline of a hold has moved that was taken at this time.
    pub(crate) fn moved(&self, taken_at: UnixMillis) -> Moved {
        if !self.any.load(Ordering::Relaxed) {
            return Moved::default();
        }
        let all = self.all.lock();
        let count = all.extensions.len();
        let before = all.extensions.partition_point(|one| one.until <= taken_at);
        let since = |place: usize| DurationMs::new(all.sum(count) - all.sum(place));
        Moved { decided: since(before), hidden: since(before.max(all.shown)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moved(extensions: &Extensions, taken_at: u64) -> (u64, u64) {
        let Moved { decided, hidden } = extensions.moved(UnixMillis::new(taken_at));
        (decided.get(), hidden.get())
    }

    #[test]
    fn a_hold_has_what_came_after_its_take() {
        let extensions = Extensions::default();
        assert_eq!(moved(&extensions, 5), (0, 0));
        for (span, until) in [(7, 100), (5, 200), (3, 200)] {
            extensions.add(DurationMs::new(span), UnixMillis::new(until));
        }
        let found = [99, 100, 199, 200].map(|taken_at| moved(&extensions, taken_at));
        assert_eq!(found, [(15, 15), (8, 8), (8, 8), (0, 0)]);
    }

    #[test]
    fn viewers_see_an_extension_once_it_is_durable() {
        let extensions = Extensions::default();
        for (span, until) in [(7, 100), (5, 200)] {
            extensions.add(DurationMs::new(span), UnixMillis::new(until));
        }
        extensions.show_next();
        assert_eq!([99, 100].map(|taken_at| moved(&extensions, taken_at)), [(12, 5), (5, 5)]);
        extensions.show_next();
        assert_eq!(moved(&extensions, 99), (12, 0));
        extensions.show_next();
        assert_eq!(moved(&extensions, 99), (12, 0), "nothing more is on its way");
    }
}
