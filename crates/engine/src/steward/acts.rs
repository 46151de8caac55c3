//! Carrying out what the books have decided: what acts at once, then the records, then what waits for them.

use std::sync::Arc;

use stampede_books::{Act, Books, Decision, HoldEnd, HoldStatus, MissedWhy, NewRecord};
use stampede_domain::{DropId, Phase, UnixMillis};
use stampede_ledger::{BrakeRecord, CorrectionRecord, Position, Record, StreamRecord};
use stampede_stock::End;
use tracing::{info, warn};

use super::{Steward, effects::Promise};
use crate::{ended_holds::EndedHold, event::CoreEvent, metrics};

/// A start that begins later than this, in milliseconds, is worth a warning.
const LATE_MS: u64 = 1_000;
/// Streams that are remembered before those whose changes are durable are forgotten.
const AIRING_MAX: usize = 64;

impl Steward {
    /// Has the books decide, and carries that out. The records wait for [`Steward::hand_over`].
    pub(super) fn decide<T>(&mut self, ask: impl FnOnce(&mut Books, &mut Decision) -> T) -> T {
        let mut decision = std::mem::take(&mut self.decision);
        let answer = ask(&mut self.books, &mut decision);
        for act in decision.at_once.drain(..) {
            self.act(act);
        }
        self.keep_order(&decision.records);
        for NewRecord { drop, record, link } in decision.records.drain(..) {
            tell(drop, &record);
            let airs = changes_air(&record);
            let matter = self.provider_matter(&record);
            self.push_linked(drop, record, link);
            if let Some(hold) = matter {
                self.after_records(Promise::Matter(hold));
            }
            if airs {
                self.note_airing(drop);
            }
        }
        for effect in decision.when_durable.drain(..) {
            self.after_records(Promise::Effect(effect));
        }
        self.decision = decision;
        answer
    }

    /// What is on air follows from the order in which the drops of a stream changed, and the rows of one
    /// commit have no order among drops: where another drop of the stream has changed and that is not
    /// durable, these records stand in a later commit.
    fn keep_order(&mut self, records: &[NewRecord]) {
        let mut airing = records.iter().filter(|one| changes_air(&one.record));
        let Some(first) = airing.next() else { return };
        let stream = &self.sales[&first.drop].plan().stream;
        let is_behind =
            |(drop, at): &(DropId, Position)| *drop != first.drop && *at > self.ring.durable();
        if self.airing.get(stream).is_some_and(is_behind) {
            self.ring.set_apart();
        }
    }

    /// Notes which drops have changed by what was pushed.
    fn note_airing(&mut self, drop: DropId) {
        if self.airing.len() >= AIRING_MAX {
            let durable = self.ring.durable();
            self.airing.retain(|_, (_, at)| *at > durable);
        }
        let stream = self.sales[&drop].plan().stream.clone();
        self.airing.insert(stream, (drop, self.pushed));
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Make { drop, revision, plan, phase_changes, hidden } => {
                let sale = self.make_sale(drop, revision, &plan);
                sale.count_phases_from(phase_changes);
                sale.set_hidden(hidden);
                self.shows.forget(drop, &plan);
                self.made.insert((drop, revision), Arc::clone(&sale));
                self.sales.insert(drop, sale);
                metrics::show_sale_bytes(self.books.memory().all());
            }
            Act::StopTakes { drop, phase, changes } => self.stop_takes(drop, phase, changes),
            Act::ShowStream { drop, offline_since } => {
                self.sales[&drop].set_stream_offline(offline_since);
                self.shared.tell_followers();
            }
            Act::ShowReserved { drop, pool, units } => {
                let sale = &self.sales[&drop];
                if let Some(sku) = sale.sku_of(pool) {
                    sale.reserves().add(sku, units);
                }
            }
            Act::MissStart { drop, at, why } => self.miss_start(drop, at, why),
            Act::BeginStart { drop, late_ms } => {
                if late_ms >= LATE_MS
                    && let Some(times) = self.late_starts.note(self.shared.clock.now())
                {
                    warn!(%drop, late_ms, times, "a planned start begins late");
                }
            }
            Act::EndHold { held, end } => self.end_hold(held, end),
            Act::MoveOrder { old, new } => self.sales[&new.drop_id()].moved_orders().add(old, new),
            Act::Stretch { hold, span } => {
                self.sales[&hold.drop_id()].stretches().add(hold, span);
            }
            Act::Extend { drop, span, until } => self.sales[&drop].extensions().add(span, until),
            Act::NoteCounted { drop, counted } => {
                let now = self.shared.clock.moment();
                self.sales[&drop].counts().recent.add(&counted, now);
            }
            Act::ExpectCounts { drop } => self.sales[&drop].expect_counts(),
            Act::NoteTally { counted } => {
                metrics::count_buys(&counted);
                self.shared.answered.lock().add(&counted);
            }
            Act::Halt(entry) => {
                self.shared.brake.set_halt(Some(entry));
                metrics::show_halt(true);
            }
            Act::Limit(rates) => self.shared.brake.apply(rates),
            Act::KeepOut(ban) => {
                self.shared.brake.add_ban(Arc::clone(&ban));
                metrics::show_bans(self.books.brake().bans().len());
                for inbox in &self.shared.inboxes {
                    inbox.send(CoreEvent::Banned(Arc::clone(&ban)));
                }
                self.release_for(&ban);
            }
            Act::LetGo(ban) => self.let_go(&ban),
        }
    }

    /// Staff are told: the drop waits for its host.
    fn miss_start(&mut self, drop: DropId, at: UnixMillis, why: MissedWhy) {
        if let Some(times) = self.missed_starts.note(self.shared.clock.now()) {
            let start_missed_ms = at.get();
            warn!(%drop, start_missed_ms, %why, times, "a start was missed; open the drop by hand");
        }
        self.sales[&drop].end_start(Some(at));
        self.shared.drop_changed(drop);
    }

    /// The end is noted before it shows in the stock: a reader who sees it finds the note.
    fn end_hold(&mut self, held: HoldStatus, end: HoldEnd) {
        let hold = held.hold;
        let sale = &self.sales[&hold.drop_id()];
        if end != HoldEnd::Ordered {
            let HoldStatus { viewer, units, .. } = held;
            let channel = sale.channel_of(hold);
            let is_expired = end == HoldEnd::Expired;
            let ended = EndedHold { viewer, units, channel, is_expired, counts_returned: true };
            self.retakes.note_end(hold, ended);
        }
        // Viewers see it as it stood, without time that is not durable either.
        let (_, hidden) = sale.look(hold);
        let deadline = held.deadline.minus(hidden);
        self.shared.ends_under_way.insert(hold, HoldStatus { deadline, ..held });
        let ended = match end {
            HoldEnd::Ordered => sale.stock().confirm(hold),
            HoldEnd::Released | HoldEnd::Expired | HoldEnd::CalledOff => sale.stock().end(hold),
        };
        let End::Won(body) = ended else {
            unreachable!("the steward alone ends holds, and {hold} was held")
        };
        sale.hold_ends().remove(body.deadline, body.units);
        sale.stretches().remove(hold);
    }

    /// The bit goes off first: a buyer who still sees the old phase then is told to try again.
    fn stop_takes(&mut self, drop: DropId, phase: Phase, changes: u64) {
        let sale = Arc::clone(&self.sales[&drop]);
        sale.stock().forbid_takes();
        if phase == Phase::Scheduled {
            // A countdown that is called off waits for the host.
            sale.end_start(None);
        }
        if phase == Phase::Paused || phase.is_ending() {
            let last = sale.stock().pools().map(|pool| pool.last_take.get()).collect();
            self.books.note_last_takes(drop, last);
        }
        if phase == Phase::Voiding {
            self.call_off(drop);
        }
        if !phase.is_final() {
            sale.set_phase(phase, changes, None);
            self.shared.drop_changed(drop);
        }
    }
}

/// Whether which drop is on air may follow from the record.
const fn changes_air(record: &Record) -> bool {
    matches!(
        record,
        Record::Phase(_)
            | Record::Stream(_)
            | Record::Featured
            | Record::Correction(CorrectionRecord::WindsDown { .. })
    )
}

/// One line for what happens without a command, or beyond one.
fn tell(drop: DropId, record: &Record) {
    match record {
        Record::Room(room) => info!(stream = %room.stream, change = ?room.change, "a room changes"),
        Record::Stream(StreamRecord::Online) => info!(%drop, "the stream is back"),
        Record::Stream(StreamRecord::OfflineLapsed) => {
            info!(%drop, "the stream is offline for too long");
        }
        Record::Brake(BrakeRecord::Lifted { part, expired: true }) => {
            info!(%part, "the brake lets go: its time is over");
        }
        Record::Stream(StreamRecord::Offline { .. })
        | Record::Brake(_)
        | Record::Planned { .. }
        | Record::Phase(_)
        | Record::Lot { .. }
        | Record::Hold(_)
        | Record::Featured
        | Record::Correction(_)
        | Record::Request(_)
        | Record::Payment(_)
        | Record::Deadline(_)
        | Record::Unmatched(_)
        | Record::Suspended { .. }
        | Record::Recovered(_)
        | Record::Tally(_)
        | Record::Command(_)
        | Record::Heartbeat(_) => {}
    }
}
