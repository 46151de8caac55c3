//! The spent part of a rate, shared by several threads through compare-and-swap.

use std::sync::atomic::{AtomicU64, Ordering};

use stampede_domain::{Rate, RateDebt, TooFast, UnixMillis};

/// What several threads have spent of a rate together.
#[derive(Debug, Default)]
pub struct SharedRateDebt(AtomicU64);

impl SharedRateDebt {
    /// Counts one at `now`, unless it is over the rate.
    ///
    /// # Errors
    /// How long to wait.
    pub fn spend(&self, rate: Rate, now: UnixMillis) -> Result<(), TooFast> {
        // ORDERING: Relaxed throughout: the word publishes nothing but itself.
        let mut word = self.0.load(Ordering::Relaxed);
        loop {
            let next = RateDebt::from_word(word).with_one_more(rate, now)?.word();
            match self.0.compare_exchange_weak(word, next, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Ok(()),
                Err(other) => word = other,
            }
        }
    }

    /// Whether it would decide the same if nothing had ever been spent.
    pub fn is_idle(&self, now: UnixMillis) -> bool {
        RateDebt::from_word(self.0.load(Ordering::Relaxed)).is_idle(now)
    }

    /// Begins anew: what is owed at one rate says nothing about another.
    pub(crate) fn forget(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Barrier, thread};

    use stampede_domain::DurationMs;

    use super::*;

    const START: UnixMillis = UnixMillis::new(1_700_000_000_000);

    fn at(millis: u64) -> UnixMillis {
        START.plus(DurationMs::new(millis))
    }

    #[test]
    fn threads_together_get_no_more_than_one_would() {
        let (spent, rate, barrier) =
            (SharedRateDebt::default(), Rate::new(1_000, 500).unwrap(), Barrier::new(4));
        let within: usize = thread::scope(|scope| {
            let spenders: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        barrier.wait();
                        (0..1_000).filter(|_| spent.spend(rate, START).is_ok()).count()
                    })
                })
                .collect();
            spenders.into_iter().map(|spender| spender.join().unwrap()).sum()
        });
        assert_eq!(within, 500);
        assert!(!spent.is_idle(at(499)));
        assert!(spent.is_idle(at(500)));
        spent.forget();
        assert_eq!(spent.spend(rate, START), Ok(()), "nothing is owed any more");
    }
}
