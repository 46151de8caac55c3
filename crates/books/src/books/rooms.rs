//! Commands about rooms, and the rules of rooms about drops.

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
    command::CommandRefusal,
    decision::{Decision, Effect},
    stream::Room,
};

type Change = stampede_ledger::Room;

impl Books {
    /// The changes that give a stream without a room an owner.
    pub(crate) fn make_room(
        &self,
        stream: &StreamId,
        owner: &RoomOwner,
        room: Option<&Room>,
    ) -> Result<Vec<Change>, CommandRefusal> {
        check_account(owner)?;
        if let Some(room) = room {
            let owner = room.owner.clone();
            return Err(CommandRefusal::RoomExists { stream: stream.clone(), owner });
        }
        self.changes_to_make(stream, owner)
    }

    /// The change that gives a room another owner.
    pub(crate) fn move_room(
        &self,
        stream: &StreamId,
        owner: &RoomOwner,
        room: Option<&Room>,
    ) -> Result<Change, CommandRefusal> {
        check_account(owner)?;
        if known(stream, room)?.owner == *owner {
            let what = format!("it belongs to {owner}");
            return Err(CommandRefusal::RoomUnchanged { stream: stream.clone(), what });
        }
        let max = self.limits.rooms_per_owner_max;
        if *owner != RoomOwner::House && self.rooms.owned_by(owner) >= max {
            return Err(CommandRefusal::RoomsFull { of: owner.to_string(), max });
        }
        Ok(change(stream, RoomChange::Owner(owner.clone())))
    }

    /// The change that lets a merchant in.
    pub(crate) fn admit(
        &self,
        stream: &StreamId,
        merchant: &MerchantId,
        room: Option<&Room>,
    ) -> Result<Change, CommandRefusal> {
        let room = known(stream, room)?;
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

    /// The change by which a room is nobody's.
    pub(crate) fn end_room(
        &self,
        stream: &StreamId,
        room: Option<&Room>,
    ) -> Result<Change, CommandRefusal> {
        known(stream, room)?;
        let live = self.live_in(stream).count();
        if live > 0 {
            return Err(CommandRefusal::RoomInUse { stream: stream.clone(), live });
        }
        Ok(change(stream, RoomChange::Ended))
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
        plan: &DropPlan,
        for_house: bool,
    ) -> Result<Vec<Change>, CommandRefusal> {
        let DropPlan { stream, merchant, .. } = plan;
        let Some(room) = self.rooms.get(stream) else {
            return self.changes_to_make(stream, &RoomOwner::Merchant(merchant.clone()));
        };
        if !for_house && !room.lets_in(merchant) {
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

    /// The merchants of the stream's drops that are not over, one for each drop.
    fn live_in(&self, stream: &StreamId) -> impl Iterator<Item = &MerchantId> {
        let plans = self.live().map(|(_, book)| book.plan());
        plans.filter(move |plan| plan.stream == *stream).map(|plan| &plan.merchant)
    }
}

/// The change by which a merchant is let in no more.
pub(crate) fn dismiss(
    stream: &StreamId,
    merchant: &MerchantId,
    room: Option<&Room>,
) -> Result<Change, CommandRefusal> {
    if !known(stream, room)?.admitted.contains(merchant) {
        let what = format!("{merchant} is not admitted");
        return Err(CommandRefusal::RoomUnchanged { stream: stream.clone(), what });
    }
    Ok(change(stream, RoomChange::Dismissed(merchant.clone())))
}

/// The room, if the stream has one that the caller may see.
pub(crate) fn known<'a>(
    stream: &StreamId,
    room: Option<&'a Room>,
) -> Result<&'a Room, CommandRefusal> {
    room.ok_or_else(|| CommandRefusal::UnknownRoom { stream: stream.clone() })
}

pub(crate) fn change(stream: &StreamId, change: RoomChange) -> Change {
    Change { stream: stream.clone(), change }
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
