//! The ends of holds: confirm, release, expire.

use stampede_domain::{HoldId, Refusal, UnixMillis};
use stampede_ledger::Record;
use stampede_stock::End;
use tokio::sync::oneshot;

use super::{ConfirmOutcome, ReleaseRequest, effects::Effect, thread::Steward};
use crate::{
    event::ViewerEvent,
    port::{HoldState, HoldStatus, status},
};

/// Expiries decided before other work gets its turn.
const EXPIRIES_PER_TURN_MAX: usize = 1_024;

impl Steward {
    /// The hold as the steward sees it, which includes ends that are not durable yet.
    fn look_up(&self, hold: HoldId) -> Option<HoldStatus> {
        status(&self.books.get(&hold.drop_id())?.sale, hold)
    }

    pub(super) fn confirm(
        &mut self,
        hold: HoldId,
        now: UnixMillis,
        reply: oneshot::Sender<ConfirmOutcome>,
    ) {
        let outcome = match self.look_up(hold) {
            // An id that nobody was told cannot be confirmed.
            None | Some(HoldStatus { state: HoldState::Pending, .. }) => ConfirmOutcome::Unknown,
            Some(HoldStatus { state: HoldState::Confirmed, .. }) => ConfirmOutcome::AlreadyOrdered,
            Some(HoldStatus { state: HoldState::Ended, .. }) => ConfirmOutcome::Ended,
            Some(held) if now >= held.deadline => {
                self.end(&held, ViewerEvent::Expired(hold));
                ConfirmOutcome::Expired { late_ms: now.since(held.deadline).get() }
            }
            Some(held) => self.order(&held),
        };
        self.after_records(Effect::Confirm(reply, outcome));
    }

    fn order(&mut self, held: &HoldStatus) -> ConfirmOutcome {
        let HoldStatus { hold, viewer, units, amount, .. } = *held;
        let ended = self.books[&hold.drop_id()].sale.stock().confirm(hold);
        assert_eq!(ended, End::Done, "the steward alone ends holds, and {hold} was held");
        self.push(hold.drop_id(), Record::Confirmed { hold, viewer, units, amount });
        self.after_records(Effect::Ordered { hold, viewer, units });
        ConfirmOutcome::Ordered { amount }
    }

    pub(super) fn release(&mut self, request: ReleaseRequest, now: UnixMillis) {
        let found = self.look_up(request.hold).filter(|status| status.viewer == request.viewer);
        let refusal = match found {
            None | Some(HoldStatus { state: HoldState::Pending, .. }) => Refusal::UnknownHold,
            Some(HoldStatus { state: HoldState::Confirmed, .. }) => Refusal::HoldConfirmed,
            Some(HoldStatus { state: HoldState::Ended, .. }) => Refusal::HoldEnded,
            Some(held) if now >= held.deadline => {
                self.end(&held, ViewerEvent::Expired(request.hold));
                Refusal::HoldEnded
            }
            Some(held) => return self.end(&held, ViewerEvent::Released(request.hold)),
        };
        // The refusal may report an end that is on its way to the ledger, so it waits for it.
        self.after_records(Effect::RefuseRelease(request, refusal));
    }

    /// Ends a held hold; its units come back once the record is durable.
    fn end(&mut self, held: &HoldStatus, event: ViewerEvent) {
        let HoldStatus { hold, viewer, units, .. } = *held;
        let ended = self.books[&hold.drop_id()].sale.stock().end(hold);
        assert_eq!(ended, End::Done, "the steward alone ends holds, and {hold} was held");
        let record = match event {
            ViewerEvent::Released(_) => Record::Released { hold, units },
            _ => Record::Expired { hold, units },
        };
        self.push(hold.drop_id(), record);
        self.after_records(Effect::Give { hold, viewer, event });
    }

    /// Starts to watch the deadlines of takes that became durable.
    pub(super) fn collect_takes(&mut self) {
        let mut fresh = std::mem::take(&mut self.fresh_takes);
        fresh.append(&mut self.shared.durable_takes.lock());
        for take in fresh.drain(..) {
            let book = self.books.get_mut(&take.hold.drop_id());
            book.expect("a drop with a take is not over").count_durable_take(take.hold.pool());
            self.deadlines.watch(take.deadline, take.hold);
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
            if let Some(held) = self.look_up(hold).filter(|status| status.state == HoldState::Held) {
                self.end(&held, ViewerEvent::Expired(hold));
            }
        }
    }
}

