//! The commands about one drop, once their actor may give them.

use std::sync::Arc;

use stampede_domain::{DropId, DropPlan, Moment, Phase, PhaseChange, SkuPlan};
use stampede_ledger::{PhaseRecord, Record};

use super::{Books, command_context::CommandContext};
use crate::{
    command::{CommandRefusal, Done, DropAction, StaffCommand},
    decision::{Decision, Effect},
    drop::check_plan,
};

impl Books {
    /// Carries out a command that its actor may give; returns what its answer says.
    pub(super) fn act(
        &mut self,
        (drop, phase): (DropId, Phase),
        action: &DropAction,
        (command, shown): (&StaffCommand, &CommandContext),
        now: Moment,
        out: &mut Decision,
    ) -> Result<Done, CommandRefusal> {
        let mut done = Done::about(drop);
        match action {
            DropAction::Edit { plan } | DropAction::Patch { plan, .. } => {
                step(action, phase, PhaseChange::Cancel)?;
                self.edit(drop, plan, now, out)?;
            }
            DropAction::Feature => {
                check_phase(action, phase, &[Phase::Countdown, Phase::Open, Phase::Paused])?;
                let next = self.record(now.sale, drop, Record::Featured, out);
                out.when_durable.extend(next.map(Effect::Air));
            }
            DropAction::Move { place } => {
                step(action, phase, PhaseChange::Cancel)?;
                self.give_place(drop, *place, now, out)?;
            }
            DropAction::Restock { sku, units } => {
                check_phase(action, phase, &[Phase::Open, Phase::Paused])?;
                (done.lot, done.asked) =
                    self.restock_or_ask(drop, (sku, *units), command, now, out)?;
            }
            DropAction::GrantRequest { .. }
            | DropAction::DeclineRequest { .. }
            | DropAction::WithdrawRequest { .. } => {
                done.lot = self.answer_request((drop, phase), action, command, now, out)?;
            }
            DropAction::TakeBack(units) => {
                let taken = self.take_back(now.sale, (drop, phase), units, shown.withdrawn, out)?;
                done.units = Some(taken);
            }
            DropAction::WindDown => self.wind_down(now.sale, (drop, phase), out)?,
            DropAction::Amend(wanted) => self.amend((drop, phase), wanted, now, out)?,
            DropAction::CancelOrder(cancel) => {
                let given = (command, shown.order);
                done.lot = self.cancel_order((drop, phase), cancel, given, now.sale, out)?;
            }
            DropAction::Extend { by } => {
                check_phase(action, phase, &[Phase::Open, Phase::Paused, Phase::Closed])?;
                self.extend(now.sale, drop, *by, out)?;
            }
            DropAction::Undo => {
                step(action, phase, PhaseChange::Undo)?;
                done.copy = Some(self.undo(drop, command.is_of_house(), now, out)?);
            }
            DropAction::Cancel
            | DropAction::StartCountdown
            | DropAction::StartCountdownFor { .. }
            | DropAction::CancelCountdown
            | DropAction::Pause
            | DropAction::Resume
            | DropAction::Close => self.change_phase((drop, phase), action, now, out)?,
        }
        Ok(done)
    }

    fn change_phase(
        &mut self,
        (drop, phase): (DropId, Phase),
        action: &DropAction,
        now: Moment,
        out: &mut Decision,
    ) -> Result<(), CommandRefusal> {
        match action {
            // Its record ends the chain, so the command's own goes first.
            DropAction::Cancel => step(action, phase, PhaseChange::Cancel)?,
            DropAction::StartCountdown => {
                step(action, phase, PhaseChange::StartCountdown)?;
                self.start_countdown(drop, self.drops[&drop].plan().countdown, now, out)?;
            }
            DropAction::StartCountdownFor { countdown } => {
                step(action, phase, PhaseChange::StartCountdown)?;
                self.start_countdown(drop, *countdown, now, out)?;
            }
            DropAction::CancelCountdown => {
                step(action, phase, PhaseChange::CancelCountdown)?;
                self.forbid(now.sale, drop, PhaseRecord::CountdownCancelled, out);
            }
            DropAction::Pause => {
                // A pause that the stream caused becomes the host's, who alone ends it then.
                if !(phase == Phase::Paused && self.drops[&drop].watch().has_paused()) {
                    step(action, phase, PhaseChange::Pause)?;
                }
                self.forbid(now.sale, drop, PhaseRecord::Paused, out);
            }
            DropAction::Resume => {
                step(action, phase, PhaseChange::Resume)?;
                self.permit(now.sale, drop, PhaseRecord::Resumed, out);
            }
            DropAction::Close => {
                step(action, phase, PhaseChange::Close)?;
                self.forbid(now.sale, drop, PhaseRecord::Closed, out);
            }
            DropAction::Edit { .. }
            | DropAction::Patch { .. }
            | DropAction::Feature
            | DropAction::Move { .. }
            | DropAction::Undo
            | DropAction::Restock { .. }
            | DropAction::GrantRequest { .. }
            | DropAction::DeclineRequest { .. }
            | DropAction::WithdrawRequest { .. }
            | DropAction::TakeBack(_)
            | DropAction::Amend(_)
            | DropAction::WindDown
            | DropAction::CancelOrder(_)
            | DropAction::Extend { .. } => {
                unreachable!("the caller decides what changes no phase, and what an undo plans")
            }
        }
        Ok(())
    }

    fn edit(
        &mut self,
        drop: DropId,
        plan: &Arc<DropPlan>,
        now: Moment,
        out: &mut Decision,
    ) -> Result<(), CommandRefusal> {
        check_plan(plan, now.wall)?;
        let book = &self.drops[&drop];
        if book.was_supplied() {
            return Err(CommandRefusal::AlreadySupplied);
        }
        if book.plan().stream != plan.stream {
            return Err(CommandRefusal::Fixed { field: "stream" });
        }
        if book.plan().merchant != plan.merchant {
            return Err(CommandRefusal::Fixed { field: "merchant" });
        }
        if book.plan().mode != plan.mode {
            return Err(CommandRefusal::Fixed { field: "mode" });
        }
        // An edit of a copy leaves it one.
        let rehearsal = book.plan().rehearsal;
        let copy = rehearsal.map(|_| Arc::new(DropPlan { rehearsal, ..(**plan).clone() }));
        let plan = copy.as_ref().unwrap_or(plan);
        let revision = book.revision() + 1;
        self.check_memory(&plan.merchant, Some(drop), plan.skus.iter().map(SkuPlan::units))?;
        self.add_drop(drop, revision, (plan, now.sale), out);
        Ok(())
    }

    /// Moves a drop in the running order. A planned start that has had its chance is left out: the drop waits for its host
    /// since, and its new terms must not start it.
    fn give_place(
        &mut self,
        drop: DropId,
        running_order: u16,
        now: Moment,
        out: &mut Decision,
    ) -> Result<(), CommandRefusal> {
        let book = &self.drops[&drop];
        if book.was_supplied() {
            return Err(CommandRefusal::AlreadySupplied);
        }
        let starts_at = book.plan().starts_at.filter(|_| !book.start_is_over());
        let plan = DropPlan { running_order, starts_at, ..(**book.plan()).clone() };
        let revision = book.revision() + 1;
        self.add_drop(drop, revision, (&Arc::new(plan), now.sale), out);
        Ok(())
    }
}

/// Whether the command's change of phase is possible.
fn step(action: &DropAction, phase: Phase, change: PhaseChange) -> Result<(), CommandRefusal> {
    let wrong = CommandRefusal::WrongPhase { action: action.name(), phase };
    phase.after(change).map(|_| ()).ok_or(wrong)
}

/// Whether the drop stands in one of these phases.
fn check_phase(action: &DropAction, phase: Phase, of: &[Phase]) -> Result<(), CommandRefusal> {
    let wrong = CommandRefusal::WrongPhase { action: action.name(), phase };
    if of.contains(&phase) { Ok(()) } else { Err(wrong) }
}
