//! Changes of a drop's phase: what forbids acts before its record, what permits after it.

use std::sync::Arc;

use stampede_domain::{DropId, DurationMs, Mode, Moment, Phase, UnixMillis};
use stampede_ledger::{PhaseRecord, Record};

use super::Books;
use crate::decision::{Act, Decision, Effect};

impl Books {
    /// A change that lets more happen: its record is durable before it acts.
    pub(crate) fn permit(
        &mut self,
        at: UnixMillis,
        drop: DropId,
        record: impl Into<Record>,
        out: &mut Decision,
    ) {
        let next = self.record(at, drop, record, out);
        let book = &self.drops[&drop];
        let (changes, phase, opens_at) = (book.phase_changes, book.phase, book.opens_at);
        // The phase first: viewers would hear of a scheduled drop that is on air.
        out.when_durable.push(Effect::Enter { drop, changes, phase, opens_at });
        out.when_durable.extend(next.map(Effect::Air));
    }

    /// A change that lets less happen: it acts at once, its record follows.
    pub(crate) fn forbid(
        &mut self,
        at: UnixMillis,
        drop: DropId,
        record: impl Into<Record>,
        out: &mut Decision,
    ) {
        let next = self.record(at, drop, record, out);
        let book = &self.drops[&drop];
        let (changes, phase) = (book.phase_changes, book.phase);
        out.at_once.push(Act::StopTakes { drop, phase, changes });
        out.when_durable.extend(next.map(Effect::Air));
        if phase.is_final() {
            out.when_durable.push(Effect::Enter { drop, changes, phase, opens_at: None });
        }
    }

    /// Takes are shut, for now or for good: the number of the last one in each pool. The shell reports it once a drop was
    /// paused, closed or called off; one whose takes are over settles, or is voided, when that many are accounted for.
    pub fn note_last_takes(&mut self, drop: DropId, last_takes: Vec<u64>) {
        self.drop_mut(drop).last_takes = Some(last_takes);
    }

    /// A countdown begins. A live one ends what rehearses in its stream first: no crowd disturbs a sale.
    pub(crate) fn begin_countdown(
        &mut self,
        at: UnixMillis,
        drop: DropId,
        opens_at: UnixMillis,
        out: &mut Decision,
    ) {
        let plan = Arc::clone(self.drops[&drop].plan());
        if plan.mode == Mode::Live {
            self.end_rehearsals(&plan.stream, at, out);
        }
        self.permit(at, drop, PhaseRecord::Countdown { opens_at }, out);
    }

    /// The countdown has ended: the first lots go on sale, then takes begin.
    pub(crate) fn open(&mut self, at: UnixMillis, drop: DropId, out: &mut Decision) {
        let book = &self.drops[&drop];
        if !book.was_supplied() {
            for (pool, units) in book.first_lots() {
                self.add_lot(at, drop, pool, units, out);
            }
        }
        self.permit(at, drop, PhaseRecord::Opened, out);
    }

    /// A closed drop settles when every take is durable and every hold has its end; one whose opening was undone is
    /// voided then. Does nothing to any other.
    pub fn settle(&mut self, drop: DropId, now: Moment, out: &mut Decision) {
        let Some(book) = self.drops.get(&drop).filter(|book| book.is_done()) else { return };
        let ended = match book.phase {
            Phase::Voiding => PhaseRecord::Voided,
            _ => PhaseRecord::Settled,
        };
        self.permit(now.sale, drop, ended, out);
    }

    /// By how much a drop's viewers see its stream later.
    pub(crate) fn video_delay_of(&self, drop: DropId) -> DurationMs {
        self.rooms.video_delay(&self.drops[&drop].plan.stream)
    }
}
