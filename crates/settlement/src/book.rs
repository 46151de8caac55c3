//! The money of one drop.

use std::{
    collections::{BTreeSet, HashMap},
    ops::Bound,
};

use stampede_domain::{HoldId, Money, PaymentId};
use stampede_ledger::{DeadlineRecord, HoldRecord, PaymentChange, PaymentRecord, Record};

use crate::{
    account::{AccountEnd, HoldAccount, OrderGoods},
    matter::{Matter, MatterKind},
    part::{Part, PartState},
};

/// The money of one drop: an account for each hold that any payment was heard of.
#[derive(Clone, Debug, Default)]
pub struct PaymentBook {
    accounts: HashMap<HoldId, HoldAccount, foldhash::fast::RandomState>,
    /// The holds of each payment, in the order in which they were heard of.
    by_payment: HashMap<PaymentId, Vec<HoldId>, foldhash::fast::RandomState>,
    /// Holds with something to be done about their money: whoever asks for it never goes through all accounts.
    open: BTreeSet<HoldId>,
}

impl PaymentBook {
    /// Follows one record of the drop's chain, decided now or read from the journal.
    pub fn apply(&mut self, record: &Record) {
        match record {
            Record::Payment(record) => self.change(record),
            Record::Hold(HoldRecord::Confirmed { hold, units, amount, .. }) => {
                if let Some(account) = self.accounts.get_mut(hold) {
                    account.note_order(OrderGoods { units: *units, amount: *amount });
                }
                self.note_open(*hold);
            }
            Record::Hold(HoldRecord::Released { hold, .. } | HoldRecord::Expired { hold, .. }) => {
                if let Some(account) = self.accounts.get_mut(hold) {
                    account.end = Some(AccountEnd::Gone);
                }
                self.note_open(*hold);
            }
            Record::Deadline(DeadlineRecord::Stretched { hold, .. }) => {
                self.accounts.entry(*hold).or_default().stretched = true;
            }
            Record::Deadline(DeadlineRecord::Extended { .. })
            | Record::Hold(HoldRecord::Taken { .. })
            | Record::Planned { .. }
            | Record::Phase(_)
            | Record::Lot { .. }
            | Record::Unmatched(_)
            | Record::Stream(_)
            | Record::Featured
            | Record::Correction(_)
            | Record::Request(_)
            | Record::Suspended { .. }
            | Record::Recovered(_)
            | Record::Tally(_)
            | Record::Command(_)
            | Record::Heartbeat(_)
            | Record::Room(_)
            | Record::Brake(_) => {}
        }
    }

    fn change(&mut self, record: &PaymentRecord) {
        let PaymentRecord { hold, change } = record;
        if let Some(payment) = payment_of(change) {
            let holds = self.by_payment.entry(payment.clone()).or_default();
            if !holds.contains(hold) {
                holds.push(*hold);
            }
        }
        let account = self.accounts.entry(*hold).or_default();
        match change {
            PaymentChange::Charged(charges) => account.charges = *charges,
            PaymentChange::Referenced(reference) => account.reference = Some(reference.clone()),
            PaymentChange::Begun { payment } => account.part_mut(payment).state = PartState::Begun,
            PaymentChange::Authorized { payment, amount } => {
                account.note_money(payment, PartState::Authorized(*amount));
            }
            PaymentChange::Paid { payment, amount } => {
                account.note_money(payment, PartState::Paid(*amount));
            }
            PaymentChange::Failed { payment, reason } => {
                account.part_mut(payment).state = PartState::Failed(reason.clone());
            }
            PaymentChange::Voided { payment } => {
                let part = account.part_mut(payment);
                // Nothing of what was let go has to go back; money that comes after all is judged anew.
                (part.state, part.due, part.due_reason) = (PartState::Voided, 0, None);
            }
            PaymentChange::RefundDue { payment, amount, reason } => {
                let part = account.part_mut(payment);
                part.due = part.due.saturating_add(amount.minor());
                part.due_reason = Some(*reason);
            }
            PaymentChange::Refunded { payment, total } => {
                account.part_mut(payment).refunded = total.minor();
            }
            PaymentChange::Asked { payment, request } => {
                let part = account.part_mut(payment);
                part.asked = Some(*request);
                part.declined = None;
            }
            PaymentChange::Declined { payment, request, reason } => {
                account.part_mut(payment).declined = Some((*request, reason.clone()));
            }
            PaymentChange::Cancelled(cancelled) => {
                account.cancellations += 1;
                account.cancelled_units = cancelled.units;
                account.waived = account.waived.saturating_add(cancelled.waived.minor());
            }
            PaymentChange::Retaken { payment, into } => {
                account.retaken = Some(*into);
                let known = account.parts.iter_mut().find(|part| part.payment == *payment);
                if let Some(part) = known {
                    part.is_moved = true;
                }
            }
        }
        self.note_open(*hold);
    }

    /// Something changed that may leave something to do about a hold's money, or may have been the last of it.
    fn note_open(&mut self, hold: HoldId) {
        let is_open =
            self.accounts.get(&hold).is_some_and(|account| kinds(account).next().is_some());
        if is_open {
            self.open.insert(hold);
        } else {
            self.open.remove(&hold);
        }
    }

    /// The money of a hold; nothing where no payment was heard of.
    pub fn account(&self, hold: HoldId) -> Option<&HoldAccount> {
        self.accounts.get(&hold)
    }

    /// What is owed for these goods of a hold with its charges; `None` above what [`Money`] holds.
    pub fn expected(&self, hold: HoldId, goods: Money) -> Option<Money> {
        self.accounts.get(&hold).map_or(Some(goods), |account| account.expected(goods))
    }

    /// What is owed for an order whose money is gone; `None` if it has its money, or needs none.
    pub fn owed_anew(&self, hold: HoldId) -> Option<Money> {
        self.accounts.get(&hold).and_then(HoldAccount::owed_anew)
    }

    /// The holds of a payment, in the order in which they were heard of.
    pub fn holds_of(&self, payment: &PaymentId) -> &[HoldId] {
        self.by_payment.get(payment).map_or(&[], Vec::as_slice)
    }

    /// Every hold that money was heard of, in no order.
    pub fn holds(&self) -> impl Iterator<Item = (HoldId, &HoldAccount)> + '_ {
        self.accounts.iter().map(|(hold, account)| (*hold, account))
    }

    /// Holds with something to be done about their money, by their ids, behind `after`.
    pub fn open_holds(&self, after: Option<HoldId>) -> impl Iterator<Item = HoldId> + '_ {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.open.range((from, Bound::Unbounded)).copied()
    }

    /// What is to be done about the money of a hold.
    pub fn matters_of(&self, hold: HoldId) -> Vec<Matter> {
        let Some(account) = self.accounts.get(&hold) else { return Vec::new() };
        kinds(account)
            .map(|(part, kind)| {
                let request = kind.request();
                let declined = part.declined.as_ref().filter(|(of, _)| Some(*of) == request);
                Matter {
                    hold,
                    payment: part.payment.clone(),
                    kind,
                    is_asked: request.is_some() && part.asked == request,
                    declined: declined.map(|(_, reason)| reason.clone()),
                }
            })
            .collect()
    }

    /// What the journal tells, in an order that does not depend on where the values lie in memory.
    pub fn journaled(&self) -> String {
        let mut accounts: Vec<_> = self.accounts.iter().collect();
        accounts.sort_unstable_by_key(|(hold, _)| **hold);
        let lines = accounts.into_iter().map(|(hold, account)| format!("{hold} {account:?}"));
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// What is to be done about the parts of an account.
fn kinds(account: &HoldAccount) -> impl Iterator<Item = (&Part, MatterKind)> {
    let places = account.parts.iter().enumerate();
    places.filter_map(|(place, part)| {
        let makes_order = account.order_place() == Some(place);
        Some((part, kind_of(part, account, makes_order)?))
    })
}

/// What is to be done about one part of an account.
fn kind_of(part: &Part, account: &HoldAccount, makes_order: bool) -> Option<MatterKind> {
    let is_order = account.end == Some(AccountEnd::Ordered) && makes_order;
    match &part.state {
        PartState::Paid(paid) if part.outstanding() > 0 => {
            let amount = Money::new(part.outstanding(), paid.currency())?;
            Some(MatterKind::Refund { amount, reason: part.due_reason? })
        }
        // What is due of an order in part goes back once all of it was taken.
        PartState::Authorized(kept)
            if part.outstanding() > 0 && (!is_order || part.outstanding() >= kept.minor()) =>
        {
            Some(MatterKind::Void)
        }
        PartState::Authorized(amount) if is_order => Some(MatterKind::Capture { amount: *amount }),
        PartState::Begun if account.end.is_some() && !part.is_moved => Some(MatterKind::Void),
        // A refund in part is somebody's decision. An order of which nothing was to be kept lacks no money.
        _ if is_order => account.owed_anew().map(|amount| MatterKind::Unpaid { amount }),
        _ => None,
    }
}

/// The payment that a change is about.
fn payment_of(change: &PaymentChange) -> Option<&PaymentId> {
    match change {
        PaymentChange::Charged(_) | PaymentChange::Referenced(_) | PaymentChange::Cancelled(_) => {
            None
        }
        PaymentChange::Begun { payment }
        | PaymentChange::Authorized { payment, .. }
        | PaymentChange::Paid { payment, .. }
        | PaymentChange::Failed { payment, .. }
        | PaymentChange::Voided { payment }
        | PaymentChange::RefundDue { payment, .. }
        | PaymentChange::Refunded { payment, .. }
        | PaymentChange::Asked { payment, .. }
        | PaymentChange::Declined { payment, .. }
        | PaymentChange::Retaken { payment, .. } => Some(payment),
    }
}
