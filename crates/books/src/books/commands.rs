//! Staff commands: decided, recorded with their outcome, answered when durable.

use std::sync::Arc;

use stampede_domain::{
    DropId, DropPlan, Moment, SkuPlan, TextFault, UnixMillis, check_shown,
    limits::{COMMANDS_PER_DROP_MAX, REASON_BYTES_MAX},
};
use stampede_ledger::{Command, PhaseRecord, Record, RecordedOutcome};

use super::{
    Books,
    authorize::Grant,
    command_context::{CommandContext, OverDrop},
};
use crate::{
    brake::BrakeEntry,
    command::{Action, CommandOutcome, CommandRefusal, Done, DropAction, StaffCommand},
    decision::{Act, Decision, Effect},
    drop::check_plan,
    keys::KeyState,
    seen::SeenDrop,
};

impl Books {
    /// Decides a command, records it with its outcome. A retry of an accepted one is answered again, and
    /// recorded no more. The answer may leave once everything decided so far is durable.
    ///
    /// # Errors
    /// A refusal, which is an outcome and binds nothing: its retry is decided anew.
    pub fn command(
        &mut self,
        command: &StaffCommand,
        shown: &CommandContext,
        now: Moment,
        out: &mut Decision,
    ) -> CommandOutcome {
        let key = command.key.fingerprint();
        let request = command.request();
        let personal = command.action.personal();
        // Drops whose chains may end with the command, which stands in front of that.
        let mut ends = Vec::new();
        let outcome = match self.keys.look_up(&command.actor, key, request, personal) {
            KeyState::Same(done) => return Ok(Done { replayed: true, ..done }),
            KeyState::Other => Err(CommandRefusal::KeyReused),
            KeyState::Fresh => self.decide(command, shown, now, (&mut ends, out)),
        };
        // Nothing was decided.
        if outcome == Err(CommandRefusal::MoneyNotLoaded) {
            return outcome;
        }
        let chain = match &outcome {
            // It stands where the money does.
            Ok(done) if command.action.order().is_some() => self.money_chain(done.drop),
            Ok(done) => done.drop,
            Err(CommandRefusal::UnknownDrop) => DropId::HOUSE,
            // Nothing follows the record by which a drop's chain ends, durable or not.
            Err(_) => {
                let goes_on =
                    |id: &DropId| self.drops.get(id).is_some_and(|book| !book.phase().is_final());
                command.action.drop().filter(goes_on).unwrap_or(DropId::HOUSE)
            }
        };
        let recorded = Command {
            actor: command.actor.as_str().into(),
            role: command.role.name().into(),
            action: command.action.name().into(),
            key,
            request,
            // Records are shown to people: what they must not be shown is not recorded either.
            reason: shown_reason(command).unwrap_or_default().into(),
            outcome: match &outcome {
                Ok(_) => RecordedOutcome::Accepted,
                Err(refusal) => RecordedOutcome::Refused {
                    code: refusal.code().into(),
                    text: refusal.to_string().as_str().into(),
                },
            },
        };
        self.record(now.sale, chain, Record::Command(Box::new(recorded)), out);
        let is_cancel = matches!(command.action, Action::Drop { action: DropAction::Cancel, .. });
        if is_cancel && outcome.is_ok() {
            self.forbid(now.sale, chain, PhaseRecord::Cancelled, out);
        }
        for copy in ends {
            self.end_copy(copy, now.sale, out);
        }
        outcome
    }

    fn decide(
        &mut self,
        command: &StaffCommand,
        shown: &CommandContext,
        now: Moment,
        (ends, out): (&mut Vec<DropId>, &mut Decision),
    ) -> CommandOutcome {
        match self.granted(command, shown.over.as_ref())? {
            Grant::Plan { plan, for_house } => self.plan(plan, for_house, now, out),
            Grant::Drop { drop, action, stands, .. } => {
                self.act((drop, stands.phase), action, (command, shown), now, out)
            }
            Grant::Brake(action) => {
                let entry = BrakeEntry {
                    actor: command.actor.clone(),
                    reason: command.reason.clone().unwrap_or_default(),
                    since: now.wall,
                    expires_at: None,
                };
                let ban = self.work_brake(action, shown.viewer.clone(), entry, out)?;
                Ok(Done { ban, ..Done::about(DropId::HOUSE) })
            }
            Grant::Stream { stream, action, room } => {
                let change = self.stream_change(stream, action, room)?;
                self.change_stream(change, now.sale, shown.reported_at, out);
                Ok(Done::about(DropId::HOUSE))
            }
            // Both are recorded with the first copy: it says which stream was rehearsed.
            Grant::Rehearse(ask) => Ok(Done::about(self.begin_rehearsal(ask, now, out)?)),
            Grant::EndRehearsal(ask) => {
                *ends = self.copies_to_end(ask)?;
                Ok(Done::about(ends[0]))
            }
            Grant::CloseUnmatched(payment) => {
                self.close_unmatched(payment, command, now.sale, out)?;
                Ok(Done::about(DropId::HOUSE))
            }
        }
    }

    /// A command that its actor may give, as far as its reason, rights and turn go.
    pub(super) fn granted<'command>(
        &self,
        command: &'command StaffCommand,
        over: Option<&OverDrop>,
    ) -> Result<Grant<'_, 'command>, CommandRefusal> {
        shown_reason(command).map_err(CommandRefusal::Reason)?;
        let granted = self.authorize(command, over)?;
        if let Grant::Drop { drop, action, seen, stands } = granted {
            self.check_turn(drop, action, seen, stands)?;
        }
        Ok(granted)
    }

    /// Whether the drop takes one more command, and is what the actor saw where that counts.
    fn check_turn(
        &self,
        drop: DropId,
        action: &DropAction,
        seen: Option<SeenDrop>,
        stands: SeenDrop,
    ) -> Result<(), CommandRefusal> {
        let is_bounded = action.counts() && !action.is_safety();
        if is_bounded && self.keys.of_drop(drop) >= COMMANDS_PER_DROP_MAX {
            return Err(CommandRefusal::CommandsFull { max: COMMANDS_PER_DROP_MAX });
        }
        match seen.filter(|seen| !action.is_meant_for(stands, *seen)) {
            Some(seen) => Err(CommandRefusal::Changed { seen, now: stands }),
            None => Ok(()),
        }
    }

    fn plan(
        &mut self,
        plan: &Arc<DropPlan>,
        for_house: bool,
        now: Moment,
        out: &mut Decision,
    ) -> CommandOutcome {
        check_plan(plan, now.wall)?;
        let rooms = self.check_place(plan, for_house)?;
        self.check_memory(&plan.merchant, None, plan.skus.iter().map(SkuPlan::units))?;
        let drop = self.next_drop;
        // Whose stream it is stands in front of the drop.
        self.change_rooms(now.sale, rooms, out);
        self.add_drop(drop, 1, (plan, now.sale), out);
        Ok(Done::about(drop))
    }

    pub(super) fn add_drop(
        &mut self,
        drop: DropId,
        revision: u32,
        (plan, at): (&Arc<DropPlan>, UnixMillis),
        out: &mut Decision,
    ) {
        let since = self.offline_since(&plan.stream);
        let is_edited = self.drops.contains_key(&drop);
        self.record(at, drop, Record::Planned { plan: Arc::clone(plan), revision }, out);
        let book = &self.drops[&drop];
        let (phase_changes, hidden) = (book.phase_changes(), book.is_hidden());
        let plan = Arc::clone(plan);
        out.at_once.push(Act::Make { drop, revision, plan, phase_changes, hidden });
        out.when_durable.push(Effect::Publish { drop, revision });
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

/// The reason of a command, which may be empty unless it is about money or time; but no text that looks empty.
fn shown_reason(command: &StaffCommand) -> Result<&str, TextFault> {
    let reason = command.reason.as_deref().unwrap_or_default();
    if !reason.is_empty() || command.action.needs_reason() {
        check_shown(reason, REASON_BYTES_MAX)?;
    }
    Ok(reason)
}

#[cfg(test)]
mod tests {
    use stampede_domain::KeyFingerprint;

    use super::*;
    use crate::{
        books::given::{self, DROP},
        command::Role,
    };

    fn give(books: &mut Books, command: &StaffCommand) -> CommandOutcome {
        books.command(
            command,
            &CommandContext::default(),
            given::moment(),
            &mut Decision::default(),
        )
    }

    #[test]
    fn a_reason_is_short_and_plain() {
        let outcome = |reason: &str| {
            let command = StaffCommand {
                reason: Some(reason.to_owned()),
                ..given::command(Role::Admin, DropAction::Cancel.on(DROP))
            };
            let mut out = Decision::default();
            let context = CommandContext::default();
            let outcome = given::one_drop().command(&command, &context, given::moment(), &mut out);
            let recorded = out.records.iter().find_map(|new| match &new.record {
                Record::Command(recorded) => Some(recorded.reason.as_str().to_owned()),
                _ => None,
            });
            (outcome.map(|done| done.drop), recorded.unwrap())
        };
        for reason in ["", "sold elsewhere", &"r".repeat(500)] {
            let (outcome, recorded) = outcome(reason);
            assert!(matches!(outcome, Ok(DROP)));
            assert_eq!(recorded, reason);
        }
        let long = "r".repeat(501);
        for reason in [&*long, "two\nlines", " ", "\u{A0}\u{3000}", "\u{2066}x"] {
            let (outcome, recorded) = outcome(reason);
            assert!(matches!(outcome, Err(CommandRefusal::Reason(_))), "{reason:?}");
            assert_eq!(recorded, "", "nobody is shown {reason:?}");
        }
    }

    #[test]
    fn a_drop_that_had_its_commands_takes_only_those_that_let_less_happen() {
        let mut books = given::one_drop();
        for record in [PhaseRecord::Countdown { opens_at: given::NOW }, PhaseRecord::Opened] {
            given::follow(&mut books, DROP, record);
        }
        let had = |key| Command {
            actor: "nina".into(),
            role: "host".into(),
            action: "feature".into(),
            key: KeyFingerprint::from_bits(key),
            request: KeyFingerprint::from_bits(1),
            reason: "".into(),
            outcome: RecordedOutcome::Accepted,
        };
        for key in 1..10_000 {
            given::follow(&mut books, DROP, Record::Command(Box::new(had(key))));
        }
        let command = |action: DropAction, key: &str| StaffCommand {
            key: key.parse().unwrap(),
            ..given::command(Role::Admin, action.on(DROP))
        };
        assert!(give(&mut books, &command(DropAction::Feature, "the-last")).is_ok());
        assert!(matches!(
            give(&mut books, &command(DropAction::Feature, "one-more")),
            Err(CommandRefusal::CommandsFull { max: 10_000 })
        ));
        assert!(give(&mut books, &command(DropAction::Pause, "calm")).is_ok());
        assert!(matches!(
            give(&mut books, &command(DropAction::Resume, "go-on")),
            Err(CommandRefusal::CommandsFull { .. })
        ));
        assert!(give(&mut books, &command(DropAction::Close, "end")).is_ok());
    }
}
