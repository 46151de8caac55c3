//! Changes of a drop's phase: what forbids acts before its record, what permits after it.

use stampede_domain::{DropId, Phase, UnixMillis};
use stampede_ledger::Record;

use super::{Steward, effects::Effect};

impl Steward {
    /// A change that lets more happen: its record is durable before it acts.
    pub(super) fn permit(
        &mut self,
        drop: DropId,
        phase: Phase,
        opens_at: Option<UnixMillis>,
        record: Record,
    ) {
        let book = self.book_mut(drop);
        let before = std::mem::replace(&mut book.phase, phase);
        book.watch.overrule();
        book.opens_at = opens_at;
        book.phase_changes += 1;
        let changes = book.phase_changes;
        self.push(drop, record);
        // The phase first: viewers would hear of a scheduled drop that is on air.
        self.after_records(Effect::Enter { drop, changes, phase, opens_at });
        self.air(drop, before, phase);
    }

    /// A change that lets less happen: it acts at once, its record follows.
    pub(super) fn forbid(&mut self, drop: DropId, phase: Phase, record: Record) {
        let book = self.book_mut(drop);
        let before = std::mem::replace(&mut book.phase, phase);
        book.watch.overrule();
        book.opens_at = None;
        book.phase_changes += 1;
        // The bit goes off first: who still sees the old phase then is told to try again.
        book.sale.stock().close();
        if phase == Phase::Scheduled {
            // A countdown that is called off waits for the host.
            book.sale.end_start(None);
        }
        let changes = book.phase_changes;
        if !phase.is_final() {
            book.sale.set_phase(phase, changes, None);
            self.shared.drop_changed(drop);
        }
        self.push(drop, record);
        self.air(drop, before, phase);
        if phase.is_final() {
            self.after_records(Effect::Enter { drop, changes, phase, opens_at: None });
        }
    }
}
