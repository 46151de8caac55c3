//! Counts of viewers' requests.

use stampede_domain::RefusalCode;
use stampede_ledger::AnswerTimes;

/// Totals of one drop since the engine started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Buys that took units.
    pub held: u64,
    /// Buys that were answered with what an earlier one had got.
    pub retries: u64,
    /// Buys refused, by the ordinal of the reason.
    pub refused: [u64; RefusalCode::ALL.len()],
    /// Answers to these buys that left; no more of them than buys.
    pub answers: AnswerTimes,
    /// Microseconds that these answers took together.
    pub answers_us: u64,
}

impl Totals {
    /// What was counted since `earlier` totals of the same drop.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let mut delta = self.clone();
        delta.held -= earlier.held;
        delta.retries -= earlier.retries;
        for (now, before) in delta.refused.iter_mut().zip(&earlier.refused) {
            *now -= before;
        }
        delta.answers = self.answers.since(&earlier.answers);
        delta.answers_us = self.answers_us.wrapping_sub(earlier.answers_us);
        delta
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Reasons that occurred, with their counts.
    pub fn refusals(&self) -> impl Iterator<Item = (RefusalCode, u64)> + '_ {
        RefusalCode::ALL.into_iter().zip(self.refused).filter(|(_, count)| *count > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn totals(held: u64, retries: u64, refusals: &[(RefusalCode, u64)]) -> Totals {
        let mut totals = Totals { held, retries, ..Totals::default() };
        for (code, count) in refusals {
            totals.refused[usize::from(code.ordinal())] = *count;
        }
        totals
    }

    #[test]
    fn what_was_counted_since_is_what_came_on_top() {
        let earlier = totals(3, 1, &[(RefusalCode::SoldOut, 4)]);
        let now = totals(10, 6, &[(RefusalCode::SoldOut, 9), (RefusalCode::Busy, 2)]);
        let since = totals(7, 5, &[(RefusalCode::SoldOut, 5), (RefusalCode::Busy, 2)]);
        assert_eq!(now.since(&earlier), since);
        assert!(now.since(&now).is_empty() && !since.is_empty());
    }

    #[test]
    fn only_reasons_that_occurred_are_told() {
        let totals = totals(0, 0, &[(RefusalCode::SoldOut, 9), (RefusalCode::Busy, 1)]);
        let told: Vec<_> = totals.refusals().collect();
        assert_eq!(told, [(RefusalCode::Busy, 1), (RefusalCode::SoldOut, 9)]);
    }
}
