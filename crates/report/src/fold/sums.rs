//! Sums of the money of orders.

use stampede_domain::{Currency, Money};

/// Money of orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderMoney {
    /// What was charged beyond the goods.
    pub charges: Money,
    /// What was taken for them, charges included.
    pub paid: Money,
    /// What of it went back.
    pub refunded: Money,
}

impl OrderMoney {
    /// What was taken and did not go back.
    pub fn net(&self) -> Money {
        amount(self.paid.minor().saturating_sub(self.refunded.minor()).into(), self.paid.currency())
    }

    /// Both together, in the currency of the first.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            charges: sum(self.charges, other.charges),
            paid: sum(self.paid, other.paid),
            refunded: sum(self.refunded, other.refunded),
        }
    }
}

/// Orders that were cancelled, in whole or in part.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cancellations {
    /// Orders with nothing left to deliver.
    pub orders: u64,
    /// Units that nobody gets any more.
    pub units: u64,
}

/// Money of orders as a difference, in minor units: what was taken may have become less.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MoneyChange {
    /// More charged beyond the goods.
    pub charges_minor: i64,
    /// More taken.
    pub paid_minor: i64,
    /// More that went back.
    pub refunded_minor: i64,
}

impl MoneyChange {
    /// More that was taken and did not go back.
    pub const fn net_minor(self) -> i64 {
        self.paid_minor.saturating_sub(self.refunded_minor)
    }

    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            charges_minor: self.charges_minor.saturating_add(other.charges_minor),
            paid_minor: self.paid_minor.saturating_add(other.paid_minor),
            refunded_minor: self.refunded_minor.saturating_add(other.refunded_minor),
        }
    }
}

/// Sums of orders in minor units, wide enough for whatever a journal holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct OrderSums {
    pub(super) charges: u128,
    pub(super) paid: u128,
    pub(super) refunded: u128,
    pub(super) cancelled: Cancellations,
}

impl OrderSums {
    /// Puts what an account comes to now in the place of what it came to before.
    pub(super) fn replace(&mut self, before: Self, now: Self) {
        self.charges = self.charges - before.charges + now.charges;
        self.paid = self.paid - before.paid + now.paid;
        self.refunded = self.refunded - before.refunded + now.refunded;
        let (was, is) = (before.cancelled, now.cancelled);
        self.cancelled.orders = self.cancelled.orders - was.orders + is.orders;
        self.cancelled.units = self.cancelled.units - was.units + is.units;
    }

    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            charges: self.charges + other.charges,
            paid: self.paid + other.paid,
            refunded: self.refunded + other.refunded,
            cancelled: Cancellations {
                orders: self.cancelled.orders + other.cancelled.orders,
                units: self.cancelled.units + other.cancelled.units,
            },
        }
    }

    /// What came since earlier sums of the same orders.
    pub(super) fn since(self, earlier: Self) -> (MoneyChange, Cancellations) {
        let more = |now, before| {
            let signed = |sum| i64::try_from(sum).unwrap_or(i64::MAX);
            signed(now).saturating_sub(signed(before))
        };
        let money = MoneyChange {
            charges_minor: more(self.charges, earlier.charges),
            paid_minor: more(self.paid, earlier.paid),
            refunded_minor: more(self.refunded, earlier.refunded),
        };
        let cancelled = Cancellations {
            orders: self.cancelled.orders.saturating_sub(earlier.cancelled.orders),
            units: self.cancelled.units.saturating_sub(earlier.cancelled.units),
        };
        (money, cancelled)
    }

    pub(super) fn money(self, currency: Currency) -> OrderMoney {
        OrderMoney {
            charges: amount(self.charges, currency),
            paid: amount(self.paid, currency),
            refunded: amount(self.refunded, currency),
        }
    }
}

/// Both together, in the currency of the first.
pub(crate) fn sum(one: Money, other: Money) -> Money {
    amount(u128::from(one.minor()) + u128::from(other.minor()), one.currency())
}

/// An amount, or the largest there is.
pub(super) fn amount(minor: u128, currency: Currency) -> Money {
    let minor = u64::try_from(minor).unwrap_or(Money::MINOR_MAX).min(Money::MINOR_MAX);
    Money::new(minor, currency).expect("it is within the limit")
}
