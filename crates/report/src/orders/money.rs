//! The money of an order, by the records about its hold.

use stampede_domain::{Charges, Currency, Money, OrderReference, PaymentId, UnixMillis};
use stampede_ledger::PaymentChange;

/// Where a payment's part stands that is for one order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PaymentState {
    /// Only a refund of it is known.
    Unknown,
    /// The viewer is at it.
    Begun,
    /// It came to nothing.
    Failed,
    /// The money is kept ready.
    Authorized,
    /// What was kept ready was let go.
    Voided,
    /// The money was taken.
    Paid,
}

impl PaymentState {
    /// The name on every interface.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Begun => "begun",
            Self::Failed => "failed",
            Self::Authorized => "authorized",
            Self::Voided => "voided",
            Self::Paid => "paid",
        }
    }
}

/// A payment's part that is for one order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderPayment {
    /// The payment.
    pub payment: PaymentId,
    /// Where it stands.
    pub state: PaymentState,
    /// What was taken or is kept ready, at last; `None` where neither was.
    pub amount: Option<Money>,
    /// What has to go back in all, in minor units.
    pub due_minor: u64,
    /// What went back in all, in minor units.
    pub refunded_minor: u64,
    /// Whether it stands behind the order.
    pub makes_order: bool,
    /// Since when it stands so: the last record that moved its state or what has to go back. `None` before one did.
    pub since: Option<UnixMillis>,
    /// The currency of what has to go back, or went back, before anything else was known.
    currency: Option<Currency>,
}

impl OrderPayment {
    const fn new(payment: PaymentId) -> Self {
        let state = PaymentState::Unknown;
        Self {
            payment,
            state,
            amount: None,
            due_minor: 0,
            refunded_minor: 0,
            makes_order: false,
            since: None,
            currency: None,
        }
    }

    /// The currency, as far as one was named.
    pub fn currency(&self) -> Option<Currency> {
        self.amount.map(Money::currency).or(self.currency)
    }

    /// What went back, if anything did.
    pub fn refunded(&self) -> Option<Money> {
        Money::new(self.refunded_minor, self.currency()?).filter(|back| back.minor() > 0)
    }

    /// What was taken, in minor units.
    pub fn paid_minor(&self) -> u64 {
        match self.state {
            PaymentState::Paid => self.amount.map_or(0, Money::minor),
            _ => 0,
        }
    }

    /// What was taken, has to go back and has not, in minor units.
    pub fn refund_due_minor(&self) -> u64 {
        match self.state {
            // Less may have been taken than was kept ready.
            PaymentState::Paid => {
                self.due_minor.min(self.paid_minor()).saturating_sub(self.refunded_minor)
            }
            _ => 0,
        }
    }

    /// What was taken or is kept ready, and nobody has decided yet that it has to go back, in minor units: the most that
    /// a cancellation may give back. What went back without a decision does not lessen it, see
    /// [`OrderPayment::refunded_ahead_minor`].
    pub fn left_minor(&self) -> u64 {
        self.covers_minor().saturating_sub(self.due_minor)
    }

    /// What went back without a decision, in minor units: the next cancellation counts it towards what it gives back.
    pub fn refunded_ahead_minor(&self) -> u64 {
        self.refunded_minor.saturating_sub(self.due_minor)
    }

    /// Whether there is money, and not all of it went back or has to.
    fn stays(&self) -> bool {
        self.covers_minor() > self.due_minor.max(self.refunded_minor)
    }

    /// What was taken or is kept ready, in minor units.
    fn covers_minor(&self) -> u64 {
        let is_there = matches!(self.state, PaymentState::Authorized | PaymentState::Paid);
        self.amount.filter(|_| is_there).map_or(0, Money::minor)
    }

    fn stands(&mut self, state: PaymentState, amount: Option<Money>, at: UnixMillis) {
        self.since = Some(at);
        self.state = state;
        self.amount = amount.or(self.amount);
    }
}

/// The money of one hold.
#[derive(Clone, Debug, Default)]
pub(super) struct Account {
    pub(super) charges: Charges,
    pub(super) reference: Option<OrderReference>,
    /// In the order in which they were first heard of.
    pub(super) payments: Vec<OrderPayment>,
    /// The payment whose money came last, as its place in the list.
    latest: Option<usize>,
    /// The payment that the order was made by, as its place in the list.
    ordered_by: Option<usize>,
}

impl Account {
    /// Follows a record about the hold; cancelled units are not the account's business.
    pub(super) fn change(&mut self, change: &PaymentChange, at: UnixMillis) {
        match change {
            PaymentChange::Charged(charges) => self.charges = *charges,
            PaymentChange::Referenced(reference) => self.reference = Some(reference.clone()),
            PaymentChange::Begun { payment } => {
                self.part(payment).stands(PaymentState::Begun, None, at);
            }
            PaymentChange::Authorized { payment, amount } => {
                self.comes(payment, PaymentState::Authorized, *amount, at);
            }
            PaymentChange::Paid { payment, amount } => {
                self.comes(payment, PaymentState::Paid, *amount, at);
            }
            PaymentChange::Failed { payment, .. } => {
                self.part(payment).stands(PaymentState::Failed, None, at);
            }
            PaymentChange::Voided { payment } => {
                let part = self.part(payment);
                part.stands(PaymentState::Voided, None, at);
                // If it is taken all the same, what is due is said anew.
                part.due_minor = 0;
            }
            PaymentChange::RefundDue { payment, amount, .. } => {
                let part = self.part(payment);
                part.due_minor = part.due_minor.saturating_add(amount.minor());
                part.currency = Some(amount.currency());
                part.since = Some(at);
            }
            PaymentChange::Refunded { payment, total } => {
                let part = self.part(payment);
                part.refunded_minor = total.minor();
                part.currency = Some(total.currency());
                if part.due_minor == 0 {
                    // Nobody here had decided so.
                    part.since = Some(at);
                }
            }
            PaymentChange::Asked { .. }
            | PaymentChange::Declined { .. }
            | PaymentChange::Cancelled(_)
            | PaymentChange::Retaken { .. } => {}
        }
    }

    /// Whether the platform calls the order so, or a payment for it, with its account or without. Blanks at the ends of a
    /// reference are seen by nobody, so nobody can type them.
    pub(super) fn goes_by(&self, wanted: &OrderReference) -> bool {
        let own = self.reference.as_ref().map(|own| own.as_str().trim());
        let is_called = |PaymentId { account, reference }: &PaymentId| {
            let (account, reference) = (account.as_str(), reference.as_str());
            wanted.as_str() == reference
                || wanted.as_str().split_once('/') == Some((account, reference))
        };
        own == Some(wanted.as_str().trim())
            || self.payments.iter().any(|part| is_called(&part.payment))
    }

    /// The hold became an order: by the money that came right before. An order that costs nothing is by none, whatever
    /// came before and goes back.
    pub(super) fn ordered(self) -> Self {
        let ordered_by = self.latest.filter(|place| self.payments[*place].due_minor == 0);
        Self { ordered_by, ..self }
    }

    /// The payment that stands behind the order: the one that it was made by or, once that one's money is gone, the
    /// one that was paid in its place.
    pub(super) fn order_payment(&self) -> Option<&OrderPayment> {
        self.order_place().map(|place| &self.payments[place])
    }

    fn order_place(&self) -> Option<usize> {
        let made_by = self.ordered_by?;
        if self.payments[made_by].stays() {
            return Some(made_by);
        }
        Some(self.payments.iter().position(OrderPayment::stays).unwrap_or(made_by))
    }

    /// Every payment, in the order in which they were first heard of.
    pub(super) fn payments(&self) -> Vec<OrderPayment> {
        let mut payments = self.payments.clone();
        if let Some(place) = self.order_place() {
            payments[place].makes_order = true;
        }
        payments
    }

    fn comes(&mut self, payment: &PaymentId, state: PaymentState, amount: Money, at: UnixMillis) {
        self.part(payment).stands(state, Some(amount), at);
        self.latest = self.payments.iter().position(|part| part.payment == *payment);
    }

    /// The sum of a figure over the payments in this currency, in minor units.
    pub(super) fn sum(&self, currency: Currency, of: fn(&OrderPayment) -> u64) -> u64 {
        let same = self.payments.iter().filter(|part| part.currency() == Some(currency));
        same.map(of).fold(0, u64::saturating_add)
    }

    fn part(&mut self, payment: &PaymentId) -> &mut OrderPayment {
        let found = self.payments.iter().position(|part| part.payment == *payment);
        let place = found.unwrap_or_else(|| {
            self.payments.push(OrderPayment::new(payment.clone()));
            self.payments.len() - 1
        });
        &mut self.payments[place]
    }
}
