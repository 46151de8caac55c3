//! What one viewer may do within a drop: keys, limits, holds.

use std::collections::HashMap;

use smallvec::SmallVec;
use stampede_domain::{DropPlan, HoldId, KeyFingerprint, Units, ViewerNumber};

use super::{
    finding::{Findings, Place},
    holds::HoldFault,
};

/// What is remembered of one take.
#[derive(Clone, Copy, Debug)]
struct Note {
    key: KeyFingerprint,
    hold: HoldId,
    units: u32,
    /// Whether the units still count against the limits.
    counts: bool,
}

/// The viewers of one drop.
#[derive(Debug, Default)]
pub(super) struct ViewerBook {
    notes: HashMap<ViewerNumber, SmallVec<[Note; 1]>, foldhash::fast::RandomState>,
}

impl ViewerBook {
    /// Checks a take against the viewer's earlier ones.
    pub(super) fn take(
        &mut self,
        plan: &DropPlan,
        viewer: ViewerNumber,
        key: KeyFingerprint,
        (hold, units): (HoldId, Units),
        place: Place,
        findings: &mut Findings,
    ) {
        let notes = self.notes.entry(viewer).or_default();
        if let Some(first) = notes.iter().find(|note| note.key == key) {
            let first = first.hold;
            findings.add(place, HoldFault::KeyRepeated { hold, first, viewer, key });
        }
        notes.push(Note { key, hold, units: units.get(), counts: true });
        if notes.len() > usize::from(plan.holds_per_viewer_max) {
            let (holds, max) = (notes.len(), plan.holds_per_viewer_max);
            findings.add(place, HoldFault::HoldsCapped { viewer, holds, max });
        }
        let sum = |notes: &[Note], of_sku: bool| -> u64 {
            let counted = notes.iter().filter(|note| note.counts);
            let counted = counted.filter(|note| !of_sku || note.hold.pool() == hold.pool());
            counted.map(|note| u64::from(note.units)).sum()
        };
        let units = sum(notes, false);
        if units > u64::from(plan.limit_per_viewer.get()) {
            let limit = plan.limit_per_viewer;
            findings.add(place, HoldFault::OverDropLimit { viewer, units, limit });
        }
        // Each pool holds the units of the SKU at its own place.
        let sku = hold.pool().get();
        let units = sum(notes, true);
        if let Some(limit) = plan.skus.get(usize::from(sku)).map(|sku| sku.limit_per_viewer)
            && units > u64::from(limit.get())
        {
            findings.add(place, HoldFault::OverSkuLimit { viewer, sku, units, limit });
        }
    }

    /// Units come back: the limit does too.
    pub(super) fn give(&mut self, viewer: ViewerNumber, hold: HoldId) {
        let notes = self.notes.get_mut(&viewer).map(SmallVec::as_mut_slice).unwrap_or_default();
        if let Some(note) = notes.iter_mut().find(|note| note.hold == hold) {
            note.counts = false;
        }
    }
}
