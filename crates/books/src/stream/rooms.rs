//! Streams as rooms: who owns one, who may plan in it, by one set of rules for deciding as for replaying.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use stampede_domain::{DropId, DurationMs, MerchantId, StreamId, is_same_text};
use stampede_ledger::{Room as Change, RoomChange, RoomOwner};

/// A stream with who may sell in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomView {
    /// The stream.
    pub stream: StreamId,
    /// Whose it is.
    pub owner: RoomOwner,
    /// The merchants besides its owner that may plan in it, by name.
    pub admitted: Vec<MerchantId>,
    /// How much later its viewers see and hear it; zero where nobody has said.
    pub video_delay: DurationMs,
    /// The merchants whose drops hosts may plan there, by name.
    pub hosts_plan_for: Vec<MerchantId>,
}

impl RoomView {
    /// Whether this merchant may plan in the stream.
    pub fn lets_in(&self, merchant: &MerchantId) -> bool {
        is_merchant(&self.owner, merchant) || self.admitted.contains(merchant)
    }

    /// Whether the owner is the creator with this account.
    pub fn is_creators(&self, account: &str) -> bool {
        is_creator(&self.owner, account)
    }
}

/// Every stream that belongs to somebody.
#[derive(Clone, Debug, Default)]
pub struct Rooms {
    rooms: BTreeMap<StreamId, Room>,
    /// How many each owner has.
    owned: HashMap<RoomOwner, usize>,
}

/// One room.
#[derive(Clone, Debug)]
pub struct Room {
    /// Whose it is.
    pub owner: RoomOwner,
    /// The merchants besides its owner that may plan in it.
    pub admitted: BTreeSet<MerchantId>,
    /// How much later its viewers see and hear it; zero where nobody has said.
    pub video_delay: DurationMs,
    /// The merchants whose drops hosts may plan in it; each of them is let in.
    pub hosts_plan_for: BTreeSet<MerchantId>,
    /// The drop that was planned last; the highest number is the latest.
    last_drop: Option<DropId>,
}

impl Room {
    /// Whether the owner is this merchant.
    pub(crate) fn is_of(&self, merchant: &MerchantId) -> bool {
        is_merchant(&self.owner, merchant)
    }

    /// Whether the owner is the creator with this account.
    pub fn is_creators(&self, account: &str) -> bool {
        is_creator(&self.owner, account)
    }

    /// Whether this merchant may plan in the stream.
    pub fn lets_in(&self, merchant: &MerchantId) -> bool {
        self.is_of(merchant) || self.admitted.contains(merchant)
    }
}

fn is_creator(owner: &RoomOwner, account: &str) -> bool {
    matches!(owner, RoomOwner::Creator(owner) if is_same_text(owner.as_str(), account))
}

fn is_merchant(owner: &RoomOwner, merchant: &MerchantId) -> bool {
    matches!(owner, RoomOwner::Merchant(owner) if owner == merchant)
}

impl Rooms {
    /// The room of a stream; `None` if it belongs to nobody.
    pub fn get(&self, stream: &StreamId) -> Option<&Room> {
        self.rooms.get(stream)
    }

    /// How much later a stream's viewers see and hear it.
    pub fn video_delay(&self, stream: &StreamId) -> DurationMs {
        self.get(stream).map_or(DurationMs::ZERO, |room| room.video_delay)
    }

    /// What the journal tells: all of it.
    pub(crate) fn journaled(&self) -> String {
        let Self { rooms, owned } = self;
        let mut owned: Vec<_> = owned.iter().map(|of_owner| format!("{of_owner:?}")).collect();
        owned.sort_unstable();
        format!("{rooms:?} owned {owned:?}")
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.rooms.len()
    }

    /// Rooms of one owner.
    pub(crate) fn owned_by(&self, owner: &RoomOwner) -> usize {
        self.owned.get(owner).copied().unwrap_or_default()
    }

    /// Follows a change that was decided. One of a room that there is not changes nothing.
    pub fn apply(&mut self, change: &Change) {
        let Change { stream, change } = change;
        match change {
            RoomChange::Owner(owner) => self.set_owner(stream, owner),
            RoomChange::Admitted(merchant) => {
                if let Some(room) = self.rooms.get_mut(stream) {
                    room.admitted.insert(merchant.clone());
                }
            }
            RoomChange::Dismissed(merchant) => {
                if let Some(room) = self.rooms.get_mut(stream) {
                    room.admitted.remove(merchant);
                    room.hosts_plan_for.remove(merchant);
                }
            }
            RoomChange::HostsAllowed(merchant) => {
                if let Some(room) = self.rooms.get_mut(stream) {
                    room.hosts_plan_for.insert(merchant.clone());
                }
            }
            RoomChange::HostsForbidden(merchant) => {
                if let Some(room) = self.rooms.get_mut(stream) {
                    room.hosts_plan_for.remove(merchant);
                }
            }
            RoomChange::Ended => {
                if let Some(room) = self.rooms.remove(stream) {
                    self.count_less(&room.owner);
                }
            }
            RoomChange::VideoDelay(delay) => {
                if let Some(room) = self.rooms.get_mut(stream) {
                    room.video_delay = *delay;
                }
            }
        }
    }

    /// Who was admitted stays; an owner needs no admission, so that of a new one is over. Hosts go on planning for
    /// whoever is let in still.
    fn set_owner(&mut self, stream: &StreamId, owner: &RoomOwner) {
        *self.owned.entry(owner.clone()).or_default() += 1;
        match self.rooms.get_mut(stream) {
            None => {
                let (owner, admitted) = (owner.clone(), BTreeSet::new());
                let (video_delay, hosts_plan_for) = (DurationMs::ZERO, BTreeSet::new());
                let room = Room { owner, admitted, video_delay, hosts_plan_for, last_drop: None };
                self.rooms.insert(stream.clone(), room);
            }
            Some(room) => {
                if let RoomOwner::Merchant(merchant) = owner {
                    room.admitted.remove(merchant);
                }
                let before = std::mem::replace(&mut room.owner, owner.clone());
                let Room { owner, admitted, hosts_plan_for, .. } = room;
                hosts_plan_for.retain(|of| is_merchant(owner, of) || admitted.contains(of));
                self.count_less(&before);
            }
        }
    }

    fn count_less(&mut self, owner: &RoomOwner) {
        if let Some(count) = self.owned.get_mut(owner) {
            *count -= 1;
            if *count == 0 {
                self.owned.remove(owner);
            }
        }
    }

    /// A drop was planned in the stream.
    pub fn note_drop(&mut self, stream: &StreamId, drop: DropId) {
        if let Some(room) = self.rooms.get_mut(stream) {
            room.last_drop = room.last_drop.max(Some(drop));
        }
    }

    /// The merchant's room, or any merchant's, in which nothing goes on and nothing was planned for
    /// the longest time. Rooms of the house and of creators end by command alone.
    pub(crate) fn longest_idle(
        &self,
        owner: Option<&RoomOwner>,
        is_live: impl Fn(&StreamId) -> bool,
    ) -> Option<&StreamId> {
        let of_merchant = |room: &Room| match owner {
            Some(owner) => room.owner == *owner,
            None => true,
        };
        let rooms = self.rooms.iter().filter(|(stream, room)| {
            // One that was made for a show to come has no drop yet; it is not idle.
            let had_drops = room.last_drop.is_some();
            let is_merchants = matches!(room.owner, RoomOwner::Merchant(_));
            is_merchants && had_drops && of_merchant(room) && !is_live(stream)
        });
        rooms.min_by_key(|(_, room)| room.last_drop).map(|(stream, _)| stream)
    }

    /// One room as it stands.
    pub fn view(&self, stream: &StreamId) -> Option<RoomView> {
        self.rooms.get_key_value(stream).map(view)
    }

    /// The rooms behind a stream's name, in the order of names.
    pub fn after(&self, after: Option<&StreamId>) -> impl Iterator<Item = RoomView> + '_ {
        use std::ops::Bound::{Excluded, Unbounded};
        let from = after.map_or(Unbounded, Excluded);
        self.rooms.range::<StreamId, _>((from, Unbounded)).map(view)
    }
}

fn view((stream, room): (&StreamId, &Room)) -> RoomView {
    RoomView {
        stream: stream.clone(),
        owner: room.owner.clone(),
        admitted: room.admitted.iter().cloned().collect(),
        video_delay: room.video_delay,
        hosts_plan_for: room.hosts_plan_for.iter().cloned().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_that_waits_for_its_first_show_is_not_idle() {
        let mut rooms = Rooms::default();
        for (stream, name) in [("gala", "acme"), ("old", "beta"), ("newer", "beta")] {
            let stream = stream.parse().unwrap();
            rooms.apply(&Change { stream, change: RoomChange::Owner(owner(name)) });
        }
        rooms.note_drop(&"old".parse().unwrap(), DropId::new(1));
        rooms.note_drop(&"newer".parse().unwrap(), DropId::new(2));
        let idle = |rooms: &Rooms, owner: Option<&RoomOwner>| {
            rooms.longest_idle(owner, |_| false).map(ToString::to_string)
        };
        assert_eq!(idle(&rooms, None).as_deref(), Some("old"));
        assert_eq!(idle(&rooms, Some(&owner("acme"))), None);
    }

    fn owner(name: &str) -> RoomOwner {
        RoomOwner::Merchant(name.parse().unwrap())
    }

    fn rooms(changes: &[(&str, RoomChange)]) -> Rooms {
        let mut rooms = Rooms::default();
        for (stream, change) in changes {
            rooms.apply(&Change { stream: stream.parse().unwrap(), change: change.clone() });
        }
        rooms
    }

    #[test]
    fn rooms_are_counted_for_each_owner() {
        let owned = |rooms: &Rooms, name: &str| rooms.owned_by(&owner(name));
        let made = |stream, name| (stream, RoomChange::Owner(owner(name)));
        let all = rooms(&[made("one", "acme"), made("two", "acme"), made("three", "beta")]);
        assert_eq!((all.count(), owned(&all, "acme"), owned(&all, "beta")), (3, 2, 1));
        let moved = rooms(&[made("one", "acme"), made("two", "acme"), made("two", "beta")]);
        assert_eq!((moved.count(), owned(&moved, "acme"), owned(&moved, "beta")), (2, 1, 1));
        let ended = rooms(&[made("one", "acme"), made("two", "acme"), ("two", RoomChange::Ended)]);
        assert_eq!((ended.count(), owned(&ended, "acme")), (1, 1));
        let none = rooms(&[made("one", "acme"), ("one", RoomChange::Ended)]);
        assert_eq!((none.count(), owned(&none, "acme"), none.owned.len()), (0, 0, 0));
    }

    #[test]
    fn a_room_shows_whom_it_lets_in() {
        let admitted = RoomChange::Admitted("beta".parse().unwrap());
        let rooms = rooms(&[("show", RoomChange::Owner(owner("acme"))), ("show", admitted)]);
        let view = rooms.view(&"show".parse().unwrap()).unwrap();
        assert_eq!((view.stream.as_str(), &view.owner), ("show", &owner("acme")));
        let lets_in = |name: &str| view.lets_in(&name.parse().unwrap());
        assert!(lets_in("acme") && lets_in("beta") && !lets_in("gamma"));
        assert_eq!(rooms.view(&"late".parse().unwrap()), None);
    }

    #[test]
    fn a_creators_room_is_one_accounts() {
        let nina = RoomOwner::Creator("nina".into());
        let rooms =
            rooms(&[("show", RoomChange::Owner(nina)), ("late", RoomChange::Owner(owner("nina")))]);
        let is_creators = |stream: &str, account: &str| {
            rooms.get(&stream.parse().unwrap()).unwrap().is_creators(account)
        };
        assert!(is_creators("show", "nina") && !is_creators("show", "carla"));
        assert!(!is_creators("late", "nina"), "a merchant is no creator");
    }

    #[test]
    fn a_creator_is_known_in_either_form_of_the_name() {
        for (kept, account) in [("Zoé", "Zoe\u{301}"), ("Zoe\u{301}", "Zoé")] {
            let owner = RoomOwner::Creator(kept.into());
            let rooms = rooms(&[("show", RoomChange::Owner(owner))]);
            let show = "show".parse().unwrap();
            assert!(rooms.get(&show).unwrap().is_creators(account));
            assert!(rooms.view(&show).unwrap().is_creators(account));
            assert!(!rooms.get(&show).unwrap().is_creators("Zoe"));
        }
    }
}
