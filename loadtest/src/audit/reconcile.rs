//! The crowd's clicks against the journal's tally.

use std::collections::BTreeSet;

use serde::Serialize;

use super::Ledger;
use crate::recorder::Counts;

/// Both counts side by side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reconciliation {
    /// Clicks that the crowd sent.
    pub clicks: u64,
    /// Clicks that the journal's tallies have.
    pub tallied: u64,
    /// Clicks whose answer never reached the crowd; the server decided them all the same.
    pub answers_lost: u64,
    /// What does not add up, in words; empty if the two agree.
    pub differences: Vec<String>,
}

impl Reconciliation {
    /// Whether crowd and journal agree.
    pub fn agrees(&self) -> bool {
        self.differences.is_empty()
    }
}

/// Compares a crowd that was a drop's only audience with the journal.
///
/// The sums must be equal. Each kind of answer may be tallied more often than it was received, but
/// only by as much as there are unanswered clicks altogether.
pub fn reconcile(counts: &Counts, ledger: &Ledger) -> Reconciliation {
    let tallied = ledger.tallied();
    let (clicks, unanswered) = (counts.clicks, counts.unanswered());
    let mut differences = Vec::new();
    if clicks != tallied.clicks() {
        differences.push(format!("{clicks} clicks were sent, {} are tallied", tallied.clicks()));
    }
    let mut kind = |name: &str, received: u64, tallied: u64| {
        if tallied < received || tallied - received > unanswered {
            differences.push(format!("{received} clicks were answered {name}, {tallied} tallied"));
        }
    };
    kind("held", counts.held, tallied.held);
    kind("retry", counts.retries, tallied.retries);
    let reasons: BTreeSet<&String> = counts.refused.keys().chain(tallied.refused.keys()).collect();
    for reason in reasons {
        let of = |refused: &std::collections::BTreeMap<String, u64>| {
            refused.get(reason).copied().unwrap_or(0)
        };
        kind(reason, of(&counts.refused), of(&tallied.refused));
    }
    Reconciliation { clicks, tallied: tallied.clicks(), answers_lost: unanswered, differences }
}
