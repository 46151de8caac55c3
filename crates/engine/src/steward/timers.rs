//! Drops that are due: the books say which, and what happens.

use stampede_books::Counted;
use stampede_domain::{DropId, UnixMillis};

use super::Steward;
use crate::clock::Moment;

impl Steward {
    /// Starts, opens, closes, settles and tallies what is due, each drop at most once.
    pub(super) fn timers(&mut self, now: Moment) {
        for drop in self.books.due(now) {
            if !self.has_room() {
                break;
            }
            self.decide(|books, out| books.timer(drop, now, out));
            if self.books.drop(drop).is_some_and(|book| book.tally_is_due(now.sale)) {
                self.tally(drop);
            }
            if self.books.drop(drop).is_some_and(stampede_books::DropBook::is_done) {
                self.tally(drop);
                self.decide(|books, out| books.settle(drop, now, out));
            }
            // An opening with all its lots is one commit or none.
            self.hand_over();
        }
        self.books.set_timers(now);
    }

    fn tally(&mut self, drop: DropId) {
        let now = self.shared.clock.moment();
        let counted = self.counted(drop);
        self.decide(|books, out| books.tally(drop, now, counted, out));
    }

    /// What viewers of the drop asked for since the start, how many are connected.
    fn counted(&self, drop: DropId) -> (Counted, u64) {
        let sale = &self.sales[&drop];
        (sale.counted(), sale.viewers_connected())
    }

    /// Notes in which drops cores began to count.
    pub(super) fn collect_counts(&mut self, now: UnixMillis) {
        let counted = std::mem::take(&mut *self.shared.counted_drops.lock());
        for drop in counted {
            self.books.note_counting(drop, now);
        }
    }
}
