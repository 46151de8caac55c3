//! Admission at a rate by one shared word.

use std::sync::atomic::{AtomicU64, Ordering};

use stampede_domain::{DurationMs, UnixMillis};

const NS_PER_MS: u64 = 1_000_000;
const NS_PER_S: u64 = 1_000_000_000;
/// How far ahead of the rate a burst may run: the share of 100 ms may come at once.
const BURST_NS: u64 = 100 * NS_PER_MS;

/// Lets so many through per second; keeps the time at which the next one is due by the rate.
///
/// This is the generic cell rate algorithm: one word for all cores, no timer.
#[derive(Debug)]
pub(super) struct Gate {
    /// Time between two by the rate; 0: there is no limit.
    spacing_ns: AtomicU64,
    /// When the next one is due, in nanoseconds since 1970.
    due_ns: AtomicU64,
}

impl Gate {
    pub(super) const fn open() -> Self {
        Self { spacing_ns: AtomicU64::new(0), due_ns: AtomicU64::new(0) }
    }

    /// Sets the rate; `None` lets everything through.
    pub(super) fn set(&self, per_s: Option<u32>) {
        let spacing = per_s.map_or(0, |per_s| NS_PER_S / u64::from(per_s.max(1)));
        // ORDERING: Relaxed: a rate stands by itself, nothing else is published with it.
        if self.spacing_ns.swap(spacing, Ordering::Relaxed) != spacing {
            // A slower rate's next turn may lie far ahead.
            self.due_ns.store(0, Ordering::Relaxed);
        }
    }

    /// Lets one through, or tells how long the rate needs until the next.
    pub(super) fn admit(&self, now: UnixMillis) -> Result<(), DurationMs> {
        let spacing = self.spacing_ns.load(Ordering::Relaxed);
        if spacing == 0 {
            return Ok(());
        }
        let now_ns = now.get().saturating_mul(NS_PER_MS);
        let latest = now_ns.saturating_add(BURST_NS);
        let next = |due: u64| (due <= latest).then(|| due.max(now_ns).saturating_add(spacing));
        // ORDERING: Relaxed: only the sum of what is let through counts.
        match self.due_ns.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next) {
            Ok(_) => Ok(()),
            Err(due) => Err(DurationMs::new((due - latest).div_ceil(NS_PER_MS))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(gate: &Gate, from_ms: u64, to_ms: u64, tries_per_ms: u32) -> u32 {
        (from_ms..to_ms)
            .flat_map(|ms| (0..tries_per_ms).map(move |_| UnixMillis::new(1_700_000_000_000 + ms)))
            .map(|now| u32::from(gate.admit(now).is_ok()))
            .sum()
    }

    #[test]
    fn a_gate_without_a_rate_is_open() {
        assert_eq!(admitted(&Gate::open(), 0, 10, 100), 1_000);
    }

    #[test]
    fn the_rate_holds_over_time_with_a_bounded_burst() {
        for per_s in [1, 10, 999, 50_000] {
            let gate = Gate::open();
            gate.set(Some(per_s));
            let passed = admitted(&gate, 0, 10_000, per_s.div_ceil(100));
            let (least, most) = (per_s * 10, per_s * 10 + per_s / 10 + 2);
            assert!((least..=most).contains(&passed), "{per_s} per second: {passed} in 10 s");
        }
    }

    #[test]
    fn a_refusal_tells_when_the_next_is_let_through() {
        let gate = Gate::open();
        gate.set(Some(2));
        let at = |ms| UnixMillis::new(1_700_000_000_000 + ms);
        assert_eq!(gate.admit(at(0)), Ok(()));
        let wait = gate.admit(at(0)).unwrap_err();
        assert_eq!(wait, DurationMs::new(400));
        assert!(gate.admit(at(wait.get() - 1)).is_err());
        assert_eq!(gate.admit(at(wait.get())), Ok(()));
    }

    #[test]
    fn a_higher_rate_acts_at_once() {
        let gate = Gate::open();
        gate.set(Some(1));
        assert_eq!(admitted(&gate, 0, 1, 5), 1);
        gate.set(Some(1_000));
        assert_eq!(admitted(&gate, 1, 2, 5), 5);
    }
}
