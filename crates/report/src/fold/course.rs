//! The course of a sale: what happened when, second by second and as a curve.

use std::collections::BTreeMap;

use super::curve::{Curve, Step};

/// Seconds in which something happened that are kept for one drop: a day without a pause.
pub const SECONDS_MAX: usize = 86_400;

/// What happened in a span of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Units taken, by the moment when the stock moved.
    pub taken: u64,
    /// Units that became orders, by the time of the commit.
    pub paid: u64,
    /// Units released or expired, by the time of the commit.
    pub came_back: u64,
    /// Buys decided: takes by their own moment, all others by that of the tally that counts them, which comes up to a
    /// second later.
    pub clicks: u64,
    /// Buys refused, by the moment of the tally.
    pub refused: u64,
    /// Most viewers connected at a tally; `None` without one.
    pub connected: Option<u64>,
}

impl Step for Counts {
    fn plus(self, later: Self) -> Self {
        Self {
            taken: self.taken.saturating_add(later.taken),
            paid: self.paid.saturating_add(later.paid),
            came_back: self.came_back.saturating_add(later.came_back),
            clicks: self.clicks.saturating_add(later.clicks),
            refused: self.refused.saturating_add(later.refused),
            connected: self.connected.max(later.connected),
        }
    }
}

/// What happened in one second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Second {
    /// Seconds since opening, from 0.
    pub second: u64,
    /// What happened in it.
    pub counts: Counts,
}

/// Clicks that were tallied before the opening; they are on no curve and in no second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EarlyClicks {
    /// Buys decided.
    pub clicks: u64,
    /// Buys refused.
    pub refused: u64,
}

/// What happened in one drop, by the time since its opening.
#[derive(Clone, Debug, Default)]
pub(super) struct Course {
    curve: Curve<Counts>,
    seconds: BTreeMap<u64, Counts>,
    is_cut: bool,
    early: EarlyClicks,
}

impl Course {
    /// Adds something that happened this many milliseconds after the opening.
    pub(super) fn add(&mut self, after_ms: u64, counts: Counts) {
        self.curve.add(after_ms, counts);
        let second = after_ms / 1_000;
        if self.seconds.len() < SECONDS_MAX || self.seconds.contains_key(&second) {
            let sum = self.seconds.entry(second).or_default();
            *sum = sum.plus(counts);
        } else {
            self.is_cut = true;
        }
    }

    /// Adds clicks from before the opening.
    pub(super) fn add_early(&mut self, counts: Counts) {
        self.early.clicks = self.early.clicks.saturating_add(counts.clicks);
        self.early.refused = self.early.refused.saturating_add(counts.refused);
    }

    pub(super) const fn curve(&self) -> &Curve<Counts> {
        &self.curve
    }

    pub(super) const fn early(&self) -> EarlyClicks {
        self.early
    }

    /// Seconds in which something happened, in order.
    pub(super) fn seconds(&self) -> Vec<Second> {
        let second =
            |(second, counts): (&u64, &Counts)| Second { second: *second, counts: *counts };
        self.seconds.iter().map(second).collect()
    }

    /// How many seconds are kept.
    pub(super) fn seconds_kept(&self) -> usize {
        self.seconds.len()
    }

    /// Whether later seconds are missing.
    pub(super) const fn is_cut(&self) -> bool {
        self.is_cut
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_of_seconds_is_kept_and_the_curve_has_the_rest() {
        let taken = Counts { taken: 1, ..Counts::default() };
        let mut course = Course::default();
        for second in 0..=u64::try_from(SECONDS_MAX).unwrap() {
            course.add(second * 1_000, taken);
        }
        course.add(1, taken);
        let seconds = course.seconds();
        assert_eq!((seconds.len(), course.is_cut()), (SECONDS_MAX, true));
        assert_eq!((seconds[0].counts.taken, seconds[1].counts.taken), (2, 1));
        let all: u64 = course.curve().steps().iter().map(|step| step.taken).sum();
        assert_eq!(all, u64::try_from(SECONDS_MAX).unwrap() + 2);
    }

    #[test]
    fn the_most_viewers_of_a_span_are_its_viewers() {
        let seen = |connected| Counts { connected, ..Counts::default() };
        assert_eq!(seen(None).plus(seen(Some(3))).plus(seen(Some(2))).connected, Some(3));
        assert_eq!(seen(None).plus(seen(None)).connected, None);
    }
}
