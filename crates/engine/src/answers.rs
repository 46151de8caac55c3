//! How long answers to buys take, from the request's arrival to the answer's leaving.

use stampede_books::Totals;
use stampede_domain::DropId;
use stampede_ledger::AnswerTimes;

/// Groups that a further answer is compared with: a round of requests has one for each drop.
const COMPARED: usize = 4;

/// Answers that leave at the end of a core's round. One reading of a clock serves all requests that
/// came in a round, one more all answers that leave in one.
#[derive(Debug, Default)]
pub(crate) struct LeavingAnswers(Vec<Group>);

/// Answers of one drop whose requests came in the same round.
#[derive(Debug)]
struct Group {
    drop: DropId,
    came_us: u64,
    answers: u64,
}

impl LeavingAnswers {
    pub(crate) fn add(&mut self, drop: DropId, came_us: u64) {
        let mut latest = self.0.iter_mut().rev().take(COMPARED);
        match latest.find(|group| group.drop == drop && group.came_us == came_us) {
            Some(group) => group.answers += 1,
            None => self.0.push(Group { drop, came_us, answers: 1 }),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each group once: its drop, when its requests came, how many answers it has.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = (DropId, u64, u64)> + '_ {
        self.0.drain(..).map(|Group { drop, came_us, answers }| (drop, came_us, answers))
    }
}

/// Answers to buys in all drops since the engine started; a tally late.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AnswerTotals {
    /// How many took how long.
    pub times: AnswerTimes,
    /// Microseconds that all of them took together.
    pub sum_us: u64,
}

impl AnswerTotals {
    /// Adds what a drop counted.
    pub(crate) fn add(&mut self, since: &Totals) {
        self.times.merge(&since.answers);
        self.sum_us = self.sum_us.saturating_add(since.answers_us);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_a_round_are_one_group_for_each_drop_and_arrival() {
        let [one, two] = [1, 2].map(DropId::new);
        let mut leaving = LeavingAnswers::default();
        for (drop, came_us) in [(one, 5), (two, 5), (one, 5), (one, 9), (two, 5), (one, 9)] {
            leaving.add(drop, came_us);
        }
        let groups: Vec<_> = leaving.drain().collect();
        assert_eq!(groups, [(one, 5, 2), (two, 5, 2), (one, 9, 2)]);
        assert!(leaving.is_empty());
    }
}
