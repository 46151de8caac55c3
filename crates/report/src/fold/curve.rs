//! Sums over time, in steps that grow with the time they have to cover.

/// Steps that a curve has at most.
pub const CURVE_STEPS_MAX: usize = 512;

/// What happened in a span of time, so that two spans add up to a longer one.
pub trait Step: Copy + Default {
    /// What happened in both.
    #[must_use]
    fn plus(self, later: Self) -> Self;
}

impl Step for u64 {
    fn plus(self, later: Self) -> Self {
        self.saturating_add(later)
    }
}

/// What happened from the opening on, in steps of equal length: 1 ms each, or twice as long as often as it takes for
/// at most [`CURVE_STEPS_MAX`] of them to reach the latest event. A curve ends with the step of its latest event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Curve<S> {
    step_ms: u64,
    steps: Vec<S>,
}

impl<S> Default for Curve<S> {
    fn default() -> Self {
        Self { step_ms: 1, steps: Vec::new() }
    }
}

impl<S> Curve<S> {
    /// How long a step is, in milliseconds: a power of two.
    pub const fn step_ms(&self) -> u64 {
        self.step_ms
    }

    /// The steps from the opening on.
    pub fn steps(&self) -> &[S] {
        &self.steps
    }
}

impl<S: Step> Curve<S> {
    /// Adds something that happened this many milliseconds after the opening.
    pub(super) fn add(&mut self, after_ms: u64, more: S) {
        let place = loop {
            match usize::try_from(after_ms / self.step_ms) {
                Ok(place) if place < CURVE_STEPS_MAX => break place,
                _ => self.double(),
            }
        };
        if self.steps.len() <= place {
            self.steps.resize(place + 1, S::default());
        }
        self.steps[place] = self.steps[place].plus(more);
    }

    fn double(&mut self) {
        // 512 steps of 2^55 ms reach further than 64 bits count.
        self.step_ms *= 2;
        let pairs = self.steps.chunks(2);
        self.steps = pairs.map(|pair| pair.iter().copied().fold(S::default(), S::plus)).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_double_until_they_reach_the_latest_event() {
        let mut curve = Curve::default();
        for after_ms in [0, 0, 7, 511] {
            curve.add(after_ms, 1_u64);
        }
        assert_eq!((curve.step_ms(), curve.steps().len()), (1, 512));
        curve.add(512, 10);
        assert_eq!((curve.step_ms(), curve.steps().len()), (2, 257));
        assert_eq!((curve.steps()[0], curve.steps()[3], curve.steps()[255]), (2, 1, 1));
        assert_eq!(curve.steps()[256], 10);
        curve.add(u64::MAX, 100);
        assert_eq!((curve.step_ms(), curve.steps().len()), (1 << 55, 512));
        assert_eq!((curve.steps()[0], curve.steps()[511]), (14, 100));
    }

    #[test]
    fn the_order_of_events_changes_nothing() {
        let times = [3, 900, 12, 4_000, 0, 70_000, 69_999];
        let (mut one, mut other) = (Curve::default(), Curve::default());
        for (early, late) in times.iter().zip(times.iter().rev()) {
            one.add(*early, 1_u64);
            other.add(*late, 1_u64);
        }
        assert_eq!(one, other);
    }
}
