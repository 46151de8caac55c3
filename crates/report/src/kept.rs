//! Folds of drops that are kept between reads, as many as there is room for.

use std::{collections::VecDeque, sync::Arc};

use parking_lot::Mutex;
use stampede_domain::DropId;

/// What may be kept. The drop that was read last stays in any case.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    /// Drops, as long as they are small.
    pub(crate) drops_max: usize,
    /// Entries of all of them; what an entry is depends on the fold.
    pub(crate) entries_max: usize,
}

/// Something kept for each of some drops. Each has a lock of its own: nobody waits for another drop.
#[derive(Debug)]
pub(crate) struct Kept<T> {
    /// Those that were used last stand at the end.
    slots: Mutex<VecDeque<Slot<T>>>,
    room: Room,
}

#[derive(Debug)]
struct Slot<T> {
    drop: DropId,
    value: Arc<Mutex<T>>,
    /// Its entries when it was read last.
    entries: usize,
}

impl<T> Kept<T> {
    /// Nothing is kept yet.
    pub(crate) fn new(room: Room) -> Self {
        Self { slots: Mutex::default(), room }
    }

    /// What is kept of a drop, a `new` one if there is nothing; it counts as the one that was used last.
    pub(crate) fn take(&self, drop: DropId, new: impl FnOnce() -> T) -> Arc<Mutex<T>> {
        let mut slots = self.slots.lock();
        let place = slots.iter().position(|slot| slot.drop == drop);
        let found = place.and_then(|place| slots.remove(place));
        let slot = found.unwrap_or_else(|| {
            let value = Arc::new(Mutex::new(new()));
            Slot { drop, value, entries: 0 }
        });
        let value = Arc::clone(&slot.value);
        slots.push_back(slot);
        value
    }

    pub(crate) fn forget(&self, drop: DropId) {
        self.slots.lock().retain(|slot| slot.drop != drop);
    }

    /// Lets go of what was not used for the longest time, as long as there is too much, now that a drop has so many
    /// entries.
    pub(crate) fn make_room(&self, drop: DropId, entries: usize) {
        let mut slots = self.slots.lock();
        if let Some(own) = slots.iter_mut().find(|slot| slot.drop == drop) {
            own.entries = entries;
        }
        let (mut entries, mut fits) = (0_usize, 0_usize);
        for slot in slots.iter().rev() {
            entries = entries.saturating_add(slot.entries);
            if fits > 0 && (entries > self.room.entries_max || fits >= self.room.drops_max) {
                break;
            }
            fits += 1;
        }
        while slots.len() > fits {
            slots.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_last_stays() {
        let kept = Kept::new(Room { drops_max: 3, entries_max: 10 });
        let read = |number: u32, entries| {
            let drop = DropId::new(number);
            let was_new = Arc::strong_count(&kept.take(drop, || number)) == 1;
            assert!(!was_new);
            kept.make_room(drop, entries);
        };
        let there = |kept: &Kept<u32>| -> Vec<u32> {
            kept.slots.lock().iter().map(|slot| slot.drop.get()).collect()
        };
        for number in 1..=3 {
            read(number, 1);
        }
        read(1, 1);
        assert_eq!(there(&kept), [2, 3, 1]);
        read(4, 1);
        assert_eq!(there(&kept), [3, 1, 4], "no more than three");
        read(5, 9);
        assert_eq!(there(&kept), [4, 5], "no more than ten entries");
        read(6, 99);
        assert_eq!(there(&kept), [6], "one too large stays alone");
        kept.forget(DropId::new(6));
        assert_eq!(there(&kept), [0_u32; 0]);
    }
}
