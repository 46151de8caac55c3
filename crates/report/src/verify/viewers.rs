//! The rules for one viewer within a drop: keys, limits, holds.

use std::collections::HashMap;

use smallvec::SmallVec;
use stampede_domain::{HoldId, KeyFingerprint, Units, ViewerNumber};

use super::{
    finding::{Findings, Place},
    holds::HoldFault,
    phases::Phases,
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
        phases: &Phases,
        viewer: ViewerNumber,
        key: KeyFingerprint,
        (hold, units): (HoldId, Units),
        place: Place,
        findings: &mut Findings,
    ) {
        let plan = &*phases.plan;
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
        let turn_of = |note: &Note| phases.limits.turn_of(note.hold);
        // A take may commit behind others that came later: then those are judged once more, beside it.
        for turn in phases.limits.turn_of(hold)..=phases.limits.latest() {
            if notes.iter().any(|note| turn_of(note) == turn) {
                check_limits(phases, turn, (viewer, notes, hold), place, findings);
            }
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

/// Checks what a viewer has by the end of a turn, with this hold.
fn check_limits(
    phases: &Phases,
    turn: usize,
    (viewer, notes, hold): (ViewerNumber, &[Note], HoldId),
    place: Place,
    findings: &mut Findings,
) {
    let limits = phases.limits.limits(turn);
    let counts = |note: &&Note| note.counts && phases.limits.turn_of(note.hold) <= turn;
    let counted = || notes.iter().filter(counts);
    let units: u64 = counted().map(|note| u64::from(note.units)).sum();
    if units > u64::from(limits.of_drop.get()) {
        let limit = limits.of_drop;
        findings.add(place, HoldFault::OverDropLimit { viewer, units, limit });
    }
    let Some(sku) = phases.pools.sku_of(hold.pool()) else { return };
    let Some(limit) = limits.of_skus.get(usize::from(sku.get())).copied() else { return };
    let of_sku = |note: &&Note| phases.pools.sku_of(note.hold.pool()) == Some(sku);
    let units: u64 = counted().filter(of_sku).map(|note| u64::from(note.units)).sum();
    if units > u64::from(limit.get()) {
        let sku = sku.get();
        findings.add(place, HoldFault::OverSkuLimit { viewer, sku, units, limit });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use stampede_domain::{
        DropId, Incarnation, PoolIndex, PoolMap, SkuIndex, SlotIndex, TakeNumber,
    };
    use stampede_testkit::{plan_of, sku, units};

    use super::*;

    #[test]
    fn a_limit_counts_every_pool_of_its_sku_and_no_other() {
        let (mut findings, place) = (Findings::default(), Place::LEDGER);
        let mut plan = plan_of([sku("mug", 5), sku("cup", 5)]);
        plan.limit_per_viewer = units(9);
        let mut phases = Phases::new(Arc::new(plan), 1, place, &mut findings);
        phases.pools = PoolMap::new([0, 1, 0].map(|of| SkuIndex::new(of).unwrap())).unwrap();
        let hold = |pool, number: u32| {
            let (slot, take) = (SlotIndex::new(number), TakeNumber::new(number.into()));
            let (start, pool) = (Incarnation::new(1).unwrap(), PoolIndex::new(pool).unwrap());
            HoldId::new(DropId::new(1), start, pool, slot.unwrap(), take.unwrap())
        };
        let ann = ViewerNumber::new(1).unwrap();
        let mut book = ViewerBook::default();
        let found = |book: &mut ViewerBook, pool, number: u32| {
            let (taken, key) = (hold(pool, number), KeyFingerprint::from_bits(number.into()));
            let mut findings = Findings::default();
            book.take(&phases, ann, key, (taken, units(1)), place, &mut findings);
            findings.into_parts().0.into_iter().map(|found| found.fault).collect::<Vec<_>>()
        };
        for (pool, number) in [(0, 1), (1, 2), (2, 3)] {
            assert_eq!(found(&mut book, pool, number), [], "two mugs, a cup");
        }
        book.give(ann, hold(0, 1));
        assert_eq!(found(&mut book, 2, 4), [], "two mugs again");
        let over = HoldFault::OverSkuLimit { viewer: ann, sku: 0, units: 3, limit: units(2) };
        let mut faults = found(&mut book, 0, 5);
        faults.retain(|fault| *fault == over.clone().into());
        assert_eq!(faults.len(), 1);
    }
}
