//! Geometry of the bars of the control room: what the page draws first, the module in the browser goes on drawing.
//!
//! Bars are one path for each half, so an update sets two attributes. `assets/chart.mjs` has the same
//! rules; a test compares the two.

use std::fmt::Write as _;

/// Seconds that the chart shows.
pub(crate) const SECONDS: usize = 60;

/// Height of each half, in its own units.
pub(crate) const HALF: u64 = 1_000;

/// Share of its step that a bar fills, in units of the drawing.
const BAR: f64 = 5.6;

/// The least scale that reaches `most`: 1, 2 or 5 times a power of ten, at least 5.
pub(crate) fn scale(most: u64) -> u64 {
    let mut step = 5_u64;
    // 5, 10, 20, 50, and so on.
    for factor in [2.0, 2.0, 2.5].into_iter().cycle() {
        if step >= most {
            return step;
        }
        let grown = if factor > 2.0 {
            step.checked_mul(5).map(|step| step / 2)
        } else {
            step.checked_mul(2)
        };
        let Some(grown) = grown else { return most };
        step = grown;
    }
    step
}

/// Bars that end at the right edge, upward from the middle or downward from it.
pub(crate) fn bars(values: &[u64], scale: u64, upward: bool) -> String {
    let shown = &values[values.len().saturating_sub(SECONDS)..];
    let mut path = String::new();
    let first = SECONDS - shown.len();
    for (place, value) in shown.iter().enumerate() {
        let height = (*value).min(scale) * HALF / scale.max(1);
        if height == 0 {
            continue;
        }
        let x = (first + place) * 10 + 2;
        let to = if upward { HALF - height } else { HALF + height };
        write!(path, "M{x} {HALF}V{to}h{BAR}V{HALF}z").expect("a string takes what is written");
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales_step_by_one_two_five() {
        let scales = [0, 5, 6, 11, 21, 51, 101, 160, 1_854].map(scale);
        assert_eq!(scales, [5, 5, 10, 20, 50, 100, 200, 200, 2_000]);
        assert!(scale(u64::MAX) > u64::MAX / 3);
    }

    #[test]
    fn the_newest_second_stands_at_the_right_edge() {
        assert_eq!(bars(&[50], 100, true), "M592 1000V500h5.6V1000z");
        assert_eq!(bars(&[50], 100, false), "M592 1000V1500h5.6V1000z");
        let all = bars(&[100; 70], 100, true);
        assert!(all.starts_with("M2 1000V0"), "{all}");
        assert_eq!(all.matches('M').count(), SECONDS);
    }

    #[test]
    fn a_second_without_clicks_draws_nothing() {
        assert_eq!(bars(&[0, 0], 10, true), "");
        assert_eq!(bars(&[], 10, true), "");
    }

    #[test]
    fn a_bar_never_leaves_its_half() {
        assert_eq!(bars(&[900], 100, true), "M592 1000V0h5.6V1000z");
    }
}
