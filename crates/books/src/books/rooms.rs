//! Commands about rooms, and the rules of rooms about drops.

use std::{collections::HashSet, sync::Arc};

use stampede_domain::{
    DropId, DropPlan, MerchantId, StreamId, UnixMillis, check_shown,
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

    /// Whether hosts may plan drops of the merchant in the stream.
    pub(super) fn lets_hosts_plan(&self, stream: &StreamId, merchant: &MerchantId) -> bool {
        self.rooms.get(stream).is_some_and(|room| room.hosts_plan_for.contains(merchant))
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
        check_let_in(stream, room, merchant, for_house)?;
        let there: Vec<_> = self.live_in(stream).collect();
        check_share(stream, room, merchant, &there)?;
        Ok(Vec::new())
    }

    /// Checks that copies of drops of the stream may be planned and have places there, each beside those before it.
    /// Copies claim no stream: one that is nobody's stays so. Whoever runs the whole show copies all that stands in it.
    pub(super) fn check_places(
        &self,
        stream: &StreamId,
        copies: &[Arc<DropPlan>],
        of_whole_show: bool,
    ) -> Result<(), CommandRefusal> {
        let room = self.rooms.get(stream);
        let mut there: Vec<_> = self.live_in(stream).collect();
        for merchant in copies.iter().map(|copy| &copy.merchant) {
            match room {
                Some(room) => {
                    check_let_in(stream, room, merchant, of_whole_show)?;
                    check_share(stream, room, merchant, &there)?;
                }
                None => check_stream_full(&there)?,
            }
            there.push(merchant);
        }
        Ok(())
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
    pub(super) fn live_in(&self, stream: &StreamId) -> impl Iterator<Item = &MerchantId> {
        let plans = self.live().map(|(_, book)| book.plan());
        plans.filter(move |plan| plan.stream == *stream).map(|plan| &plan.merchant)
    }
}

/// Whether a drop of a merchant may be planned in the room; whoever plans `everywhere` may in any.
fn check_let_in(
    stream: &StreamId,
    room: &Room,
    merchant: &MerchantId,
    everywhere: bool,
) -> Result<(), CommandRefusal> {
    if everywhere || room.lets_in(merchant) {
        return Ok(());
    }
    let (stream, merchant, owner) = (stream.clone(), merchant.clone(), room.owner.clone());
    Err(CommandRefusal::StreamNotYours { stream, owner, merchant })
}

/// Whether a stream takes one more drop beside those of these merchants.
const fn check_stream_full(there: &[&MerchantId]) -> Result<(), CommandRefusal> {
    if there.len() >= LIVE_DROPS_PER_STREAM_MAX {
        return Err(CommandRefusal::StreamFull { max: LIVE_DROPS_PER_STREAM_MAX });
    }
    Ok(())
}

/// Whether a room has a place for one more drop of a merchant, beside those of the merchants that are there.
fn check_share(
    stream: &StreamId,
    room: &Room,
    merchant: &MerchantId,
    there: &[&MerchantId],
) -> Result<(), CommandRefusal> {
    check_stream_full(there)?;
    if room.is_of(merchant) {
        return Ok(());
    }
    let of_merchant = there.iter().filter(|other| **other == merchant).count();
    let foreign = there.iter().filter(|other| !room.is_of(other)).count();
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
    Ok(())
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

/// The change by which hosts may plan for a merchant who is let in, or may no more.
pub(crate) fn let_hosts_plan(
    stream: &StreamId,
    merchant: &MerchantId,
    allowed: bool,
    room: Option<&Room>,
) -> Result<Change, CommandRefusal> {
    let room = known(stream, room)?;
    check_let_in(stream, room, merchant, false)?;
    if room.hosts_plan_for.contains(merchant) == allowed {
        let what = if allowed { "plan for" } else { "do not plan for" };
        let what = format!("hosts {what} {merchant} already");
        return Err(CommandRefusal::RoomUnchanged { stream: stream.clone(), what });
    }
    let merchant = merchant.clone();
    let what = if allowed {
        RoomChange::HostsAllowed(merchant)
    } else {
        RoomChange::HostsForbidden(merchant)
    };
    Ok(change(stream, what))
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
    check_shown(account.as_str(), ACCOUNT_BYTES_MAX).map_err(CommandRefusal::Account)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::books::given::{self, change_room, merchant};

    fn plan_of(name: &str) -> DropPlan {
        DropPlan { merchant: name.parse().unwrap(), ..stampede_testkit::plan(1) }
    }

    /// Adds drops of a merchant to the stream `show`.
    fn add(books: &mut Books, name: &str, count: u32) {
        for _ in 0..count {
            let drop = books.next_drop;
            let plan = Arc::new(plan_of(name));
            given::follow(books, drop, Record::Planned { plan, revision: 1 });
        }
    }

    #[test]
    fn who_is_admitted_has_a_share_and_the_owner_keeps_places() {
        let mut books = given::empty();
        change_room(&mut books, "show", RoomChange::Owner(merchant("acme")));
        for name in ["beta", "gamma"] {
            change_room(&mut books, "show", RoomChange::Admitted(name.parse().unwrap()));
        }
        let place = |books: &Books, name: &str| match books.check_place(&plan_of(name), false) {
            Ok(changes) => {
                assert_eq!(changes, []);
                "a place".to_owned()
            }
            Err(refusal) => refusal.to_string(),
        };
        let is_full = |books: &Books, name: &str, of: &str| {
            matches!(
                books.check_place(&plan_of(name), false),
                Err(CommandRefusal::ShareFull { of: whose, .. }) if whose == of
            )
        };
        add(&mut books, "acme", 10);
        add(&mut books, "beta", 31);
        assert_eq!(place(&books, "beta"), "a place");
        add(&mut books, "beta", 1);
        assert!(is_full(&books, "beta", "beta"), "32 are one merchant's share");
        add(&mut books, "gamma", 15);
        assert_eq!(place(&books, "gamma"), "a place", "47 are not the owner's");
        add(&mut books, "gamma", 1);
        assert!(is_full(&books, "gamma", "all admitted merchants"), "16 places are the owner's");
        assert_eq!(place(&books, "acme"), "a place");
        add(&mut books, "acme", 6);
        let full = books.check_place(&plan_of("acme"), false);
        assert!(matches!(full, Err(CommandRefusal::StreamFull { max: 64 })));
    }

    #[test]
    fn the_house_plans_where_a_merchant_is_not_let_in() {
        let mut books = given::empty();
        change_room(&mut books, "show", RoomChange::Owner(merchant("acme")));
        let refused = books.check_place(&plan_of("delta"), false);
        assert!(matches!(refused, Err(CommandRefusal::StreamNotYours { .. })));
        assert!(books.check_place(&plan_of("delta"), true).is_ok());
    }

    #[test]
    fn an_account_has_a_name_that_can_be_read() {
        let books = given::empty();
        let outcome = |name: &str| {
            let owner = RoomOwner::Creator(name.into());
            books.make_room(&"show".parse().unwrap(), &owner, None).map(|_| ())
        };
        for name in ["nina", "n", "Nina T.", &"n".repeat(64)] {
            assert!(outcome(name).is_ok(), "{name}");
        }
        for name in ["", " ", "ni\nna", "\n", &"n".repeat(65)] {
            let refused = outcome(name);
            assert!(matches!(refused, Err(CommandRefusal::Account(_))), "{name:?}");
        }
    }

    #[test]
    fn a_room_moves_to_no_merchant_who_has_as_many_as_he_may() {
        let mut books = given::empty();
        for (stream, name) in [("one", "acme"), ("two", "acme"), ("three", "beta")] {
            change_room(&mut books, stream, RoomChange::Owner(merchant(name)));
        }
        let moved = |books: &Books, stream: &str, owner: &RoomOwner| {
            let stream: StreamId = stream.parse().unwrap();
            books.move_room(&stream, owner, books.rooms.get(&stream))
        };
        assert!(matches!(
            moved(&books, "three", &merchant("acme")),
            Err(CommandRefusal::RoomsFull { max: 2, .. })
        ));
        assert!(moved(&books, "one", &merchant("beta")).is_ok());
        for stream in ["one", "two"] {
            change_room(&mut books, stream, RoomChange::Owner(RoomOwner::House));
        }
        assert!(moved(&books, "three", &RoomOwner::House).is_ok(), "the house has no limit");
    }
}
