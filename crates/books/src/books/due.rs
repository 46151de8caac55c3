//! Which drops are due, by the index of their times.

use stampede_domain::{DropId, Moment, Phase};

use super::Books;
use crate::drop::DropBook;

impl Books {
    /// Drops that are due by what is known of them, earliest first.
    pub fn due(&mut self, now: Moment) -> Vec<DropId> {
        self.set_timers(now);
        self.timers.due(now.sale)
    }

    /// Works out anew when the drops are due whose books have changed.
    pub fn set_timers(&mut self, now: Moment) {
        let mut touched = std::mem::take(&mut self.timers.touched);
        touched.sort_unstable();
        touched.dedup();
        for drop in touched.drain(..) {
            let book = self.drops.get(&drop);
            let due = book
                .and_then(|book| book.next_due(now, self.rooms.video_delay(&book.plan().stream)));
            let is_closed = book.is_some_and(|book| book.phase() == Phase::Closed);
            self.timers.set_running(drop, book.is_some_and(DropBook::has_deadline));
            self.timers.set(drop, due, is_closed);
        }
        // Its room is used again.
        self.timers.touched = touched;
    }

    /// The wall clock was moved against the sale's: every drop's time is worked out anew.
    pub fn touch_all(&mut self) {
        for drop in self.drops.keys() {
            self.timers.touch(*drop);
        }
    }

    /// Whether a drop waits for its last takes.
    pub fn any_closed(&self) -> bool {
        self.timers.any_closed()
    }

    /// Whether a hold, a countdown or a stream's time runs in any drop.
    pub fn any_deadline(&self) -> bool {
        self.timers.any_deadline()
    }
}
