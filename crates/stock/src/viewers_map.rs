//! The sharded map behind the viewers' notes.

use std::hash::{BuildHasherDefault, Hasher};

use dashmap::{DashMap, Entry, SharedValue};
use stampede_domain::ViewerNumber;

use super::{HoldNote, Notes};
use crate::filter::hash;

/// Shards of the map; the default of four per core lets two readers meet too often.
const SHARDS: usize = 128;
/// Mean winners of a shard below which places are made one winner at a time: they cost little, and
/// most drops have few winners.
const RESERVED_MIN: usize = 32;

/// Notes by viewer; only winners have an entry.
#[derive(Debug)]
pub(super) struct Map(DashMap<ViewerNumber, Notes, BuildHasherDefault<NumberHasher>>);

impl Map {
    pub(super) fn new() -> Self {
        Self(DashMap::with_hasher_and_shard_amount(BuildHasherDefault::default(), SHARDS))
    }

    /// Makes places for `winners` in all, so that takes need not grow a shard.
    ///
    /// An empty shard's places are filled once and emptied, so that their memory is there for the
    /// first takes: the system hands it out at the first touch, which costs more than a take.
    pub(super) fn reserve(&self, winners: usize) {
        let mean = winners / SHARDS;
        if mean < RESERVED_MIN {
            return;
        }
        // Numbers are random: a shard's share strays from the mean by a few of its roots; one that
        // strays further grows with its winners.
        let share = mean + 3 * mean.isqrt();
        let rehash = |(viewer, _): &(ViewerNumber, _)| hash(*viewer);
        for shard in self.0.shards() {
            if shard.read().capacity() >= share {
                continue;
            }
            let mut shard = shard.write();
            let more = share.saturating_sub(shard.len());
            shard.reserve(more, rehash);
            if shard.is_empty() {
                for viewer in (0..=u64::MAX).take(share).filter_map(ViewerNumber::new) {
                    let blank = (viewer, SharedValue::new(Notes::new()));
                    shard.insert(hash(viewer), blank, rehash);
                }
                shard.clear();
            }
        }
    }

    /// Shows every winner to `look`, a shard at a time under its lock.
    pub(super) fn each_viewer(&self, mut look: impl FnMut(ViewerNumber)) {
        self.0.iter().for_each(|entry| look(*entry.key()));
    }

    /// Looks at a viewer's notes; strangers have none.
    pub(super) fn read<R>(&self, viewer: ViewerNumber, look: impl FnOnce(&[HoldNote]) -> R) -> R {
        match self.0.get(&viewer) {
            Some(notes) => look(&notes),
            None => look(&[]),
        }
    }

    /// Adds the note that `commit` makes, if `admit` agrees, in a place made before `commit`.
    pub(super) fn book<E>(
        &self,
        viewer: ViewerNumber,
        admit: impl FnOnce(&[HoldNote]) -> Result<(), E>,
        commit: impl FnOnce() -> Result<HoldNote, E>,
    ) -> Result<(), E> {
        let mut entry = self.0.entry(viewer);
        admit(match &entry {
            Entry::Occupied(entry) => entry.get(),
            Entry::Vacant(_) => &[],
        })?;
        if let Entry::Occupied(entry) = &mut entry {
            entry.get_mut().reserve(1);
        }
        let note = commit()?;
        match entry {
            Entry::Occupied(mut entry) => entry.get_mut().push(note),
            Entry::Vacant(entry) => {
                entry.insert(Notes::from_buf([note]));
            }
        }
        Ok(())
    }

    /// Takes every lock once.
    pub(super) fn wait_for_bookings(&self) {
        for shard in self.0.shards() {
            drop(shard.write());
        }
    }

    /// Adds a note read back from the journal.
    pub(super) fn restore(&self, viewer: ViewerNumber, note: HoldNote) {
        self.0.entry(viewer).or_default().push(note);
    }

    /// Lets `change` work on a winner's notes.
    pub(super) fn amend(&self, viewer: ViewerNumber, change: impl FnOnce(&mut [HoldNote])) {
        if let Some(mut notes) = self.0.get_mut(&viewer) {
            change(&mut notes);
        }
    }
}

/// Applies the filter's hash to the one number that a viewer number writes.
#[derive(Debug, Default)]
struct NumberHasher(u64);

impl Hasher for NumberHasher {
    fn write_u64(&mut self, number: u64) {
        self.0 = hash(ViewerNumber::new(number).expect("a viewer number uses all 64 bits"));
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("viewer numbers hash as one u64");
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use stampede_domain::{
        DropId, HoldId, Incarnation, KeyFingerprint, PoolIndex, SlotIndex, TakeNumber, Units,
    };

    use super::*;

    fn viewers(count: u64) -> impl Iterator<Item = ViewerNumber> {
        (0..count).map(|number| ViewerNumber::new(hash_of(number)).unwrap())
    }

    fn hash_of(number: u64) -> u64 {
        hash(ViewerNumber::new(number).unwrap())
    }

    fn note(take: u64) -> HoldNote {
        let hold = HoldId::new(
            DropId::new(1),
            Incarnation::default(),
            PoolIndex::default(),
            SlotIndex::default(),
            TakeNumber::new(take).unwrap(),
        );
        HoldNote::new(hold, KeyFingerprint::from_bits(take.into()), Units::ONE)
    }

    fn smallest_shard(map: &Map) -> usize {
        map.0.shards().iter().map(|shard| shard.read().capacity()).min().unwrap()
    }

    #[test]
    fn places_are_made_ahead_for_a_share_that_strays_from_the_mean() {
        let map = Map::new();
        map.reserve(128 * 31);
        assert_eq!(smallest_shard(&map), 0, "few winners make their places one at a time");
        map.reserve(128 * 32);
        assert!(smallest_shard(&map) >= 32 + 3 * 5);
        let map = Map::new();
        map.reserve(128 * 40);
        assert!(smallest_shard(&map) >= 40 + 3 * 6);
        assert_eq!(map.0.len(), 0, "a place is no entry");
    }

    #[test]
    fn notes_stay_while_places_are_made() {
        let map = Map::new();
        for (viewer, take) in viewers(1_000).zip(1..) {
            map.restore(viewer, note(take));
        }
        map.reserve(128 * 100);
        assert!(smallest_shard(&map) >= 100 + 3 * 10);
        let mut seen = Vec::new();
        map.each_viewer(|viewer| seen.push(viewer));
        seen.sort_unstable();
        let mut all: Vec<ViewerNumber> = viewers(1_000).collect();
        all.sort_unstable();
        assert_eq!(seen, all);
        for (viewer, take) in viewers(1_000).zip(1..) {
            map.read(viewer, |notes| assert_eq!(notes, [note(take)]));
        }
    }

    #[test]
    #[should_panic(expected = "viewer numbers hash as one u64")]
    fn nothing_but_a_viewer_number_is_hashed() {
        NumberHasher::default().write(&[1]);
    }
}
