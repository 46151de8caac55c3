//! Commands about rooms, with what a room's rules say about drops.

use std::collections::HashSet;

use stampede_domain::{
    DropId, DropPlan, MerchantId, StreamId, UnixMillis,
    limits::{
        ACCOUNT_BYTES_MAX, ADMITTED_DROPS_PER_STREAM_MAX, LIVE_DROPS_PER_STREAM_MAX,
        OWNER_DROPS_PER_STREAM_KEPT,
    },
};
use stampede_ledger::{Record, RoomChange, RoomOwner};

use super::Books;
use crate::{
    command::{Action, CommandOutcome, CommandRefusal, Done, Role, StaffCommand},
    decision::{Decision, Effect},
    stream::Room,
};

type Change = stampede_ledger::Room;

impl Books {
    /// Decides a command about a room.
    pub(crate) fn work_room(
        &mut self,
        command: &StaffCommand,
        at: UnixMillis,
        out: &mut Decision,
    ) -> CommandOutcome {
        if !command.role.may(&command.action) {
            return Err(CommandRefusal::forbidden(command.role, &command.action));
        }
        let change = match &command.action {
            Action::MakeRoom { stream, owner } => {
                let changes = self.make_room(command, stream, owner)?;
                self.change_rooms(at, changes, out);
                return Ok(done());
            }
            Action::MoveRoom { stream, owner } => self.move_room(command, stream, owner)?,
            Action::Admit { stream, merchant } => self.admit(command, stream, merchant)?,
            Action::Dismiss { stream, merchant } => {
                let room = self.own_room(command, stream)?;
                if !room.admitted.contains(merchant) {
                    let what = format!("{merchant} is not admitted");
                    return Err(CommandRefusal::RoomUnchanged { stream: stream.clone(), what });
                }
                change(stream, RoomChange::Dismissed(merchant.clone()))
            }
            Action::EndRoom { stream } => {
                self.own_room(command, stream)?;
                let live = self.live_in(stream).count();
                if live > 0 {
                    return Err(CommandRefusal::RoomInUse { stream: stream.clone(), live });
                }
                change(stream, RoomChange::Ended)
            }
            Action::SetVideoDelay { stream, delay } => {
                self.set_video_delay(command, stream, *delay)?
            }
            _ => unreachable!("only commands about rooms come here"),
        };
        self.change_rooms(at, vec![change], out);
        Ok(done())
    }

    fn make_room(
        &self,
        command: &StaffCommand,
        stream: &StreamId,
        owner: &RoomOwner,
    ) -> Result<Vec<Change>, CommandRefusal> {
        unbound(command)?;
        check_stream(command, stream)?;
        check_account(owner)?;
        if let Some(room) = self.rooms.get(stream) {
            let owner = room.owner.clone();
            return Err(CommandRefusal::RoomExists { stream: stream.clone(), owner });
        }
        self.changes_to_make(stream, owner)
    }

    fn move_room(
        &self,
        command: &StaffCommand,
        stream: &StreamId,
        owner: &RoomOwner,
    ) -> Result<Change, CommandRefusal> {
        unbound(command)?;
        check_account(owner)?;
        if self.own_room(command, stream)?.owner == *owner {
            let what = format!("it belongs to {owner}");
            return Err(CommandRefusal::RoomUnchanged { stream: stream.clone(), what });
        }
        let max = self.limits.rooms_per_owner_max;
        if *owner != RoomOwner::House && self.rooms.owned_by(owner) >= max {
            return Err(CommandRefusal::RoomsFull { of: owner.to_string(), max });
        }
        Ok(change(stream, RoomChange::Owner(owner.clone())))
    }

    fn admit(
        &self,
        command: &StaffCommand,
        stream: &StreamId,
        merchant: &MerchantId,
    ) -> Result<Change, CommandRefusal> {
        let room = self.own_room(command, stream)?;
        if room.lets_in(merchant) {
            let what = if room.is_of(merchant) { "its owner" } else { "admitted" };
            let what = format!("{merchant} is {what}");
            return Err(CommandRefusal::RoomUnchanged { stream: stream.clone(), what });
        }
        let max = self.limits.admitted_per_room_max;
        if room.admitted.len() >= max {
            return Err(CommandRefusal::RoomFull { stream: stream.clone(), max });
        }
        Ok(change(stream, RoomChange::Admitted(merchant.clone())))
    }

    /// The room, for whoever speaks for its owner: the owner, the platform, an admin.
    pub(crate) fn own_room(
        &self,
        command: &StaffCommand,
        stream: &StreamId,
    ) -> Result<&Room, CommandRefusal> {
        let unknown = || CommandRefusal::UnknownRoom { stream: stream.clone() };
        let room = self.rooms.get(stream).filter(|_| command.streams.covers(stream));
        let room = room.ok_or_else(unknown)?;
        let speaks = match (command.role, &command.merchant) {
            (Role::Creator, _) => room.is_creators(&command.actor),
            (_, Some(bound)) => room.is_of(bound),
            (_, None) => true,
        };
        if speaks {
            return Ok(room);
        }
        let (action, owner) = (command.action.name(), room.owner.clone());
        Err(CommandRefusal::RoomNotYours { action, stream: stream.clone(), owner })
    }

    /// What has to change so that the stream has this owner, within the limits: a merchant who has as
    /// many rooms as he may gives up the one that has been idle for the longest time.
    fn changes_to_make(
        &self,
        stream: &StreamId,
        owner: &RoomOwner,
    ) -> Result<Vec<Change>, CommandRefusal> {
        let (all, each) = (self.limits.rooms_max, self.limits.rooms_per_owner_max);
        let is_full = *owner != RoomOwner::House && self.rooms.owned_by(owner) >= each;
        let mut changes = Vec::new();
        if is_full || self.rooms.count() >= all {
            let live: HashSet<&StreamId> =
                self.live().map(|(_, book)| &book.plan().stream).collect();
            let of = is_full.then_some(owner);
            let idle = self.rooms.longest_idle(of, |stream| live.contains(stream));
            let (of, max) = match of {
                Some(owner) => (owner.to_string(), each),
                None => ("all owners".to_owned(), all),
            };
            let idle = idle.ok_or(CommandRefusal::RoomsFull { of, max })?;
            changes.push(change(idle, RoomChange::Ended));
        }
        changes.push(change(stream, RoomChange::Owner(owner.clone())));
        Ok(changes)
    }

    /// Checks that the plan's merchant may plan in the stream and has a place there; with what has to
    /// change about rooms first.
    pub(crate) fn check_place(
        &self,
        command: &StaffCommand,
        plan: &DropPlan,
    ) -> Result<Vec<Change>, CommandRefusal> {
        let DropPlan { stream, merchant, .. } = plan;
        let Some(room) = self.rooms.get(stream) else {
            return self.changes_to_make(stream, &RoomOwner::Merchant(merchant.clone()));
        };
        // An admin acts for the house, which plans for everybody.
        let is_house = command.role == Role::Admin && command.merchant.is_none();
        if !is_house && !room.lets_in(merchant) {
            let (stream, merchant) = (stream.clone(), merchant.clone());
            let owner = room.owner.clone();
            return Err(CommandRefusal::StreamNotYours { stream, owner, merchant });
        }
        let live = self.live_in(stream).count();
        if live >= LIVE_DROPS_PER_STREAM_MAX {
            return Err(CommandRefusal::StreamFull { max: LIVE_DROPS_PER_STREAM_MAX });
        }
        if room.is_of(merchant) {
            return Ok(Vec::new());
        }
        let of_merchant = self.live_in(stream).filter(|other| *other == merchant).count();
        let foreign = self.live_in(stream).filter(|other| !room.is_of(other)).count();
        let kept = LIVE_DROPS_PER_STREAM_MAX - OWNER_DROPS_PER_STREAM_KEPT;
        let keeps = matches!(room.owner, RoomOwner::Merchant(_)) && foreign >= kept;
        let stream = stream.clone();
        if of_merchant >= ADMITTED_DROPS_PER_STREAM_MAX {
            let (of, max) = (merchant.to_string(), ADMITTED_DROPS_PER_STREAM_MAX);
            return Err(CommandRefusal::ShareFull { stream, of, max });
        }
        if keeps {
            let (of, max) = ("all admitted merchants".to_owned(), kept);
            return Err(CommandRefusal::ShareFull { stream, of, max });
        }
        Ok(Vec::new())
    }

    /// Makes changes that were decided; they show once they are durable.
    pub(crate) fn change_rooms(
        &mut self,
        at: UnixMillis,
        changes: Vec<Change>,
        out: &mut Decision,
    ) {
        for change in changes {
            self.record(at, DropId::HOUSE, Record::Room(Box::new(change.clone())), out);
            out.when_durable.push(Effect::Room(change));
        }
    }

    /// Whether the token may give such a command about a drop with these terms: a merchant about its
    /// own drops, a room's owner about what stands in the room.
    pub(crate) fn check_reach(
        &self,
        command: &StaffCommand,
        stream: &StreamId,
        merchant: &MerchantId,
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
                Some(room) if matches!(command.action, Action::Feature) => {
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
        match command.action {
            Action::Cancel | Action::Feature => Ok(()),
            _ => {
                let (action, merchant) = (command.action.name(), merchant.clone());
                Err(CommandRefusal::ForeignDrop { action, merchant })
            }
        }
    }

    /// The merchants of the stream's drops that are not over, one for each drop.
    fn live_in(&self, stream: &StreamId) -> impl Iterator<Item = &MerchantId> {
        let plans = self.live().map(|(_, book)| book.plan());
        plans.filter(move |plan| plan.stream == *stream).map(|plan| &plan.merchant)
    }
}

fn done() -> Done {
    Done { drop: DropId::HOUSE, lot: None, ban: None, replayed: false }
}

pub(crate) fn change(stream: &StreamId, change: RoomChange) -> Change {
    Change { stream: stream.clone(), change }
}

fn unbound(command: &StaffCommand) -> Result<(), CommandRefusal> {
    match command.merchant.clone() {
        Some(bound) => Err(CommandRefusal::BoundToken { action: command.action.name(), bound }),
        None => Ok(()),
    }
}

/// Whether the token may name the stream of what it plans or makes.
pub(crate) fn check_stream(
    command: &StaffCommand,
    stream: &StreamId,
) -> Result<(), CommandRefusal> {
    if command.streams.covers(stream) {
        return Ok(());
    }
    let (bound, stream) = (command.streams.streams().len(), stream.clone());
    Err(CommandRefusal::OtherStream { bound, stream })
}

fn check_account(owner: &RoomOwner) -> Result<(), CommandRefusal> {
    let RoomOwner::Creator(account) = owner else { return Ok(()) };
    let account = account.as_str();
    let sound = !account.trim().is_empty() && !account.chars().any(char::is_control);
    if sound && account.len() <= ACCOUNT_BYTES_MAX {
        return Ok(());
    }
    Err(CommandRefusal::Account { max: ACCOUNT_BYTES_MAX })
}
