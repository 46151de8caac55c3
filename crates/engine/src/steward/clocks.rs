//! The two clocks side by side: how far they are apart is shown, each change of it said once.

use stampede_domain::RepeatedWarning;
use tracing::{info, warn};

use super::Steward;
use crate::{clock::Moment, metrics};

/// Difference that nobody needs to hear of, in milliseconds.
const SLACK_MS: u64 = 1_000;

/// By how many milliseconds the sale's clock was ahead of the wall clock.
#[derive(Debug, Default)]
pub(crate) struct ClockWatch {
    /// When it was last said.
    said: i64,
    /// When the drops' times were last worked out.
    used: i64,
    /// When it was last shown.
    shown: Option<i64>,
    /// A wall clock that does not keep still is not worth a line each second.
    set: RepeatedWarning,
    /// The log was told of a difference, and not of its end.
    is_told: bool,
}

impl ClockWatch {
    /// The difference at the start, which is due to what the ledger holds.
    pub(crate) fn start(&mut self, now: Moment) {
        let ahead_ms = now.ahead_ms();
        if ahead_ms.unsigned_abs() > SLACK_MS {
            warn!(
                ahead_ms,
                "the ledger's last time is not the wall clock's: an earlier start ran by another \
                 clock, or this one is wrong; check the machine's time. Sales go on by the ledger's \
                 clock; tickets, planned times and expiries go by the wall clock"
            );
            (self.said, self.is_told) = (ahead_ms, true);
        }
        self.used = ahead_ms;
        self.look(now);
    }

    /// Shows the difference; says it once for each time that it has changed by more than a second.
    fn look(&mut self, now: Moment) {
        let ahead_ms = now.ahead_ms();
        if self.shown != Some(ahead_ms) {
            self.shown = Some(ahead_ms);
            metrics::show_clock_ahead(ahead_ms);
        }
        if ahead_ms.abs_diff(self.said) <= SLACK_MS {
            return;
        }
        self.said = ahead_ms;
        if ahead_ms.unsigned_abs() > SLACK_MS {
            let Some(times) = self.set.note(now.sale) else { return };
            self.is_told = true;
            warn!(
                ahead_ms,
                times,
                "the wall clock was set: the sale's clock differs from it; deadlines go on as they \
                 are, tickets and planned times follow the wall clock"
            );
        } else if std::mem::take(&mut self.is_told) {
            info!(ahead_ms, "the wall clock agrees with the sale's clock again");
        }
    }
}

impl Steward {
    /// Reads the clocks. Once the wall clock was moved against the sale's, every drop's time is worked
    /// out anew; a millisecond is what two readings differ by anyway.
    pub(super) fn look_at_clocks(&mut self) -> Moment {
        let now = self.shared.clock.moment();
        self.clocks.look(now);
        let ahead_ms = now.ahead_ms();
        if ahead_ms.abs_diff(self.clocks.used) > 1 {
            self.clocks.used = ahead_ms;
            self.books.touch_all();
        }
        now.with_ahead_ms(self.clocks.used)
    }
}
