//! A sale whose opening is undone.

use std::sync::Arc;

use stampede_domain::{DropId, DropPlan, Phase};
use stampede_ledger::{NoCopy, PhaseRecord, PlannedCopy, Record, RecordedOutcome};

use super::{sale::State, sim::Sim};

impl Sim {
    /// Undoes the opening, with a copy that has these terms or none; every hold ends. Takes on their way become durable
    /// behind the decision.
    pub fn undo(&mut self, drop: DropId, terms: Option<DropPlan>) {
        self.sale(drop).phase = Phase::Voiding;
        let copy = DropId::new(drop.get() + 1);
        let named = match &terms {
            Some(_) => PlannedCopy::Drop(copy),
            None => PlannedCopy::None(NoCopy::StreamFull),
        };
        self.push(drop, Record::Phase(PhaseRecord::UndoBegun { copy: named }));
        if let Some(plan) = terms {
            self.push(copy, Record::Planned { plan: Arc::new(plan), revision: 1 });
        }
        self.command(drop, "undo", RecordedOutcome::Accepted);
        self.flush_steward();
        self.flush();
        for _ in 0..self.sale(drop).holds.len() {
            self.end(drop, 0, State::Released);
        }
        self.flush();
        self.tally(drop, 0);
        self.push(drop, Record::Phase(PhaseRecord::Voided));
        self.flush();
        self.sale(drop).phase = Phase::Voided;
    }
}
