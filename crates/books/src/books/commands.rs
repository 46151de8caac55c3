//! Staff commands: decided, recorded with their outcome, answered when durable.

use std::sync::Arc;

use stampede_domain::{
    DropId, DropPlan, MerchantId, Moment, Phase, PhaseChange, StreamId, UnixMillis,
    limits::{COMMANDS_PER_DROP_MAX, REASON_BYTES_MAX},
};
use stampede_ledger::{Command, Outcome, PhaseRecord, Record, ViewerLink};

use super::{Books, rooms::check_stream};
use crate::{
    command::{Action, CommandOutcome, CommandRefusal, Done, StaffCommand},
    decision::{Act, Decision, Effect},
    drop::check_plan,
    keys::Known,
    seen::SeenDrop,
};

/// What the shell shows with a command.
#[derive(Clone, Debug, Default)]
pub struct Shown {
    /// The command's drop, if it has left memory.
    pub over: Option<OverDrop>,
    /// Links the number of the viewer who is to be banned.
    pub viewer: Option<Arc<ViewerLink>>,
    /// When a report that a stream is gone counts from, by the sale's clock.
    pub reported_at: UnixMillis,
}

/// A drop that has left memory.
#[derive(Clone, Debug)]
pub struct OverDrop {
    /// Its stream.
    pub stream: StreamId,
    /// Whose it is.
    pub merchant: MerchantId,
    /// Where it stands for good.
    pub stands: SeenDrop,
}

impl Books {
    /// Decides a command, records it with its outcome. A retry of an accepted one is answered again, and
    /// recorded no more. The answer may leave once everything decided so far is durable.
    ///
    /// # Errors
    /// A refusal, which is an outcome and binds nothing: its retry is decided anew.
    pub fn command(
        &mut self,
        command: &StaffCommand,
        shown: &Shown,
        now: Moment,
        out: &mut Decision,
    ) -> CommandOutcome {
        let key = command.key.fingerprint();
        let request = command.request();
        let personal = command.action.personal();
        let outcome = match self.keys.look_up(&command.actor, key, request, personal) {
            Known::Same(done) => return Ok(Done { replayed: true, ..done }),
            Known::Other => Err(CommandRefusal::KeyReused),
            Known::Fresh => self.decide(command, shown, now, out),
        };
        let chain = match &outcome {
            Ok(done) => done.drop,
            Err(CommandRefusal::UnknownDrop) => DropId::HOUSE,
            // Nothing follows the record by which a drop's chain ends, durable or not.
            Err(_) => {
                let goes_on =
                    |id: &DropId| self.drops.get(id).is_some_and(|book| !book.phase().is_final());
                command.drop.filter(goes_on).unwrap_or(DropId::HOUSE)
            }
        };
        let recorded = Command {
            actor: command.actor.as_str().into(),
            role: command.role.name().into(),
            action: command.action.name().into(),
            key,
            request,
            reason: command.reason.as_deref().unwrap_or_default().into(),
            outcome: match &outcome {
                Ok(_) => Outcome::Accepted,
                Err(refusal) => Outcome::Refused {
                    code: refusal.code().into(),
                    text: refusal.to_string().as_str().into(),
                },
            },
        };
        self.record(now.sale, chain, Record::Command(Box::new(recorded)), out);
        if matches!((&outcome, &command.action), (Ok(_), Action::Cancel)) {
            self.forbid(now.sale, chain, PhaseRecord::Cancelled, out);
        }
        outcome
    }

    fn decide(
        &mut self,
        command: &StaffCommand,
        shown: &Shown,
        now: Moment,
        out: &mut Decision,
    ) -> CommandOutcome {
        if let Some(reason) = &command.reason
            && (reason.len() > REASON_BYTES_MAX || reason.chars().any(char::is_control))
        {
            return Err(CommandRefusal::Reason { max: REASON_BYTES_MAX });
        }
        let forbidden = || CommandRefusal::forbidden(command.role, &command.action);
        if command.action.is_brake() {
            return match command.drop {
                None => self.work_brake(command, shown.viewer.clone(), now.wall, out),
                Some(_) => Err(CommandRefusal::UnknownDrop),
            };
        }
        if let Action::StreamOffline { stream } | Action::StreamOnline { stream } = &command.action
        {
            let online = matches!(command.action, Action::StreamOnline { .. });
            return self.report_stream(command, (stream, online), shown.reported_at, out);
        }
        if command.action.is_room() {
            return match command.drop {
                None => self.work_room(command, now.sale, out),
                Some(_) => Err(CommandRefusal::UnknownDrop),
            };
        }
        let Some(drop) = command.drop else {
            let Action::Plan { plan } = &command.action else {
                return Err(CommandRefusal::UnknownDrop);
            };
            if !command.role.may(&command.action) {
                return Err(forbidden());
            }
            if let Some(bound) = command.merchant.as_ref().filter(|m| **m != plan.merchant) {
                let (bound, named) = (bound.clone(), plan.merchant.clone());
                return Err(CommandRefusal::OtherMerchant { bound, named });
            }
            check_stream(command, &plan.stream)?;
            return self.plan(command, plan, now, out);
        };
        let stands = self.reached(command, drop, shown)?;
        if !command.role.may(&command.action) {
            return Err(forbidden());
        }
        if !command.action.is_safety() && self.keys.of_drop(drop) >= COMMANDS_PER_DROP_MAX {
            return Err(CommandRefusal::CommandsFull { max: COMMANDS_PER_DROP_MAX });
        }
        if command.action.depends_on_what_was_seen()
            && let Some(seen) = command.seen.filter(|seen| !stands.is_as(seen))
        {
            return Err(CommandRefusal::Changed { seen, now: stands });
        }
        let lot = self.act(drop, stands.phase, &command.action, now, out)?;
        Ok(Done { drop, lot, ban: None, replayed: false })
    }

    /// How a drop that the command's actor may see stands by what was decided.
    fn reached(
        &self,
        command: &StaffCommand,
        drop: DropId,
        shown: &Shown,
    ) -> Result<SeenDrop, CommandRefusal> {
        if let Some(book) = self.drops.get(&drop) {
            self.check_reach(command, &book.plan().stream, &book.plan().merchant)?;
            return Ok(book.stands());
        }
        let over = shown.over.as_ref().ok_or(CommandRefusal::UnknownDrop)?;
        self.check_reach(command, &over.stream, &over.merchant)?;
        Ok(over.stands)
    }

    /// Carries out a command that its actor may give; returns the lot's number for a restock.
    fn act(
        &mut self,
        drop: DropId,
        phase: Phase,
        action: &Action,
        now: Moment,
        out: &mut Decision,
    ) -> Result<Option<u32>, CommandRefusal> {
        let step = |change: PhaseChange| {
            let wrong = CommandRefusal::WrongPhase { action: action.name(), phase };
            phase.after(change).ok_or(wrong)
        };
        match action {
            Action::Edit { plan } => {
                step(PhaseChange::Cancel)?;
                self.edit(drop, plan, now, out)?;
            }
            // Its record ends the chain, so the command's own goes first.
            Action::Cancel => {
                step(PhaseChange::Cancel)?;
            }
            Action::Open => {
                step(PhaseChange::StartCountdown)?;
                self.start_countdown(drop, self.drops[&drop].plan().countdown, now, out)?;
            }
            Action::OpenAfter { countdown } => {
                step(PhaseChange::StartCountdown)?;
                self.start_countdown(drop, *countdown, now, out)?;
            }
            Action::CancelCountdown => {
                step(PhaseChange::CancelCountdown)?;
                self.forbid(now.sale, drop, PhaseRecord::CountdownCancelled, out);
            }
            Action::Pause => {
                // A pause that the stream caused becomes the host's, who alone ends it then.
                if !(phase == Phase::Paused && self.drops[&drop].watch().has_paused()) {
                    step(PhaseChange::Pause)?;
                }
                self.forbid(now.sale, drop, PhaseRecord::Paused, out);
            }
            Action::Resume => {
                step(PhaseChange::Resume)?;
                self.permit(now.sale, drop, PhaseRecord::Resumed, out);
            }
            Action::Close => {
                step(PhaseChange::Close)?;
                self.forbid(now.sale, drop, PhaseRecord::Closed, out);
            }
            Action::Feature => {
                if !matches!(phase, Phase::Countdown | Phase::Open | Phase::Paused) {
                    return Err(CommandRefusal::WrongPhase { action: action.name(), phase });
                }
                let next = self.record(now.sale, drop, Record::Featured, out);
                out.when_durable.extend(next.map(Effect::Air));
            }
            Action::Restock { sku, units } => {
                if !matches!(phase, Phase::Open | Phase::Paused) {
                    return Err(CommandRefusal::WrongPhase { action: action.name(), phase });
                }
                return self.restock(now.sale, drop, (sku, *units), out).map(Some);
            }
            // Nothing else is about a drop that there is.
            _ => return Err(CommandRefusal::UnknownDrop),
        }
        Ok(None)
    }

    fn plan(
        &mut self,
        command: &StaffCommand,
        plan: &Arc<DropPlan>,
        now: Moment,
        out: &mut Decision,
    ) -> CommandOutcome {
        check_plan(plan, now.wall)?;
        let rooms = self.check_place(command, plan)?;
        self.check_memory(&plan.merchant, None, plan.skus.iter().map(|sku| sku.supply))?;
        let drop = self.next_drop;
        // Whose stream it is stands in front of the drop.
        self.change_rooms(now.sale, rooms, out);
        self.add_drop(drop, 1, (plan, now.sale), out);
        Ok(Done { drop, lot: None, ban: None, replayed: false })
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
        let revision = book.revision() + 1;
        self.check_memory(&plan.merchant, Some(drop), plan.skus.iter().map(|sku| sku.supply))?;
        self.add_drop(drop, revision, (plan, now.sale), out);
        Ok(())
    }

    fn add_drop(
        &mut self,
        drop: DropId,
        revision: u32,
        (plan, at): (&Arc<DropPlan>, UnixMillis),
        out: &mut Decision,
    ) {
        let since = self.offline_since(&plan.stream);
        let is_edited = self.drops.contains_key(&drop);
        self.record(at, drop, Record::Planned { plan: Arc::clone(plan), revision }, out);
        let phase_changes = self.drops[&drop].phase_changes();
        out.at_once.push(Act::Make { drop, revision, plan: Arc::clone(plan), phase_changes });
        out.when_durable.push(Effect::Publish { drop });
        match since {
            // An edit leaves the stream as it is.
            Some(_) if is_edited => {
                out.at_once.push(Act::ShowStream { drop, offline_since: since });
            }
            Some(since) => self.stream_is_gone(drop, since, out),
            None => {}
        }
    }
}
