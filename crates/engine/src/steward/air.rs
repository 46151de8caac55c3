//! Drops that go on air: decided by the books, shown once the records are durable.

use std::collections::HashMap;

use stampede_domain::{DropId, DropPlan, DurationMs, Mode, StreamId};

use super::Steward;

/// Live drops and rehearsals of a stream never touch each other.
type Scene = (StreamId, Mode);

/// The drop that viewers of each stream are told of.
#[derive(Debug, Default)]
pub(crate) struct Shows(HashMap<Scene, DropId, foldhash::fast::RandomState>);

impl Shows {
    /// Viewers are told of this drop from now on; returns the one that they were told of before, if it
    /// is another.
    pub(crate) fn show(&mut self, drop: DropId, plan: &DropPlan) -> Option<DropId> {
        self.0.insert((plan.stream.clone(), plan.mode), drop).filter(|before| *before != drop)
    }

    /// A drop that was planned anew is not shown; one that has left memory no more.
    pub(super) fn forget(&mut self, drop: DropId, plan: &DropPlan) {
        let scene = (plan.stream.clone(), plan.mode);
        if self.0.get(&scene) == Some(&drop) {
            self.0.remove(&scene);
        }
    }
}

impl Steward {
    /// Viewers are told of this drop instead of the one before.
    pub(super) fn show_on_air(&mut self, drop: DropId) {
        let Some(sale) = self.shared.sale(drop) else { return };
        let before = self.shows.show(drop, sale.plan());
        if let Some(before) = before.and_then(|before| self.shared.sale(before))
            && before.is_featured()
        {
            before.set_featured(false);
            self.shared.drop_changed(before.id());
        }
        if !sale.is_featured() {
            sale.set_featured(true);
            self.shared.drop_changed(drop);
        }
    }

    /// The delay is durable: drops of the stream show it to staff. Viewers are told nothing of it.
    pub(super) fn show_video_delay(&mut self, stream: &StreamId, delay: DurationMs) {
        for drop in self.shared.drops_of(stream) {
            if let Some(sale) = self.shared.sale(drop) {
                sale.video().set_delay(delay);
            }
        }
    }
}
