//! Reads orders page by page, without folding the ledger anew for each.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    sync::Arc,
};

use stampede_domain::{
    DropId, DropPlan, HoldId, OrderReference, PaymentId, UnixMillis, ViewerId, ViewerNumber,
};
use stampede_ledger::{Journal, OrderRow, ReadError};

use super::{
    KnownHolds, Order, OrderName, OrdersError, OrdersFold,
    folded::{Blobs, FoldedDrop},
};
use crate::kept::{Kept, Room};

/// Rows of the table that one page looks at; those of drops that the caller does not see are passed over.
pub const PAGE_ROWS_MAX: usize = 10_000;
/// Drops that one page has orders of: each may have to be folded.
pub const PAGE_DROPS_MAX: usize = 16;
/// Rows of the table fetched at a time.
const ROWS_PER_FETCH: u32 = 1_024;
/// Folded drops that are kept, as long as they are small.
const DROPS_KEPT_MAX: usize = 64;
/// Entries of all folded drops that are kept: holds, orders, and accounts of holds that are no orders. The drop that
/// was read last stays in any case. An entry has a few hundred bytes at most.
const ENTRIES_KEPT_MAX: usize = 400_000;

/// An order with its place in the list.
#[derive(Clone, Debug)]
pub struct ListedOrder {
    /// Its place: orders come in ascending order of it, and it never changes.
    pub place: u64,
    /// The order as it stands.
    pub order: Order,
}

/// Where a page of the list begins, and which way it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageStart {
    /// Behind this place, the oldest first; 0 stands before the first order.
    After(u64),
    /// In front of this place, the newest first; [`u64::MAX`] stands behind the last order.
    Before(u64),
}

impl PageStart {
    /// The same way, from another place.
    #[must_use]
    pub const fn at(self, place: u64) -> Self {
        match self {
            Self::After(_) => Self::After(place),
            Self::Before(_) => Self::Before(place),
        }
    }

    const fn place(self) -> u64 {
        match self {
            Self::After(place) | Self::Before(place) => place,
        }
    }

    fn fetch(self, journal: &dyn Journal) -> Result<Vec<OrderRow>, ReadError> {
        match self {
            Self::After(place) => journal.orders(place, ROWS_PER_FETCH),
            Self::Before(place) => journal.orders_before(place, ROWS_PER_FETCH),
        }
    }
}

/// Some orders of the list.
#[derive(Clone, Debug)]
pub struct OrdersPage {
    /// The orders that the caller sees.
    pub orders: Vec<ListedOrder>,
    /// The place up to which the list was looked at; the next page begins there.
    pub cursor: u64,
    /// Whether the list goes on from there.
    pub more: bool,
}

/// What goes by a name that the platform gave.
#[derive(Clone, Debug, Default)]
pub struct FoundOrders {
    /// The orders, those of the newest drop first.
    pub orders: Vec<Order>,
    /// Holds with a payment that are no orders, with the terms of their drop; likewise.
    pub holds: Vec<(HoldId, Arc<DropPlan>)>,
    /// Where the search goes on: at holds whose ids are below this one. `None` once every drop was looked at.
    pub next: Option<HoldId>,
}

/// A payment for a hold.
#[derive(Clone, Debug)]
pub struct PaymentFor {
    /// The terms of the hold's drop.
    pub plan: Arc<DropPlan>,
    /// The order that the hold is, if it is one, without its viewer's name.
    pub order: Option<Order>,
    /// Since when the payment stands as it does, if it was heard of.
    pub since: Option<UnixMillis>,
}

/// Reads orders of one ledger. Folded drops stay in memory, and a later page only reads what was written since.
///
/// Viewers' names are never kept: each page reads them, so that what was erased is gone from the next page on.
#[derive(Debug)]
pub struct OrdersReader {
    kept: Kept<FoldedDrop>,
}

impl Default for OrdersReader {
    fn default() -> Self {
        Self::new()
    }
}

impl OrdersReader {
    /// Nothing is folded yet.
    pub fn new() -> Self {
        Self::with_room(ENTRIES_KEPT_MAX)
    }

    /// A reader that keeps so many entries: holds, orders, and accounts of holds that are no orders.
    pub fn with_room(entries_max: usize) -> Self {
        Self { kept: Kept::new(Room { drops_max: DROPS_KEPT_MAX, entries_max }) }
    }

    /// The orders from a place on, of drops that `sees` picks, at most `limit` of them. A page may have fewer, or
    /// none, although there are more: it looks at [`PAGE_ROWS_MAX`] orders and at [`PAGE_DROPS_MAX`] drops at most.
    ///
    /// # Errors
    /// [`OrdersError`].
    pub fn page(
        &self,
        journal: &dyn Journal,
        start: PageStart,
        limit: usize,
        sees: &mut dyn FnMut(DropId) -> bool,
    ) -> Result<OrdersPage, OrdersError> {
        let (rows, cursor, more) = pick(journal, start, limit, sees)?;
        let mut drops: Vec<DropId> = rows.iter().map(|row| row.drop).collect();
        drops.sort_unstable();
        drops.dedup();
        let mut orders: Vec<Option<ListedOrder>> = Vec::new();
        orders.resize_with(rows.len(), || None);
        let mut blobs = Blobs::default();
        for drop in drops {
            self.with(journal, drop, |folded| {
                for (slot, row) in orders.iter_mut().zip(&rows).filter(|(_, row)| row.drop == drop)
                {
                    let id = stampede_domain::OrderId::of(row.hold);
                    let found = folded.fold.order(row.hold);
                    let order = found.ok_or(OrdersError::NotInJournal { order: id })?;
                    let order = folded.named(journal, order, &mut blobs)?;
                    *slot = Some(ListedOrder { place: row.place, order });
                }
                Ok(())
            })?;
        }
        Ok(OrdersPage { orders: orders.into_iter().flatten().collect(), cursor, more })
    }

    /// One order as it stands; `None` if there is none of this name.
    ///
    /// # Errors
    /// [`OrdersError`].
    pub fn find(
        &self,
        journal: &dyn Journal,
        name: OrderName,
    ) -> Result<Option<Order>, OrdersError> {
        self.with(journal, name.drop_id(), |folded| {
            let found = match name {
                OrderName::Id(id) => folded.fold.order(id.hold()),
                OrderName::Code(code) => folded.fold.numbered(code.number()),
            };
            found.map(|order| folded.named(journal, order, &mut Blobs::default())).transpose()
        })
    }

    /// What goes by a reference: orders that the platform calls so, orders and other holds that a payment of this
    /// name is for, at most `limit` of them. Looks at the first [`PAGE_DROPS_MAX`] of these drops, which come in
    /// descending order, and there at holds below `below` alone.
    ///
    /// # Errors
    /// [`OrdersError`].
    pub fn search(
        &self,
        journal: &dyn Journal,
        wanted: &OrderReference,
        (drops, below): (&[DropId], Option<HoldId>),
        limit: usize,
    ) -> Result<FoundOrders, OrdersError> {
        let (mut found, mut blobs, mut last) = (FoundOrders::default(), Blobs::default(), None);
        for (place, drop) in drops.iter().enumerate() {
            if place == PAGE_DROPS_MAX {
                let looked_at = drops[place - 1];
                found.next = Some(first_of(looked_at));
                break;
            }
            self.with(journal, *drop, |folded| {
                for hold in folded.fold.named(wanted, below) {
                    if found.orders.len() + found.holds.len() == limit {
                        found.next = last;
                        return Ok(());
                    }
                    last = Some(hold);
                    match (folded.fold.order(hold), folded.fold.plan()) {
                        (Some(order), _) => {
                            found.orders.push(folded.named(journal, order, &mut blobs)?);
                        }
                        (None, Some(plan)) => found.holds.push((hold, Arc::clone(plan))),
                        (None, None) => {}
                    }
                }
                Ok(())
            })?;
            if found.next.is_some() {
                break;
            }
        }
        Ok(found)
    }

    /// What the ledger tells of a payment for a hold; `None` of a hold whose drop it does not have.
    ///
    /// # Errors
    /// [`OrdersError`].
    pub fn payment_for(
        &self,
        journal: &dyn Journal,
        (hold, payment): (HoldId, &PaymentId),
    ) -> Result<Option<PaymentFor>, OrdersError> {
        self.with(journal, hold.drop_id().sale(), |folded| {
            let Some(plan) = folded.fold.plan().cloned() else { return Ok(None) };
            let since = folded.fold.since(hold, payment);
            Ok(Some(PaymentFor { plan, order: folded.fold.order(hold), since }))
        })
    }

    /// What is known of the holds of a drop that `asked` names, and of those that are tied to them.
    pub(crate) fn known<Holds: IntoIterator<Item = HoldId>>(
        &self,
        journal: &dyn Journal,
        drop: DropId,
        asked: impl FnOnce(&OrdersFold) -> Holds,
    ) -> Result<KnownHolds, OrdersError> {
        self.with(journal, drop, |folded| Ok(folded.known(asked(&folded.fold))))
    }

    /// The names of those who took in a drop, as far as they were not erased.
    pub(crate) fn names(
        &self,
        journal: &dyn Journal,
        drop: DropId,
        numbers: &BTreeSet<ViewerNumber>,
    ) -> Result<BTreeMap<ViewerNumber, ViewerId>, OrdersError> {
        self.with(journal, drop, |folded| folded.names(journal, numbers))
    }

    /// Has a drop's fold follow the journal to its end, then hands it out.
    fn with<T>(
        &self,
        journal: &dyn Journal,
        drop: DropId,
        act: impl FnOnce(&mut FoldedDrop) -> Result<T, OrdersError>,
    ) -> Result<T, OrdersError> {
        let folded = self.kept.take(drop, || FoldedDrop::new(drop));
        let mut folded = folded.lock();
        if let Err(error) = folded.follow(journal) {
            // What has failed half-way cannot go on; somebody may wait for it already.
            *folded = FoldedDrop::new(drop);
            self.kept.forget(drop);
            return Err(error);
        }
        if folded.fold.plan().is_none() {
            // A drop that is not there is not worth a place.
            self.kept.forget(drop);
        }
        self.kept.make_room(drop, folded.fold.entries());
        act(&mut folded)
    }
}

/// The first id that a hold of a drop may have.
fn first_of(drop: DropId) -> HoldId {
    let mut bytes = [0; 16];
    bytes[..4].copy_from_slice(&drop.get().to_be_bytes());
    HoldId::from_bytes(bytes)
}

/// Rows of the table from a place on, with the place that was come to, and whether there are more.
fn pick(
    journal: &dyn Journal,
    start: PageStart,
    limit: usize,
    sees: &mut dyn FnMut(DropId) -> bool,
) -> Result<(Vec<OrderRow>, u64, bool), OrdersError> {
    let (mut picked, mut drops, mut looked) = (Vec::new(), HashSet::new(), 0);
    let mut cursor = start.place();
    loop {
        let rows = start.at(cursor).fetch(journal)?;
        if rows.is_empty() {
            return Ok((picked, cursor, false));
        }
        for row in rows {
            let is_full = picked.len() >= limit || looked >= PAGE_ROWS_MAX;
            let is_seen = !is_full && sees(row.drop);
            let is_new = is_seen && !drops.contains(&row.drop);
            if is_full || (is_new && drops.len() >= PAGE_DROPS_MAX) {
                return Ok((picked, cursor, true));
            }
            looked += 1;
            cursor = row.place;
            if is_seen {
                drops.insert(row.drop);
                picked.push(row);
            }
        }
    }
}
