//! The last minute of a drop, second by second.

use std::{collections::VecDeque, sync::Arc};

use parking_lot::Mutex;
use stampede_books::Totals;
use stampede_domain::{DurationMs, RefusalCode, UnixMillis};

use crate::clock::Moment;

/// Seconds that are kept of a drop. When full: the oldest is forgotten.
pub const SECONDS_KEPT: usize = 60;
/// How long a second is kept for readers, in milliseconds.
const KEPT_MS: u64 = 60_000;

/// What viewers asked for within about a second, which ended at `at`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Second {
    /// Counts the seconds of the drop in which anything happened, from 1.
    pub number: u64,
    /// When it was over.
    pub at: Moment,
    /// Buys decided.
    pub clicks: u64,
    /// Buys that took units.
    pub takes: u64,
    /// Buys refused, by the reasons that occurred.
    pub refused: Box<[(RefusalCode, u64)]>,
    /// Microseconds within which 99 of 100 answers left, to a third of the value; `None` if none left.
    pub answer_us_p99: Option<u64>,
}

/// The seconds in which anything happened, oldest first. The steward adds, anybody reads; a drop in
/// which nothing happens needs no memory for it.
#[derive(Debug, Default)]
pub(crate) struct Recent(Mutex<Seconds>);

#[derive(Debug, Default)]
struct Seconds {
    latest: u64,
    kept: VecDeque<Arc<Second>>,
}

impl Recent {
    /// Adds what was counted since the second before.
    pub(crate) fn add(&self, counted: &Totals, at: Moment) {
        let refused: Box<[_]> = counted.refusals().collect();
        let refusals: u64 = refused.iter().map(|(_, times)| times).sum();
        let mut seconds = self.0.lock();
        seconds.latest += 1;
        let second = Second {
            number: seconds.latest,
            at,
            clicks: counted.held + counted.retries + refusals,
            takes: counted.held,
            refused,
            answer_us_p99: counted.answers.quantile_us(990),
        };
        if seconds.kept.len() >= SECONDS_KEPT {
            seconds.kept.pop_front();
        }
        seconds.kept.push_back(Arc::new(second));
    }

    /// The seconds behind the one with this number that are not over for more than a minute.
    pub(crate) fn after(&self, number: u64, now: UnixMillis) -> Vec<Arc<Second>> {
        let seconds = self.0.lock();
        if seconds.latest <= number {
            return Vec::new();
        }
        let fresh = |second: &&Arc<Second>| {
            second.number > number && now.since(second.at.sale) < DurationMs::new(KEPT_MS)
        };
        seconds.kept.iter().filter(fresh).map(Arc::clone).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Moment {
        Moment { sale: UnixMillis::new(millis), wall: UnixMillis::new(millis) }
    }

    fn counted(held: u64) -> Totals {
        Totals { held, ..Totals::default() }
    }

    #[test]
    fn a_minute_is_kept_and_no_more() {
        let recent = Recent::default();
        assert_eq!(recent.0.lock().kept.capacity(), 0, "nothing happened: no memory");
        for second in 1..=100 {
            recent.add(&counted(second), at(second * 1_000));
        }
        let takes = |number, now| -> Vec<u64> {
            recent.after(number, UnixMillis::new(now)).iter().map(|second| second.takes).collect()
        };
        assert_eq!(takes(0, 100_000), (41..=100).collect::<Vec<_>>());
        assert_eq!(takes(98, 100_000), [99, 100]);
        assert_eq!(takes(100, 100_000), [0; 0]);
        assert_eq!(takes(0, 158_000), [99, 100], "after a pause the old ones are not shown");
    }

    #[test]
    fn a_second_says_what_was_counted() {
        let recent = Recent::default();
        let mut totals = Totals { held: 2, retries: 1, ..Totals::default() };
        totals.refused[usize::from(RefusalCode::SoldOut.ordinal())] = 7;
        recent.add(&totals, at(5_000));
        let found = recent.after(0, UnixMillis::new(5_000));
        assert_eq!((found[0].clicks, found[0].takes), (10, 2));
        assert_eq!(*found[0].refused, [(RefusalCode::SoldOut, 7)]);
        assert_eq!(found[0].answer_us_p99, None, "no answer left");
    }
}
