//! Payments that nobody can match, so that each is recorded once.

use std::collections::{HashSet, VecDeque};

use stampede_domain::{PaymentId, limits::UNMATCHED_KEPT_MAX};

/// The latest payments that were recorded as unmatched.
///
/// Providers report for days, an account may be another shop's too: what is kept here is bounded, not what is recorded.
#[derive(Debug, Default)]
pub(super) struct UnmatchedPayments {
    /// In the order of their records.
    latest: VecDeque<PaymentId>,
    known: HashSet<PaymentId, foldhash::fast::RandomState>,
}

impl UnmatchedPayments {
    pub(super) fn knows(&self, payment: &PaymentId) -> bool {
        self.known.contains(payment)
    }

    /// The payment was recorded.
    pub(super) fn note(&mut self, payment: &PaymentId) {
        if !self.known.insert(payment.clone()) {
            return;
        }
        self.latest.push_back(payment.clone());
        if self.latest.len() > UNMATCHED_KEPT_MAX
            && let Some(oldest) = self.latest.pop_front()
        {
            self.known.remove(&oldest);
        }
    }

    /// What the journal says of it.
    pub(super) fn journaled(&self) -> String {
        format!("{:?}", self.latest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_payments_are_known() {
        let payment = |number: usize| PaymentId::new("stripe:main", &number.to_string()).unwrap();
        let mut unmatched = UnmatchedPayments::default();
        for number in 0..=UNMATCHED_KEPT_MAX {
            unmatched.note(&payment(number));
            unmatched.note(&payment(number));
        }
        assert!(!unmatched.knows(&payment(0)));
        assert!(unmatched.knows(&payment(1)) && unmatched.knows(&payment(UNMATCHED_KEPT_MAX)));
        assert_eq!(unmatched.known.len(), UNMATCHED_KEPT_MAX);
        unmatched.note(&payment(0));
        assert!(unmatched.knows(&payment(0)) && !unmatched.knows(&payment(1)));
    }
}
