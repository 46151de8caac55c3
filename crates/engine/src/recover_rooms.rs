//! What the journal leaves of rooms.

use std::collections::{HashMap, HashSet};

use stampede_domain::{DropId, DropPlan, MerchantId, StreamId};
use stampede_ledger::{Record, Room, RoomChange, RoomOwner};

use crate::rooms::Rooms;

/// Rooms as the records left them. A stream that no record names belongs to the merchant whose drop
/// came first: ledgers from before there were rooms have none.
#[derive(Default)]
pub(crate) struct RoomsPast {
    rooms: Rooms,
    /// Streams that some record names.
    recorded: HashSet<StreamId>,
    /// The first and the latest drop in each stream.
    drops: HashMap<StreamId, Drops>,
}

struct Drops {
    first: DropId,
    merchant: MerchantId,
    last: DropId,
}

impl RoomsPast {
    /// Follows a record of the house's chain.
    pub(crate) fn record(&mut self, room: &Room) {
        self.recorded.insert(room.stream.clone());
        if room.change == RoomChange::Ended {
            // A room of the same name that is made later has had no drop.
            self.drops.remove(&room.stream);
        }
        self.rooms.apply(room);
    }

    /// Follows a plan. Chains of one commit come in no order of their own, so this one decides
    /// nothing.
    pub(crate) fn planned(&mut self, drop: DropId, plan: &DropPlan) {
        self.had(drop, &plan.stream, &plan.merchant);
    }

    /// Follows a drop of the merchant in the stream.
    pub(crate) fn had(&mut self, drop: DropId, stream: &StreamId, merchant: &MerchantId) {
        let new = || Drops { first: drop, merchant: merchant.clone(), last: drop };
        let drops = self.drops.entry(stream.clone()).or_insert_with(new);
        drops.last = drops.last.max(drop);
        if drop < drops.first {
            drops.first = drop;
            drops.merchant = merchant.clone();
        }
    }

    /// The rooms, with those that have to be put on record, in the order of their first drops.
    pub(crate) fn finish(mut self) -> (Rooms, Vec<Record>) {
        let recorded = std::mem::take(&mut self.recorded);
        let unnamed = self.drops.iter().filter(|(stream, _)| !recorded.contains(*stream));
        let mut unnamed: Vec<_> = unnamed.collect();
        unnamed.sort_unstable_by_key(|(_, drops)| drops.first);
        let owner = |drops: &Drops| RoomChange::Owner(RoomOwner::Merchant(drops.merchant.clone()));
        let made: Vec<Room> = unnamed
            .into_iter()
            .map(|(stream, drops)| Room { stream: stream.clone(), change: owner(drops) })
            .collect();
        for room in &made {
            self.rooms.apply(room);
        }
        for (stream, drops) in &self.drops {
            self.rooms.note_drop(stream, drops.last);
        }
        let to_record = made.into_iter().map(|room| Record::Room(Box::new(room)));
        (self.rooms, to_record.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(merchant: &str, stream: &str) -> DropPlan {
        DropPlan {
            merchant: merchant.parse().unwrap(),
            stream: stream.parse().unwrap(),
            ..stampede_testkit::plan(1)
        }
    }

    fn owned(stream: &str, merchant: &str) -> Room {
        let owner = RoomOwner::Merchant(merchant.parse().unwrap());
        Room { stream: stream.parse().unwrap(), change: RoomChange::Owner(owner) }
    }

    #[test]
    fn a_stream_without_a_record_is_of_the_merchant_of_its_first_drop() {
        let mut past = RoomsPast::default();
        past.record(&owned("gala", "acme"));
        for (drop, merchant, stream) in
            [(3, "zeta", "friday"), (1, "acme", "friday"), (2, "beta", "late"), (4, "beta", "gala")]
        {
            past.planned(DropId::new(drop), &plan(merchant, stream));
        }
        let (rooms, made) = past.finish();
        let expected = [owned("friday", "acme"), owned("late", "beta")];
        assert_eq!(made, expected.map(|room| Record::Room(Box::new(room))));
        let owner = |stream: &str| rooms.get(&stream.parse().unwrap()).unwrap().owner.to_string();
        let owners = ["friday", "late", "gala"].map(owner);
        assert_eq!(owners, ["merchant acme", "merchant beta", "merchant acme"]);
    }

    #[test]
    fn a_room_that_has_ended_stays_so() {
        let mut past = RoomsPast::default();
        past.record(&owned("friday", "acme"));
        past.record(&Room { stream: "friday".parse().unwrap(), change: RoomChange::Ended });
        past.planned(DropId::new(1), &plan("acme", "friday"));
        let (rooms, made) = past.finish();
        assert_eq!((rooms.len(), made.len()), (0, 0));
    }
}
