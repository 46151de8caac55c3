//! One pool as the journal leaves it.

use stampede_domain::{PoolIndex, TakeNumber};
use stampede_ledger::RecoveredPool;

/// One pool's past.
#[derive(Default)]
pub(crate) struct PoolPast {
    /// Highest number that a restart has accounted for.
    pub(crate) settled_to: u64,
    /// Numbers that became durable since.
    pub(crate) since: Vec<u64>,
}

impl PoolPast {
    /// The highest durable number, and the ones below it that never became durable.
    pub(crate) fn recovered(&mut self, place: u8) -> RecoveredPool {
        self.since.sort_unstable();
        let take = |number: u64| TakeNumber::new(number).expect("a record holds take numbers");
        let mut lost = Vec::new();
        let mut expected = self.settled_to + 1;
        for number in &self.since {
            lost.extend((expected..*number).map(take));
            expected = number + 1;
        }
        self.settled_to = expected - 1;
        self.since.clear();
        let pool = PoolIndex::new(place).expect("a pool index has 8 bits");
        RecoveredPool { pool, last_take: take(self.settled_to), lost }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_never_became_durable_are_listed_once() {
        let mut pool = PoolPast { settled_to: 3, since: vec![9, 5, 6] };
        let found = pool.recovered(0);
        let numbers =
            |found: &RecoveredPool| found.lost.iter().map(|n| n.get()).collect::<Vec<_>>();
        assert_eq!((found.last_take.get(), numbers(&found)), (9, vec![4, 7, 8]));
        let again = pool.recovered(0);
        assert_eq!((again.last_take.get(), numbers(&again)), (9, vec![]));
    }
}
