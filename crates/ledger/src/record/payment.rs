//! The records of money: what is owed for holds, what was paid, what is due back.

use stampede_domain::{
    Charges, DurationMs, HoldId, Money, OrderReference, PaymentId, PaymentReference, RefundReason,
    UnixMillis,
};

use super::{Text, ordinal::Ordinal};

/// Something about the money for one hold; in the chain of the hold's drop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentRecord {
    /// The hold.
    pub hold: HoldId,
    /// What happened.
    pub change: PaymentChange,
}

/// What happened about the money for a hold. An amount is the hold's part of a payment for several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PaymentChange {
    /// What is owed beyond the goods was set; it replaces what was set before.
    Charged(Charges),
    /// The platform named the order.
    Referenced(OrderReference),
    /// An attempt to pay began. Nobody is sent to the provider before this is durable.
    Begun {
        /// The payment.
        payment: PaymentId,
    },
    /// The provider keeps money ready.
    Authorized {
        /// The payment.
        payment: PaymentId,
        /// How much of it is for this hold.
        amount: Money,
    },
    /// The money was taken.
    Paid {
        /// The payment.
        payment: PaymentId,
        /// How much of it is for this hold.
        amount: Money,
    },
    /// The attempt came to nothing.
    Failed {
        /// The payment.
        payment: PaymentId,
        /// Why, as the provider's code.
        reason: PaymentReference,
    },
    /// What was kept ready was let go.
    Voided {
        /// The payment.
        payment: PaymentId,
    },
    /// Money that was taken has to go back, beyond what was due before.
    RefundDue {
        /// The payment.
        payment: PaymentId,
        /// How much more of it.
        amount: Money,
        /// Why.
        reason: RefundReason,
    },
    /// Money went back.
    Refunded {
        /// The payment.
        payment: PaymentId,
        /// All that went back of the hold's part so far.
        total: Money,
    },
    /// The provider was asked to do something.
    Asked {
        /// The payment.
        payment: PaymentId,
        /// What.
        request: ProviderRequest,
    },
    /// The provider refused what it was asked; staff have to look at it.
    Declined {
        /// The payment.
        payment: PaymentId,
        /// What it was asked.
        request: ProviderRequest,
        /// Its words.
        reason: Text,
    },
    /// Units of an order were cancelled.
    Cancelled(Box<Cancelled>),
    /// The hold had ended; the same payment has paid for units that were taken again.
    Retaken {
        /// The payment.
        payment: PaymentId,
        /// The hold that took them.
        into: HoldId,
    },
}

impl PaymentChange {
    /// The ordinal of the record.
    pub(crate) const fn ordinal(&self) -> Ordinal {
        match self {
            Self::Charged(_) => Ordinal::Charged,
            Self::Referenced(_) => Ordinal::Referenced,
            Self::Begun { .. } => Ordinal::PaymentBegun,
            Self::Authorized { .. } => Ordinal::Authorized,
            Self::Paid { .. } => Ordinal::Paid,
            Self::Failed { .. } => Ordinal::PaymentFailed,
            Self::Voided { .. } => Ordinal::Voided,
            Self::RefundDue { .. } => Ordinal::RefundDue,
            Self::Refunded { .. } => Ordinal::Refunded,
            Self::Asked { .. } => Ordinal::ProviderAsked,
            Self::Declined { .. } => Ordinal::ProviderDeclined,
            Self::Cancelled(_) => Ordinal::UnitsCancelled,
            Self::Retaken { .. } => Ordinal::Retaken,
        }
    }

    /// The record's name in `docs/ledger.md`.
    pub const fn name(&self) -> &'static str {
        self.ordinal().name()
    }
}

/// What a provider is asked to do with a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum ProviderRequest {
    /// Take the money that is kept ready.
    Capture = 0,
    /// Let go of the money that is kept ready, or end the attempt that is open.
    Void = 1,
    /// Give back what is due.
    Refund = 2,
}

impl ProviderRequest {
    /// Every request, in the order of its number.
    pub const ALL: [Self; 3] = [Self::Capture, Self::Void, Self::Refund];

    /// The name on every interface.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Capture => "capture",
            Self::Void => "void",
            Self::Refund => "refund",
        }
    }

    /// The request with this number.
    pub(crate) fn from_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

/// Units of an order that nobody gets any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cancelled {
    /// All units of the order that were cancelled so far.
    pub units: u32,
    /// What goes back for them by this decision, charges included.
    pub amount: Money,
    /// By how much less the order costs. It is more than `amount` where the money was not there.
    pub waived: Money,
    /// The lot by which the units came back on sale; `None` if they did not.
    pub lot: Option<u32>,
    /// Who decided so.
    pub actor: Text,
    /// Why, in the actor's words.
    pub reason: Text,
}

/// Deadlines moved for the sake of payments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeadlineRecord {
    /// An attempt to pay gave its hold more time; once for each hold.
    Stretched {
        /// The hold.
        hold: HoldId,
        /// By how much its deadline moved.
        span: DurationMs,
    },
    /// Staff gave every live hold of the drop that was taken before `until` more time.
    Extended {
        /// By how much their deadlines moved.
        span: DurationMs,
        /// Holds taken from here on have their time as it was.
        until: UnixMillis,
    },
}

/// Something about money that nobody can say what it was for; in the house's chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnmatchedRecord {
    /// Such money came.
    Found(Box<UnmatchedPayment>),
    /// Something became of it: nobody has to look at it any more.
    Done(Box<UnmatchedDone>),
}

/// Money that nobody can say what it was for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnmatchedPayment {
    /// The payment.
    pub payment: PaymentId,
    /// How much was taken.
    pub amount: Money,
    /// What the payment named, as far as it can be read; may be empty.
    pub named: Text,
}

/// What became of money that nobody could say what it was for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnmatchedDone {
    /// The payment; a record before this one says that it came.
    pub payment: PaymentId,
    /// What became of it.
    pub end: UnmatchedEnd,
}

/// What may become of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnmatchedEnd {
    /// It was reported for a hold; that hold's chain says what followed.
    Matched {
        /// The hold, or the first of several.
        hold: HoldId,
    },
    /// All of it went back.
    GivenBack,
    /// Somebody saw to it.
    Closed {
        /// Who.
        actor: Text,
        /// What was done, in the actor's words.
        reason: Text,
    },
}
