//! The starts of the node, as far as other checks need them.

use stampede_domain::{Incarnation, UnixMillis};
use stampede_ledger::Record;

use super::facts::RowFacts;

/// What the rows tell about the node's starts.
#[derive(Debug, Default)]
pub(super) struct Starts {
    /// Starts that did more than recover, ascending.
    pub(super) worked: Vec<Incarnation>,
    current: Incarnation,
    /// The present start has written a heartbeat: its recovery is over.
    beats: bool,
    /// Time of the latest row of a start that had written a heartbeat.
    worked_at: Option<UnixMillis>,
    /// The same without the present start.
    worked_before: Option<UnixMillis>,
}

impl Starts {
    /// A row is about to be looked at.
    pub(super) fn begin(&mut self, incarnation: Incarnation) {
        if incarnation != self.current {
            self.current = incarnation;
            self.beats = false;
            self.worked_before = self.worked_at;
        }
    }

    /// What the row held.
    pub(super) fn row(&mut self, facts: &RowFacts, at: UnixMillis) {
        if facts.worked && self.worked.last() != Some(&self.current) {
            self.worked.push(self.current);
        }
        let is_beat = |(_, record): &(u32, Record)| matches!(record, Record::Heartbeat(_));
        self.beats |= facts.rest.iter().any(is_beat);
        if self.beats {
            self.worked_at = Some(at);
        }
    }

    /// From when on a start may say that nobody worked on a drop that last came back at `recovered_at`;
    /// `None` where no heartbeat tells it.
    pub(super) fn idle_since(&self, recovered_at: UnixMillis) -> Option<UnixMillis> {
        self.worked_before.map(|at| at.max(recovered_at))
    }
}
