//! The viewers' notes behind modelled locks: `loom` cannot follow the sharded map's own atomics.

use std::{array, collections::HashMap};

use loom::sync::{Mutex, MutexGuard};
use stampede_domain::ViewerNumber;

use super::{HoldNote, Notes};

/// Shards; viewers that race in a test must not share one, or the lock would hide the race.
const SHARDS: usize = 4;

type Shard = HashMap<ViewerNumber, Notes>;

/// The same interface as the sharded map.
#[derive(Debug)]
pub(super) struct Map([Mutex<Shard>; SHARDS]);

impl Map {
    pub(super) fn new() -> Self {
        Self(array::from_fn(|_| Mutex::new(HashMap::new())))
    }

    #[allow(clippy::unused_self, reason = "the model keeps the sharded map's interface")]
    pub(super) fn reserve(&self, _winners: usize) {}

    pub(super) fn each_viewer(&self, mut look: impl FnMut(ViewerNumber)) {
        for shard in &self.0 {
            shard
                .lock()
                .expect("no test panics under the lock")
                .keys()
                .copied()
                .for_each(&mut look);
        }
    }

    pub(super) fn read<R>(&self, viewer: ViewerNumber, look: impl FnOnce(&[HoldNote]) -> R) -> R {
        look(self.shard(viewer).get(&viewer).map_or(&[], |notes| notes))
    }

    pub(super) fn book<E>(
        &self,
        viewer: ViewerNumber,
        admit: impl FnOnce(&[HoldNote]) -> Result<(), E>,
        commit: impl FnOnce() -> Result<HoldNote, E>,
    ) -> Result<(), E> {
        let mut shard = self.shard(viewer);
        admit(shard.get(&viewer).map_or(&[], |notes| notes))?;
        let note = commit()?;
        shard.entry(viewer).or_default().push(note);
        Ok(())
    }

    pub(super) fn wait_for_bookings(&self) {
        for shard in &self.0 {
            drop(shard.lock().expect("no test panics under the lock"));
        }
    }

    pub(super) fn restore(&self, viewer: ViewerNumber, note: HoldNote) {
        self.shard(viewer).entry(viewer).or_default().push(note);
    }

    pub(super) fn amend(&self, viewer: ViewerNumber, change: impl FnOnce(&mut [HoldNote])) {
        if let Some(notes) = self.shard(viewer).get_mut(&viewer) {
            change(notes);
        }
    }

    fn shard(&self, viewer: ViewerNumber) -> MutexGuard<'_, Shard> {
        let shard = usize::try_from(viewer.get()).expect("tests use small numbers") % SHARDS;
        self.0[shard].lock().expect("no test panics under the lock")
    }
}
