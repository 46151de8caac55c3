//! The money of drops that are over: what is said of it later stands in chains of their own.

use std::collections::BTreeMap;

use stampede_domain::{DropId, Mode};
use stampede_ledger::Record;
use stampede_settlement::PaymentBook;

use super::Books;

/// The most drops that are over and have their money in memory. When full, the drop whose money was read longest ago
/// leaves memory; the next fact about it has its money read from the ledger again.
const REOPENED_MAX: usize = 64;

/// The money of a drop that has left memory, as its chains have it.
#[derive(Clone, Debug)]
pub struct ReopenedDrop {
    /// The drop.
    pub drop: DropId,
    /// Live or rehearsal.
    pub mode: Mode,
    /// Its money, adjustments included.
    pub payments: PaymentBook,
    /// Records of adjustments that were read.
    pub adjustments: u64,
}

/// What is known of adjustments.
#[derive(Debug, Default)]
pub(super) struct Adjustments {
    /// Records of each chain of adjustments, by its drop.
    counts: BTreeMap<DropId, u64>,
    /// Drops whose money was read, the one that was read last at the end.
    reopened: Vec<ReopenedDrop>,
}

impl Adjustments {
    /// Follows a record of a chain of adjustments.
    pub(super) fn apply(&mut self, drop: DropId, record: &Record) {
        *self.counts.entry(drop).or_default() += 1;
        if let Some(open) = self.reopened.iter_mut().find(|open| open.drop == drop) {
            open.adjustments += 1;
            open.payments.apply(record);
        }
    }

    pub(super) fn find(&self, drop: DropId) -> Option<&ReopenedDrop> {
        self.reopened.iter().find(|open| open.drop == drop)
    }

    pub(super) fn books(&self) -> impl Iterator<Item = &PaymentBook> + '_ {
        self.reopened.iter().map(|open| &open.payments)
    }

    /// What the journal tells: what is reopened is only a copy.
    pub(super) fn journaled(&self) -> String {
        format!("{:?}", self.counts)
    }
}

impl Books {
    /// The money of a drop that is over was read from its chains. `false` if something was recorded since it was
    /// read: it has to be read again.
    pub fn reopen(&mut self, read: ReopenedDrop) -> bool {
        let Adjustments { counts, reopened } = &mut self.adjustments;
        if counts.get(&read.drop).copied().unwrap_or_default() != read.adjustments {
            return false;
        }
        reopened.retain(|open| open.drop != read.drop);
        if reopened.len() == REOPENED_MAX {
            reopened.remove(0);
        }
        reopened.push(read);
        true
    }

    /// The money of a drop in memory, or of one that was reopened.
    pub(super) fn money(&self, drop: DropId) -> Option<(&PaymentBook, Mode)> {
        if let Some(book) = self.drops.get(&drop) {
            return Some((&book.payments, book.plan().mode));
        }
        self.adjustments.find(drop).map(|open| (&open.payments, open.mode))
    }

    /// The chain that records about a drop's money go to: its own until it has ended.
    pub(super) fn money_chain(&self, drop: DropId) -> DropId {
        let goes_on = self.drops.get(&drop).is_some_and(|book| !book.phase().is_final());
        if goes_on { drop } else { drop.adjustments() }
    }

    /// Follows a record of a chain of adjustments.
    pub(super) fn apply_adjustment(&mut self, drop: DropId, record: &Record) {
        if let Some(book) = self.drops.get_mut(&drop) {
            book.payments.apply(record);
        }
        self.adjustments.apply(drop, record);
    }
}
