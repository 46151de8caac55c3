//! Deadlines in order, many to a millisecond.

use std::collections::BTreeMap;

use stampede_domain::{HoldId, UnixMillis};

/// Holds by deadline. Bounded by the holds made within one time-to-live: an ended hold stays until
/// its deadline, because to find it earlier would cost more than to look at it once.
#[derive(Debug, Default)]
pub(crate) struct Deadlines {
    by_time: BTreeMap<UnixMillis, Vec<HoldId>>,
}

impl Deadlines {
    pub(crate) fn watch(&mut self, deadline: UnixMillis, hold: HoldId) {
        self.by_time.entry(deadline).or_default().push(hold);
    }

    /// The next hold whose deadline is not after `now`.
    pub(crate) fn pop_due(&mut self, now: UnixMillis) -> Option<HoldId> {
        let mut first = self.by_time.first_entry().filter(|entry| *entry.key() <= now)?;
        let hold = first.get_mut().pop();
        if first.get().is_empty() {
            first.remove();
        }
        hold
    }

    /// All holds that are watched, ended ones among them.
    pub(crate) fn holds(&self) -> impl Iterator<Item = HoldId> + '_ {
        self.by_time.values().flatten().copied()
    }

    /// The earliest deadline.
    pub(crate) fn next(&self) -> Option<UnixMillis> {
        self.by_time.first_key_value().map(|(deadline, _)| *deadline)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines_fall_due_in_order() {
        let hold = |n: u8| HoldId::from_bytes([n; 16]);
        let at = UnixMillis::new;
        let mut deadlines = Deadlines::default();
        for (time, n) in [(30, 3), (10, 1), (20, 2)] {
            deadlines.watch(at(time), hold(n));
        }
        assert_eq!(deadlines.next(), Some(at(10)));
        assert_eq!(deadlines.pop_due(at(9)), None);
        assert_eq!(deadlines.pop_due(at(20)), Some(hold(1)));
        assert_eq!(deadlines.pop_due(at(20)), Some(hold(2)));
        assert_eq!(deadlines.pop_due(at(20)), None);
        assert_eq!(deadlines.next(), Some(at(30)));
    }
}
