//! Rights: whether a member of staff may give a command, before anything about it is decided.

use std::sync::Arc;

use stampede_domain::{DropId, DropPlan, MerchantId, PaymentId, StreamId};

use super::{Books, command_context::OverDrop, rehearsals::RehearsalAsk};
use crate::{
    command::{Action, BrakeAction, CommandRefusal, DropAction, Role, StaffCommand, StreamAction},
    seen::SeenDrop,
    stream::Room,
};

/// A command that its actor may give, with what the rights came down to. The code that decides has no other
/// way to what is asked for.
pub(super) enum Grant<'books, 'command> {
    /// Add a drop.
    Plan {
        /// Its terms.
        plan: &'command Arc<DropPlan>,
        /// Whether the house plans, which may do so in everybody's stream.
        for_house: bool,
    },
    /// Do something to a drop that the actor reaches.
    Drop {
        /// Which.
        drop: DropId,
        /// What.
        action: &'command DropAction,
        /// The drop as the actor saw it, if it has to be that still.
        seen: Option<SeenDrop>,
        /// How it stands by what was decided.
        stands: SeenDrop,
    },
    /// Work the brake.
    Brake(&'command BrakeAction),
    /// Report a stream, or change its room.
    Stream {
        /// Which.
        stream: &'command StreamId,
        /// What.
        action: &'command StreamAction,
        /// Its room, if there is one that the actor speaks for; none for a report.
        room: Option<&'books Room>,
    },
    /// Begin a rehearsal of what the actor may run.
    Rehearse(RehearsalAsk<'command>),
    /// End a rehearsal, as far as the actor may.
    EndRehearsal(RehearsalAsk<'command>),
    /// Say that money which nobody can match was seen to. Whose account it came through, the shell knows.
    CloseUnmatched(&'command PaymentId),
}

impl Books {
    /// Whether the command's actor may give it: the role, the token's merchant, its streams, whether they
    /// reach the drop or the room. `over` is the command's drop, if that has left memory.
    pub(super) fn authorize<'command>(
        &self,
        command: &'command StaffCommand,
        over: Option<&OverDrop>,
    ) -> Result<Grant<'_, 'command>, CommandRefusal> {
        match &command.action {
            Action::Plan { plan } => {
                check_role(command)?;
                if let Some(bound) = command.merchant.as_ref().filter(|m| **m != plan.merchant) {
                    let (bound, named) = (bound.clone(), plan.merchant.clone());
                    return Err(CommandRefusal::OtherMerchant { bound, named });
                }
                check_stream(command, &plan.stream)?;
                self.check_host(command, &plan.stream, &plan.merchant)?;
                Ok(Grant::Plan { plan, for_house: command.is_of_house() })
            }
            // Who does not reach a drop is not told what others may do to it.
            Action::Drop { drop, action, seen } => {
                let stands = self.reached(command, (*drop, action), over)?;
                check_role(command)?;
                if let Some(book) = self.drops.get(drop).filter(|_| action.is_plans()) {
                    self.check_host(command, &book.plan().stream, &book.plan().merchant)?;
                }
                Ok(Grant::Drop { drop: *drop, action, seen: *seen, stands })
            }
            Action::Brake(action) => {
                check_role(command)?;
                check_unbound(command)?;
                if !command.streams.is_all() {
                    let (action, bound) = (action.name(), command.streams.streams().len());
                    return Err(CommandRefusal::BoundToStreams { action, bound });
                }
                Ok(Grant::Brake(action))
            }
            Action::Stream { stream, action } => {
                check_role(command)?;
                if let StreamAction::Rehearse { .. } | StreamAction::EndRehearsal = action {
                    self.check_rehearses(command, stream)?;
                    let merchant = command.merchant.as_ref();
                    if matches!(action, StreamAction::Rehearse { .. }) {
                        return Ok(Grant::Rehearse(RehearsalAsk { stream, merchant }));
                    }
                    let room = self.rooms.get(stream);
                    let merchant = merchant.filter(|own| !room.is_some_and(|room| room.is_of(own)));
                    return Ok(Grant::EndRehearsal(RehearsalAsk { stream, merchant }));
                }
                let room = self.room_of(command, (stream, action))?;
                Ok(Grant::Stream { stream, action, room })
            }
            Action::CloseUnmatched { payment } => {
                check_role(command)?;
                Ok(Grant::CloseUnmatched(payment))
            }
        }
    }

    /// How a drop that the command's actor reaches stands.
    fn reached(
        &self,
        command: &StaffCommand,
        (drop, action): (DropId, &DropAction),
        over: Option<&OverDrop>,
    ) -> Result<SeenDrop, CommandRefusal> {
        if let Some(book) = self.drops.get(&drop) {
            let plan = book.plan();
            self.check_reach(command, action, (&plan.stream, &plan.merchant))?;
            return Ok(book.stands());
        }
        let over = over.ok_or(CommandRefusal::UnknownDrop)?;
        self.check_reach(command, action, (&over.stream, &over.merchant))?;
        Ok(over.stands)
    }

    /// Whether the token may give such a command about a drop with these terms: a merchant about its
    /// own drops, a room's owner about what stands in the room.
    fn check_reach(
        &self,
        command: &StaffCommand,
        action: &DropAction,
        (stream, merchant): (&StreamId, &MerchantId),
    ) -> Result<(), CommandRefusal> {
        if !command.streams.covers(stream) {
            return Err(CommandRefusal::UnknownDrop);
        }
        let room = self.rooms.get(stream);
        if command.role == Role::Creator {
            let own = room.is_some_and(|room| room.is_creators(&command.actor));
            return if own { Ok(()) } else { Err(CommandRefusal::UnknownDrop) };
        }
        let Some(bound) = &command.merchant else { return Ok(()) };
        if merchant == bound {
            return match room.filter(|room| !room.lets_in(bound)) {
                Some(room) if matches!(action, DropAction::Feature) => {
                    let (stream, merchant) = (stream.clone(), merchant.clone());
                    let owner = room.owner.clone();
                    Err(CommandRefusal::StreamNotYours { stream, owner, merchant })
                }
                _ => Ok(()),
            };
        }
        if !room.is_some_and(|room| room.is_of(bound)) {
            return Err(CommandRefusal::UnknownDrop);
        }
        match action {
            DropAction::Cancel | DropAction::Feature => Ok(()),
            _ => {
                let (action, merchant) = (action.name(), merchant.clone());
                Err(CommandRefusal::ForeignDrop { action, merchant })
            }
        }
    }

    /// Whether a host may plan drops of the merchant in the stream.
    fn check_host(
        &self,
        command: &StaffCommand,
        stream: &StreamId,
        merchant: &MerchantId,
    ) -> Result<(), CommandRefusal> {
        if command.role != Role::Host {
            return Ok(());
        }
        let action = command.action.name();
        if command.merchant.as_ref().is_some_and(|bound| bound != merchant) {
            return Err(CommandRefusal::ForeignDrop { action, merchant: merchant.clone() });
        }
        if self.lets_hosts_plan(stream, merchant) {
            return Ok(());
        }
        let (stream, merchant) = (stream.clone(), merchant.clone());
        Err(CommandRefusal::HostsNotAllowed { action, stream, merchant })
    }

    /// Whether the actor runs drops in the stream: where the token reaches, a creator in streams of its own.
    fn check_rehearses(
        &self,
        command: &StaffCommand,
        stream: &StreamId,
    ) -> Result<(), CommandRefusal> {
        let owns = || self.rooms.get(stream).is_some_and(|room| room.is_creators(&command.actor));
        if command.streams.covers(stream) && (command.role != Role::Creator || owns()) {
            return Ok(());
        }
        Err(CommandRefusal::UnknownStream { stream: stream.clone() })
    }

    /// The room of a stream that the command's actor may report or change.
    fn room_of(
        &self,
        command: &StaffCommand,
        (stream, action): (&StreamId, &StreamAction),
    ) -> Result<Option<&Room>, CommandRefusal> {
        match action {
            StreamAction::Offline | StreamAction::Online => {
                check_unbound(command)?;
                if !command.streams.covers(stream) {
                    return Err(CommandRefusal::UnknownStream { stream: stream.clone() });
                }
                return Ok(None);
            }
            StreamAction::MakeRoom { .. } => {
                check_unbound(command)?;
                check_stream(command, stream)?;
            }
            StreamAction::MoveRoom { .. } => check_unbound(command)?,
            StreamAction::AllowHosts { merchant } | StreamAction::ForbidHosts { merchant } => {
                return self.room_for(command, stream, merchant);
            }
            StreamAction::Admit { .. }
            | StreamAction::Dismiss { .. }
            | StreamAction::EndRoom
            | StreamAction::SetVideoDelay { .. }
            | StreamAction::Rehearse { .. }
            | StreamAction::EndRehearsal => {}
        }
        self.own_room(command, stream)
    }

    /// The room, for those who speak for a merchant in it: the merchant's staff, an admin.
    fn room_for(
        &self,
        command: &StaffCommand,
        stream: &StreamId,
        merchant: &MerchantId,
    ) -> Result<Option<&Room>, CommandRefusal> {
        if let Some(bound) = command.merchant.as_ref().filter(|bound| *bound != merchant) {
            let (bound, named) = (bound.clone(), merchant.clone());
            return Err(CommandRefusal::OtherMerchant { bound, named });
        }
        Ok(self.rooms.get(stream).filter(|_| command.streams.covers(stream)))
    }

    /// The room, for those who speak for its owner: the owner, the platform, an admin.
    fn own_room(
        &self,
        command: &StaffCommand,
        stream: &StreamId,
    ) -> Result<Option<&Room>, CommandRefusal> {
        let covered = |_: &&Room| command.streams.covers(stream);
        let Some(room) = self.rooms.get(stream).filter(covered) else { return Ok(None) };
        let speaks = match (command.role, &command.merchant) {
            (Role::Creator, _) => room.is_creators(&command.actor),
            (_, Some(bound)) => room.is_of(bound),
            (_, None) => true,
        };
        if speaks {
            return Ok(Some(room));
        }
        let (action, owner) = (command.action.name(), room.owner.clone());
        Err(CommandRefusal::RoomNotYours { action, stream: stream.clone(), owner })
    }
}

fn check_role(command: &StaffCommand) -> Result<(), CommandRefusal> {
    if command.role.may(&command.action) {
        return Ok(());
    }
    Err(CommandRefusal::forbidden(command.role, &command.action))
}

/// Whether the token is for every merchant.
fn check_unbound(command: &StaffCommand) -> Result<(), CommandRefusal> {
    match command.merchant.clone() {
        Some(bound) => Err(CommandRefusal::BoundToken { action: command.action.name(), bound }),
        None => Ok(()),
    }
}

/// Whether the token may name the stream of what it plans or makes.
fn check_stream(command: &StaffCommand, stream: &StreamId) -> Result<(), CommandRefusal> {
    if command.streams.covers(stream) {
        return Ok(());
    }
    let (bound, stream) = (command.streams.streams().len(), stream.clone());
    Err(CommandRefusal::OtherStream { bound, stream })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{books::given, stream_scope::StreamScope};

    fn refused(command: &StaffCommand) -> CommandRefusal {
        given::one_drop().authorize(command, None).err().expect("nobody may")
    }

    fn plan() -> Action {
        Action::Plan { plan: Arc::new(stampede_testkit::plan(5)) }
    }

    #[test]
    fn a_token_of_one_merchant_works_nothing_that_holds_for_all() {
        let acme: MerchantId = "acme".parse().unwrap();
        let halt = Action::from(BrakeAction::Halt { expires_in: None });
        let offline = StreamAction::Offline.on("show".parse().unwrap());
        for action in [halt, offline] {
            let name = action.name();
            let bound = StaffCommand {
                merchant: Some(acme.clone()),
                ..given::command(Role::Admin, action)
            };
            assert!(matches!(
                refused(&bound),
                CommandRefusal::BoundToken { action, bound } if action == name && bound == acme
            ));
        }
    }

    #[test]
    fn a_token_of_some_streams_plans_in_no_other() {
        let streams = StreamScope::of(["other".parse().unwrap()]);
        let command = StaffCommand { streams, ..given::command(Role::Merchant, plan()) };
        assert!(matches!(
            refused(&command),
            CommandRefusal::OtherStream { bound: 1, stream } if stream.as_str() == "show"
        ));
    }

    #[test]
    fn the_house_is_an_admin_who_is_bound_to_nobody() {
        let plans_for_house = |role, merchant: Option<&str>| {
            let merchant = merchant.map(|merchant| merchant.parse().unwrap());
            let command = StaffCommand { merchant, ..given::command(role, plan()) };
            match given::empty().authorize(&command, None) {
                Ok(Grant::Plan { for_house, .. }) => for_house,
                _ => panic!("{role} may plan"),
            }
        };
        assert!(plans_for_house(Role::Admin, None));
        assert!(!plans_for_house(Role::Admin, Some("acme")));
        assert!(!plans_for_house(Role::Merchant, None));
    }
}
