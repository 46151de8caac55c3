//! When the node last worked, by which the time without a server is measured.

use stampede_domain::{DurationMs, Incarnation, UnixMillis};
use stampede_ledger::Heartbeat;

use crate::clock::Clock;

/// What the heartbeats tell. A recovery ends with one, so the rows of a start before its first are the
/// recovery's: nobody was served then.
#[derive(Debug, Default)]
pub(crate) struct LastWork {
    /// The latest start whose recovery had ended.
    incarnation: Incarnation,
    /// Time of the latest row of such a start.
    until: UnixMillis,
    /// The latest heartbeat with the time of its row; none in a ledger of an older version.
    beat: Option<(UnixMillis, Heartbeat)>,
}

impl LastWork {
    /// Follows one row.
    pub(crate) fn row(&mut self, incarnation: Incarnation, at: UnixMillis) {
        if self.beat.is_some() && incarnation == self.incarnation {
            self.until = at;
        }
    }

    /// The rows that were read need not have the latest of that start.
    pub(crate) fn until_at_least(&mut self, at: UnixMillis) {
        self.until = self.until.max(at);
    }

    /// Follows a heartbeat.
    pub(crate) fn beat(&mut self, incarnation: Incarnation, at: UnixMillis, beat: Heartbeat) {
        self.incarnation = incarnation;
        self.beat = Some((at, beat));
        self.row(incarnation, at);
    }

    /// What the sale's clock shows at a start: the journal's time, and what has really passed since the
    /// latest heartbeat. Within one start of the machine its own clock tells, which nobody sets, else the
    /// wall clock.
    pub(crate) fn now(&self, ledger_last_at: UnixMillis, clock: &dyn Clock) -> UnixMillis {
        let Some((at, beat)) = self.beat else { return ledger_last_at.max(clock.now()) };
        let machine = clock.machine();
        let passed = if machine.boot == beat.boot {
            machine.since_boot.get().saturating_sub(beat.since_boot.get())
        } else {
            clock.wall().since(beat.wall).get()
        };
        ledger_last_at.max(at.plus(DurationMs::new(passed)))
    }

    /// Until when a drop was looked after that came back at `recovered_at`: a start that died halfway may
    /// have recovered some drops only. `None` in a ledger without heartbeats.
    pub(crate) fn until(&self, recovered_at: UnixMillis) -> Option<UnixMillis> {
        self.beat.map(|_| self.until.max(recovered_at))
    }
}

#[cfg(test)]
mod tests {
    use stampede_ledger::BootId;

    use super::*;
    use crate::clock::{MachineTime, Moment};

    struct FixedClock(Moment, MachineTime);

    impl Clock for FixedClock {
        fn now(&self) -> UnixMillis {
            self.0.sale
        }

        fn wall(&self) -> UnixMillis {
            self.0.wall
        }

        fn machine(&self) -> MachineTime {
            self.1
        }
    }

    fn at(millis: u64) -> UnixMillis {
        UnixMillis::new(millis)
    }

    fn shown(wall: u64, boot: u8, since_boot: u64) -> FixedClock {
        let (boot, asleep) = (BootId::from_bytes([boot; 16]), DurationMs::ZERO);
        let since_boot = DurationMs::new(since_boot);
        FixedClock(
            Moment { sale: at(wall), wall: at(wall) },
            MachineTime { boot, since_boot, asleep },
        )
    }

    fn start(number: u32) -> Incarnation {
        Incarnation::new(number).unwrap()
    }

    fn worked() -> LastWork {
        let mut work = LastWork::default();
        let boot = BootId::from_bytes([1; 16]);
        work.row(start(1), at(9_000));
        let since_boot = DurationMs::new(500);
        work.beat(start(1), at(10_000), Heartbeat { wall: at(70_000), boot, since_boot });
        work.row(start(1), at(10_400));
        work
    }

    #[test]
    fn rows_of_a_recovery_are_no_work() {
        let mut work = worked();
        work.row(start(2), at(50_000));
        assert_eq!(work.until(at(0)), Some(at(10_400)));
        assert_eq!(work.until(at(50_000)), Some(at(50_000)), "its own recovery counts");
        assert_eq!(LastWork::default().until(at(50_000)), None);
    }

    #[test]
    fn time_passes_by_the_machine_within_one_start_of_it() {
        for wall in [0, 70_000, 900_000] {
            assert_eq!(worked().now(at(10_400), &shown(wall, 1, 3_500)), at(13_000));
        }
        assert_eq!(worked().now(at(10_400), &shown(70_000, 1, 0)), at(10_400), "never backwards");
    }

    #[test]
    fn time_passes_by_the_wall_clock_across_starts_of_the_machine() {
        assert_eq!(worked().now(at(10_400), &shown(75_000, 2, 3_500)), at(15_000));
        assert_eq!(worked().now(at(10_400), &shown(60_000, 2, 3_500)), at(10_400));
    }

    #[test]
    fn a_ledger_without_heartbeats_goes_by_the_system() {
        let work = LastWork::default();
        assert_eq!(work.now(at(5_000), &shown(7_000, 1, 0)), at(7_000));
        assert_eq!(work.now(at(5_000), &shown(3_000, 1, 0)), at(5_000));
    }
}
