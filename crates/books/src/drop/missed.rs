//! Starts that passed without an opening.

use std::fmt;

use stampede_domain::{Moment, Phase, UnixMillis};

use super::DropBook;

/// Why a start passed without an opening.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MissedWhy {
    /// The planned end has come as well.
    EndHasCome,
    /// The stream was away for longer than the plan allows.
    StreamAway,
    /// The server was down.
    ServerDown,
    /// The machine slept.
    MachineSlept,
}

impl fmt::Display for MissedWhy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::EndHasCome => "its planned end has come",
            Self::StreamAway => "the stream was away",
            Self::ServerDown => "the server was down, or the stream away",
            Self::MachineSlept => "the machine slept",
        })
    }
}

impl DropBook {
    /// The start that fell into a sleep of the machine, by the wall clock.
    pub(crate) fn missed_by_sleep(&self, now: Moment) -> Option<UnixMillis> {
        match self.phase {
            Phase::Scheduled if !self.start_done => {
                self.plan.starts_at.filter(|starts_at| *starts_at < now.wall)
            }
            Phase::Countdown => self.opens_at.filter(|at| *at < now.sale).map(|at| now.on_wall(at)),
            _ => None,
        }
    }
}

impl DropBook {
    /// The start that this drop has missed when the server comes up, by the wall clock.
    pub fn missed(&self, now: Moment) -> Option<UnixMillis> {
        match self.phase {
            Phase::Scheduled => {
                let opening = self.missed_opening.map(|at| now.on_wall(at));
                let starts_at = self.plan.starts_at;
                opening.or_else(|| starts_at.filter(|at| !self.start_done && *at < now.wall))
            }
            Phase::Countdown => {
                self.opens_at.filter(|at| *at <= now.sale).map(|at| now.on_wall(at))
            }
            _ => None,
        }
    }

    /// Whether an outage moves anything of this drop, or a jump of the sale's clock would.
    pub fn is_moved_by_outages(&self) -> bool {
        let is_running = self.phase == Phase::Countdown
            || self.watch.offline_since().is_some()
            || self.closes_by_sale_clock();
        !self.phase.is_final() && (is_running || self.live_holds > 0)
    }

    /// The automatic start has had its chance.
    pub fn end_start(&mut self) {
        self.start_done = true;
    }

    pub(crate) fn forget_missed_opening(&mut self) {
        self.missed_opening = None;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use stampede_domain::{DropPlan, PoolIndex};
    use stampede_ledger::{CorrectionRecord, PhaseRecord, StreamRecord};

    use super::*;

    const NOW: Moment = Moment { sale: UnixMillis::new(9_000), wall: UnixMillis::new(5_000) };

    fn starting(starts_at: u64) -> DropBook {
        let starts_at = Some(UnixMillis::new(starts_at));
        let plan = DropPlan { starts_at, ..stampede_testkit::plan(5) };
        DropBook::planned(&Arc::new(plan), 1, None)
    }

    fn counting_down(opens_at: u64) -> DropBook {
        let mut book = starting(1);
        let opens_at = UnixMillis::new(opens_at);
        book.apply(NOW.sale, &PhaseRecord::Countdown { opens_at }.into()).unwrap();
        book
    }

    #[test]
    fn a_start_is_missed_once_its_time_has_passed() {
        let by_sleep = |book: DropBook| book.missed_by_sleep(NOW).map(UnixMillis::get);
        assert_eq!(by_sleep(starting(4_999)), Some(4_999));
        assert_eq!(by_sleep(starting(5_000)), None, "it is due right now");
        assert_eq!(by_sleep(counting_down(8_999)), Some(4_999), "by the wall clock");
        assert_eq!(by_sleep(counting_down(9_000)), None);
        let by_outage = |book: DropBook| book.missed(NOW).map(UnixMillis::get);
        assert_eq!(by_outage(starting(4_999)), Some(4_999));
        assert_eq!(by_outage(starting(5_000)), None);
        assert_eq!(by_outage(counting_down(9_000)), Some(5_000));
        assert_eq!(by_outage(counting_down(9_001)), None);
    }

    #[test]
    fn a_start_is_missed_once() {
        let mut book = starting(4_000);
        book.end_start();
        assert_eq!((book.missed_by_sleep(NOW), book.missed(NOW)), (None, None));
    }

    #[test]
    fn an_outage_moves_what_runs() {
        let mut book = starting(4_000);
        assert!(!book.is_moved_by_outages(), "a planned start is the wall clock's");
        assert!(counting_down(1).is_moved_by_outages());
        book.apply(NOW.sale, &PhaseRecord::Opened.into()).unwrap();
        assert!(!book.is_moved_by_outages(), "nothing was taken");
        let mut winding = book.clone();
        let until = NOW.sale;
        winding.apply(NOW.sale, &CorrectionRecord::WindsDown { until }.into()).unwrap();
        assert!(winding.is_moved_by_outages(), "its end is the sale's clock's");
        let mut away = book.clone();
        away.apply(NOW.sale, &StreamRecord::Offline { at: NOW.sale }.into()).unwrap();
        assert!(away.is_moved_by_outages(), "the stream's time runs");
        away.apply(NOW.sale, &PhaseRecord::Settled.into()).unwrap();
        assert!(!away.is_moved_by_outages(), "what is over stays as it is");
        book.note_take(PoolIndex::default()).unwrap();
        assert!(book.is_moved_by_outages(), "a hold runs");
    }
}
