//! The counts of a drop since its last tally.

use stampede_domain::RefusalCode;

use super::answer_times::AnswerTimes;

/// Counts since the previous tally of the same drop.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Takes that became holds.
    pub held: u64,
    /// Repeated requests that got their first answer again.
    pub retries: u64,
    /// Refusals by reason.
    pub refusals: RefusalCounts,
    /// Viewers connected to the stream at the moment of the tally.
    pub connected: u64,
    /// How long the answers to buys took.
    pub answers: AnswerTimes,
}

impl Tally {
    /// Buys that were decided.
    pub fn clicks(&self) -> u64 {
        self.held.saturating_add(self.retries).saturating_add(self.refusals.total())
    }
}

/// How often each reason for a refusal was given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RefusalCounts([u64; RefusalCode::ALL.len()]);

impl RefusalCounts {
    /// Counts `times` more refusals.
    pub fn add(&mut self, code: RefusalCode, times: u64) {
        let count = &mut self.0[usize::from(code.ordinal())];
        *count = count.saturating_add(times);
    }

    /// How often `code` was given.
    pub fn get(&self, code: RefusalCode) -> u64 {
        self.0[usize::from(code.ordinal())]
    }

    /// The reasons that were given at least once, in the order of their ordinals.
    pub fn iter(&self) -> impl Iterator<Item = (RefusalCode, u64)> + '_ {
        RefusalCode::ALL.into_iter().zip(self.0).filter(|(_, times)| *times > 0)
    }

    /// All refusals.
    pub fn total(&self) -> u64 {
        self.0.iter().fold(0, |sum, times| sum.saturating_add(*times))
    }
}

impl FromIterator<(RefusalCode, u64)> for RefusalCounts {
    fn from_iter<I: IntoIterator<Item = (RefusalCode, u64)>>(iter: I) -> Self {
        let mut counts = Self::default();
        iter.into_iter().for_each(|(code, times)| counts.add(code, times));
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clicks_are_all_buys_that_were_decided() {
        let mut refusals: RefusalCounts =
            [(RefusalCode::SoldOut, 1_000), (RefusalCode::Busy, 2)].into_iter().collect();
        refusals.add(RefusalCode::Busy, 5);
        let codes = [RefusalCode::Busy, RefusalCode::SoldOut, RefusalCode::Paused];
        assert_eq!(codes.map(|code| refusals.get(code)), [7, 1_000, 0]);
        assert_eq!(refusals.total(), 1_007);
        let tally = Tally { held: 12, retries: 3, refusals, ..Tally::default() };
        assert_eq!(tally.clicks(), 1_022);
        assert_eq!(Tally { held: u64::MAX, ..tally }.clicks(), u64::MAX);
    }
}
