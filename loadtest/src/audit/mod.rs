//! The audit: every promise that viewers received, held against the ledger.

mod check;
mod early;
mod ledger;
mod reconcile;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use check::audit_promises;
pub use early::{Outage, early_expiries};
pub use ledger::{Ledger, LedgerError, Money, Sums};
pub use reconcile::{Reconciliation, reconcile};

/// Mismatches that are kept in words.
pub(crate) const WORDS_MAX: usize = 20;

/// What an audit found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditResult {
    /// Promises that were checked.
    pub promises: u64,
    /// Promises that the ledger does not keep, or contradicts.
    pub promises_lost: u64,
    /// Units that were held or sold at once beyond the supply, at the worst moment.
    pub oversold: u64,
    /// Orders beyond the first of one hold, or of one viewer's key.
    pub duplicate_orders: u64,
    /// Holds beyond the first of one viewer's key.
    pub second_holds: u64,
    /// Holds that expired before their time.
    pub early_expiries: u64,
    /// Rows of the ledger that contradict each other: an order without its hold, and the like.
    pub contradictions: u64,
    /// Holds in the ledger.
    pub holds: u64,
    /// Orders in the ledger.
    pub orders: u64,
    /// Units in orders.
    pub units_sold: u64,
    /// The first things that are wrong, in words.
    pub mismatches: Vec<String>,
}

impl AuditResult {
    /// Whether nothing is wrong.
    pub fn is_clean(&self) -> bool {
        let wrong = [
            self.promises_lost,
            self.oversold,
            self.duplicate_orders,
            self.second_holds,
            self.early_expiries,
            self.contradictions,
        ];
        wrong.iter().all(|count| *count == 0)
    }

    /// Keeps the first things that are wrong.
    pub(crate) fn say(&mut self, what: impl FnOnce() -> String) {
        if self.mismatches.len() < WORDS_MAX {
            self.mismatches.push(what());
        }
    }
}
