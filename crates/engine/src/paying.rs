//! How it goes with paying for what was taken.

use std::collections::VecDeque;

use parking_lot::Mutex;
use stampede_domain::{Units, UnixMillis};

/// Attempts that came to nothing, and orders, are counted over this time, in milliseconds, known to a thirtieth of it.
pub const PAYING_WINDOW_MS: u64 = 300_000;
const STEP_MS: u64 = 10_000;
const _: () = assert!(PAYING_WINDOW_MS.is_multiple_of(STEP_MS));

/// How it goes with paying for a drop's holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PayingFigures {
    /// Units that became orders since the engine started.
    pub ordered_units: u64,
    /// Units that came back since then: nobody paid for them in time, or their viewers gave them up. Units that a
    /// payment has taken again, after its hold had ended, are none of them.
    pub returned_units: u64,
    /// Orders that were made within [`PAYING_WINDOW_MS`].
    pub recent_orders: u64,
    /// Attempts to pay that came to nothing within that time.
    pub recent_failed: u64,
}

/// Counts it. The steward writes, anybody reads; where nobody pays it needs no memory.
#[derive(Debug, Default)]
pub(crate) struct Paying(Mutex<Counted>);

#[derive(Debug, Default)]
struct Counted {
    ordered_units: u64,
    returned_units: u64,
    /// Oldest first.
    steps: VecDeque<Step>,
}

/// What about ten seconds brought.
#[derive(Clone, Copy, Debug, Default)]
struct Step {
    number: u64,
    orders: u64,
    failed: u64,
}

impl Paying {
    /// A hold became an order.
    pub(crate) fn order(&self, units: Units, now: UnixMillis) {
        let mut counted = self.0.lock();
        counted.ordered_units += u64::from(units.get());
        counted.step(now).orders += 1;
    }

    /// A hold gave its units back.
    pub(crate) fn give_back(&self, units: Units) {
        self.0.lock().returned_units += u64::from(units.get());
    }

    /// Units that had been given back since the start were taken again for their hold's own payment.
    pub(crate) fn take_back(&self, units: Units) {
        let returned = &mut self.0.lock().returned_units;
        *returned = returned.saturating_sub(units.get().into());
    }

    /// An attempt to pay came to nothing.
    pub(crate) fn fail(&self, now: UnixMillis) {
        self.0.lock().step(now).failed += 1;
    }

    pub(crate) fn figures(&self, now: UnixMillis) -> PayingFigures {
        let counted = self.0.lock();
        let oldest = oldest(now);
        let steps = counted.steps.iter().filter(|step| step.number >= oldest);
        let (recent_orders, recent_failed) = steps
            .fold((0, 0), |(orders, failed), step| (orders + step.orders, failed + step.failed));
        PayingFigures {
            ordered_units: counted.ordered_units,
            returned_units: counted.returned_units,
            recent_orders,
            recent_failed,
        }
    }
}

impl Counted {
    fn step(&mut self, now: UnixMillis) -> &mut Step {
        let (number, oldest) = (now.get() / STEP_MS, oldest(now));
        while self.steps.front().is_some_and(|step| step.number < oldest) {
            self.steps.pop_front();
        }
        if self.steps.back().is_none_or(|step| step.number < number) {
            self.steps.push_back(Step { number, ..Step::default() });
        }
        self.steps.back_mut().expect("one was just added if there was none")
    }
}

/// The number of the oldest step that counts.
const fn oldest(now: UnixMillis) -> u64 {
    (now.get() / STEP_MS + 1).saturating_sub(PAYING_WINDOW_MS / STEP_MS)
}

#[cfg(test)]
mod tests {
    use stampede_testkit::units;

    use super::*;

    fn at(seconds: u64) -> UnixMillis {
        UnixMillis::new(1_000_000 + seconds * 1_000)
    }

    #[test]
    fn attempts_are_of_late_and_units_of_all_the_time() {
        let paying = Paying::default();
        assert_eq!(paying.figures(at(0)), PayingFigures::default());
        assert_eq!(paying.0.lock().steps.capacity(), 0, "nobody pays: no memory");
        paying.order(units(2), at(0));
        paying.fail(at(1));
        paying.fail(at(200));
        paying.give_back(units(3));
        let figures = |seconds| {
            let found = paying.figures(at(seconds));
            assert_eq!((found.ordered_units, found.returned_units), (2, 3));
            (found.recent_orders, found.recent_failed)
        };
        assert_eq!(figures(200), (1, 2));
        assert_eq!(figures(299), (1, 2));
        assert_eq!(figures(300), (0, 1));
        assert_eq!(figures(499), (0, 1));
        assert_eq!(figures(500), (0, 0));
    }

    #[test]
    fn what_is_over_is_let_go() {
        let paying = Paying::default();
        for minute in 0..1_000 {
            paying.fail(at(minute * 60));
        }
        assert_eq!(paying.figures(at(999 * 60)).recent_failed, 5);
        assert!(paying.0.lock().steps.len() <= 5);
    }
}
