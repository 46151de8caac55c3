//! The sharded map behind the viewers' notes.

use std::hash::{BuildHasherDefault, Hasher};

use dashmap::{DashMap, Entry};
use stampede_domain::ViewerNumber;

use super::{HoldNote, Notes};

/// Shards of the map; the default of four per core lets two readers meet too often.
const SHARDS: usize = 128;
/// Winners that a lot reserves places for at most; beyond, shards grow as winners come.
const RESERVED_MAX: usize = 1 << 22;

/// Notes by viewer; only winners have an entry.
#[derive(Debug)]
pub(crate) struct Viewers(DashMap<ViewerNumber, Notes, BuildHasherDefault<NumberHasher>>);

impl Viewers {
    pub(crate) fn new() -> Self {
        Self(DashMap::with_hasher_and_shard_amount(BuildHasherDefault::default(), SHARDS))
    }

    /// Makes places for `winners` more, so that takes need not grow a shard.
    pub(crate) fn reserve(&self, winners: usize) {
        let mean = winners.min(RESERVED_MAX) / SHARDS;
        // Numbers are random: a shard's share strays from the mean by a few of its roots.
        let share = mean + 5 * mean.isqrt() + 8;
        for shard in self.0.shards() {
            shard.write().reserve(share, |(viewer, _)| hash(*viewer));
        }
    }

    /// Looks at a viewer's notes; strangers have none.
    pub(crate) fn read<R>(&self, viewer: ViewerNumber, look: impl FnOnce(&[HoldNote]) -> R) -> R {
        match self.0.get(&viewer) {
            Some(notes) => look(&notes),
            None => look(&[]),
        }
    }

    /// Adds the note that `commit` makes, if `admit` agrees; nobody else sees or changes the
    /// viewer's notes in between. The place is made before `commit`, which is the last fallible
    /// step.
    pub(crate) fn book<E>(
        &self,
        viewer: ViewerNumber,
        admit: impl FnOnce(&[HoldNote]) -> Result<(), E>,
        commit: impl FnOnce() -> Result<HoldNote, E>,
    ) -> Result<(), E> {
        match self.0.entry(viewer) {
            Entry::Occupied(mut entry) => {
                admit(entry.get())?;
                entry.get_mut().reserve(1);
                let note = commit()?;
                entry.get_mut().push(note);
            }
            Entry::Vacant(entry) => {
                admit(&[])?;
                let note = commit()?;
                entry.insert(Notes::from_buf([note]));
            }
        }
        Ok(())
    }

    /// Adds a note read back from the journal.
    pub(crate) fn restore(&self, viewer: ViewerNumber, note: HoldNote) {
        self.0.entry(viewer).or_default().push(note);
    }

    /// Lets `change` work on a winner's notes.
    pub(crate) fn amend(&self, viewer: ViewerNumber, change: impl FnOnce(&mut [HoldNote])) {
        if let Some(mut notes) = self.0.get_mut(&viewer) {
            change(&mut notes);
        }
    }
}

fn hash(viewer: ViewerNumber) -> u64 {
    use std::hash::BuildHasher;
    BuildHasherDefault::<NumberHasher>::default().hash_one(viewer)
}

/// Spreads a viewer number over all bits; the numbers are random, so one folded product is enough.
#[derive(Debug, Default)]
struct NumberHasher(u64);

impl Hasher for NumberHasher {
    fn write_u64(&mut self, number: u64) {
        // 2^64 divided by the golden ratio, made odd: small numbers (tests use them) spread too.
        let product = u128::from(number) * 0x9e37_79b9_7f4a_7c15;
        let bytes = product.to_le_bytes();
        let (low, high) = bytes.split_at(8);
        let half = |half: &[u8]| u64::from_le_bytes(half.try_into().expect("half of 16 bytes"));
        self.0 = half(low) ^ half(high);
    }

    fn write(&mut self, _: &[u8]) {
        unreachable!("viewer numbers hash as one u64");
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
