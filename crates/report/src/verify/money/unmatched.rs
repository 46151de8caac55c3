//! Money that nobody can match, as the house's chain tells it.

use std::collections::HashMap;

use stampede_domain::{PaymentId, limits::UNMATCHED_KEPT_MAX};
use stampede_ledger::Record;

use super::MoneyFault;
use crate::verify::finding::{Findings, Place};

/// The payments that were recorded as unmatched.
#[derive(Debug, Default)]
pub(in crate::verify) struct UnmatchedCheck {
    /// Records so far.
    records: usize,
    /// The number of each payment's latest record.
    latest: HashMap<PaymentId, usize>,
}

impl UnmatchedCheck {
    /// Follows the records of one row of the house's chain: a payment comes once among so many.
    pub(in crate::verify) fn row(
        &mut self,
        records: &[(u32, Record)],
        row: Place,
        findings: &mut Findings,
    ) {
        for (number, record) in records {
            let Record::Unmatched(unmatched) = record else { continue };
            let payment = &unmatched.payment;
            self.records += 1;
            let before = self.latest.insert(payment.clone(), self.records);
            if before.is_some_and(|before| self.records - before <= UNMATCHED_KEPT_MAX) {
                let payment = payment.clone();
                findings.add(row.record(*number), MoneyFault::UnmatchedTwice { payment });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use stampede_domain::{Currency, Money};
    use stampede_ledger::UnmatchedPayment;

    use super::*;

    #[test]
    fn a_payment_is_found_again_among_the_latest() {
        let currency = Currency::new("EUR").expect("a currency");
        let amount = Money::new(1, currency).expect("small");
        let record = |name: usize| {
            let payment = PaymentId::new("stripe:main", &name.to_string()).expect("short");
            Record::Unmatched(Box::new(UnmatchedPayment { payment, amount, named: "".into() }))
        };
        let mut check = UnmatchedCheck::default();
        let mut found = |names: std::ops::Range<usize>| {
            let mut findings = Findings::default();
            let records: Vec<_> = names.map(|name| (0, record(name))).collect();
            check.row(&records, Place::LEDGER, &mut findings);
            findings.into_parts().1
        };
        assert_eq!(found(0..UNMATCHED_KEPT_MAX + 1), 0);
        assert_eq!(found(0..1), 0, "so many others came in between");
        assert_eq!(found(2..3), 1);
    }
}
