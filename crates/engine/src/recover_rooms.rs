//! Recovers rooms from the journal.

use std::collections::{HashMap, HashSet};

use stampede_books::{Books, NoTargets};
use stampede_domain::{DropId, DropPlan, MerchantId, StreamId, UnixMillis};
use stampede_ledger::{Record, Room, RoomChange, RoomOwner};

/// What stands beside the rooms' records. A stream that no record names belongs to the merchant whose drop
/// came first: ledgers from before there were rooms have none.
#[derive(Default)]
pub(crate) struct RoomsPast {
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

    /// Puts on record, in the order of their first drops, whose the streams are that no record names; tells
    /// the books each room's latest drop.
    pub(crate) fn finish(mut self, books: &mut Books, at: UnixMillis) -> Vec<Record> {
        let recorded = std::mem::take(&mut self.recorded);
        let unnamed = self.drops.iter().filter(|(stream, _)| !recorded.contains(*stream));
        let mut unnamed: Vec<_> = unnamed.collect();
        unnamed.sort_unstable_by_key(|(_, drops)| drops.first);
        let owner = |drops: &Drops| RoomChange::Owner(RoomOwner::Merchant(drops.merchant.clone()));
        let made = unnamed.into_iter().map(|(stream, drops)| {
            Record::Room(Box::new(Room { stream: stream.clone(), change: owner(drops) }))
        });
        let made: Vec<Record> = made.collect();
        for record in &made {
            books
                .apply(at, DropId::HOUSE, record, &NoTargets)
                .expect("a room follows from nothing");
        }
        for (stream, drops) in &self.drops {
            books.note_drop(stream, drops.last);
        }
        made
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::EngineConfig;

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

    /// The books that follow these records, then what the plans say; with what goes on record for that.
    fn finish(rooms: &[Room], plans: &[(u32, &str, &str)]) -> (Books, Vec<Record>) {
        let mut books = Books::new(EngineConfig::default().limits());
        let mut past = RoomsPast::default();
        let at = UnixMillis::new(1);
        for room in rooms {
            past.record(room);
            let record = Record::Room(Box::new(room.clone()));
            books.apply(at, DropId::HOUSE, &record, &NoTargets).unwrap();
        }
        for (drop, merchant, stream) in plans {
            past.planned(DropId::new(*drop), &plan(merchant, stream));
        }
        let made = past.finish(&mut books, at);
        (books, made)
    }

    #[test]
    fn a_stream_without_a_record_is_of_the_merchant_of_its_first_drop() {
        let plans = [
            (3, "zeta", "friday"),
            (1, "acme", "friday"),
            (2, "beta", "late"),
            (4, "beta", "gala"),
        ];
        let (books, made) = finish(&[owned("gala", "acme")], &plans);
        let expected = [owned("friday", "acme"), owned("late", "beta")];
        assert_eq!(made, expected.map(|room| Record::Room(Box::new(room))));
        let owner =
            |stream: &str| books.rooms().get(&stream.parse().unwrap()).unwrap().owner.to_string();
        let owners = ["friday", "late", "gala"].map(owner);
        assert_eq!(owners, ["merchant acme", "merchant beta", "merchant acme"]);
    }

    #[test]
    fn a_room_that_has_ended_stays_so() {
        let ended = Room { stream: "friday".parse().unwrap(), change: RoomChange::Ended };
        let mut past = RoomsPast::default();
        past.record(&owned("friday", "acme"));
        past.record(&ended);
        past.planned(DropId::new(1), &plan("acme", "friday"));
        let mut books = Books::new(EngineConfig::default().limits());
        assert_eq!(past.finish(&mut books, UnixMillis::new(1)).len(), 0);
        assert_eq!(books.rooms().count(), 0);
    }
}
