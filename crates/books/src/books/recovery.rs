//! The recovery of a drop after a restart, and of deadlines after an outage.

use stampede_domain::{DropId, DurationMs, Moment, Phase, UnixMillis};
use stampede_ledger::{PhaseRecord, Record, RecoveredDrop};

use super::Books;
use crate::{
    command::DropAction,
    decision::{Act, Decision, Effect},
    drop::{DropBook, MissedWhy},
};

impl Books {
    /// Follows an accepted command of this name in the drop's chain.
    pub(crate) fn note_command(&mut self, drop: DropId, action: &str) {
        // Called off by staff: no start was missed.
        if action == DropAction::CancelCountdown.name()
            && let Some(book) = self.drops.get_mut(&drop)
        {
            book.forget_missed_opening();
        }
    }

    /// A drop comes back after a restart: an open one sells on, a countdown whose end fell into the outage
    /// is called off. One of a rehearsal is over: its crowd was the process's.
    pub fn recover(
        &mut self,
        drop: DropId,
        recovered: RecoveredDrop,
        now: Moment,
        out: &mut Decision,
    ) {
        let missed =
            self.drops[&drop].missed(now).filter(|_| self.drops[&drop].phase == Phase::Countdown);
        self.record(now.sale, drop, Record::Recovered(Box::new(recovered)), out);
        if self.drops[&drop].rehearses() {
            return self.end_copy(drop, now.sale, out);
        }
        let book = &self.drops[&drop];
        let offline_since = book.watch.offline_since();
        if offline_since.is_some() {
            out.at_once.push(Act::ShowStream { drop, offline_since });
        }
        if book.phase == Phase::Open {
            let (changes, phase) = (book.phase_changes, Phase::Open);
            out.when_durable.push(Effect::Enter { drop, changes, phase, opens_at: None });
        }
        if let Some(at) = missed {
            self.forbid(now.sale, drop, PhaseRecord::CountdownCancelled, out);
            self.miss_start(drop, at, MissedWhy::ServerDown, out);
        }
    }

    /// Drops of which a suspension moves something.
    pub fn moved_by_suspensions(&self) -> Vec<DropId> {
        let has_holds = |book: &DropBook| {
            matches!(book.phase, Phase::Open | Phase::Paused) || book.phase.is_ending()
        };
        let moves = |book: &DropBook| has_holds(book) || book.watch.offline_since().is_some();
        self.live().filter(|(_, book)| moves(book)).map(|(drop, _)| drop).collect()
    }

    /// The node ran, yet nobody was served for `span`: the deadlines of holds taken before `until` have
    /// moved by it, the time of the drop's stream moves now.
    pub fn suspend(
        &mut self,
        drop: DropId,
        (span, until): (DurationMs, UnixMillis),
        at: UnixMillis,
        out: &mut Decision,
    ) {
        self.record(at, drop, Record::Suspended { span, until }, out);
        let offline_since = self.drops[&drop].watch.offline_since();
        out.at_once.push(Act::ShowStream { drop, offline_since });
    }
}
