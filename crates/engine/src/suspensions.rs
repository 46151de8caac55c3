//! Times in which nobody was served although the node ran: the machine slept, or the ledger was locked.
//!
//! They are outages: whoever held units then gets the time back.

use parking_lot::Mutex;
use stampede_domain::{DurationMs, UnixMillis, limits::HOLD_LIFE_MS_MAX};

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Suspension {
    /// How long it was.
    pub(crate) span: DurationMs,
    /// Deadlines of holds taken before move by it.
    pub(crate) until: UnixMillis,
}

/// By how much these suspensions move the deadline of a hold that was taken at `taken_at`.
pub(crate) fn shift(all: &[Suspension], taken_at: UnixMillis) -> DurationMs {
    let later = all.iter().filter(|one| taken_at < one.until);
    DurationMs::new(later.fold(0, |sum, one| sum.saturating_add(one.span.get())))
}

/// The suspensions of this run, as far as a live hold may have seen them.
///
/// A hold's slot keeps the deadline of its take; a reader of a deadline adds the shift. So a
/// suspension moves every hold at once, those on their way to the ledger among them.
#[derive(Debug, Default)]
pub(crate) struct Suspensions {
    seen: Mutex<Vec<Suspension>>,
    /// Those that the steward has not recorded yet.
    fresh: Mutex<Vec<Suspension>>,
}

impl Suspensions {
    pub(crate) fn add(&self, suspension: Suspension) {
        let mut seen = self.seen.lock();
        seen.push(suspension);
        forget_old(&mut seen, suspension.until);
        self.fresh.lock().push(suspension);
    }

    /// By how much the deadline of a hold has moved since it was taken, or since the node's start.
    pub(crate) fn shift(&self, taken_at: UnixMillis) -> DurationMs {
        shift(&self.seen.lock(), taken_at)
    }

    /// When the first of those began that are not recorded yet.
    pub(crate) fn fresh_since(&self) -> Option<UnixMillis> {
        let began = |one: &Suspension| one.until.get().saturating_sub(one.span.get());
        self.fresh.lock().iter().map(began).min().map(UnixMillis::new)
    }

    /// The steward records these.
    pub(crate) fn take_fresh(&self) -> Vec<Suspension> {
        std::mem::take(&mut *self.fresh.lock())
    }
}

/// Leaves out those that every hold of their time has outlived.
fn forget_old(seen: &mut Vec<Suspension>, now: UnixMillis) {
    let mut later_ms = 0_u64;
    let mut needed = 0;
    for one in seen.iter().rev() {
        later_ms = later_ms.saturating_add(one.span.get());
        let longest = DurationMs::new(HOLD_LIFE_MS_MAX.saturating_add(later_ms));
        if now > one.until.plus(longest) {
            break;
        }
        needed += 1;
    }
    seen.drain(..seen.len() - needed);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> UnixMillis {
        UnixMillis::new(millis)
    }

    fn one(span: u64, until: u64) -> Suspension {
        Suspension { span: DurationMs::new(span), until: at(until) }
    }

    #[test]
    fn a_hold_gets_back_what_came_after_its_take() {
        let all = Suspensions::default();
        all.add(one(7, 100));
        all.add(one(5, 200));
        let shifts = [99, 100, 199, 200].map(|taken_at| all.shift(at(taken_at)).get());
        assert_eq!(shifts, [12, 5, 5, 0]);
        assert_eq!(all.take_fresh(), [one(7, 100), one(5, 200)]);
        assert_eq!(all.take_fresh(), []);
    }

    #[test]
    fn what_no_hold_can_remember_is_forgotten() {
        let all = Suspensions::default();
        all.add(one(7, 100));
        all.add(one(1, 107 + HOLD_LIFE_MS_MAX));
        assert_eq!(all.seen.lock().len(), 2, "a hold of that time may live still");
        all.add(one(1, 110 + HOLD_LIFE_MS_MAX));
        assert_eq!(all.seen.lock().len(), 2);
    }
}
