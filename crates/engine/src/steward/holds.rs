//! The ends of holds: confirm, release, expire.

use stampede_domain::{HoldId, Phase, Refusal, UnixMillis};
use stampede_ledger::{HoldRecord, Record};
use stampede_stock::End;
use tokio::sync::oneshot;

use super::{ConfirmOutcome, FailOutcome, ReleaseRequest, Steward, effects::Effect};
use crate::{
    buy::{HoldLook, HoldStatus, look},
    event::ViewerEvent,
};

/// Expiries decided before other work gets its turn.
const EXPIRIES_PER_TURN_MAX: usize = 1_024;

impl Steward {
    /// The hold as the steward sees it, which includes ends that are not durable yet.
    pub(super) fn look_up(&self, hold: HoldId) -> HoldLook {
        match self.books.get(&hold.drop_id()) {
            Some(book) => look(&book.sale, hold),
            // A drop that is over has orders that were confirmed in time.
            None => self.shared.sale(hold.drop_id()).map_or(HoldLook::Unknown, |s| look(&s, hold)),
        }
    }

    pub(super) fn confirm(
        &mut self,
        hold: HoldId,
        now: UnixMillis,
        reply: oneshot::Sender<ConfirmOutcome>,
    ) {
        let outcome = match self.look_up(hold) {
            // An id that nobody was told cannot be confirmed.
            HoldLook::Unknown if self.shared.over(hold.drop_id()).is_some() => {
                ConfirmOutcome::DropOver
            }
            HoldLook::Unknown | HoldLook::Pending => ConfirmOutcome::Unknown,
            HoldLook::Ended => ConfirmOutcome::Ended,
            HoldLook::Known(status) if status.confirmed => ConfirmOutcome::AlreadyOrdered,
            HoldLook::Known(held) if now >= held.deadline => {
                self.expire_one(&held);
                ConfirmOutcome::Expired { late_ms: now.since(held.deadline).get() }
            }
            HoldLook::Known(held) => self.order(&held),
        };
        self.after_records(Effect::Confirm(reply, outcome));
    }

    fn order(&mut self, held: &HoldStatus) -> ConfirmOutcome {
        let HoldStatus { hold, viewer, units, amount, .. } = *held;
        self.shared.ends_under_way.insert(hold, *held);
        let sale = &self.books[&hold.drop_id()].sale;
        let channel = sale.channel_of(hold);
        let End::Won(body) = sale.stock().confirm(hold) else {
            unreachable!("the steward alone ends holds, and {hold} was held")
        };
        sale.hold_ends().remove(body.deadline, body.units);
        self.push(
            hold.drop_id(),
            Record::Hold(HoldRecord::Confirmed { hold, viewer, units, amount, channel }),
        );
        self.after_records(Effect::Ordered { hold, viewer, units });
        ConfirmOutcome::Ordered { amount }
    }

    pub(super) fn release(&mut self, request: ReleaseRequest, now: UnixMillis) {
        let refusal = match self.look_up(request.hold) {
            HoldLook::Unknown | HoldLook::Pending => Refusal::UnknownHold,
            HoldLook::Ended => Refusal::HoldEnded,
            HoldLook::Known(status) if status.viewer != request.viewer => Refusal::UnknownHold,
            HoldLook::Known(status) if status.confirmed => Refusal::HoldConfirmed,
            HoldLook::Known(held) if now >= held.deadline => {
                self.expire_one(&held);
                Refusal::HoldEnded
            }
            HoldLook::Known(held) => return self.give_back(&held),
        };
        // The refusal may report an end that is on its way to the ledger, so it waits for it.
        self.after_records(Effect::RefuseRelease(request, refusal));
    }

    /// Ends a hold whose payment failed for good.
    pub(super) fn fail(&mut self, hold: HoldId, reply: oneshot::Sender<FailOutcome>) {
        let outcome = match self.look_up(hold) {
            HoldLook::Unknown if self.shared.over(hold.drop_id()).is_some() => {
                FailOutcome::DropOver
            }
            HoldLook::Unknown | HoldLook::Pending | HoldLook::Ended => FailOutcome::AlreadyEnded,
            HoldLook::Known(status) if status.confirmed => FailOutcome::AlreadyOrdered,
            HoldLook::Known(held) => {
                self.give_back(&held);
                FailOutcome::Ended
            }
        };
        self.after_records(Effect::Fail(reply, outcome));
    }

    pub(super) fn give_back(&mut self, held: &HoldStatus) {
        let HoldStatus { hold, units, .. } = *held;
        self.end(
            held,
            Record::Hold(HoldRecord::Released { hold, units }),
            ViewerEvent::Released { hold, units },
        );
    }

    fn expire_one(&mut self, held: &HoldStatus) {
        let HoldStatus { hold, units, .. } = *held;
        self.end(
            held,
            Record::Hold(HoldRecord::Expired { hold, units }),
            ViewerEvent::Expired { hold, units },
        );
    }

    /// Ends a held hold; its units come back once the record is durable.
    fn end(&mut self, held: &HoldStatus, record: Record, event: ViewerEvent) {
        let HoldStatus { hold, viewer, .. } = *held;
        self.shared.ends_under_way.insert(hold, *held);
        let sale = &self.books[&hold.drop_id()].sale;
        let End::Won(body) = sale.stock().end(hold) else {
            unreachable!("the steward alone ends holds, and {hold} was held")
        };
        sale.hold_ends().remove(body.deadline, body.units);
        self.push(hold.drop_id(), record);
        self.after_records(Effect::Give { hold, viewer, event });
    }

    /// Starts to watch the deadlines of takes that became durable.
    pub(super) fn collect_takes(&mut self) {
        let mut fresh = std::mem::take(&mut self.fresh_takes);
        self.shared.fresh_takes.collect(&mut fresh);
        for take in fresh.drain(..) {
            let drop = take.hold.drop_id();
            let book = self.books.get_mut(&drop).expect("a drop with a take is not over");
            book.count_durable_take(take.hold.pool());
            if book.phase == Phase::Closed || book.live_holds == 1 {
                self.timers.touch(drop);
            }
            book.sale.hold_ends().add(take.deadline, take.units);
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
            match self.look_up(hold) {
                HoldLook::Known(held) if held.confirmed => {}
                // It was moved since.
                HoldLook::Known(held) if held.deadline > now => {
                    self.deadlines.watch(held.deadline, hold);
                }
                HoldLook::Known(held) => self.expire_one(&held),
                _ => {}
            }
        }
    }
}
