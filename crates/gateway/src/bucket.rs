//! A token bucket in server time.

use stampede_domain::{DurationMs, UnixMillis};

/// What one message costs; the bucket counts in thousandths so that milliseconds divide evenly.
const MESSAGE: u64 = 1_000;

/// How many messages a connection may send.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit {
    /// In the long run, per second.
    pub(crate) per_s: u32,
    /// At once.
    pub(crate) burst: u32,
}

/// What one connection has left of its limit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bucket {
    left: u64,
    filled_at: UnixMillis,
    /// Messages over the limit since the last one within it.
    over: u32,
}

/// Whether a message is within the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Admission {
    Within,
    /// Over the limit: the next one is within it after that time.
    Over {
        retry_after: DurationMs,
        in_a_row: u32,
    },
}

impl Bucket {
    pub(crate) fn full(limit: Limit, now: UnixMillis) -> Self {
        Self { left: u64::from(limit.burst) * MESSAGE, filled_at: now, over: 0 }
    }

    /// Counts a message at `now`.
    pub(crate) fn admit(&mut self, limit: Limit, now: UnixMillis) -> Admission {
        // Messages per second are thousandths of a message per millisecond.
        let earned = now.since(self.filled_at).get().saturating_mul(u64::from(limit.per_s));
        self.left = self.left.saturating_add(earned).min(u64::from(limit.burst) * MESSAGE);
        self.filled_at = now;
        if let Some(left) = self.left.checked_sub(MESSAGE) {
            (self.left, self.over) = (left, 0);
            return Admission::Within;
        }
        self.over = self.over.saturating_add(1);
        let missing = MESSAGE - self.left;
        let retry_after = DurationMs::new(missing.div_ceil(u64::from(limit.per_s)));
        Admission::Over { retry_after, in_a_row: self.over }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_then_the_rate_holds() {
        let limit = Limit { per_s: 20, burst: 3 };
        let at = UnixMillis::new;
        let mut bucket = Bucket::full(limit, at(1_000));
        for _ in 0..3 {
            assert_eq!(bucket.admit(limit, at(1_000)), Admission::Within);
        }
        let over =
            |millis, in_a_row| Admission::Over { retry_after: DurationMs::new(millis), in_a_row };
        assert_eq!(bucket.admit(limit, at(1_000)), over(50, 1));
        assert_eq!(bucket.admit(limit, at(1_049)), over(1, 2));
        assert_eq!(bucket.admit(limit, at(1_050)), Admission::Within);
        assert_eq!(bucket.admit(limit, at(1_050)), over(50, 1));
        assert_eq!(bucket.admit(limit, at(60_000)), Admission::Within, "full again, not more");
        assert_eq!(bucket.left, 2 * MESSAGE);
    }
}
