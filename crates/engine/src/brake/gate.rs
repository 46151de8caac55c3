//! Admission at a rate that staff may change.

use std::sync::atomic::{AtomicU32, Ordering};

use stampede_domain::{Rate, TooFast, UnixMillis};

use crate::shared_rate_debt::SharedRateDebt;

/// Lets this many through per second, the share of a tenth of a second at once, over all cores.
#[derive(Debug, Default)]
pub(super) struct Gate {
    /// 0: there is no limit.
    per_s: AtomicU32,
    spent: SharedRateDebt,
}

impl Gate {
    /// Sets the rate; `None` lets everything through.
    pub(super) fn set(&self, per_s: Option<u32>) {
        let per_s = per_s.unwrap_or(0);
        // ORDERING: Relaxed: a rate stands by itself, nothing else is published with it.
        if self.per_s.swap(per_s, Ordering::Relaxed) != per_s {
            // A slower rate's next turn may lie far ahead.
            self.spent.forget();
        }
    }

    /// Lets one through, or tells how long the rate needs until the next.
    pub(super) fn admit(&self, now: UnixMillis) -> Result<(), TooFast> {
        let per_s = self.per_s.load(Ordering::Relaxed);
        Rate::new(per_s, per_s / 10 + 1).map_or(Ok(()), |rate| self.spent.spend(rate, now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_acts_from_when_it_is_set() {
        let (gate, now) = (Gate::default(), UnixMillis::new(1_700_000_000_000));
        let admitted = || (0..1_000).filter(|_| gate.admit(now).is_ok()).count();
        assert_eq!(admitted(), 1_000, "without a rate it is open");
        for (per_s, at_once) in [(1, 1), (50, 6), (2_000, 201)] {
            gate.set(Some(per_s));
            gate.set(Some(per_s));
            assert_eq!((admitted(), admitted()), (at_once, 0), "{per_s} per second");
        }
        gate.set(None);
        assert_eq!(admitted(), 1_000);
    }
}
