//! Which drops are due, by the index of their times.

use stampede_domain::{DropId, Moment};

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
            let is_closed = book.is_some_and(|book| book.phase().is_ending());
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

#[cfg(test)]
mod tests {
    use stampede_domain::{
        DropPlan, DurationMs, HoldId, Incarnation, PoolIndex, SlotIndex, TakeNumber, Units,
        WhenOffline,
    };
    use stampede_ledger::{HoldRecord, PhaseRecord, StreamRecord};

    use super::*;
    use crate::books::given::{self, DROP, NOW};

    /// Whether something runs that an outage would move, whether a drop waits for its last takes.
    fn runs_and_waits(books: &mut Books) -> (bool, bool) {
        books.set_timers(given::moment());
        (books.any_deadline(), books.any_closed())
    }

    fn expired() -> HoldRecord {
        let (pool, slot) = (PoolIndex::default(), SlotIndex::default());
        let take = TakeNumber::default().next().unwrap();
        let hold = HoldId::new(DROP, Incarnation::default(), pool, slot, take);
        HoldRecord::Expired { hold, units: Units::ONE }
    }

    #[test]
    fn the_index_knows_what_an_outage_would_move_and_who_waits_to_settle() {
        let mut books = given::one_drop();
        assert_eq!(runs_and_waits(&mut books), (false, false), "scheduled");
        given::follow(&mut books, DROP, PhaseRecord::Countdown { opens_at: NOW });
        assert_eq!(runs_and_waits(&mut books), (true, false), "a countdown runs");
        given::follow(&mut books, DROP, PhaseRecord::Opened);
        assert_eq!(runs_and_waits(&mut books), (false, false), "open, nothing taken");
        books.note_take(DROP, PoolIndex::default());
        assert_eq!(runs_and_waits(&mut books), (true, false), "a hold runs");
        given::follow(&mut books, DROP, PhaseRecord::Closed);
        assert_eq!(runs_and_waits(&mut books), (true, true), "the hold outlives the close");
        given::follow(&mut books, DROP, expired());
        assert_eq!(runs_and_waits(&mut books), (false, true), "it waits for its last takes");
        given::follow(&mut books, DROP, PhaseRecord::Settled);
        assert_eq!(runs_and_waits(&mut books), (false, false), "settled");
    }

    #[test]
    fn an_outage_would_move_the_time_that_a_stream_may_be_away() {
        let rule = WhenOffline { pause_after: DurationMs::from_secs(30), resume: true };
        let plan = DropPlan { when_offline: Some(rule), ..stampede_testkit::plan(5) };
        let mut books = given::planned(plan);
        given::follow(&mut books, DROP, StreamRecord::Offline { at: NOW });
        assert_eq!(runs_and_waits(&mut books), (true, false));
        given::follow(&mut books, DROP, StreamRecord::Online);
        assert_eq!(runs_and_waits(&mut books), (false, false));
    }
}
