//! Points in time with the spans between them, in milliseconds.

use std::fmt;

/// A point in time: milliseconds since 1970-01-01 UTC, by the server's clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixMillis(u64);

/// A span of time in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DurationMs(u64);

impl UnixMillis {
    /// Wraps milliseconds since 1970-01-01 UTC.
    pub const fn new(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970-01-01 UTC.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// This point moved later by `span`, or the last representable point.
    #[must_use]
    pub const fn plus(self, span: DurationMs) -> Self {
        Self(self.0.saturating_add(span.0))
    }

    /// This much earlier, or the beginning of 1970.
    #[must_use]
    pub const fn minus(self, span: DurationMs) -> Self {
        Self(self.0.saturating_sub(span.0))
    }

    /// The span since `earlier`, or zero if that lies later.
    pub const fn since(self, earlier: Self) -> DurationMs {
        DurationMs(self.0.saturating_sub(earlier.0))
    }
}

impl DurationMs {
    /// No time.
    pub const ZERO: Self = Self(0);

    /// Wraps milliseconds.
    pub const fn new(millis: u64) -> Self {
        Self(millis)
    }

    /// Wraps seconds.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// Milliseconds.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The same span for the standard library.
    pub const fn to_std(self) -> std::time::Duration {
        std::time::Duration::from_millis(self.0)
    }
}

impl fmt::Display for UnixMillis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Display for DurationMs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_and_spans_go_together_and_stop_at_their_ends() {
        let (early, late) = (UnixMillis::new(1_000), UnixMillis::new(3_500));
        assert_eq!((early.get(), late.since(early).get()), (1_000, 2_500));
        assert_eq!(early.plus(late.since(early)), late);
        assert_eq!(early.since(late), DurationMs::ZERO);
        assert_eq!(UnixMillis::new(u64::MAX).plus(DurationMs::new(1)).get(), u64::MAX);
        assert_eq!(DurationMs::from_secs(60).get(), 60_000);
        assert_eq!(DurationMs::from_secs(u64::MAX).get(), u64::MAX);
        assert_eq!(DurationMs::new(1_500).to_std(), std::time::Duration::from_millis(1_500));
        assert_eq!(
            (early.to_string(), DurationMs::new(7).to_string()),
            ("1000".into(), "7 ms".into())
        );
    }
}
