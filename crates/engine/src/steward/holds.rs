//! The ends of holds: release, expire.

use stampede_books::{HoldEnd, HoldLook};
use stampede_domain::{HoldId, Phase, UnixMillis};

use super::{ReleaseRequest, Steward, effects::Promise};

/// Expiries decided before other work gets its turn.
const EXPIRIES_PER_TURN_MAX: usize = 1_024;

impl Steward {
    /// A hold as memory has it, which includes ends that are not durable yet.
    pub(super) fn hold_in_memory(&self, hold: HoldId) -> HoldLook {
        self.sales.get(&hold.drop_id()).map_or(HoldLook::Unknown, |sale| sale.hold_in_memory(hold))
    }

    pub(super) fn release(&mut self, request: ReleaseRequest, now: UnixMillis) {
        let look = self.hold_in_memory(request.hold);
        let released = self.decide(|books, out| books.release(now, request.viewer, look, out));
        // The refusal may report an end that is on its way to the ledger, so it waits for it.
        if let Err(refusal) = released {
            self.after_records(Promise::RefuseRelease(request, refusal));
        }
    }

    /// Starts to watch the deadlines of takes that became durable.
    pub(super) fn collect_takes(&mut self) {
        let mut fresh = std::mem::take(&mut self.fresh_takes);
        self.shared.fresh_takes.collect(&mut fresh);
        for take in fresh.drain(..) {
            let drop = take.hold.drop_id();
            self.books.note_take(drop, take.hold.pool());
            self.sales[&drop].hold_ends().add(take.deadline, take.units);
            let sale = &self.sales[&drop];
            if sale.phase() == Phase::Voiding {
                self.called_off.add(take.hold);
            }
            self.deadlines.watch(take.deadline.plus(sale.plan().grace()), take.hold);
        }
        self.fresh_takes = fresh;
    }

    /// Ends what is overdue, oldest deadline first.
    pub(super) fn expire(&mut self, now: UnixMillis) {
        for _ in 0..EXPIRIES_PER_TURN_MAX {
            if !self.has_room() {
                return;
            }
            let Some(hold) = self.deadlines.pop_due(now) else { return };
            // Most holds have ended by then, and the drop of a late one may be over.
            match self.hold_in_memory(hold) {
                HoldLook::Known(held) if held.confirmed => {}
                // It was moved since.
                HoldLook::Known(held) if held.ends_at() > now => {
                    self.deadlines.watch(held.ends_at(), hold);
                }
                HoldLook::Known(held) => {
                    let end = HoldEnd::Expired;
                    self.decide(|books, out| books.end_hold(now, held, end, out));
                }
                _ => {}
            }
        }
    }
}
