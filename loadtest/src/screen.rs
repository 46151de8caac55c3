//! Progress for a person at a terminal.

use std::{io::IsTerminal, time::Duration};

use indicatif::{ProgressBar, ProgressStyle};

use crate::{DropState, Progress};

/// A line of progress that is redrawn on a terminal, or printed now and then elsewhere.
#[derive(Debug)]
pub struct Screen {
    bar: ProgressBar,
    is_terminal: bool,
    /// Updates since the last printed line, where nothing is redrawn.
    skipped: u32,
    /// Holds made at the previous update.
    held_before: u64,
}

/// Without a terminal, one update in this many is printed.
const PRINT_EVERY: u32 = 5;

impl Default for Screen {
    fn default() -> Self {
        Self::new()
    }
}

impl Screen {
    /// One that draws on standard error.
    pub fn new() -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        let bar = if is_terminal { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        let style = ProgressStyle::with_template("{spinner} {elapsed:>4}  {msg}\n        {prefix}");
        bar.set_style(style.expect("the template is a constant"));
        bar.enable_steady_tick(Duration::from_millis(120));
        Self { bar, is_terminal, skipped: 0, held_before: 0 }
    }

    /// A step begins; it stays readable above what follows.
    pub fn step(&mut self, text: &str) {
        self.print(text);
        self.skipped = 0;
    }

    /// Viewers connect.
    pub fn connecting(&mut self, progress: Option<&Progress>, wanted: u32) {
        let connected = progress.map_or(0, |progress| progress.connected);
        self.show(&format!("connecting   {connected:>6} of {wanted} viewers"), "");
    }

    /// Two short lines about something that goes on.
    pub fn status(&mut self, first: &str, second: &str) {
        self.show(first, second);
    }

    /// Whether what it shows is redrawn in place.
    pub fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// Prints on standard output, above the line of progress.
    pub fn say(&self, text: &str) {
        self.bar.suspend(|| println!("{text}"));
    }

    /// A drop sells; `interval_ms` is the time since this was called last.
    pub fn selling(&mut self, state: &DropState, progress: &Progress, interval_ms: u64) {
        let per_s = |count: u64, ms: u64| (count * 1_000).checked_div(ms).unwrap_or(0);
        let holds = state.totals.held.saturating_sub(self.held_before);
        self.held_before = state.totals.held;
        let gauge = gauge(state.available(), state.supplied());
        let stock = format!(
            "{:<9} {gauge} {:>6} left {:>6} held {:>6} sold",
            state.phase,
            state.available(),
            state.held(),
            state.sold()
        );
        let rates = format!(
            "{:>6} viewers {:>6} clicks/s {:>6} holds/s  p99 {:>7.1} ms",
            state.viewers_connected,
            per_s(progress.interval_clicks, progress.interval_ms),
            per_s(holds, interval_ms),
            millis(progress.interval_us_p99),
        );
        self.show(&stock, &rates);
    }

    /// Leaves the terminal as it was, without the line of progress.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    /// Two short lines on a terminal of any usual width, one long line elsewhere.
    fn show(&mut self, first: &str, second: &str) {
        if self.is_terminal {
            self.bar.set_message(first.to_owned());
            self.bar.set_prefix(second.to_owned());
        } else if self.skipped == 0 {
            eprintln!("  {first} {second}");
        }
        self.skipped = (self.skipped + 1) % PRINT_EVERY;
    }

    fn print(&self, text: &str) {
        if self.is_terminal { self.bar.println(text) } else { eprintln!("{text}") }
    }
}

/// Sixteen places that empty as units go.
fn gauge(left: u64, of: u64) -> String {
    const PLACES: u64 = 16;
    let full = if of == 0 { 0 } else { (left * PLACES).div_ceil(of).min(PLACES) };
    (0..PLACES).map(|place| if place < full { '█' } else { '░' }).collect()
}

#[allow(clippy::cast_precision_loss, reason = "latencies are far below 2^52 microseconds")]
fn millis(us: u64) -> f64 {
    us as f64 / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gauge_empties_with_the_units() {
        assert_eq!(gauge(100, 100), "█".repeat(16));
        assert_eq!(gauge(1, 100), format!("█{}", "░".repeat(15)), "the last unit still shows");
        assert_eq!(gauge(0, 100), "░".repeat(16));
    }
}
