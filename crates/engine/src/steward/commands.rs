//! Staff commands: decided, recorded with their outcome, answered when durable.

use std::sync::Arc;

use stampede_domain::{
    DropId, DropPlan, Phase, PhaseChange, PoolIndex, SkuId, Units, UnixMillis,
    limits::{COMMANDS_PER_DROP_MAX, REASON_BYTES_MAX},
};
use stampede_ledger::{Command, Outcome, PhaseRecord, Record};
use tokio::sync::oneshot;
use tracing::{field::display, info};

use super::{
    Counting, Steward, effects::Effect, keys::Known, rooms::check_stream, times::check_plan,
};
use crate::{
    clock::Moment,
    command::{Action, CommandOutcome, CommandRefusal, Done, StaffCommand},
    metrics,
    offline::StreamWatch,
    seen::SeenDrop,
    view::DropStanding,
};

impl Steward {
    pub(super) fn command(
        &mut self,
        command: &StaffCommand,
        now: Moment,
        reply: oneshot::Sender<CommandOutcome>,
    ) {
        let key = command.key.fingerprint();
        let request = command.action.fingerprint(command.drop);
        let personal = command.action.personal();
        let outcome = match self.keys.look_up(&command.actor, key, request, personal) {
            Known::Same(done) => {
                let outcome = Ok(Done { replayed: true, ..done });
                return self.after_records(Effect::Command(reply, outcome));
            }
            Known::Other => Err(CommandRefusal::KeyReused),
            Known::Fresh => {
                let outcome = self.decide(command, now);
                // A refusal binds nothing: its retry is decided anew.
                if let Ok(done) = &outcome {
                    self.keys.bind(&command.actor, key, request, personal, *done);
                }
                outcome
            }
        };
        metrics::count_command(command.action.name(), outcome.is_ok());
        log(command, &outcome);
        let chain = match &outcome {
            Ok(done) => done.drop,
            Err(CommandRefusal::UnknownDrop) => DropId::HOUSE,
            // Nothing follows the record by which a drop's chain ends, durable or not.
            Err(_) => {
                let goes_on =
                    |id: &DropId| self.books.get(id).is_some_and(|book| !book.phase.is_final());
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
        self.push(chain, Record::Command(Box::new(recorded)));
        if matches!((&outcome, &command.action), (Ok(_), Action::Cancel)) {
            self.forbid(chain, Phase::Cancelled, Record::Phase(PhaseRecord::Cancelled));
        }
        self.after_records(Effect::Command(reply, outcome));
    }

    fn decide(&mut self, command: &StaffCommand, now: Moment) -> CommandOutcome {
        if let Some(reason) = &command.reason
            && (reason.len() > REASON_BYTES_MAX || reason.chars().any(char::is_control))
        {
            return Err(CommandRefusal::Reason { max: REASON_BYTES_MAX });
        }
        let forbidden = || CommandRefusal::forbidden(command.role, &command.action);
        if command.action.is_brake() {
            return match command.drop {
                None => self.work_brake(command, now.wall),
                Some(_) => Err(CommandRefusal::UnknownDrop),
            };
        }
        if let Action::StreamOffline { stream } | Action::StreamOnline { stream } = &command.action
        {
            let online = matches!(command.action, Action::StreamOnline { .. });
            return self.report_stream(command, stream, online, now.sale);
        }
        if command.action.is_room() {
            return match command.drop {
                None => self.work_room(command),
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
            return self.plan(command, plan, now.wall);
        };
        let stands = self.reached(command, drop)?;
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
        let lot = self.act(drop, stands.phase, &command.action, now)?;
        Ok(Done { drop, lot, ban: None, replayed: false })
    }

    /// How a drop that the command's actor may see stands by what was decided.
    fn reached(&self, command: &StaffCommand, drop: DropId) -> Result<SeenDrop, CommandRefusal> {
        let book = self.books.get(&drop);
        let sale = self.shared.sale(drop).or_else(|| Some(Arc::clone(&book?.sale)));
        if let Some(sale) = sale {
            self.check_reach(command, &sale.plan().stream, &sale.plan().merchant)?;
            return Ok(book.map_or_else(|| SeenDrop::from(&sale.standing()), super::Book::stands));
        }
        let over = self.shared.over(drop).ok_or(CommandRefusal::UnknownDrop)?;
        self.check_reach(command, &over.stream, &over.merchant)?;
        Ok(SeenDrop::from(&DropStanding::over(&over)))
    }

    /// Carries out a command that its actor may give; returns the lot's number for a restock.
    fn act(
        &mut self,
        drop: DropId,
        phase: Phase,
        action: &Action,
        now: Moment,
    ) -> Result<Option<u32>, CommandRefusal> {
        let step = |change: PhaseChange| {
            let wrong = CommandRefusal::WrongPhase { action: action.name(), phase };
            phase.after(change).ok_or(wrong)
        };
        match action {
            Action::Edit { plan } => {
                step(PhaseChange::Cancel)?;
                self.edit(drop, plan, now.wall)?;
            }
            // Its record ends the chain, so the command's own goes first.
            Action::Cancel => {
                step(PhaseChange::Cancel)?;
            }
            Action::Open => {
                step(PhaseChange::StartCountdown)?;
                self.start_countdown(drop, self.books[&drop].plan().countdown, now)?;
            }
            Action::OpenAfter { countdown } => {
                step(PhaseChange::StartCountdown)?;
                self.start_countdown(drop, *countdown, now)?;
            }
            Action::CancelCountdown => {
                step(PhaseChange::CancelCountdown)?;
                self.forbid(drop, Phase::Scheduled, Record::Phase(PhaseRecord::CountdownCancelled));
            }
            Action::Pause => {
                // A pause that the stream caused becomes the host's, who alone ends it then.
                if !(phase == Phase::Paused && self.books[&drop].watch.has_paused()) {
                    step(PhaseChange::Pause)?;
                }
                self.forbid(drop, Phase::Paused, Record::Phase(PhaseRecord::Paused));
            }
            Action::Resume => {
                step(PhaseChange::Resume)?;
                self.permit(drop, Phase::Open, None, Record::Phase(PhaseRecord::Resumed));
            }
            Action::Close => {
                step(PhaseChange::Close)?;
                self.forbid(drop, Phase::Closed, Record::Phase(PhaseRecord::Closed));
            }
            Action::Feature => {
                if !matches!(phase, Phase::Countdown | Phase::Open | Phase::Paused) {
                    return Err(CommandRefusal::WrongPhase { action: action.name(), phase });
                }
                self.choose(drop);
            }
            Action::Restock { sku, units } => {
                if !matches!(phase, Phase::Open | Phase::Paused) {
                    return Err(CommandRefusal::WrongPhase { action: action.name(), phase });
                }
                return self.restock(drop, sku, *units).map(Some);
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
        now: UnixMillis,
    ) -> CommandOutcome {
        check_plan(plan, now)?;
        let rooms = self.check_place(command, plan)?;
        self.check_memory(&plan.merchant, None, plan.skus.iter().map(|sku| sku.supply))?;
        let drop = self.next_drop;
        self.next_drop = drop.next().expect("a ledger holds fewer than 2^32 drops");
        // Whose stream it is stands in front of the drop.
        self.change_rooms(rooms);
        self.rooms.note_drop(&plan.stream, drop);
        self.add_drop(drop, 1, plan);
        Ok(Done { drop, lot: None, ban: None, replayed: false })
    }

    fn edit(
        &mut self,
        drop: DropId,
        plan: &Arc<DropPlan>,
        now: UnixMillis,
    ) -> Result<(), CommandRefusal> {
        check_plan(plan, now)?;
        let book = &self.books[&drop];
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
        let revision = book.sale.revision() + 1;
        self.check_memory(&plan.merchant, Some(drop), plan.skus.iter().map(|sku| sku.supply))?;
        self.add_drop(drop, revision, plan);
        Ok(())
    }

    fn add_drop(&mut self, drop: DropId, revision: u32, plan: &Arc<DropPlan>) {
        let sale = self.make_sale(drop, revision, plan);
        let since = self.offline_since(&plan.stream);
        let edited = self.books.contains_key(&drop);
        self.on_air.forget(drop, plan);
        let mut book = super::Book::new(Arc::clone(&sale), Phase::Scheduled);
        // The count never goes back: a permit of the replaced plan may still be under way.
        if let Some(old) = self.books.get(&drop) {
            book.phase_changes = old.phase_changes + 1;
            sale.count_phases_from(book.phase_changes);
            book.tallied = old.tallied.clone();
            book.sampled = old.sampled.clone();
            // What was counted and not tallied yet is looked at under the new plan.
            book.counting = Counting::Busy;
        }
        let needed = self.needed(drop);
        self.books.insert(drop, book);
        self.need_changed(drop, needed);
        self.timers.touch(drop);
        self.push(drop, Record::Planned { plan: Arc::clone(plan), revision });
        self.after_records(Effect::Publish(sale));
        if let Some(since) = since {
            if edited {
                let book = self.book_mut(drop);
                book.watch = StreamWatch::of_plan(Some(since));
                book.sale.set_stream_offline(Some(since));
            } else {
                self.stream_is_gone(drop, since);
            }
        }
    }

    /// The countdown has ended: the first lots go on sale, then takes begin.
    pub(super) fn open(&mut self, drop: DropId) {
        let book = &self.books[&drop];
        if !book.was_supplied() {
            for (pool, units) in book.sale.first_lots() {
                self.add_lot(drop, pool, units);
            }
        }
        self.permit(drop, Phase::Open, None, Record::Phase(PhaseRecord::Opened));
    }

    fn restock(&mut self, drop: DropId, sku: &SkuId, units: Units) -> Result<u32, CommandRefusal> {
        let book = &self.books[&drop];
        let unknown = || CommandRefusal::UnknownSku { sku: sku.clone() };
        let index = book.plan().sku_index(sku.as_str()).ok_or_else(unknown)?;
        let pool = book.sale.common_pool(index);
        let supplied = book.supplied[usize::from(pool.get())];
        let sum = supplied.checked_add(units).filter(|_| !units.is_zero());
        let max = Units::MAX;
        let sum = sum.ok_or(CommandRefusal::LotOutOfRange { units, supplied, max })?;
        let mut after = book.supplied.clone();
        after[usize::from(pool.get())] = sum;
        self.check_memory(&book.plan().merchant, Some(drop), after)?;
        Ok(self.add_lot(drop, pool, units))
    }

    fn add_lot(&mut self, drop: DropId, pool: PoolIndex, units: Units) -> u32 {
        let needed = self.needed(drop);
        let book = self.book_mut(drop);
        let supplied = &mut book.supplied[usize::from(pool.get())];
        *supplied = supplied.checked_add(units).expect("checked before the lot was decided");
        book.lots += 1;
        let lot = book.lots;
        self.need_changed(drop, needed);
        self.push(drop, Record::Lot { pool, units, lot });
        self.after_records(Effect::Supply { drop, pool, units });
        lot
    }
}

/// One line for each command that was decided anew.
fn log(command: &StaffCommand, outcome: &CommandOutcome) {
    let StaffCommand { actor, role, reason, .. } = command;
    let (action, reason) = (command.action.name(), reason.as_deref().unwrap_or_default());
    match outcome {
        Ok(done) => {
            let drop = Some(done.drop).filter(|drop| *drop != DropId::HOUSE).map(display);
            let ban = done.ban.map(display);
            info!(%actor, %role, action, drop, ban, reason, "command accepted");
        }
        Err(refusal) => {
            let drop = command.drop.map(display);
            info!(%actor, %role, action, drop, reason, %refusal, "command refused");
        }
    }
}
