//! The holds of drops whose opening is undone: they end in portions, so that whatever else is asked of the steward has
//! its turn in between.

use std::collections::VecDeque;

use stampede_books::{HoldEnd, HoldLook};
use stampede_domain::{DropId, HoldId, Phase, UnixMillis};
use stampede_ledger::Position;

use super::Steward;

/// Holds of one portion. The next one begins when these ends are durable, so a pause of another drop never waits for more
/// than so many records.
const PORTION_HOLDS_MAX: usize = 1_024;

/// Holds of drops that are called off, until they have ended: as many at most as those drops had.
#[derive(Debug, Default)]
pub(crate) struct CalledOff {
    holds: VecDeque<HoldId>,
    /// Where the ends of the latest portion stand.
    ended_up_to: Position,
}

impl CalledOff {
    /// One more.
    pub(super) fn add(&mut self, hold: HoldId) {
        self.holds.push_back(hold);
    }
}

impl Steward {
    /// Notes the holds of a drop that is called off, before it shows. Takes that are on their way to the ledger follow
    /// when they have got there.
    pub(super) fn call_off(&mut self, drop: DropId) {
        self.collect_takes();
        // A hold is watched until it has ended, so none is missing; those that have ended are passed over later.
        let watched = self.deadlines.holds().filter(|hold| hold.drop_id() == drop);
        let watched: Vec<HoldId> = watched.collect();
        self.called_off.holds.extend(watched);
    }

    /// After a restart: the crash may have come between the decision and the end of the last hold.
    pub(super) fn call_off_again(&mut self) {
        let drops = self.books.live().filter(|(_, book)| book.phase() == Phase::Voiding);
        let drops: Vec<DropId> = drops.map(|(drop, _)| drop).collect();
        for drop in drops {
            self.call_off(drop);
        }
    }

    /// Ends the next portion, once the one before is durable: the commit wakes the steward.
    pub(super) fn end_called_off(&mut self, now: UnixMillis) {
        if self.called_off.ended_up_to > self.ring.durable() {
            return;
        }
        let mut ended = 0;
        while ended < PORTION_HOLDS_MAX && self.has_room() {
            let Some(hold) = self.called_off.holds.pop_front() else { break };
            if let HoldLook::Known(held) = self.hold_in_memory(hold)
                && !held.confirmed
            {
                let end = HoldEnd::CalledOff;
                self.decide(|books, out| books.end_hold(now, held, end, out));
                ended += 1;
            }
        }
        if ended > 0 {
            self.called_off.ended_up_to = self.pushed;
        }
    }
}
