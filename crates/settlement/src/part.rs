//! One payment's part that is for one hold.

use stampede_domain::{Money, PaymentId, PaymentReference, RefundReason};
use stampede_ledger::{ProviderRequest, Text};

/// Where a payment stands. A later state never goes back to an earlier one, except that a payment that failed or
/// was voided may still come through: providers let the same one be tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PartState {
    /// A refund was reported before anything else was.
    Unknown,
    /// The viewer is at it.
    Begun,
    /// It came to nothing.
    Failed(PaymentReference),
    /// The money is kept ready.
    Authorized(Money),
    /// What was kept ready was let go.
    Voided,
    /// The money was taken.
    Paid(Money),
}

impl PartState {
    /// The name on every interface.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Begun => "begun",
            Self::Failed(_) => "failed",
            Self::Authorized(_) => "authorized",
            Self::Voided => "voided",
            Self::Paid(_) => "paid",
        }
    }
}

/// A payment's part that is for one hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The payment.
    pub payment: PaymentId,
    /// Where it stands.
    pub state: PartState,
    /// What has to go back in all, in minor units, each reason's amount added.
    pub due: u64,
    /// Why, last.
    pub due_reason: Option<RefundReason>,
    /// What went back in all, in minor units.
    pub refunded: u64,
    /// What the provider was asked last.
    pub asked: Option<ProviderRequest>,
    /// What the provider refused last, in its words.
    pub declined: Option<(ProviderRequest, Text)>,
    /// Whether the payment has paid for the hold that took the units again: what is to be done about it is there.
    pub is_moved: bool,
}

impl Part {
    pub(crate) const fn new(payment: PaymentId, state: PartState) -> Self {
        Self {
            payment,
            state,
            due: 0,
            due_reason: None,
            refunded: 0,
            asked: None,
            declined: None,
            is_moved: false,
        }
    }

    /// What was taken, in minor units.
    pub const fn paid(&self) -> u64 {
        match &self.state {
            PartState::Paid(amount) => amount.minor(),
            _ => 0,
        }
    }

    /// What has to go back and has not, in minor units; nothing of money that was never taken or is let go, and
    /// no more than was taken: less may have been captured than was kept ready.
    pub fn outstanding(&self) -> u64 {
        let there = self.covers().map_or(0, Money::minor);
        self.due.min(there).saturating_sub(self.refunded)
    }

    /// Whether there is money, and not all of it went back or has to.
    pub(crate) fn stays(&self) -> bool {
        self.covers().is_some_and(|money| money.minor() > self.due.max(self.refunded))
    }

    /// Whether the viewer may still be at it.
    pub const fn is_open(&self) -> bool {
        matches!(self.state, PartState::Begun) && !self.is_moved
    }

    /// The money that stands behind it, taken or kept ready.
    pub const fn covers(&self) -> Option<Money> {
        match self.state {
            PartState::Authorized(amount) | PartState::Paid(amount) => Some(amount),
            _ => None,
        }
    }
}
