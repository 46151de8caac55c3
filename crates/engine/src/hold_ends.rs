//! When the holds of a drop end, kept by the second.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use stampede_domain::{DropPlan, DurationMs, Units, UnixMillis};

use crate::{extensions::Extensions, suspensions::Suspensions};

/// What ends within this time ends soon, in milliseconds.
pub const SOON_MS: u64 = 30_000;
const SECOND_MS: u64 = 1_000;

/// Durable holds that have no end yet, by when they end; known to a second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HoldEnding {
    /// Holds that end within [`SOON_MS`] unless they are paid for.
    pub soon_holds: u64,
    /// Their units.
    pub soon_units: u64,
    /// When the first hold ends, by the sale's clock; `None` if nothing is held.
    pub first: Option<UnixMillis>,
    /// When the last one does.
    pub last: Option<UnixMillis>,
}

/// Live holds by the second of their deadline, as it was when they were taken: an answer costs as many
/// steps as a hold lives seconds, however many holds there are. The steward writes.
#[derive(Debug, Default)]
pub(crate) struct HoldEnds(Mutex<BTreeMap<u64, Count>>);

/// Below zero for a moment where the steward ends a hold before it has seen its take.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    holds: i64,
    units: i64,
}

impl HoldEnds {
    pub(crate) fn add(&self, deadline: UnixMillis, units: Units) {
        self.change(deadline, 1, i64::from(units.get()));
    }

    /// A hold with this deadline has ended.
    pub(crate) fn remove(&self, deadline: UnixMillis, units: Units) {
        self.change(deadline, -1, -i64::from(units.get()));
    }

    fn change(&self, deadline: UnixMillis, holds: i64, units: i64) {
        let mut ends = self.0.lock();
        let second = second_of(deadline);
        let count = ends.entry(second).or_default();
        count.holds += holds;
        count.units += units;
        if (count.holds, count.units) == (0, 0) {
            ends.remove(&second);
        }
    }

    /// What ends soon after `now`; suspensions and extensions since have moved the deadlines.
    pub(crate) fn ending(
        &self,
        plan: &DropPlan,
        (suspensions, extensions): (&Suspensions, &Extensions),
        now: UnixMillis,
    ) -> HoldEnding {
        let ends = self.0.lock();
        let moved = |second: u64| {
            let deadline = UnixMillis::new(second * SECOND_MS);
            let taken_at = UnixMillis::new(deadline.get().saturating_sub(plan.hold_ttl.get()));
            deadline.plus(suspensions.shift(taken_at)).plus(extensions.moved(taken_at).decided)
        };
        let soon = now.plus(DurationMs::new(SOON_MS));
        let mut ending = HoldEnding {
            first: ends.first_key_value().map(|(second, _)| moved(*second)),
            last: ends.last_key_value().map(|(second, _)| moved(*second)),
            ..HoldEnding::default()
        };
        for (_, count) in ends.iter().take_while(|(second, _)| moved(**second) <= soon) {
            ending.soon_holds += u64::try_from(count.holds).unwrap_or(0);
            ending.soon_units += u64::try_from(count.units).unwrap_or(0);
        }
        ending
    }
}

/// The second in which a deadline falls, counted from 1970; a hold never ends before it begins.
fn second_of(deadline: UnixMillis) -> u64 {
    deadline.get() / SECOND_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_may_be_known_before_its_take() {
        let ends = HoldEnds::default();
        let (deadline, units) = (UnixMillis::new(70_500), Units::ONE);
        ends.remove(deadline, units);
        ends.add(deadline, units);
        assert!(ends.0.lock().is_empty());
    }
}
