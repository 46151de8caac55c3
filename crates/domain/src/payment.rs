//! Payments: who took the money, under which reference, what is owed beyond the goods.

use std::fmt;

use crate::{
    Currency, HoldId, IdError, Mode, Money, OrderReference, PaymentAccount, PaymentReference,
};

/// One payment: the account of a payment provider, with the provider's own reference in it.
///
/// References of two accounts may be equal; an account with its reference names one payment for good.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PaymentId {
    /// Where the money goes through, such as `sandbox`, `platform` or `stripe:main`.
    pub account: PaymentAccount,
    /// The payment's name there, such as `pi_3MtwBw`.
    pub reference: PaymentReference,
}

impl PaymentId {
    /// Checks and wraps both parts.
    ///
    /// # Errors
    /// [`IdError`] of the first part that is malformed.
    pub fn new(account: &str, reference: &str) -> Result<Self, IdError> {
        Ok(Self { account: account.parse()?, reference: reference.parse()? })
    }
}

impl fmt::Display for PaymentId {
    /// `stripe:main/pi_3MtwBw`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.account, self.reference)
    }
}

/// Something that a payment provider, or the platform, says about one payment. It may come twice, late, in any
/// order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentFact {
    /// The payment.
    pub payment: PaymentId,
    /// What happened to it.
    pub event: PaymentEvent,
    /// The holds that it is for, as the payment itself names them; of one viewer. At most
    /// [`HOLDS_PER_PAYMENT_MAX`](crate::limits::HOLDS_PER_PAYMENT_MAX).
    pub holds: Vec<HoldId>,
    /// Whether the money is real, as far as the provider says.
    pub mode: Option<Mode>,
    /// What the platform calls the order.
    pub order_reference: Option<OrderReference>,
}

/// What happened to a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PaymentEvent {
    /// The viewer is at it.
    Begun,
    /// The provider keeps this much of the viewer's money ready.
    Authorized {
        /// For all holds of the payment.
        amount: Money,
    },
    /// The money was taken.
    Paid {
        /// For all holds of the payment.
        amount: Money,
    },
    /// This attempt came to nothing.
    Failed {
        /// Why, as a code of the provider, such as `card_declined`.
        reason: PaymentReference,
        /// Whether the viewer shall not try again: the holds end.
        is_final: bool,
    },
    /// What was kept ready was let go; nothing was taken.
    Voided,
    /// Money was given back.
    Refunded {
        /// All that was ever given back of the payment, this time included.
        total: Money,
    },
}

/// What is owed for a hold beyond its goods, in minor units of the drop's currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Charges {
    /// For bringing the goods.
    pub shipping: u64,
    /// For the tax office, where the prices are without it.
    pub tax: u64,
    /// For anything else, such as gift wrapping.
    pub fee: u64,
}

impl Charges {
    /// Nothing beyond the goods.
    pub const NONE: Self = Self { shipping: 0, tax: 0, fee: 0 };

    /// All of them, or `None` above [`Money::MINOR_MAX`].
    pub fn total(self, currency: Currency) -> Option<Money> {
        let total = self.shipping.checked_add(self.tax)?.checked_add(self.fee)?;
        Money::new(total, currency)
    }

    /// What is owed for these goods with their charges, or `None` above [`Money::MINOR_MAX`].
    pub fn with(self, goods: Money) -> Option<Money> {
        goods.checked_add(self.total(goods.currency())?)
    }

    /// Whether there are none.
    pub const fn is_none(self) -> bool {
        self.shipping == 0 && self.tax == 0 && self.fee == 0
    }
}

/// Why money that was taken is due back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum RefundReason {
    /// The hold had ended when the payment came, and its units could not be taken again: none was left, or the drop
    /// did not sell, or not to that viewer.
    HoldEnded = 0,
    /// The hold is an order already, paid for by another payment.
    SecondPayment = 1,
    /// The amount or its currency is not what is owed.
    WrongAmount = 2,
    /// Real money for a rehearsal.
    WrongMode = 3,
    /// The order was cancelled, in part or as a whole.
    Cancelled = 4,
}

impl RefundReason {
    /// Every reason, in the order of its number.
    pub const ALL: [Self; 5] =
        [Self::HoldEnded, Self::SecondPayment, Self::WrongAmount, Self::WrongMode, Self::Cancelled];

    /// The name on every interface.
    pub const fn name(self) -> &'static str {
        match self {
            Self::HoldEnded => "hold_ended",
            Self::SecondPayment => "second_payment",
            Self::WrongAmount => "wrong_amount",
            Self::WrongMode => "wrong_mode",
            Self::Cancelled => "cancelled",
        }
    }

    /// The number in records.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The reason with this number.
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

impl fmt::Display for RefundReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payment_is_named_by_its_account_with_its_reference() {
        let payment = PaymentId::new("stripe:main", "pi_3MtwBw").unwrap();
        assert_eq!(payment.to_string(), "stripe:main/pi_3MtwBw");
        assert!(PaymentId::new("stripe main", "pi_3MtwBw").is_err());
        assert!(PaymentId::new("platform", "").is_err());
        let stripe_session = format!("cs_test_{}", "a".repeat(58));
        assert!(PaymentId::new("platform", &stripe_session).is_ok());
        assert!(PaymentId::new("platform", &"r".repeat(129)).is_err());
    }

    #[test]
    fn what_is_owed_is_the_goods_with_all_charges() {
        let eur = "EUR".parse().unwrap();
        let money = |minor| Money::new(minor, eur).unwrap();
        let charges = Charges { shipping: 490, tax: 38, fee: 2 };
        assert_eq!(charges.total(eur), Some(money(530)));
        assert_eq!(charges.with(money(1_000)), Some(money(1_530)));
        assert!(Charges::NONE.is_none());
        for charges in [
            Charges { shipping: 1, ..Charges::NONE },
            Charges { tax: 1, ..Charges::NONE },
            Charges { fee: 1, ..Charges::NONE },
        ] {
            assert!(!charges.is_none());
            assert_eq!(charges.with(money(Money::MINOR_MAX)), None);
            let most = Charges { shipping: u64::MAX, ..charges };
            assert_eq!(most.total(eur), None);
        }
    }

    #[test]
    fn reasons_are_known_by_number() {
        for reason in RefundReason::ALL {
            assert_eq!(RefundReason::from_number(reason.number()), Some(reason));
        }
        assert_eq!(RefundReason::from_number(5), None);
        assert_eq!(RefundReason::WrongMode.to_string(), "wrong_mode");
    }
}
