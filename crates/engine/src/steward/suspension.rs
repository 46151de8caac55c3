//! Times in which the node ran without serving anybody: deadlines move, chains say so.

use stampede_domain::{DropId, DurationMs, Phase, UnixMillis};
use stampede_ledger::{PhaseRecord, Record};
use tracing::warn;

use super::{Book, Steward, effects::Effect};
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
        let sells = |book: &Book| matches!(book.phase, Phase::Open | Phase::Paused | Phase::Closed);
        let moves = |book: &Book| sells(book) || book.watch.offline_since().is_some();
        let books = self.books.iter().filter(|(_, book)| !book.phase.is_final() && moves(book));
        let drops: Vec<DropId> = books.map(|(drop, _)| *drop).collect();
        let of_all = |drop: DropId| all.iter().map(move |one| (drop, *one));
        let records: Vec<_> = drops.into_iter().flat_map(of_all).collect();
        let at_once = COMMIT_RECORDS_MAX.min(self.shared.config.steward_ring_entries_max);
        for records in records.chunks(at_once) {
            if !self.wait_for_room_of(records.len()) {
                return;
            }
            for &(drop, Suspension { span, until }) in records {
                let book = self.book_mut(drop);
                book.watch.move_by(span, until);
                book.sale.set_stream_offline(book.watch.offline_since());
                self.push(drop, Record::Suspended { span, until });
            }
            self.hand_over();
        }
        if let Some(until) = all.iter().map(|one| one.until).max() {
            self.after_records(Effect::TellMoved { until });
        }
        self.shared.tell_followers();
    }

    /// Starts that fell into the machine's sleep wait for the host, like those of any outage.
    fn miss_starts(&mut self, now: Moment) {
        let missed = |book: &Book| match book.phase {
            Phase::Scheduled if !book.start_done => {
                book.plan().starts_at.filter(|starts_at| *starts_at < now.wall)
            }
            Phase::Countdown => book.opens_at.filter(|at| *at < now.sale).map(|at| now.on_wall(at)),
            _ => None,
        };
        let books = self.books.iter();
        let all: Vec<_> = books.filter_map(|(drop, book)| Some((*drop, missed(book)?))).collect();
        for (drop, at) in all {
            if !self.wait_for_room() {
                return;
            }
            if self.book_mut(drop).phase == Phase::Countdown {
                self.forbid(drop, Phase::Scheduled, Record::Phase(PhaseRecord::CountdownCancelled));
            }
            self.start_is_missed(drop, at, "the machine slept");
            self.hand_over();
        }
    }
}
