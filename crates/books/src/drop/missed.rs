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

    /// Whether an outage moves anything of this drop.
    pub fn is_moved_by_outages(&self) -> bool {
        let is_running = self.phase == Phase::Countdown || self.watch.offline_since().is_some();
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
