//! When each drop has to be looked at again, so that a drop in which nothing happens costs nothing.

use std::collections::{BTreeSet, HashMap, HashSet};

use stampede_domain::{DropId, Phase, UnixMillis};
use stampede_ledger::{PhaseRecord, Record, Tally};

use tracing::warn;

use super::{Book, Counting, Steward};
use crate::{clock::Moment, metrics};

/// A start that begins later than this, in milliseconds, is worth a warning.
const LATE_MS: u64 = 1_000;
/// Why a drop does not open although nothing was away.
const END_HAS_COME: &str = "its planned end has come";

/// Drops by the time when they are due. Bounded by the drops that are not over.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    due: BTreeSet<(UnixMillis, DropId)>,
    at: HashMap<DropId, UnixMillis, foldhash::fast::RandomState>,
    /// Drops whose books may have changed since their time was worked out.
    touched: Vec<DropId>,
    /// Drops in which something runs that an outage would move.
    running: HashSet<DropId, foldhash::fast::RandomState>,
    /// Drops that settle as soon as their last take is known.
    closed: HashSet<DropId, foldhash::fast::RandomState>,
}

impl Timers {
    /// The drop's time is worked out again before the next look at what is due.
    pub(crate) fn touch(&mut self, drop: DropId) {
        if self.touched.last() != Some(&drop) {
            self.touched.push(drop);
        }
    }

    /// When the next drop is due.
    pub(crate) fn next(&self) -> Option<UnixMillis> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Whether a drop waits for its last takes.
    pub(crate) fn any_closed(&self) -> bool {
        !self.closed.is_empty()
    }

    /// Whether a hold, a countdown or a stream's time runs in any drop.
    pub(crate) fn any_deadline(&self) -> bool {
        !self.running.is_empty()
    }

    fn set_running(&mut self, drop: DropId, is_running: bool) {
        if is_running {
            self.running.insert(drop);
        } else {
            self.running.remove(&drop);
        }
    }

    fn set(&mut self, drop: DropId, at: Option<UnixMillis>, is_closed: bool) {
        let old = match at {
            Some(at) => self.at.insert(drop, at),
            None => self.at.remove(&drop),
        };
        if old != at {
            if let Some(old) = old {
                self.due.remove(&(old, drop));
            }
            self.due.extend(at.map(|at| (at, drop)));
        }
        if is_closed {
            self.closed.insert(drop);
        } else {
            self.closed.remove(&drop);
        }
    }

    /// Drops that are due, earliest first.
    fn due(&self, now: UnixMillis) -> Vec<DropId> {
        self.due.iter().take_while(|(at, _)| *at <= now).map(|(_, drop)| *drop).collect()
    }
}

impl Steward {
    /// Starts, opens, closes, settles and tallies what is due, each drop at most once.
    pub(super) fn timers(&mut self, now: Moment) {
        self.set_timers(now);
        for id in self.timers.due(now.sale) {
            if !self.has_room() {
                break;
            }
            self.timer(id, now);
            self.tally_if_due(id, now.sale);
            self.settle_if_done(id);
            // An opening with all its lots is one commit or none.
            self.hand_over();
        }
        self.set_timers(now);
    }

    /// Works out anew when the drops are due whose books have changed.
    pub(super) fn set_timers(&mut self, now: Moment) {
        let mut touched = std::mem::take(&mut self.timers.touched);
        touched.sort_unstable();
        touched.dedup();
        for drop in touched.drain(..) {
            let book = self.books.get(&drop);
            let is_closed = book.is_some_and(|book| book.phase == Phase::Closed);
            self.timers.set_running(drop, book.is_some_and(Book::has_deadline));
            self.timers.set(drop, book.and_then(|book| book.next_due(now)), is_closed);
        }
        // Its room is used again.
        self.timers.touched = touched;
    }

    fn timer(&mut self, id: DropId, now: Moment) {
        let book = self.book_mut(id);
        if book.next_timer(now).is_none_or(|at| at > now.sale) {
            return;
        }
        if book.lapses_at().is_some_and(|at| book.phase_ends_at(now).is_none_or(|end| at <= end)) {
            return self.offline_lapses(id);
        }
        let book = self.book_mut(id);
        match book.phase {
            Phase::Scheduled => self.start(id, now),
            // Nobody could buy: it stays to be edited.
            Phase::Countdown if book.is_over(now.wall) => {
                let missed = now.on_wall(book.opens_at.expect("a countdown has an end"));
                self.forbid(id, Phase::Scheduled, Record::Phase(PhaseRecord::CountdownCancelled));
                self.start_is_missed(id, missed, END_HAS_COME);
            }
            Phase::Countdown => self.open(id),
            _ => self.forbid(id, Phase::Closed, Record::Phase(PhaseRecord::Closed)),
        }
    }

    /// A planned start is due. It happens however late this is, unless the planned end has come as well;
    /// a start that passed while the stream was away waits for the host.
    fn start(&mut self, id: DropId, now: Moment) {
        let book = self.book_mut(id);
        let starts_at = book.plan().starts_at.expect("the timer exists only with a start");
        if book.watch.holds_start() {
            return self.start_is_missed(id, starts_at, "the stream was away");
        }
        if book.is_over(now.wall) {
            return self.start_is_missed(id, starts_at, END_HAS_COME);
        }
        book.start_done = true;
        let due_at = book.start_of_countdown().expect("a start has a countdown");
        let late_ms = now.wall.since(due_at).get();
        if late_ms >= LATE_MS
            && let Some(times) = self.late_starts.note(now.sale)
        {
            warn!(drop = %id, late_ms, times, "a planned start begins late");
        }
        let opens_at = now.on_sale(starts_at);
        self.permit(
            id,
            Phase::Countdown,
            Some(opens_at),
            Record::Phase(PhaseRecord::Countdown { opens_at }),
        );
    }

    /// A start has passed while nothing could open the drop: staff are told, the host opens it.
    pub(super) fn start_is_missed(&mut self, id: DropId, at: UnixMillis, why: &'static str) {
        if let Some(times) = self.missed_starts.note(self.shared.clock.now()) {
            let start_missed_ms = at.get();
            warn!(drop = %id, start_missed_ms, why, times, "a start was missed; open the drop by hand");
        }
        let book = self.book_mut(id);
        book.start_done = true;
        book.sale.end_start(Some(at));
        self.shared.drop_changed(id);
    }

    fn tally_if_due(&mut self, id: DropId, now: UnixMillis) {
        let interval = self.shared.config.tally_interval;
        let book = self.book_mut(id);
        if book.tally_due().is_none_or(|at| at > now) {
            return;
        }
        book.next_tally = now.plus(interval);
        self.tally(id);
    }

    /// Notes in which drops cores began to count.
    pub(super) fn collect_counts(&mut self, now: UnixMillis) {
        let due = now.plus(self.shared.config.tally_interval);
        let counted = std::mem::take(&mut *self.shared.counted_drops.lock());
        for drop in counted {
            if let Some(book) = self.books.get_mut(&drop) {
                if book.counting == Counting::Quiet {
                    book.next_tally = due;
                }
                book.counting = Counting::Busy;
                self.timers.touch(drop);
            }
        }
    }

    /// Looks at what was counted since the last look: the drop's last minute gets it at once, a record
    /// once the drop is live.
    fn tally(&mut self, id: DropId) {
        let now = self.shared.clock.moment();
        let book = self.book_mut(id);
        let totals = book.sale.totals();
        let counted = totals.since(&book.sampled);
        if counted.is_empty() {
            book.counting = match book.counting {
                Counting::Busy => {
                    book.sale.expect_counts();
                    Counting::Fading
                }
                Counting::Fading | Counting::Quiet => Counting::Quiet,
            };
        } else {
            book.counting = Counting::Busy;
            book.sale.counts().recent.add(&counted, now);
            book.sampled = totals;
        }
        if book.phase.is_live() && book.sampled != book.tallied {
            self.record_tally(id);
        }
    }

    /// Records what no record has seen.
    fn record_tally(&mut self, id: DropId) {
        let book = self.book_mut(id);
        let delta = book.sampled.since(&book.tallied);
        book.tallied = book.sampled.clone();
        metrics::count_buys(&delta);
        let tally = Tally {
            held: delta.held,
            retries: delta.retries,
            refusals: delta.refusals().collect(),
            connected: book.sale.viewers_connected(),
            answers: delta.answers,
        };
        self.shared.answered.lock().add(&delta);
        self.push(id, Record::Tally(Box::new(tally)));
    }

    /// A closed drop settles when every take is durable and every hold has a durable end.
    fn settle_if_done(&mut self, id: DropId) {
        if self.books[&id].is_done() {
            self.tally(id);
            self.permit(id, Phase::Settled, None, Record::Phase(PhaseRecord::Settled));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drop(n: u32) -> DropId {
        format!("d{n}").parse().unwrap()
    }

    #[test]
    fn only_drops_that_are_due_are_looked_at() {
        let at = UnixMillis::new;
        let mut timers = Timers::default();
        for n in 1..=5_000 {
            timers.set(drop(n), None, false);
        }
        assert_eq!(timers.next(), None, "what has no time of its own is not in the index");
        timers.set(drop(7), Some(at(30)), false);
        timers.set(drop(9), Some(at(10)), false);
        timers.set(drop(7), Some(at(20)), true);
        assert_eq!(timers.next(), Some(at(10)));
        assert_eq!(timers.due(at(9)), []);
        assert_eq!(timers.due(at(20)), [drop(9), drop(7)]);
        assert!(timers.any_closed());
        timers.set(drop(7), None, false);
        assert_eq!((timers.due(at(99)), timers.any_closed()), (vec![drop(9)], false));
    }
}
