//! Money that nobody can match, and what became of it, as the house's chain tells it.

use std::collections::HashMap;

use stampede_domain::{PaymentId, limits::UNMATCHED_KEPT_MAX};
use stampede_ledger::{Record, UnmatchedRecord};

use super::MoneyFault;
use crate::verify::finding::{Findings, Place};

/// What became of unmatched money, though nothing of it is known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "each message names its fields")]
pub enum UnmatchedFault {
    /// Of a payment that was not recorded as unmatched.
    #[error("payment {payment} is done with, but was not recorded as unmatched")]
    DoneUnknown { payment: PaymentId },
    /// A second end of one payment.
    #[error("payment {payment} was done with before")]
    DoneTwice { payment: PaymentId },
}

impl UnmatchedFault {
    pub(in crate::verify) const fn kind(&self) -> &'static str {
        match self {
            Self::DoneUnknown { .. } => "unmatched_done_unknown",
            Self::DoneTwice { .. } => "unmatched_done_twice",
        }
    }
}

/// The payments that were recorded as unmatched.
#[derive(Debug, Default)]
pub(in crate::verify) struct UnmatchedCheck {
    /// Records of such money so far.
    records: usize,
    latest: HashMap<PaymentId, Found>,
}

/// One payment's latest record.
#[derive(Clone, Copy, Debug)]
struct Found {
    number: usize,
    is_done: bool,
}

impl UnmatchedCheck {
    /// Follows the records of one row of the house's chain: a payment comes once among so many, and so does what
    /// became of it.
    pub(in crate::verify) fn row(
        &mut self,
        records: &[(u32, Record)],
        row: Place,
        findings: &mut Findings,
    ) {
        for (number, record) in records {
            let place = row.record(*number);
            match record {
                Record::Unmatched(UnmatchedRecord::Found(found)) => {
                    self.found(&found.payment, place, findings);
                }
                Record::Unmatched(UnmatchedRecord::Done(done)) => {
                    self.done(&done.payment, place, findings);
                }
                _ => {}
            }
        }
    }

    fn found(&mut self, payment: &PaymentId, place: Place, findings: &mut Findings) {
        self.records += 1;
        let found = Found { number: self.records, is_done: false };
        let before = self.latest.insert(payment.clone(), found);
        if before.is_some_and(|before| self.is_among_latest(before)) {
            findings.add(place, MoneyFault::UnmatchedTwice { payment: payment.clone() });
        }
    }

    fn done(&mut self, payment: &PaymentId, place: Place, findings: &mut Findings) {
        let payment = payment.clone();
        match self.latest.get_mut(&payment) {
            None => findings.add(place, UnmatchedFault::DoneUnknown { payment }),
            Some(Found { is_done: true, .. }) => {
                findings.add(place, UnmatchedFault::DoneTwice { payment });
            }
            Some(found) => found.is_done = true,
        }
    }

    fn is_among_latest(&self, found: Found) -> bool {
        self.records - found.number <= UNMATCHED_KEPT_MAX
    }
}

#[cfg(test)]
mod tests {
    use stampede_domain::{Currency, Money};
    use stampede_ledger::{UnmatchedDone, UnmatchedEnd, UnmatchedPayment};

    use super::*;

    #[test]
    fn a_payment_is_found_again_among_the_latest() {
        let currency = Currency::new("EUR").expect("a currency");
        let amount = Money::new(1, currency).expect("small");
        let record = |name: usize| -> Record {
            let payment = PaymentId::new("stripe:main", &name.to_string()).expect("short");
            UnmatchedPayment { payment, amount, named: "".into() }.into()
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

    #[test]
    fn an_end_follows_its_payment_and_comes_once() {
        let payment = |name: &str| PaymentId::new("stripe:main", name).expect("short");
        let amount = Money::new(1, Currency::new("EUR").expect("a currency")).expect("small");
        let found = |name| -> Record {
            UnmatchedPayment { payment: payment(name), amount, named: "".into() }.into()
        };
        let done = |name| -> Record {
            UnmatchedDone { payment: payment(name), end: UnmatchedEnd::GivenBack }.into()
        };
        let mut check = UnmatchedCheck::default();
        let mut kinds = |records: Vec<Record>| -> Vec<&'static str> {
            let mut findings = Findings::default();
            let records: Vec<_> = records.into_iter().map(|record| (0, record)).collect();
            check.row(&records, Place::LEDGER, &mut findings);
            findings.into_parts().0.iter().map(|finding| finding.fault.kind()).collect()
        };
        assert!(kinds(vec![found("a"), found("b"), done("b"), done("a")]).is_empty());
        assert_eq!(kinds(vec![done("a")]), ["unmatched_done_twice"]);
        assert_eq!(kinds(vec![done("c"), found("c")]), ["unmatched_done_unknown"]);
        assert_eq!(kinds(vec![found("a")]), ["unmatched_twice"], "also once it is done with");
    }
}
