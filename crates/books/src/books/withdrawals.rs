//! Units that are taken back from a sale before anybody takes them.

use stampede_domain::{DropId, Phase, PoolIndex, SkuId, Units, UnixMillis};
use stampede_ledger::CorrectionRecord;

use super::{
    Books,
    authorize::Grant,
    command_context::{FreeUnits, OverDrop, Withdrawal},
};
use crate::{
    command::{CommandRefusal, DropAction, StaffCommand, StockRefusal},
    decision::Decision,
    keys::KeyState,
};

impl Books {
    /// What the shell has to take out of the stock before it gives this command; `None` if the command takes nothing,
    /// or will be refused or answered again. Takes race for the units, so that only the stock can say whether they
    /// are free.
    pub fn free_units(&self, command: &StaffCommand, over: Option<&OverDrop>) -> Option<FreeUnits> {
        let (key, request) = (command.key.fingerprint(), command.request());
        let state = self.keys.look_up(&command.actor, key, request, command.action.personal());
        if !matches!(state, KeyState::Fresh) {
            return None;
        }
        let granted = self.granted(command, over).ok()?;
        let Grant::Drop { drop, action: DropAction::TakeBack { sku, units }, stands, .. } = granted
        else {
            return None;
        };
        let pool = self.pool_to_withdraw((drop, stands.phase), (sku, *units)).ok()?;
        Some(FreeUnits { drop, pool, units: *units })
    }

    /// Records what the shell has taken out of the stock.
    pub(super) fn take_back(
        &mut self,
        at: UnixMillis,
        (drop, phase): (DropId, Phase),
        (sku, units): (&SkuId, Units),
        withdrawn: Option<Withdrawal>,
        out: &mut Decision,
    ) -> Result<(), CommandRefusal> {
        let pool = self.pool_to_withdraw((drop, phase), (sku, units))?;
        match withdrawn.expect("the shell takes out what it is asked for before the command") {
            Withdrawal::NotFree { free } => {
                Err(StockRefusal::NotFree { sku: sku.clone(), units, free }.into())
            }
            Withdrawal::Done => {
                self.record(at, drop, CorrectionRecord::Withdrawn { pool, units }, out);
                Ok(())
            }
        }
    }

    /// The pool that gives units of a SKU up, as far as the books can say.
    fn pool_to_withdraw(
        &self,
        (drop, phase): (DropId, Phase),
        (sku, units): (&SkuId, Units),
    ) -> Result<PoolIndex, CommandRefusal> {
        let action = DropAction::TAKE_BACK;
        match phase {
            Phase::Open | Phase::Paused => {}
            Phase::Scheduled | Phase::Countdown => {
                return Err(StockRefusal::NotOnSale { phase }.into());
            }
            Phase::Closed | Phase::Settled | Phase::Cancelled => {
                return Err(CommandRefusal::WrongPhase { action, phase });
            }
        }
        let pool = self.drops[&drop].pool_of(sku)?;
        if units.is_zero() {
            return Err(StockRefusal::NoUnits.into());
        }
        Ok(pool)
    }
}
