//! A chart of the sale by seconds, for a terminal.

use std::fmt::Write as _;

use serde::Serialize;

use super::millis;

/// Rows of the chart; a longer sale has several seconds in each.
const ROWS_MAX: usize = 24;
/// Places of a bar.
const PLACES: u64 = 24;

/// The clicks that were planned for one second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Second {
    /// Seconds from the opening.
    pub(super) from_s: u64,
    /// Clicks of that second that were answered, whenever that was.
    pub(super) answered: u64,
    /// Half of them were answered within.
    pub(super) p50_us: u64,
    /// 99 in 100.
    pub(super) p99_us: u64,
    /// The slowest.
    pub(super) max_us: u64,
}

/// Clicks by second with how long their answers took; the bars are of the slowest answers, because that is
/// where a server's trouble shows. Empty if nothing was answered.
pub(super) fn seconds_chart(seconds: &[Second]) -> String {
    if seconds.is_empty() {
        return String::new();
    }
    let rows: Vec<Second> = seconds.chunks(seconds.len().div_ceil(ROWS_MAX)).map(worst).collect();
    let slowest_us = rows.iter().map(|row| row.max_us).max().unwrap_or(0).max(1);
    let mut text = format!(
        "{:>6} {:>9} {:>9} {:>9} {:>9}  slowest answer\n",
        "second", "answered", "p50 ms", "p99 ms", "max ms"
    );
    for row in rows {
        let places = (row.max_us * PLACES).div_ceil(slowest_us);
        let bar: String = (0..places).map(|_| '█').collect();
        let [p50, p99, max] = [row.p50_us, row.p99_us, row.max_us].map(millis);
        let Second { from_s, answered, .. } = row;
        let _infallible =
            writeln!(text, "{from_s:>6} {answered:>9} {p50:>9.1} {p99:>9.1} {max:>9.1}  {bar}");
    }
    text.push('\n');
    text
}

/// Several seconds in one row: what they add up to, and the worst of each figure.
fn worst(seconds: &[Second]) -> Second {
    let worst = |figure: fn(&Second) -> u64| seconds.iter().map(figure).max().unwrap_or(0);
    Second {
        from_s: seconds.first().map_or(0, |first| first.from_s),
        answered: seconds.iter().map(|second| second.answered).sum(),
        p50_us: worst(|second| second.p50_us),
        p99_us: worst(|second| second.p99_us),
        max_us: worst(|second| second.max_us),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(from_s: u64, max_us: u64) -> Second {
        Second { from_s, answered: 10, p50_us: 1, p99_us: max_us / 2, max_us }
    }

    #[test]
    fn the_slowest_second_has_the_longest_bar() {
        let chart = seconds_chart(&[second(0, 2_000_000), second(1, 1_000), second(2, 0)]);
        let rows: Vec<&str> = chart.lines().collect();
        assert!(rows[1].ends_with(&"█".repeat(24)), "{chart}");
        assert!(rows[1].contains("2000.0"), "{chart}");
        assert!(rows[2].ends_with("  █"), "the smallest still shows: {chart}");
        assert!(!rows[3].contains('█'), "{chart}");
        assert_eq!(seconds_chart(&[]), "");
    }

    #[test]
    fn a_long_sale_keeps_its_worst_second() {
        let mut seconds: Vec<Second> = (0..600).map(|at| second(at, 1_000)).collect();
        seconds[333].max_us = 9_000_000;
        let chart = seconds_chart(&seconds);
        assert!(chart.lines().count() <= ROWS_MAX + 2, "{chart}");
        let row = chart.lines().find(|row| row.contains("9000.0")).unwrap();
        assert!(row.trim_start().starts_with("325 "), "25 seconds to a row: {row}");
        assert!(row.contains(" 250 "), "{row}");
    }
}
