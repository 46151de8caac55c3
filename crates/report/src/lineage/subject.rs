//! Whom or what a lineage is about, and which holds that means.

use std::collections::{BTreeMap, BTreeSet};

use stampede_domain::{DropId, HoldId, ViewerId, ViewerNumber};
use stampede_ledger::{HoldRecord, Journal, ReadError, Record, RowKey, Rows, links};

use super::{LineageError, records};
use crate::orders::{KnownHolds, OrderName, OrdersReader};

/// What somebody asks about.
#[derive(Clone, Debug)]
pub enum Subject {
    /// A hold, order or not.
    Hold(HoldId),
    /// An order.
    Order(OrderName),
    /// Everything that a viewer took; the whole ledger is read for it.
    Viewer(ViewerId),
}

/// The holds of each drop.
type Holds = BTreeMap<DropId, BTreeSet<HoldId>>;

/// The holds that a subject means, and those that are tied to them.
pub(super) fn holds(
    journal: &dyn Journal,
    orders: &OrdersReader,
    subject: &Subject,
) -> Result<Vec<(DropId, KnownHolds)>, LineageError> {
    match subject {
        Subject::Hold(hold) => {
            let (drop, hold) = (hold.drop_id().sale(), *hold);
            let known = orders.known(journal, drop, |_| Some(hold))?;
            if known.holds.is_empty() {
                return Err(LineageError::NoHold { hold });
            }
            Ok(vec![(drop, known)])
        }
        Subject::Order(order) => {
            let (drop, order) = (order.drop_id(), *order);
            let known = orders.known(journal, drop, |fold| {
                let found = match order {
                    OrderName::Id(id) => fold.order(id.hold()),
                    OrderName::Code(code) => fold.numbered(code.number()),
                };
                found.map(|found| found.id.hold())
            })?;
            if known.holds.is_empty() {
                return Err(LineageError::NoOrder { order });
            }
            Ok(vec![(drop, known)])
        }
        Subject::Viewer(viewer) => {
            let found = taken_by(journal, viewer)?.into_iter();
            let known =
                found.map(|(drop, holds)| Ok((drop, orders.known(journal, drop, |_| holds)?)));
            known.collect()
        }
    }
}

/// Every viewer's name in the ledger; those who were erased have none.
fn viewers(journal: &dyn Journal) -> Result<BTreeMap<ViewerNumber, ViewerId>, ReadError> {
    let rows = journal.links()?.into_iter();
    // Unreadable links are the verifier's business; here their viewers stay unnamed.
    let links = rows.flat_map(|row| links::decode(&row.pairs).unwrap_or_default().viewers);
    Ok(links.map(|link| (link.number, link.id)).collect())
}

/// Every hold that a viewer took, under whichever number: reads the whole ledger.
fn taken_by(journal: &dyn Journal, wanted: &ViewerId) -> Result<Holds, LineageError> {
    let names = viewers(journal)?.into_iter().filter(|(_, id)| id == wanted);
    let numbers: BTreeSet<ViewerNumber> = names.map(|(number, _)| number).collect();
    let none = || LineageError::NoViewer { viewer: wanted.clone() };
    if numbers.is_empty() {
        return Err(none());
    }
    let mut found = Holds::new();
    for row in Rows::after(journal, RowKey::default()) {
        let row = row?;
        for record in records(&row)?.1 {
            if let Record::Hold(HoldRecord::Taken { hold, viewer, .. }) = record
                && numbers.contains(&viewer)
            {
                found.entry(row.drop).or_default().insert(hold);
            }
        }
    }
    if found.is_empty() { Err(none()) } else { Ok(found) }
}
