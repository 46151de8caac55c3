//! Takes that became durable since the steward last looked.

use parking_lot::Mutex;
use stampede_domain::{HoldId, Units, UnixMillis};

/// So many takes wake the steward, so that it never has a long list to go through at once.
const WAITING_MAX: usize = 1_024;

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DurableTake {
    pub(crate) hold: HoldId,
    pub(crate) deadline: UnixMillis,
    pub(crate) units: Units,
}

/// The list between the writer's thread and the steward; at most one entry for each live hold.
///
/// The steward says how long it means to sleep, so that a commit wakes it only for a deadline before
/// that: a wake for each commit is a twentieth of a busy core.
#[derive(Debug, Default)]
pub(crate) struct FreshTakes(Mutex<WaitingTakes>);

#[derive(Debug, Default)]
struct WaitingTakes {
    takes: Vec<DurableTake>,
    /// The steward sleeps until then and will not look before; nothing while it is awake.
    asleep_until: Option<UnixMillis>,
}

impl WaitingTakes {
    /// Whether the takes cannot wait until a steward that sleeps until then wakes by itself.
    fn are_urgent(&self, until: UnixMillis) -> bool {
        self.takes.len() >= WAITING_MAX || self.takes.iter().any(|take| take.deadline < until)
    }
}

impl FreshTakes {
    /// Adds takes; `true` if the steward must be woken for them.
    pub(crate) fn add(&self, takes: &mut Vec<DurableTake>) -> bool {
        let mut waiting = self.0.lock();
        waiting.takes.append(takes);
        let wakes = waiting.asleep_until.is_some_and(|until| waiting.are_urgent(until));
        if wakes {
            waiting.asleep_until = None;
        }
        wakes
    }

    /// The steward is awake: gives it what has come.
    pub(crate) fn collect(&self, into: &mut Vec<DurableTake>) {
        let mut waiting = self.0.lock();
        waiting.asleep_until = None;
        into.append(&mut waiting.takes);
    }

    /// The steward means to sleep until then; `false` if something has come that cannot wait.
    pub(crate) fn may_sleep(&self, until: UnixMillis) -> bool {
        let mut waiting = self.0.lock();
        let may = !waiting.are_urgent(until);
        waiting.asleep_until = may.then_some(until);
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn takes(deadlines: &[u64]) -> Vec<DurableTake> {
        let take = |at: &u64| DurableTake {
            hold: HoldId::from_bytes([1; 16]),
            deadline: UnixMillis::new(*at),
            units: Units::ONE,
        };
        deadlines.iter().map(take).collect()
    }

    #[test]
    fn a_deadline_within_the_sleep_wakes_once() {
        let fresh = FreshTakes::default();
        assert!(fresh.may_sleep(UnixMillis::new(1_000)));
        assert!(!fresh.add(&mut takes(&[1_000, 5_000])), "due when the sleep is over");
        assert!(fresh.add(&mut takes(&[999])));
        assert!(!fresh.add(&mut takes(&[998])), "it is waking up already");
        let mut found = Vec::new();
        fresh.collect(&mut found);
        assert_eq!(found, takes(&[1_000, 5_000, 999, 998]));
    }

    #[test]
    fn a_steward_that_is_awake_is_not_woken_but_does_not_fall_asleep_either() {
        let fresh = FreshTakes::default();
        assert!(!fresh.add(&mut takes(&[10])));
        assert!(!fresh.may_sleep(UnixMillis::new(11)));
        assert!(fresh.may_sleep(UnixMillis::new(10)));
    }

    #[test]
    fn a_long_list_wakes() {
        let fresh = FreshTakes::default();
        assert!(fresh.may_sleep(UnixMillis::new(10)));
        assert!(!fresh.add(&mut takes(&[50; WAITING_MAX - 1])));
        assert!(fresh.add(&mut takes(&[50])));
        assert!(!fresh.may_sleep(UnixMillis::new(10)));
    }
}
