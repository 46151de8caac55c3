//! The ends of holds: order, release, expire. The shell shows the hold.

use stampede_domain::{ChannelId, DropId, Phase, PoolIndex, Refusal, UnixMillis, ViewerNumber};
use stampede_ledger::HoldRecord;

use super::Books;
use crate::{
    decision::{Act, Decision, Effect, HoldEnd},
    hold::{HoldLook, HoldStatus},
};

impl Books {
    /// A take has become durable.
    ///
    /// # Panics
    /// If the drop is not there: one with a take under way is not over.
    pub fn note_take(&mut self, drop: DropId, pool: PoolIndex) {
        let book = self.drops.get_mut(&drop).expect("a drop with a take is not over");
        book.note_take(pool).expect("a take has one of its drop's pools");
        if book.last_takes.is_some() || book.live_holds == 1 {
            self.timers.touch(drop);
        }
    }

    /// A hold becomes an order.
    pub(super) fn order(
        &mut self,
        now: UnixMillis,
        held: HoldStatus,
        channel: Option<ChannelId>,
        out: &mut Decision,
    ) {
        let HoldStatus { hold, viewer, units, amount, .. } = held;
        let phase = self.drops[&hold.drop_id()].phase();
        assert!(phase != Phase::Voiding, "no hold of a drop that is called off becomes an order");
        out.at_once.push(Act::EndHold { held, end: HoldEnd::Ordered });
        let record = HoldRecord::Confirmed { hold, viewer, units, amount, channel };
        self.record(now, hold.drop_id(), record, out);
        out.when_durable.push(Effect::Order { hold, viewer, units });
    }

    /// `viewer` gives a hold back.
    ///
    /// # Errors
    /// Why nothing is given back. It may report an end that is on its way to the ledger, so it waits for
    /// what was decided so far.
    pub fn release(
        &mut self,
        now: UnixMillis,
        viewer: ViewerNumber,
        look: HoldLook,
        out: &mut Decision,
    ) -> Result<(), Refusal> {
        match look {
            HoldLook::Unknown | HoldLook::Pending => Err(Refusal::UnknownHold),
            HoldLook::Ended => Err(Refusal::HoldEnded),
            HoldLook::Known(status) if status.viewer != viewer => Err(Refusal::UnknownHold),
            HoldLook::Known(status) if status.confirmed => Err(Refusal::HoldConfirmed),
            HoldLook::Known(held) if now >= held.ends_at() => {
                self.end_hold(now, held, HoldEnd::Expired, out);
                Err(Refusal::HoldEnded)
            }
            HoldLook::Known(held) => {
                self.end_hold(now, held, HoldEnd::Released, out);
                Ok(())
            }
        }
    }

    /// Ends a hold that is held; its units come back once the record is durable. In a drop that is called off it ends
    /// for that reason, whatever else would have ended it.
    pub fn end_hold(
        &mut self,
        now: UnixMillis,
        held: HoldStatus,
        end: HoldEnd,
        out: &mut Decision,
    ) {
        let HoldStatus { hold, viewer, units, .. } = held;
        let is_called_off = self.drops[&hold.drop_id()].phase() == Phase::Voiding;
        let end = if is_called_off { HoldEnd::CalledOff } else { end };
        out.at_once.push(Act::EndHold { held, end });
        let record = match end {
            HoldEnd::Expired => HoldRecord::Expired { hold, units },
            HoldEnd::Released | HoldEnd::CalledOff | HoldEnd::Ordered => {
                HoldRecord::Released { hold, units }
            }
        };
        self.record(now, hold.drop_id(), record, out);
        out.when_durable.push(Effect::Give { hold, viewer, units, end });
    }
}
