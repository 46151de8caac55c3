//! The counts of a drop since its last tally.

use stampede_domain::{ChannelId, RefusalCode, SkuIndex};

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
    /// What the clicks wanted and who brought them; `None` if an older program wrote the tally, which did not say.
    pub sources: Option<TallySources>,
}

impl Tally {
    /// Buys that were decided.
    pub fn clicks(&self) -> u64 {
        self.held.saturating_add(self.retries).saturating_add(self.refusals.total())
    }
}

/// The clicks of a tally by SKU and by channel; both are empty if nobody went without and no ticket named a channel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TallySources {
    /// Clicks refused for want of units, by the SKU asked for: ascending, only those with a click.
    pub skus: Vec<(SkuIndex, u64)>,
    /// Clicks by the channel of the ticket.
    pub channels: ChannelClicks,
}

/// Clicks by the channel of the ticket. Those of tickets without a channel are in neither field: they are what is
/// missing to [`Tally::clicks`].
///
/// A click is counted for its channel right after it is counted at all, so that this may stand in the next tally: over
/// the tallies of a drop so far there are never more clicks of channels than clicks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChannelClicks {
    /// Channels with a click, ascending: at most [`CHANNELS_PER_TALLY_MAX`], those with the most.
    ///
    /// [`CHANNELS_PER_TALLY_MAX`]: stampede_domain::limits::CHANNELS_PER_TALLY_MAX
    pub named: Vec<(ChannelId, u64)>,
    /// Clicks of all other channels together.
    pub other: u64,
}

impl ChannelClicks {
    /// Clicks of all channels.
    pub fn total(&self) -> u64 {
        self.named.iter().fold(self.other, |sum, (_, clicks)| sum.saturating_add(*clicks))
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

    /// Refusals for want of units: the SKU had none left, or too few.
    pub fn for_want(&self) -> u64 {
        let for_want = self.iter().filter(|(code, _)| code.is_for_want());
        for_want.fold(0, |sum, (_, times)| sum.saturating_add(times))
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
        refusals.add(RefusalCode::NotEnough, 4);
        assert_eq!((refusals.total(), refusals.for_want()), (1_011, 1_004));
        let tally = Tally { held: 12, retries: 3, refusals, ..Tally::default() };
        assert_eq!(tally.clicks(), 1_026);
        assert_eq!(Tally { held: u64::MAX, ..tally }.clicks(), u64::MAX);
    }

    #[test]
    fn clicks_of_channels_are_the_named_and_the_others() {
        let named = vec![("ann".parse().unwrap(), 3), ("bob".parse().unwrap(), 4)];
        let channels = ChannelClicks { named, other: 5 };
        assert_eq!(channels.total(), 12);
        let others = ChannelClicks { named: Vec::new(), other: 1 };
        assert_eq!((others.total(), ChannelClicks::default().total()), (others.other, 0));
        assert_eq!(ChannelClicks { other: u64::MAX, ..channels }.total(), u64::MAX);
    }
}
