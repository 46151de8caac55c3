//! Holds that wait for a kill between a record and its answer.

use stampede_domain::HoldId;

/// Holds that wait at once: enough for a volley.
const WAITING_MAX: usize = 48;

/// A hold that nobody has paid for.
#[derive(Clone, Copy, Debug)]
pub(super) struct WaitingHold {
    pub(super) hold: HoldId,
    pub(super) amount: u64,
}

/// The newest of them: the oldest one leaves if there are too many, and expires like any other.
#[derive(Debug, Default)]
pub(super) struct WaitingHolds {
    holds: std::collections::VecDeque<WaitingHold>,
}

impl WaitingHolds {
    pub(super) fn offer(&mut self, hold: WaitingHold) {
        if self.holds.len() == WAITING_MAX {
            self.holds.pop_front();
        }
        self.holds.push_back(hold);
    }

    /// The newest ones, if there are so many.
    pub(super) fn take(&mut self, count: usize) -> Option<Vec<WaitingHold>> {
        let from = self.holds.len().checked_sub(count)?;
        Some(self.holds.drain(from..).collect())
    }
}
