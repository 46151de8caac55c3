//! How often something may happen, counted in one word.
//!
//! The generic cell rate algorithm: the word is the time at which everything that happened so far
//! would be paid off at the rate. It may lie ahead of the clock by the burst at most. There is nothing
//! to refill, so an idle word costs nothing, and whoever shares it between threads needs one
//! compare-and-swap.

use crate::{DurationMs, UnixMillis};

const NANOS_PER_S: u64 = 1_000_000_000;
const NANOS_PER_MS: u64 = 1_000_000;

/// At most this many at once, and this many per second in the long run.
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
    /// A sender who waits that long is within the rate, unless others come first.
    pub retry_after: DurationMs,
}

impl Rate {
    /// `None`, which limits nothing, if `per_s` is zero. A burst has room for one at least.
    pub fn new(per_s: u32, burst: u32) -> Option<Self> {
        let price_ns = NANOS_PER_S.checked_div(per_s.into())?.max(1);
        Some(Self { price_ns, burst_ns: price_ns * u64::from(burst.max(1)) })
    }

    /// The word after one more at `now`.
    #[inline]
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

/// What has been spent of a rate, in one word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RateDebt(u64);

impl RateDebt {
    /// Reads the word that [`RateDebt::word`] gave.
    pub const fn from_word(word: u64) -> Self {
        Self(word)
    }

    /// When everything would be paid off, in nanoseconds since 1970; 0 if nothing was ever spent.
    pub const fn word(self) -> u64 {
        self.0
    }

    /// With one more at `now`, unless that is over the rate.
    ///
    /// # Errors
    /// How long to wait.
    #[inline]
    pub fn with_one_more(self, rate: Rate, now: UnixMillis) -> Result<Self, TooFast> {
        rate.spend(self.0, now).map(Self)
    }

    /// Counts one at `now`, unless it is over the rate.
    ///
    /// # Errors
    /// How long to wait.
    #[inline]
    pub fn spend(&mut self, rate: Rate, now: UnixMillis) -> Result<(), TooFast> {
        *self = self.with_one_more(rate, now)?;
        Ok(())
    }

    /// Whether it would decide the same if nothing had ever been spent.
    pub fn is_idle(self, now: UnixMillis) -> bool {
        self.0 <= nanos(now)
    }
}

#[cfg(test)]
mod tests {
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
        let (rate, mut spent) = (rate(20, 3), RateDebt::default());
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
            let (rate, mut spent, mut millis) = (rate(per_s, burst), RateDebt::default(), 0);
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
    fn what_is_paid_off_decides_as_if_it_had_never_been_spent() {
        let (rate, mut spent) = (rate(20, 3), RateDebt::default());
        assert!(spent.is_idle(at(0)));
        assert_eq!(spent.spend(rate, at(0)), Ok(()));
        let same = RateDebt::from_word(spent.word());
        assert!(!same.is_idle(at(49)) && same.is_idle(at(50)));
        assert_eq!(
            same.with_one_more(rate, at(50)),
            RateDebt::default().with_one_more(rate, at(50))
        );
    }

    #[test]
    fn a_rate_of_zero_limits_nothing() {
        assert_eq!(Rate::new(0, 5), None);
        assert_eq!(Rate::new(5, 0), Rate::new(5, 1));
    }
}
