//! The money of one hold, by this verifier's own account.

use stampede_domain::{Charges, Money, PaymentId, Units};

/// What is known of one payment's part for a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Nothing, or that some of it went back.
    Unknown,
    Begun,
    Failed,
    Authorized(Money),
    Voided,
    Paid(Money),
}

impl Stage {
    /// In a sentence about the payment.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Unknown => "was not known",
            Self::Begun => "had begun",
            Self::Failed => "had failed",
            Self::Authorized(_) => "was kept ready",
            Self::Voided => "had been let go",
            Self::Paid(_) => "was paid",
        }
    }

    /// Whether this may be recorded of a payment at another stage.
    pub(super) const fn may_follow(self, from: Self, is_known: bool) -> bool {
        match (from, self) {
            // A payment whose refund was reported first is known: nobody begins it any more.
            (Self::Unknown, Self::Begun) => !is_known,
            (Self::Failed, Self::Begun)
            | (
                Self::Unknown | Self::Begun | Self::Failed,
                Self::Authorized(_) | Self::Paid(_) | Self::Failed,
            )
            | (Self::Unknown | Self::Begun | Self::Failed | Self::Authorized(_), Self::Voided)
            | (Self::Authorized(_) | Self::Voided, Self::Paid(_)) => true,
            _ => false,
        }
    }

    /// Money that was taken or is kept ready.
    pub(super) const fn money(self) -> Option<Money> {
        match self {
            Self::Authorized(amount) | Self::Paid(amount) => Some(amount),
            Self::Unknown | Self::Begun | Self::Failed | Self::Voided => None,
        }
    }
}

/// One payment's part for a hold.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) payment: PaymentId,
    pub(super) stage: Stage,
    /// The most that was taken or kept ready, in minor units.
    pub(super) most: u64,
    /// What has to go back, in minor units.
    pub(super) due: u64,
    /// What went back, in minor units.
    pub(super) refunded: u64,
}

/// An order's money.
#[derive(Clone, Copy, Debug)]
pub(super) struct OrderMoney {
    /// The part that paid for it; none for an order that cost nothing.
    pub(super) part: Option<usize>,
    pub(super) units: Units,
    /// Goods with charges.
    pub(super) cost: Option<Money>,
    pub(super) cancelled_units: u32,
    /// What goes back for them, in minor units.
    pub(super) cancelled_minor: u64,
}

/// The money of one hold.
#[derive(Clone, Debug, Default)]
pub(super) struct Account {
    pub(super) charges: Charges,
    pub(super) parts: Vec<Part>,
    pub(super) order: Option<OrderMoney>,
    /// Whether its units were taken again for a payment.
    pub(super) is_retaken: bool,
}

impl Account {
    pub(super) fn place(&self, payment: &PaymentId) -> Option<usize> {
        self.parts.iter().position(|part| part.payment == *payment)
    }

    /// The place of a payment's part, which is new if the payment is.
    pub(super) fn place_or_new(&mut self, payment: &PaymentId) -> usize {
        self.place(payment).unwrap_or_else(|| {
            self.parts.push(Part {
                payment: payment.clone(),
                stage: Stage::Unknown,
                most: 0,
                due: 0,
                refunded: 0,
            });
            self.parts.len() - 1
        })
    }

    pub(super) fn is_begun(&self) -> bool {
        self.parts.iter().any(|part| part.stage == Stage::Begun)
    }
}

/// Goods with charges; `None` if nobody can write the sum.
pub(super) fn cost(goods: Money, charges: Charges) -> Option<Money> {
    let Charges { shipping, tax, fee } = charges;
    let minor = [shipping, tax, fee]
        .iter()
        .try_fold(goods.minor(), |sum, charge| sum.checked_add(*charge))?;
    Money::new(minor, goods.currency())
}
