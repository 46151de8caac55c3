//! Deadlines that attempts to pay have moved.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicBool, Ordering},
};

use parking_lot::Mutex;
use stampede_domain::{DurationMs, HoldId};

use crate::extensions::Moved;

/// By how much the deadlines of single holds have moved in this run; one entry for each live hold at most.
#[derive(Debug, Default)]
pub(crate) struct Stretches {
    by_hold: Mutex<HashMap<HoldId, Stretch, foldhash::fast::RandomState>>,
    /// Whether there was ever one: most drops have none, and each answer about a hold asks.
    any: AtomicBool,
}

#[derive(Clone, Copy, Debug)]
struct Stretch {
    span: DurationMs,
    /// Its record is durable: viewers may see it.
    is_durable: bool,
}

impl Stretches {
    /// Steward only: the hold stays for longer from now on.
    pub(crate) fn add(&self, hold: HoldId, span: DurationMs) {
        self.by_hold.lock().insert(hold, Stretch { span, is_durable: false });
        // ORDERING: Relaxed: a reader that misses it sees the deadline as it was, as one that comes earlier.
        self.any.store(true, Ordering::Relaxed);
    }

    /// Steward only: it is durable.
    pub(crate) fn show(&self, hold: HoldId) {
        if let Some(stretch) = self.by_hold.lock().get_mut(&hold) {
            stretch.is_durable = true;
        }
    }

    /// Steward only: the hold has ended.
    pub(crate) fn remove(&self, hold: HoldId) {
        if self.any.load(Ordering::Relaxed) {
            self.by_hold.lock().remove(&hold);
        }
    }

    /// By how much the deadline has moved.
    pub(crate) fn moved(&self, hold: HoldId) -> Moved {
        if !self.any.load(Ordering::Relaxed) {
            return Moved::default();
        }
        match self.by_hold.lock().get(&hold) {
            None => Moved::default(),
            Some(Stretch { span, is_durable: true }) => {
                Moved { decided: *span, hidden: DurationMs::ZERO }
            }
            Some(Stretch { span, is_durable: false }) => Moved { decided: *span, hidden: *span },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn viewers_see_a_stretch_once_it_is_durable() {
        let (stretches, hold) = (Stretches::default(), HoldId::from_bytes([7; 16]));
        let span = DurationMs::from_secs(30);
        assert_eq!(stretches.moved(hold), Moved::default());
        stretches.add(hold, span);
        assert_eq!(stretches.moved(hold), Moved { decided: span, hidden: span });
        stretches.show(hold);
        assert_eq!(stretches.moved(hold), Moved { decided: span, hidden: DurationMs::ZERO });
        stretches.remove(hold);
        assert_eq!(stretches.moved(hold), Moved::default());
    }
}
