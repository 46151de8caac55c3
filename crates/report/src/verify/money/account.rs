//! The money of one hold, by this verifier's own account.

use stampede_domain::{Charges, Currency, Money, PaymentId, Units};

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
    /// Some of that because the hold had ended.
    pub(super) is_due_by_end: bool,
    /// What went back, in minor units.
    pub(super) refunded: u64,
}

/// An order's money.
#[derive(Clone, Copy, Debug)]
pub(super) struct OrderMoney {
    /// The part that it was made by; none for an order that cost nothing.
    pub(super) made_by: Option<usize>,
    /// The part that stands behind it: another once it was paid anew.
    pub(super) part: Option<usize>,
    pub(super) units: Units,
    /// Goods with charges.
    pub(super) cost: Option<Money>,
    pub(super) cancelled_units: u32,
    /// By how much less it costs, in minor units.
    pub(super) waived: u64,
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

impl OrderMoney {
    /// What it costs by now in this currency, in minor units.
    pub(super) fn costs(&self, currency: Currency) -> u64 {
        let cost = self.cost.filter(|cost| cost.currency() == currency);
        cost.map_or(0, |cost| cost.minor().saturating_sub(self.waived))
    }
}

impl Account {
    /// What an order lacks whose money is gone though something of it is still to be delivered, in minor units.
    fn lacks(&self) -> Option<u64> {
        let OrderMoney { units, cost, cancelled_units, waived, .. } = self.order?;
        let left = cost?.minor().checked_sub(waived).filter(|left| *left > 0)?;
        (self.is_money_gone() && cancelled_units < units.get()).then_some(left)
    }

    /// Whether none of the money behind the order is there, or all of it has to go back.
    fn is_money_gone(&self) -> bool {
        let behind = self.order.and_then(|order| order.part);
        behind.map(|place| &self.parts[place]).is_some_and(|part| {
            let there = part.stage.money().map_or(0, Money::minor);
            there <= part.due.max(part.refunded)
        })
    }

    /// Money of a part has come: it stands behind an order whose money is gone, if it is what the order lacks, or is
    /// what had made the order and comes after all.
    pub(super) fn pay_anew(&mut self, place: usize) {
        let part = &self.parts[place];
        let Some(came) = part.stage.money() else { return };
        let is_whole = part.due == 0 && part.refunded == 0 && Some(came.minor()) == self.lacks();
        let is_gone = self.is_money_gone();
        let Some(order) = &mut self.order else { return };
        let is_same = order.cost.map(Money::currency) == Some(came.currency());
        if is_whole && is_same || is_gone && order.made_by == Some(place) {
            order.part = Some(place);
        }
    }

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
                is_due_by_end: false,
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
