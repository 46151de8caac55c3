//! How often something may happen, counted in one word.
//!
//! The generic cell rate algorithm: the word is the time at which everything that happened so far
//! would be paid off at the rate. It may lie ahead of the clock by the burst at most. There is nothing
//! to refill, so an idle word costs nothing, and one compare-and-swap shares it between cores.

use std::sync::atomic::{AtomicU64, Ordering};

use stampede_domain::{DurationMs, UnixMillis};

const NANOS_PER_S: u64 = 1_000_000_000;
const NANOS_PER_MS: u64 = 1_000_000;

/// At most so many at once, so many per second in the long run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Time that pays for one, in nanoseconds.
    price_ns: u64,
    /// Time that may be owed, in nanoseconds.
    burst_ns: u64,
}

/// How long to wait until the next one is within the rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooFast {
    /// Whoever waits that long is within the rate, unless others come first.
    pub retry_after: DurationMs,
}

impl Rate {
    /// `None`, which limits nothing, if `per_s` is zero. A burst has room for one at least.
    pub fn new(per_s: u32, burst: u32) -> Option<Self> {
        let price_ns = NANOS_PER_S.checked_div(per_s.into())?.max(1);
        Some(Self { price_ns, burst_ns: price_ns * u64::from(burst.max(1)) })
    }

    /// The word after one more at `now`.
    fn spend(self, paid_at: u64, now: UnixMillis) -> Result<u64, TooFast> {
        let now = nanos(now);
        let paid_at = paid_at.max(now).saturating_add(self.price_ns);
        match (paid_at - now).checked_sub(self.burst_ns) {
            None | Some(0) => Ok(paid_at),
            Some(early_ns) => {
                let retry_after = DurationMs::new(early_ns.div_ceil(NANOS_PER_MS));
                Err(TooFast { retry_after })
            }
        }
    }
}

fn nanos(now: UnixMillis) -> u64 {
    now.get().saturating_mul(NANOS_PER_MS)
}

/// What one owner has spent of a rate.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spent(u64);

impl Spent {
    /// Counts one at `now`, unless it is over the rate.
    ///
    /// # Errors
    /// How long to wait.
    pub fn spend(&mut self, rate: Rate, now: UnixMillis) -> Result<(), TooFast> {
        self.0 = rate.spend(self.0, now)?;
        Ok(())
    }
}

/// What several threads have spent of a rate together.
#[derive(Debug, Default)]
pub struct SharedSpent(AtomicU64);

impl SharedSpent {
    /// Counts one at `now`, unless it is over the rate.
    ///
    /// # Errors
    /// How long to wait.
    pub fn spend(&self, rate: Rate, now: UnixMillis) -> Result<(), TooFast> {
        // ORDERING: Relaxed throughout: the word publishes nothing but itself.
        let mut paid_at = self.0.load(Ordering::Relaxed);
        loop {
            let next = rate.spend(paid_at, now)?;
            match self.0.compare_exchange_weak(paid_at, next, Ordering::Relaxed, Ordering::Relaxed)
            {
                Ok(_) => return Ok(()),
                Err(other) => paid_at = other,
            }
        }
    }

    /// Whether it would decide the same if nothing had ever been spent.
    pub fn is_idle(&self, now: UnixMillis) -> bool {
        self.0.load(Ordering::Relaxed) <= nanos(now)
    }

    /// Begins anew: what is owed at one rate says nothing about another.
    pub(crate) fn forget(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Barrier, thread};

    use super::*;

    const START: UnixMillis = UnixMillis::new(1_700_000_000_000);

    fn rate(per_s: u32, burst: u32) -> Rate {
        Rate::new(per_s, burst).unwrap()
    }

    fn at(millis: u64) -> UnixMillis {
        START.plus(DurationMs::new(millis))
    }

    #[test]
    fn a_burst_passes_then_the_rate_holds() {
        let (rate, mut spent) = (rate(20, 3), Spent::default());
        let over = |millis| Err(TooFast { retry_after: DurationMs::new(millis) });
        for _ in 0..3 {
            assert_eq!(spent.spend(rate, at(0)), Ok(()));
        }
        assert_eq!(spent.spend(rate, at(0)), over(50));
        assert_eq!(spent.spend(rate, at(49)), over(1));
        assert_eq!(spent.spend(rate, at(50)), Ok(()));
        assert_eq!(spent.spend(rate, at(50)), over(50), "a refused one has cost nothing");
        for _ in 0..3 {
            assert_eq!(spent.spend(rate, at(60_000)), Ok(()), "a full burst again");
        }
        assert_eq!(spent.spend(rate, at(60_000)), over(50), "but no more than that");
    }

    #[test]
    fn whoever_waits_as_told_gets_through() {
        for (per_s, burst) in [(1, 1), (7, 2), (333, 1), (1_000_000, 1_000)] {
            let (rate, mut spent, mut millis) = (rate(per_s, burst), Spent::default(), 0);
            for _ in 0..1_000 {
                if let Err(TooFast { retry_after }) = spent.spend(rate, at(millis)) {
                    assert!(retry_after.get() > 0);
                    millis += retry_after.get();
                    assert_eq!(spent.spend(rate, at(millis)), Ok(()), "{per_s}/s at {millis} ms");
                }
            }
            let least = 1_000_u64.saturating_sub(burst.into()) * 1_000 / u64::from(per_s);
            assert!(millis >= least, "{per_s}/s: 1,000 within {millis} ms");
        }
    }

    #[test]
    fn a_rate_of_zero_limits_nothing() {
        assert_eq!(Rate::new(0, 5), None);
        assert_eq!(Rate::new(5, 0), Rate::new(5, 1));
    }

    #[test]
    fn threads_together_get_no_more_than_one_would() {
        let (spent, rate, barrier) = (SharedSpent::default(), rate(1_000, 500), Barrier::new(4));
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
