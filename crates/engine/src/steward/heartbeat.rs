//! Signs that the node works, by which the time without a server is measured after a crash.

use stampede_domain::{DropId, DurationMs, UnixMillis};
use stampede_ledger::{Heartbeat, Position, Record};

use super::Steward;
use crate::clock::{MachineTime, Moment};

/// Time between two heartbeats while a hold, a countdown or a stream's time runs, in milliseconds.
const BEAT_MS: u64 = 1_000;
/// The same while nothing runs that an outage would move.
const QUIET_BEAT_MS: u64 = 60_000;

/// The latest heartbeat.
#[derive(Debug, Default)]
pub(crate) struct Pulse {
    at: UnixMillis,
    position: Position,
}

impl Steward {
    /// When the next heartbeat is due; `None` while the latest is on its way to the ledger.
    pub(super) fn next_beat(&self) -> Option<UnixMillis> {
        let every = if self.books.any_deadline() { BEAT_MS } else { QUIET_BEAT_MS };
        let is_durable = self.pulse.position <= self.ring.durable();
        is_durable.then(|| self.pulse.at.plus(DurationMs::new(every)))
    }

    pub(super) fn beat_if_due(&mut self, now: Moment) {
        if self.has_room() && self.next_beat().is_some_and(|at| at <= now.sale) {
            self.beat(now);
        }
    }

    /// Records that the node works.
    pub(super) fn beat(&mut self, now: Moment) {
        let MachineTime { boot, since_boot, .. } = self.shared.clock.machine();
        let beat = Heartbeat { wall: now.wall, boot, since_boot };
        self.push(DropId::HOUSE, Record::Heartbeat(Box::new(beat)));
        self.pulse = Pulse { at: now.sale, position: self.pushed };
    }
}
