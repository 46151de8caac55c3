//! Units that are taken back from a sale before anybody takes them.

use stampede_domain::{DropId, Phase, PoolIndex, Units, UnixMillis};
use stampede_ledger::CorrectionRecord;

use super::{
    Books,
    authorize::Grant,
    command_context::{FreeUnits, OverDrop, Withdrawal},
};
use crate::{
    command::{CommandRefusal, DropAction, StaffCommand, StockRefusal, TakeBack},
    decision::{Act, Decision},
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
        let Grant::Drop { drop, action: DropAction::TakeBack(wanted), stands, .. } = granted else {
            return None;
        };
        let pool = self.pool_to_withdraw((drop, stands.phase), wanted).ok()?;
        Some(FreeUnits { drop, pool, units: wanted.units })
    }

    /// Records what the shell has taken out of the stock; returns how many units that are.
    pub(super) fn take_back(
        &mut self,
        at: UnixMillis,
        (drop, phase): (DropId, Phase),
        wanted: &TakeBack,
        withdrawn: Option<Withdrawal>,
        out: &mut Decision,
    ) -> Result<Units, CommandRefusal> {
        let pool = self.pool_to_withdraw((drop, phase), wanted)?;
        match withdrawn.expect("the shell takes out what it is asked for before the command") {
            Withdrawal::NotFree { free } => {
                let sku = wanted.sku.clone();
                Err(match wanted.units {
                    Some(units) => StockRefusal::NotFree { sku, units, free }.into(),
                    None => StockRefusal::NoneFree { sku }.into(),
                })
            }
            Withdrawal::Done { units } => {
                self.record(at, drop, CorrectionRecord::Withdrawn { pool, units }, out);
                if wanted.to_reserve {
                    let reserve = self.drops[&drop].reserve[usize::from(pool.get())];
                    // The pool had them before, so they fit.
                    let left = reserve.checked_add(units).unwrap_or(Units::MAX);
                    self.set_reserve(at, drop, (pool, left), out);
                    out.at_once.push(Act::ShowReserved { drop, pool, units });
                }
                Ok(units)
            }
        }
    }

    /// The pool that gives units of a SKU up, as far as the books can say.
    fn pool_to_withdraw(
        &self,
        (drop, phase): (DropId, Phase),
        wanted: &TakeBack,
    ) -> Result<PoolIndex, CommandRefusal> {
        let action = DropAction::TAKE_BACK;
        match phase {
            Phase::Open | Phase::Paused => {}
            Phase::Scheduled | Phase::Countdown => {
                return Err(StockRefusal::NotOnSale { phase }.into());
            }
            Phase::Closed | Phase::Settled | Phase::Cancelled | Phase::Voiding | Phase::Voided => {
                return Err(CommandRefusal::WrongPhase { action, phase });
            }
        }
        let pool = self.drops[&drop].pool_of(&wanted.sku)?;
        if wanted.units.is_some_and(Units::is_zero) {
            return Err(StockRefusal::NoUnits.into());
        }
        Ok(pool)
    }
}
