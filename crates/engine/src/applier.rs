//! The work on the writer's thread that follows a commit.

use std::sync::Arc;

use stampede_domain::{DropId, DurationMs, UnixMillis};
use stampede_ledger::{Applier, Entry, HoldRecord, Link, Record, StoreError};
use tracing::error;

use crate::{
    fresh_takes::DurableTake, hold_channels::Tag, sale::SaleDrop, shared::EngineState,
    steward::StewardHandle, suspensions::Suspension,
};

/// Marks committed takes as held. Everything else that follows a commit is the steward's.
pub(crate) struct TakeApplier {
    shared: Arc<EngineState>,
    steward: StewardHandle,
    fresh: Vec<DurableTake>,
    /// How long the machine had slept when the present wait for the ledger began.
    asleep: DurationMs,
}

impl TakeApplier {
    pub(crate) fn new(shared: Arc<EngineState>, steward: StewardHandle) -> Self {
        Self { shared, steward, fresh: Vec::new(), asleep: DurationMs::ZERO }
    }
}

impl Applier<Tag> for TakeApplier {
    fn applied(&mut self, entries: &mut Vec<Entry<Tag>>) {
        let mut current: Option<(DropId, Arc<SaleDrop>)> = None;
        for entry in entries.drain(..) {
            if let Some(Link::Viewer(link)) = entry.link
                && let Some(viewer) = self.shared.directory.by_number(link.number)
            {
                viewer.set_linked(entry.drop);
            }
            let Record::Hold(HoldRecord::Taken { hold, deadline, units, .. }) = entry.record else {
                continue;
            };
            if current.as_ref().is_none_or(|(id, _)| *id != entry.drop) {
                current = self.shared.sale(entry.drop).map(|sale| (entry.drop, sale));
            }
            let (_, sale) = current.as_ref().expect("a drop that took units is never removed");
            // Before the hold can end: who ends it asks for its channel.
            sale.set_channel(hold, entry.tag);
            sale.stock().mark_held(hold);
            self.fresh.push(DurableTake { hold, deadline, units });
        }
        if !self.fresh.is_empty() {
            let wakes = self.shared.fresh_takes.add(&mut self.fresh);
            self.shared.wake_awaiting();
            if wakes {
                self.steward.wake();
            }
        }
    }

    fn busy(&mut self, since: UnixMillis) {
        self.asleep = self.shared.clock.machine().asleep;
        self.shared.set_ledger_busy(Some(since));
    }

    fn free(&mut self, since: UnixMillis, now: UnixMillis) {
        // A sleep meanwhile counts by itself.
        let asleep = self.shared.clock.machine().asleep.get().saturating_sub(self.asleep.get());
        let span = DurationMs::new(now.since(since).get().saturating_sub(asleep));
        // Before anybody is told of a hold that waited, and before its end can be decided.
        self.shared.suspensions.add(Suspension { span, until: now });
        self.shared.set_ledger_busy(None);
        self.steward.wake();
    }

    fn poisoned(&mut self, why: &StoreError) {
        error!(%why, "a commit failed; no promise leaves until a restart");
        self.shared.poison();
        self.steward.wake();
    }
}
