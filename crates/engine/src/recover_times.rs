//! What the times of a drop's records leave: missed starts, moved deadlines.

use stampede_domain::{Phase, UnixMillis};
use stampede_ledger::{PhaseRecord, Record};

use crate::{clock::Moment, recover::DropPast, suspensions::Suspension};

impl DropPast {
    /// What the time of a record says. A countdown that was called off at its end or later was missed,
    /// unless staff called it off.
    pub(crate) fn see(&mut self, record: &Record, at: UnixMillis) {
        match record {
            Record::Recovered(_) => self.recovered_at = at,
            Record::Phase(PhaseRecord::CountdownCancelled) => {
                self.missed_opening = self.opens_at.filter(|opens_at| *opens_at <= at);
            }
            Record::Phase(PhaseRecord::Countdown { .. }) => self.missed_opening = None,
            Record::Phase(
                PhaseRecord::Opened
                | PhaseRecord::Paused
                | PhaseRecord::Resumed
                | PhaseRecord::Closed
                | PhaseRecord::Settled
                | PhaseRecord::Cancelled,
            )
            | Record::Planned { .. }
            | Record::Lot { .. }
            | Record::Hold(_)
            | Record::Stream(_)
            | Record::Featured
            | Record::Suspended { .. }
            | Record::Tally(_)
            | Record::Command(_)
            | Record::Heartbeat(_)
            | Record::Room(_)
            | Record::Brake(_) => {}
        }
    }

    /// The planned start that passed without its chance.
    fn missed_start(&self, wall: UnixMillis) -> Option<UnixMillis> {
        self.plan.starts_at.filter(|at| !self.start_done && *at < wall)
    }

    /// The start that this drop has missed when the server comes up, by the wall clock.
    pub(crate) fn missed(&self, now: Moment) -> Option<UnixMillis> {
        match self.phase {
            Phase::Scheduled => {
                let opening = self.missed_opening.map(|at| now.on_wall(at));
                opening.or_else(|| self.missed_start(now.wall))
            }
            Phase::Countdown => {
                self.opens_at.filter(|at| *at <= now.sale).map(|at| now.on_wall(at))
            }
            _ => None,
        }
    }

    /// Nobody was served for a while although the node ran.
    pub(crate) fn suspend(&mut self, suspension: Suspension) {
        self.suspensions.push(suspension);
        self.move_deadlines(suspension.span, suspension.until);
    }
}
