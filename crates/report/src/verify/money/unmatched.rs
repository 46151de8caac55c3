//! Money that nobody can match, as the house's chain tells it.

use std::collections::HashSet;

use stampede_domain::PaymentId;
use stampede_ledger::Record;

use super::MoneyFault;
use crate::verify::finding::{Findings, Place};

/// Every payment that was recorded as unmatched.
#[derive(Debug, Default)]
pub(in crate::verify) struct UnmatchedCheck(HashSet<PaymentId>);

impl UnmatchedCheck {
    /// Follows the records of one row of the house's chain: each payment comes once.
    pub(in crate::verify) fn row(
        &mut self,
        records: &[(u32, Record)],
        row: Place,
        findings: &mut Findings,
    ) {
        for (number, record) in records {
            let Record::Unmatched(unmatched) = record else { continue };
            let payment = &unmatched.payment;
            if !self.0.insert(payment.clone()) {
                let payment = payment.clone();
                findings.add(row.record(*number), MoneyFault::UnmatchedTwice { payment });
            }
        }
    }
}
