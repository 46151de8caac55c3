//! Counts the rows about money by rules of its own.

use std::collections::{BTreeMap, HashMap};

use stampede_domain::{HoldId, PaymentId, RefundReason};
use stampede_ledger::{PaymentChange, PaymentRecord};

use crate::{provider::Provider, violation::Violation};

/// One payment's money for one hold, by the rows; amounts in cents.
#[derive(Clone, Debug, Default)]
pub(crate) struct PartRows {
    kept: Option<u64>,
    pub(crate) paid: Option<u64>,
    is_let_go: bool,
    pub(crate) due: u64,
    /// What of that staff took from the order.
    cancelled: u64,
    refunded: u64,
    /// The hold's order is by it.
    pub(crate) makes_order: bool,
}

impl PartRows {
    /// Whether it was let go: what was due of it is not any more.
    pub(crate) const fn is_gone(&self) -> bool {
        self.is_let_go
    }

    /// What came, or is kept ready.
    fn money(&self) -> Option<u64> {
        self.paid.or(self.kept.filter(|_| !self.is_let_go))
    }

    /// Whether there is money, and not all of it went back or has to.
    fn stays(&self) -> bool {
        self.money() > Some(self.due.max(self.refunded))
    }

    /// What of the money that came is the order's, which cost so much.
    fn orders_share(&self, cost: u64) -> u64 {
        let paid = self.paid.unwrap_or(0);
        match self.kept {
            _ if !self.makes_order => 0,
            // More than was kept ready is nobody's.
            Some(kept) if !self.is_let_go => paid.min(kept),
            _ => paid.min(cost),
        }
    }
}

/// All of it.
#[derive(Default)]
pub(crate) struct MoneyRows {
    parts: BTreeMap<(PaymentId, HoldId), PartRows>,
    charges: HashMap<HoldId, u64>,
    /// The payment of a hold whose money came last.
    latest: HashMap<HoldId, PaymentId>,
    /// What each order cost.
    costs: HashMap<HoldId, u64>,
    /// What is owed for it, less what staff waived.
    owed: HashMap<HoldId, u64>,
    /// Orders that have their money.
    pub(crate) paid_orders: u64,
    pub(crate) adjusted: u64,
    pub(crate) refunds_due: u64,
    pub(crate) retaken: u64,
}

impl MoneyRows {
    pub(crate) fn follow(&mut self, record: &PaymentRecord) {
        let PaymentRecord { hold, change } = record;
        match change {
            PaymentChange::Charged(charges) => {
                self.charges.insert(*hold, charges.shipping + charges.tax + charges.fee);
            }
            PaymentChange::Authorized { payment, amount } => {
                self.part_mut(payment, *hold).kept = Some(amount.minor());
                self.came(payment, *hold);
            }
            PaymentChange::Paid { payment, amount } => {
                self.part_mut(payment, *hold).paid = Some(amount.minor());
                self.came(payment, *hold);
            }
            PaymentChange::Voided { payment } => {
                let part = self.part_mut(payment, *hold);
                (part.is_let_go, part.due, part.cancelled) = (true, 0, 0);
            }
            PaymentChange::RefundDue { payment, amount, reason } => {
                let part = self.part_mut(payment, *hold);
                part.due += amount.minor();
                if *reason == RefundReason::Cancelled {
                    part.cancelled += amount.minor();
                } else if Some(part.due - part.cancelled) >= part.money() {
                    part.makes_order = false;
                }
                self.refunds_due += 1;
            }
            PaymentChange::Refunded { payment, total } => {
                self.part_mut(payment, *hold).refunded = total.minor();
            }
            PaymentChange::Retaken { .. } => self.retaken += 1,
            PaymentChange::Referenced(_)
            | PaymentChange::Begun { .. }
            | PaymentChange::Failed { .. }
            | PaymentChange::Asked { .. }
            | PaymentChange::Declined { .. } => {}
            PaymentChange::Cancelled(cancelled) => {
                let owed = self.owed.entry(*hold).or_default();
                *owed = owed.saturating_sub(cancelled.waived.minor());
            }
        }
    }

    fn part_mut(&mut self, payment: &PaymentId, hold: HoldId) -> &mut PartRows {
        self.parts.entry((payment.clone(), hold)).or_default()
    }

    /// Money has come. An order whose money is gone may be paid by another payment, with what is owed.
    fn came(&mut self, payment: &PaymentId, hold: HoldId) {
        self.latest.insert(hold, payment.clone());
        let mut of_hold = self.parts.iter().filter(|((_, of), _)| *of == hold);
        let is_paid =
            of_hold.any(|((of, _), part)| of != payment && part.makes_order && part.stays());
        let owed = self.owed.get(&hold).copied();
        let part = self.part_mut(payment, hold);
        let is_whole = part.due == 0 && part.refunded == 0 && part.money() == owed;
        part.makes_order |= owed.is_some() && is_whole && !is_paid;
    }

    /// A hold is an order: its money has come just before, and is what is owed.
    pub(crate) fn ordered(&mut self, hold: HoldId, goods: u64) -> Result<(), Violation> {
        let owed = goods + self.charges.get(&hold).copied().unwrap_or(0);
        let payment =
            self.latest.get(&hold).ok_or_else(|| format!("{hold}: an order without money"))?;
        let part = self.parts.get_mut(&(payment.clone(), hold)).expect("its money has come");
        let came = part.paid.or(part.kept.filter(|_| !part.is_let_go));
        if came != Some(owed) || part.due > 0 {
            return Err(format!("{hold}: {owed} is owed for the order, {payment} has {part:?}"));
        }
        part.makes_order = true;
        self.costs.insert(hold, owed);
        self.owed.insert(hold, owed);
        self.paid_orders += 1;
        Ok(())
    }

    /// Once everything of a commit was followed: money that came is an order's or due back, all of it, once.
    pub(crate) fn check(&self) -> Result<(), Violation> {
        for ((payment, hold), part) in &self.parts {
            let Some(paid) = part.paid else { continue };
            let due = (part.due - part.cancelled).min(paid);
            let of_order = |sums: &HashMap<HoldId, u64>| sums.get(hold).copied().unwrap_or(0);
            let share = part.orders_share(of_order(&self.costs));
            // Staff may have given back what was kept ready, before less of it was taken.
            let most = part.kept.filter(|_| part.makes_order).max(Some(share));
            let is_whole = share + due == paid && Some(part.cancelled) <= most;
            let is_too_much = share.saturating_sub(part.cancelled) > of_order(&self.owed);
            if !is_whole || is_too_much || part.refunded > paid {
                return Err(format!("{hold}: the money of {payment} is lost: {part:?}"));
            }
        }
        Ok(())
    }

    /// The provider's money is in the rows: all that was answered, never more than there is.
    pub(crate) fn compare(&self, provider: &Provider) -> Result<(), Violation> {
        let mut sums: BTreeMap<&PaymentId, (Option<u64>, u64)> = BTreeMap::new();
        for ((payment, _), part) in &self.parts {
            let (paid, back) = sums.entry(payment).or_default();
            if let Some(more) = part.paid {
                *paid = Some(paid.unwrap_or(0) + more);
            }
            *back += part.refunded;
        }
        for (payment, (paid, back)) in &sums {
            let Some(taking) = provider.find(payment) else { continue };
            let is_right = paid.is_none_or(|paid| paid == taking.taken && !taking.is_refused);
            if !is_right || *back > taking.given_back {
                let parts = self.parts.iter().filter(|((of, _), _)| of == *payment);
                let parts: Vec<_> = parts.map(|((_, hold), part)| (*hold, part)).collect();
                return Err(format!("the rows have {parts:?}, the provider {taking:?}"));
            }
        }
        for taking in provider.takings.iter().filter(|taking| !taking.is_refused) {
            let (paid, back) = sums.get(&taking.payment).copied().unwrap_or_default();
            if taking.is_known_taken() && paid != Some(taking.taken) || back < taking.known_back() {
                return Err(format!(
                    "{}: {paid:?} and {back} by the rows: {taking:?}",
                    taking.payment
                ));
            }
        }
        Ok(())
    }

    /// Parts of a payment, with the hold of each.
    pub(crate) fn part(&self, payment: &PaymentId, hold: HoldId) -> Option<&PartRows> {
        self.parts.get(&(payment.clone(), hold))
    }
}
