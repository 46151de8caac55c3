//! Whom or what a lineage is about, and which holds that means.

use std::collections::{BTreeMap, BTreeSet};

use stampede_domain::{DropId, HoldId, ViewerId, ViewerNumber};
use stampede_ledger::{HoldRecord, Journal, PaymentChange, ReadError, Record, RowKey, Rows, links};

use super::{LineageError, records, rows};
use crate::orders::{OrderName, OrdersFold};

/// What somebody asks about.
#[derive(Clone, Debug)]
pub enum Subject {
    /// A hold, order or not.
    Hold(HoldId),
    /// An order.
    Order(OrderName),
    /// Everything that a viewer took.
    Viewer(ViewerId),
}

/// The holds of each drop.
type Holds = BTreeMap<DropId, BTreeSet<HoldId>>;

/// Names of viewers; those who were erased have none.
pub(super) fn viewers(
    journal: &dyn Journal,
) -> Result<BTreeMap<ViewerNumber, ViewerId>, ReadError> {
    let rows = journal.links()?.into_iter();
    // Unreadable links are the verifier's business; here their viewers stay unnamed.
    let links = rows.flat_map(|row| links::decode(&row.pairs).unwrap_or_default().viewers);
    Ok(links.map(|link| (link.number, link.id)).collect())
}

/// The holds that a subject means.
pub(super) fn holds(journal: &dyn Journal, subject: &Subject) -> Result<Holds, LineageError> {
    let hold = match subject {
        Subject::Hold(hold) => *hold,
        Subject::Order(order) => ordered(journal, *order)?,
        Subject::Viewer(viewer) => return taken_by(journal, viewer),
    };
    let drop = hold.drop_id().sale();
    for row in Rows::of_drop(journal, drop)? {
        let (_, records) = records(&row?)?;
        if records.iter().any(|record| is_take_of(record, hold)) {
            return Ok(Holds::from([(drop, BTreeSet::from([hold]))]));
        }
    }
    Err(LineageError::NoHold { hold })
}

fn is_take_of(record: &Record, wanted: HoldId) -> bool {
    matches!(record, Record::Hold(HoldRecord::Taken { hold, .. }) if *hold == wanted)
}

/// The hold of an order.
fn ordered(journal: &dyn Journal, order: OrderName) -> Result<HoldId, LineageError> {
    let drop = order.drop_id();
    let mut fold = OrdersFold::new(drop);
    for row in Rows::of_drop(journal, drop)? {
        fold.apply(&row?)?;
    }
    let found = match order {
        OrderName::Id(id) => fold.order(id.hold()),
        OrderName::Code(code) => fold.numbered(code.number()),
    };
    found.map(|found| found.id.hold()).ok_or(LineageError::NoOrder { order })
}

/// Every hold that a viewer took, under whichever number.
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

/// Adds the holds that took units again for a late payment of these, and those whose payment paid for these.
pub(super) fn add_retaken(
    journal: &dyn Journal,
    drop: DropId,
    holds: &mut BTreeSet<HoldId>,
) -> Result<(), LineageError> {
    let mut pairs = Vec::new();
    for row in rows(journal, drop)? {
        for record in records(&row?)?.1 {
            if let Record::Payment(record) = record
                && let PaymentChange::Retaken { into, .. } = record.change
            {
                pairs.push([record.hold, into]);
            }
        }
    }
    loop {
        let before = holds.len();
        for pair in &pairs {
            if pair.iter().any(|hold| holds.contains(hold)) {
                holds.extend(pair);
            }
        }
        if holds.len() == before {
            return Ok(());
        }
    }
}
