//! Delays between attempts: exponential, with full jitter.

use std::time::Duration;

use rand::Rng;

/// The delays of one client. A crowd that lost its server must not return in step, so each delay is
/// drawn evenly from zero to a bound, and the bound doubles with each failure.
#[derive(Clone, Debug)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    failures: u32,
}

impl Backoff {
    /// Bounds the first delay by `first` and all delays by `longest`.
    pub const fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, failures: 0 }
    }

    /// The bound of the next delay.
    pub fn bound(&self) -> Duration {
        let doubled = 2_u32.checked_pow(self.failures).and_then(|by| self.first.checked_mul(by));
        doubled.map_or(self.longest, |bound| bound.min(self.longest))
    }

    /// Counts a failure and draws the delay before the next attempt.
    pub fn next_delay(&mut self, rng: &mut impl Rng) -> Duration {
        let bound = self.bound();
        self.failures = self.failures.saturating_add(1);
        rng.random_range(Duration::ZERO..=bound)
    }

    /// Begins again after a success.
    pub const fn reset(&mut self) {
        self.failures = 0;
    }
}

impl Default for Backoff {
    /// 250 ms at first, 15 s at most.
    fn default() -> Self {
        Self::new(Duration::from_millis(250), Duration::from_secs(15))
    }
}

#[cfg(test)]
mod tests {
    use rand::{SeedableRng, rngs::StdRng};

    use super::*;

    #[test]
    fn bounds_double_up_to_the_longest_and_delays_stay_within() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(1));
        let mut rng = StdRng::seed_from_u64(7);
        for bound_ms in [100, 200, 400, 800, 1000, 1000] {
            assert_eq!(backoff.bound(), Duration::from_millis(bound_ms));
            assert!(backoff.next_delay(&mut rng) <= Duration::from_millis(bound_ms));
        }
        backoff.reset();
        assert_eq!(backoff.bound(), Duration::from_millis(100));
    }

    #[test]
    fn a_very_long_outage_does_not_overflow() {
        let mut backoff = Backoff::default();
        let mut rng = StdRng::seed_from_u64(7);
        for _ in 0..200 {
            assert!(backoff.next_delay(&mut rng) <= Duration::from_secs(15));
        }
    }
}
