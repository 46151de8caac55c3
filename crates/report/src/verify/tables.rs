//! The plain tables against the journal that they were made from.

use std::collections::{BTreeMap, HashMap};

use stampede_domain::{
    DropId, HoldId, Incarnation, KeyFingerprint, PoolIndex, Seq, SkuIndex, ViewerNumber,
};
use stampede_ledger::{LinkRow, RecordError, Row, RowKey, SupplyRow, links};

use super::finding::{Findings, Place};

/// Tables that disagree with the journal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "each message names its fields")]
pub enum TableFault {
    /// Counters that are not the sums of the records.
    #[error(
        "supply of pool {pool} states {stated_supplied} supplied, {stated_taken} taken; the journal gives {supplied} supplied, {taken} taken"
    )]
    Supply { pool: PoolIndex, stated_supplied: u64, stated_taken: u64, supplied: u64, taken: u64 },
    /// Counters under the wrong SKU.
    #[error("supply of pool {pool} is filed under SKU {sku}")]
    SupplySku { pool: PoolIndex, sku: u8 },
    /// A confirmed hold without its order.
    #[error("order {hold} is missing: the hold was confirmed")]
    OrderMissing { hold: HoldId },
    /// An order without a confirmed hold of its own.
    #[error("order {hold} at place {place} has no confirmed hold of its own")]
    OrderUnfounded { hold: HoldId, place: u64 },
    /// An order ahead of the projection's cursor.
    #[error("order {hold} stands in the table, the projection has not reached it")]
    OrderEarly { hold: HoldId },
    /// An order that is not what the journal says.
    #[error("order {hold} states {field} {stored}, the journal says {expected}")]
    OrderDiffers { hold: HoldId, field: &'static str, stored: String, expected: String },
    /// A projection that claims more than there is.
    #[error("the projection claims incarnation {} commit {} record {record}, the journal ends before", row.incarnation, row.seq)]
    ProjectionBeyond { row: RowKey, record: u32 },
    /// A viewer in the journal whom no link names.
    #[error("viewer {:x} took units, but no link says who that is", viewer.get())]
    LinkMissing { viewer: ViewerNumber },
    /// A viewer number that names two people.
    #[error("viewer {:x} is linked to two platform ids", viewer.get())]
    LinkDiffers { viewer: ViewerNumber },
    /// A person who took in one drop by two viewer numbers. Over the years a person may have several:
    /// who has long gone is numbered anew.
    #[error(
        "viewers {:x} and {:x} took in one drop and are linked to one platform id",
        viewer.get(),
        other.get()
    )]
    LinkShared { viewer: ViewerNumber, other: ViewerNumber },
    /// A drop that was settled or cancelled without a seal.
    #[error("the drop has ended, no seal says so")]
    SealMissing,
    /// A seal of a drop that has not ended.
    #[error("a seal says that the drop has ended; the journal does not")]
    SealUnfounded,
    /// A seal that is not what the chain sums up to.
    #[error("the seal states {field} {stored}, the journal says {expected}")]
    SealDiffers { field: &'static str, stored: String, expected: String },
    /// A seal whose summary cannot be read.
    #[error("the seal's summary cannot be read: {source}")]
    SealUnreadable { source: RecordError },
    /// A seal whose summary tells of another drop, or of another end.
    #[error("the seal's summary is not what the journal says")]
    SealSummaryDiffers,
    /// Links of a commit that the journal does not have.
    #[error("links of a commit that the journal does not have")]
    LinksWithoutCommit,
    /// A command's key that the table does not have: its retry would do the work again.
    #[error("idempotency key {key} is missing: the command was accepted")]
    KeyMissing { key: KeyFingerprint },
    /// A key that no accepted command bound.
    #[error("idempotency key {key} stands in the table, no accepted command bound it")]
    KeyUnfounded { key: KeyFingerprint },
    /// A key that is bound to something else than the journal says.
    #[error("idempotency key {key} is not bound to what the journal says")]
    KeyDiffers { key: KeyFingerprint },
    /// Links that cannot be read.
    #[error("the links cannot be read: {source}")]
    Links { source: RecordError },
}

impl TableFault {
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Supply { .. } => "supply_differs",
            Self::SupplySku { .. } => "supply_sku",
            Self::OrderMissing { .. } => "order_missing",
            Self::OrderUnfounded { .. } => "order_unfounded",
            Self::OrderEarly { .. } => "order_early",
            Self::OrderDiffers { .. } => "order_differs",
            Self::ProjectionBeyond { .. } => "projection_beyond",
            Self::LinkMissing { .. } => "link_missing",
            Self::LinkDiffers { .. } => "link_differs",
            Self::LinkShared { .. } => "link_shared",
            Self::SealMissing => "seal_missing",
            Self::SealUnfounded => "seal_unfounded",
            Self::SealDiffers { .. } => "seal_differs",
            Self::SealUnreadable { .. } => "seal_unreadable",
            Self::SealSummaryDiffers => "seal_summary_differs",
            Self::LinksWithoutCommit => "links_without_commit",
            Self::KeyMissing { .. } => "key_missing",
            Self::KeyUnfounded { .. } => "key_unfounded",
            Self::KeyDiffers { .. } => "key_differs",
            Self::Links { .. } => "links_unreadable",
        }
    }
}

/// Compares the supply table with the sums of the replay, its SKUs with those of the plans.
pub(super) fn check_supply(
    stated: &[SupplyRow],
    replayed: impl Iterator<Item = (DropId, PoolIndex, u64, u64)>,
    sku_of: impl Fn(DropId, PoolIndex) -> SkuIndex,
    findings: &mut Findings,
) {
    let mut sums: BTreeMap<(DropId, PoolIndex), (u64, u64)> =
        replayed.map(|(drop, pool, supplied, taken)| ((drop, pool), (supplied, taken))).collect();
    for row in stated {
        let place = Place::drop(row.drop);
        let (supplied, taken) = sums.remove(&(row.drop, row.pool)).unwrap_or_default();
        if (row.supplied, row.taken) != (supplied, taken) {
            let (stated_supplied, stated_taken) = (row.supplied, row.taken);
            let pool = row.pool;
            findings.add(
                place,
                TableFault::Supply { pool, stated_supplied, stated_taken, supplied, taken },
            );
        }
        if row.sku != sku_of(row.drop, row.pool) {
            findings.add(place, TableFault::SupplySku { pool: row.pool, sku: row.sku.get() });
        }
    }
    for ((drop, pool), (supplied, taken)) in sums {
        if supplied + taken > 0 {
            let (stated_supplied, stated_taken) = (0, 0);
            findings.add(
                Place::drop(drop),
                TableFault::Supply { pool, stated_supplied, stated_taken, supplied, taken },
            );
        }
    }
}

/// Follows the links alongside the journal.
#[derive(Debug)]
pub(super) struct LinkCheck {
    rows: std::iter::Peekable<std::vec::IntoIter<LinkRow>>,
    ids: HashMap<ViewerNumber, KeyFingerprint, foldhash::fast::RandomState>,
    /// Who took in a drop, by what number.
    numbers: HashMap<(DropId, KeyFingerprint), ViewerNumber, foldhash::fast::RandomState>,
    pub(super) viewers: u64,
}

impl LinkCheck {
    pub(super) fn new(rows: Vec<LinkRow>) -> Self {
        Self {
            rows: rows.into_iter().peekable(),
            ids: HashMap::default(),
            numbers: HashMap::default(),
            viewers: 0,
        }
    }

    /// Reads the links up to the row's commit, then looks for the row's viewers.
    pub(super) fn row(
        &mut self,
        row: &Row,
        viewers: &[(u32, ViewerNumber)],
        findings: &mut Findings,
    ) {
        let commit = (row.incarnation, row.seq);
        while let Some(links) = self.rows.next_if(|links| (links.incarnation, links.seq) <= commit)
        {
            self.read(&links, (links.incarnation, links.seq) == commit, findings);
        }
        for &(record, viewer) in viewers {
            let place = Place::row(row.drop, row.incarnation, row.seq).record(record);
            let Some(id) = self.ids.get(&viewer).copied() else {
                findings.add(place, TableFault::LinkMissing { viewer });
                // Once is enough; the number itself stands in for the id.
                let stand_in = KeyFingerprint::from_bits(u128::from(viewer.get()));
                self.ids.insert(viewer, stand_in);
                continue;
            };
            let other = *self.numbers.entry((row.drop, id)).or_insert(viewer);
            if other != viewer {
                findings.add(place, TableFault::LinkShared { viewer, other });
            }
        }
    }

    /// Reads what lies behind the journal's end.
    pub(super) fn finish(&mut self, findings: &mut Findings) {
        while let Some(links) = self.rows.next() {
            self.read(&links, false, findings);
        }
    }

    fn read(&mut self, row: &LinkRow, has_commit: bool, findings: &mut Findings) {
        let place = Place::commit(row.incarnation, row.seq);
        if !has_commit {
            findings.add(place, TableFault::LinksWithoutCommit);
        }
        let pairs = match links::decode(&row.pairs) {
            Ok(pairs) => pairs,
            Err(source) => return findings.add(place, TableFault::Links { source }),
        };
        for pair in pairs.viewers {
            let viewer = pair.number;
            let id = KeyFingerprint::of(pair.id.as_str().as_bytes());
            match self.ids.insert(viewer, id) {
                None => self.viewers += 1,
                Some(known) if known == id => {}
                Some(_) => findings.add(place, TableFault::LinkDiffers { viewer }),
            }
        }
    }
}

/// The key of a commit's row for one drop.
pub(super) fn key(incarnation: Incarnation, seq: Seq, drop: DropId) -> RowKey {
    RowKey { incarnation: incarnation.get(), seq: seq.get(), drop: drop.get() }
}

#[cfg(test)]
mod tests {
    use stampede_ledger::RowHash;

    use super::*;

    fn links(seq: u64, number: u64, id: &str) -> LinkRow {
        let mut pairs = vec![links::LINKS_VERSION];
        pairs.extend_from_slice(&number.to_be_bytes());
        pairs.push(u8::try_from(id.len()).unwrap());
        pairs.extend_from_slice(id.as_bytes());
        LinkRow { incarnation: Incarnation::new(1).unwrap(), seq: Seq::new(seq).unwrap(), pairs }
    }

    fn row(seq: u64, drop: u32) -> Row {
        Row {
            drop: DropId::new(drop),
            node: "n".parse().unwrap(),
            incarnation: Incarnation::new(1).unwrap(),
            seq: Seq::new(seq).unwrap(),
            records: 1,
            body: Vec::new(),
            prev_hash: RowHash::from_bytes([0; 32]),
            hash: RowHash::from_bytes([0; 32]),
        }
    }

    #[test]
    fn a_person_may_have_two_numbers_in_two_drops_and_one_in_each() {
        let rows = vec![links(1, 1, "ann"), links(2, 2, "ann"), links(3, 3, "ann")];
        let mut check = LinkCheck::new(rows);
        let mut findings = Findings::default();
        let took = |number| [(0, ViewerNumber::new(number).unwrap())];
        for (seq, drop, number) in [(1, 1, 1), (2, 2, 2), (3, 1, 1)] {
            check.row(&row(seq, drop), &took(number), &mut findings);
        }
        check.row(&row(3, 2), &took(3), &mut findings);
        let (kept, found) = findings.into_parts();
        assert_eq!((kept[0].fault.kind(), found), ("link_shared", 1));
    }

    #[test]
    fn counters_stand_under_the_sku_that_the_plan_gives_their_pool() {
        let (pool, sku) = (PoolIndex::new(2).unwrap(), SkuIndex::new(0).unwrap());
        let drop = DropId::new(1);
        let found = |sku_of: SkuIndex| {
            let stated = SupplyRow { drop, pool, sku, supplied: 5, taken: 1 };
            let mut findings = Findings::default();
            let sums = [(drop, pool, 5, 1)].into_iter();
            check_supply(&[stated], sums, |_, _| sku_of, &mut findings);
            findings.into_parts().0.iter().map(|found| found.fault.kind()).collect::<Vec<_>>()
        };
        assert_eq!(found(sku), Vec::<&str>::new());
        assert_eq!(found(SkuIndex::new(2).unwrap()), ["supply_sku"]);
    }
}
