//! The viewers' notes behind one modelled lock: `loom` cannot follow the sharded map's own atomics.

use std::collections::HashMap;

use loom::sync::Mutex;
use stampede_domain::ViewerNumber;

use super::{HoldNote, Notes};

/// The same interface as the sharded map.
#[derive(Debug)]
pub(crate) struct Viewers(Mutex<HashMap<ViewerNumber, Notes>>);

impl Viewers {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(HashMap::new()))
    }

    #[allow(clippy::unused_self, reason = "the model keeps the sharded map's interface")]
    pub(crate) fn reserve(&self, _winners: usize) {}

    pub(crate) fn read<R>(&self, viewer: ViewerNumber, look: impl FnOnce(&[HoldNote]) -> R) -> R {
        let map = self.0.lock().expect("no test panics under the lock");
        look(map.get(&viewer).map_or(&[], |notes| notes))
    }

    pub(crate) fn book<E>(
        &self,
        viewer: ViewerNumber,
        admit: impl FnOnce(&[HoldNote]) -> Result<(), E>,
        commit: impl FnOnce() -> Result<HoldNote, E>,
    ) -> Result<(), E> {
        let mut map = self.0.lock().expect("no test panics under the lock");
        admit(map.get(&viewer).map_or(&[], |notes| notes))?;
        let note = commit()?;
        map.entry(viewer).or_default().push(note);
        Ok(())
    }

    pub(crate) fn restore(&self, viewer: ViewerNumber, note: HoldNote) {
        let mut map = self.0.lock().expect("no test panics under the lock");
        map.entry(viewer).or_default().push(note);
    }

    pub(crate) fn amend(&self, viewer: ViewerNumber, change: impl FnOnce(&mut [HoldNote])) {
        let mut map = self.0.lock().expect("no test panics under the lock");
        if let Some(notes) = map.get_mut(&viewer) {
            change(notes);
        }
    }
}
