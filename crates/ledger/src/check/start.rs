//! Checks what a start reads before anything builds on it.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use stampede_domain::{DropId, DurationMs, NodeId, PoolIndex, UnixMillis};

use super::{
    checker::{CheckedJournal, Checker},
    commits::Commits,
    error::OpenError,
    range::StartRange,
    sealed,
    source::{KeyEntry, StartSource},
    start_rows::StartCursor,
};
use crate::{
    IncarnationRow, Journal, NodeRow, Seal, SealedDrop, SupplyRow,
    projector::{Marks, Projector},
    record::codec,
};

/// What a start finds beside the journal.
pub(crate) struct Beside<'a> {
    pub(crate) node: Option<&'a NodeRow>,
    pub(crate) ended: &'a [IncarnationRow],
    pub(crate) supply: &'a [SupplyRow],
    pub(crate) seals: &'a [Seal],
    pub(crate) marks: &'a Marks,
    /// Whether a table of bound keys is still to be made.
    pub(crate) wants_keys: bool,
}

/// Checks what the range names; where drops that are over had to do with which of those read is on air,
/// they are read as well.
pub(crate) fn check_all(
    source: &dyn StartSource,
    range: StartRange,
    beside: &Beside<'_>,
) -> Result<(Arc<StartRange>, CheckedJournal), OpenError> {
    let range = Arc::new(range);
    let checked = check(source, &range, beside)?;
    match range.widened(&checked.sealed, &checked.aired) {
        None => Ok((range, checked)),
        Some(wider) => {
            let wider = Arc::new(wider);
            let checked = check(source, &wider, beside)?;
            Ok((wider, checked))
        }
    }
}

/// Reads once what the range names, in commit order.
fn check(
    source: &dyn StartSource,
    range: &Arc<StartRange>,
    beside: &Beside<'_>,
) -> Result<CheckedJournal, OpenError> {
    let commits = Commits::new(beside.node, beside.ended, range.from);
    let mut checker = Checker::new(commits, Projector::new(beside.marks));
    checker.keys = beside.wants_keys.then(Vec::new);
    checker.know_ends(beside.seals, |drop| range.reads(drop));
    let mut cursor = StartCursor::new(Arc::clone(range));
    while let Some(found) = cursor.next(source) {
        match found? {
            KeyEntry::Row(row) => checker.row(&row)?,
            KeyEntry::Key(key) => checker.commits.skipped(key).map_err(OpenError::Damage)?,
        }
    }
    let mut sealed = Vec::new();
    for seal in beside.seals.iter().filter(|seal| !range.reads(seal.drop)) {
        sealed.push(sealed::check_end(source, seal)?);
    }
    checker.commits.finish().map_err(OpenError::Damage)?;
    compare_supply(&checker.supply, beside.supply, &sealed)?;
    let worked_in = checker.worked_in.and_then(|start| checker.commits.last_of(start));
    let worked_until = worked_in.map(|last| sealed::time_of(source, last)).transpose()?;
    let mut checked = checker.finish();
    let last_of_all = sealed.iter().map(|sealed| sealed.seal.settled_at).max();
    checked.last_at = checked.last_at.max(last_of_all.unwrap_or_default());
    (checked.sealed, checked.worked_until) = (sealed, worked_until.flatten());
    Ok(checked)
}

/// The fence's row of this node; another node's ledger is refused.
pub(crate) fn own_row(journal: &dyn Journal, node: &NodeId) -> Result<Option<NodeRow>, OpenError> {
    let mut found = journal.nodes()?;
    match found.iter().position(|row| row.node == *node) {
        Some(at) => Ok(Some(found.swap_remove(at))),
        None => match found.pop() {
            Some(other) => Err(OpenError::OtherNode { found: other.node, given: node.clone() }),
            None => Ok(None),
        },
    }
}

/// What of the journal is to be read, by its seals.
pub(crate) fn range(
    source: &dyn StartSource,
    seals: &[Seal],
    marks: &Marks,
    kept: DurationMs,
) -> Result<StartRange, OpenError> {
    for seal in seals {
        sealed::check_first(source, seal)?;
    }
    Ok(StartRange::of(seals, &marks.least(), last_at(source), kept))
}

/// When the last row was written, as far as it can be read; what is wrong with it is found later.
fn last_at(source: &dyn StartSource) -> UnixMillis {
    let Ok(Some(row)) = source.last_row() else { return UnixMillis::default() };
    codec::body(&row.body).map(|(header, _)| header.at).unwrap_or_default()
}

/// Units supplied and taken of each drop whose rows are left alone stand in its seal.
fn compare_supply(
    counted: &BTreeMap<(DropId, PoolIndex), (i64, i64)>,
    stored: &[SupplyRow],
    sealed: &[SealedDrop],
) -> Result<(), OpenError> {
    let signed = |units: u64| i64::try_from(units).unwrap_or(i64::MAX);
    let mut left: HashMap<DropId, (u64, u64)> =
        sealed.iter().map(|sealed| (sealed.seal.drop, (0, 0))).collect();
    let mut read = BTreeMap::new();
    for row in stored {
        if let Some((supplied, taken)) = left.get_mut(&row.drop) {
            *supplied = supplied.saturating_add(row.supplied);
            *taken = taken.saturating_add(row.taken);
        } else {
            read.insert((row.drop, row.pool), (signed(row.supplied), signed(row.taken)));
        }
    }
    for SealedDrop { seal, .. } in sealed {
        let (supplied, taken) = left[&seal.drop];
        for (field, found, of_seal) in [
            ("units supplied", supplied, seal.units_supplied),
            ("units sold", taken, seal.units_sold),
        ] {
            if found != of_seal {
                return Err(OpenError::SealSupply { drop: seal.drop, field, found, of_seal });
            }
        }
    }
    let keys = counted.keys().chain(read.keys());
    for key in keys {
        let count = counted.get(key).copied().unwrap_or_default();
        let store = read.get(key).copied().unwrap_or_default();
        if count != store {
            return Err(OpenError::Supply {
                drop: key.0,
                pool: key.1,
                counted_supplied: count.0,
                counted_taken: count.1,
                stored_supplied: store.0,
                stored_taken: store.1,
            });
        }
    }
    Ok(())
}
