//! When each drop has to be looked at again, so that a drop in which nothing happens costs nothing.

use std::collections::{BTreeSet, HashMap, HashSet};

use stampede_domain::{DropId, UnixMillis};

/// Drops by the time when they are due. Bounded by the drops that are not over.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    due: BTreeSet<(UnixMillis, DropId)>,
    at: HashMap<DropId, UnixMillis, foldhash::fast::RandomState>,
    /// Drops whose books may have changed since their time was worked out.
    pub(crate) touched: Vec<DropId>,
    /// Drops in which something runs that an outage would move.
    running: HashSet<DropId, foldhash::fast::RandomState>,
    /// Drops that settle as soon as their last take is known.
    closed: HashSet<DropId, foldhash::fast::RandomState>,
}

impl Timers {
    /// The drop's time is worked out again before the next look at what is due.
    pub(crate) fn touch(&mut self, drop: DropId) {
        if self.touched.last() != Some(&drop) {
            self.touched.push(drop);
        }
    }

    /// When the next drop is due.
    pub(crate) fn next(&self) -> Option<UnixMillis> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Whether a drop waits for its last takes.
    pub(crate) fn any_closed(&self) -> bool {
        !self.closed.is_empty()
    }

    /// Whether a hold, a countdown or a stream's time runs in any drop.
    pub(crate) fn any_deadline(&self) -> bool {
        !self.running.is_empty()
    }

    pub(crate) fn set_running(&mut self, drop: DropId, is_running: bool) {
        if is_running {
            self.running.insert(drop);
        } else {
            self.running.remove(&drop);
        }
    }

    pub(crate) fn set(&mut self, drop: DropId, at: Option<UnixMillis>, is_closed: bool) {
        let old = match at {
            Some(at) => self.at.insert(drop, at),
            None => self.at.remove(&drop),
        };
        if old != at {
            if let Some(old) = old {
                self.due.remove(&(old, drop));
            }
            self.due.extend(at.map(|at| (at, drop)));
        }
        if is_closed {
            self.closed.insert(drop);
        } else {
            self.closed.remove(&drop);
        }
    }

    /// Drops that are due, earliest first.
    pub(crate) fn due(&self, now: UnixMillis) -> Vec<DropId> {
        self.due.iter().take_while(|(at, _)| *at <= now).map(|(_, drop)| *drop).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drop(n: u32) -> DropId {
        format!("d{n}").parse().unwrap()
    }

    #[test]
    fn only_drops_that_are_due_are_looked_at() {
        let at = UnixMillis::new;
        let mut timers = Timers::default();
        for n in 1..=5_000 {
            timers.set(drop(n), None, false);
        }
        assert_eq!(timers.next(), None, "what has no time of its own is not in the index");
        timers.set(drop(7), Some(at(30)), false);
        timers.set(drop(9), Some(at(10)), false);
        timers.set(drop(7), Some(at(20)), true);
        assert_eq!(timers.next(), Some(at(10)));
        assert_eq!(timers.due(at(9)), []);
        assert_eq!(timers.due(at(20)), [drop(9), drop(7)]);
        assert!(timers.any_closed());
        timers.set(drop(7), None, false);
        assert_eq!((timers.due(at(99)), timers.any_closed()), (vec![drop(9)], false));
    }

    #[test]
    fn what_an_outage_would_move_is_known_for_each_drop() {
        let mut timers = Timers::default();
        assert!(!timers.any_deadline());
        timers.set_running(drop(1), true);
        timers.set_running(drop(2), true);
        timers.set_running(drop(1), false);
        assert!(timers.any_deadline());
        timers.set_running(drop(2), false);
        assert!(!timers.any_deadline());
    }
}
