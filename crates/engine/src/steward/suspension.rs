//! Times in which the node ran without serving anybody: deadlines move, chains say so.

use stampede_domain::{DropId, DurationMs, UnixMillis};
use tracing::warn;

use super::{Steward, effects::Promise};
use crate::{clock::Moment, suspensions::Suspension};

/// Records that surely become durable together.
const COMMIT_RECORDS_MAX: usize = 512;
/// The shortest sleep that counts, in milliseconds; readings of two clocks differ by less.
const SLEEP_MS_MIN: u64 = 100;

impl Steward {
    /// What deadlines are compared with: while another program's lock keeps everything waiting, the time at
    /// which that began.
    pub(super) fn deadline_now(&self, now: Moment) -> UnixMillis {
        self.shared.busy_since().map_or(now.sale, |since| since.min(now.sale))
    }

    /// When a report about a stream that is decided at `now` counts from. Behind another program's lock
    /// nobody is served: the record of the lock moves the stream's time by all of it, so a report within
    /// counts from the lock's beginning.
    pub(super) fn report_time(&self, now: UnixMillis) -> UnixMillis {
        // In this order: a lock that ends between the two looks is found by the second.
        let locked = self.shared.busy_since();
        let ended = self.shared.suspensions.fresh_since();
        [locked, ended].into_iter().flatten().fold(now, UnixMillis::min)
    }

    /// Finds out whether the machine has slept since the last look, records that and every wait for the
    /// ledger that has ended.
    pub(super) fn look_for_suspensions(&mut self) {
        let asleep = self.shared.clock.machine().asleep;
        let span = DurationMs::new(asleep.get().saturating_sub(self.asleep.get()));
        if span.get() >= SLEEP_MS_MIN {
            self.asleep = asleep;
            // Read after the sleep was seen, so that it lies behind this moment.
            let now = self.shared.clock.moment();
            // Right behind the latest moment at which the sleep can have begun: later takes came after.
            let until = UnixMillis::new((now.sale.get() + 1).saturating_sub(span.get()));
            warn!(span_ms = span.get(), "the machine slept: deadlines move by as much");
            self.shared.suspensions.add(Suspension { span, until });
            self.shared.move_busy_since(span);
            self.miss_starts(now);
        }
        let fresh = self.shared.suspensions.take_fresh();
        if !fresh.is_empty() {
            self.record_suspensions(&fresh);
        }
    }

    /// Records them for every drop in one commit: a crash moves the deadlines of all drops or of none.
    fn record_suspensions(&mut self, all: &[Suspension]) {
        let drops = self.books.moved_by_suspensions();
        let of_all = |drop: DropId| all.iter().map(move |one| (drop, *one));
        let records: Vec<_> = drops.into_iter().flat_map(of_all).collect();
        let at_once = COMMIT_RECORDS_MAX.min(self.shared.config.steward_ring_entries_max);
        let now = self.shared.clock.now();
        for records in records.chunks(at_once) {
            if !self.wait_for_room_of(records.len()) {
                return;
            }
            for &(drop, Suspension { span, until }) in records {
                self.decide(|books, out| books.suspend(drop, (span, until), now, out));
            }
            self.hand_over();
        }
        if let Some(until) = all.iter().map(|one| one.until).max() {
            self.after_records(Promise::TellMoved { until });
        }
        self.shared.tell_followers();
    }

    /// Starts that fell into the machine's sleep wait for the host, like those of any outage.
    fn miss_starts(&mut self, now: Moment) {
        for (drop, at) in self.books.missed_by_sleep(now) {
            if !self.wait_for_room() {
                return;
            }
            self.decide(|books, out| books.miss_by_sleep(drop, at, now, out));
            self.hand_over();
        }
    }
}
