//! Payments as the shell shows them to the books, with what becomes of them.

use stampede_domain::{ChannelId, HoldId, Money, PaymentId, ViewerNumber};
use stampede_settlement::{PartOutcome, PaymentRefusal};

use crate::hold::HoldLook;

/// One of the holds that a payment is for, as the shell has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayingHold {
    /// The hold.
    pub hold: HoldId,
    /// Where its id leads.
    pub look: HoldLook,
    /// The channel of its take, if it is still held.
    pub channel: Option<ChannelId>,
    /// What it was, if it has ended and that is remembered.
    pub ended: Option<EndedLook>,
    /// Whether its drop has left memory.
    pub is_over: bool,
}

/// A hold that has ended without an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndedLook {
    /// Whose it was.
    pub viewer: ViewerNumber,
    /// What its goods cost.
    pub goods: Money,
}

/// What a fact about a payment came to; durable when it arrives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentOutcome {
    /// The payment.
    pub payment: PaymentId,
    /// One entry for each hold that was named, in their order; then those that the payment was for before.
    pub holds: Vec<(HoldId, HoldOutcome)>,
}

/// What a fact came to for one of its holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldOutcome {
    /// The book of its drop has decided.
    Part(PartOutcome),
    /// The hold had ended, and its payment took the units again.
    Moved {
        /// The hold that took them: the order, if it is one.
        into: HoldId,
        /// What was decided about it.
        part: PartOutcome,
    },
    /// No such hold was ever made, or nobody was told of it yet.
    Unknown,
    /// Its drop, or that of another hold of the payment, has left memory and has to be reopened first: nothing was
    /// decided.
    Over,
}

impl HoldOutcome {
    /// The same for a hold whose units `into` has taken again.
    #[must_use]
    pub const fn moved(self, into: HoldId) -> Self {
        match self {
            Self::Part(part) => Self::Moved { into, part },
            other => other,
        }
    }
}

/// Why nothing became of a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FactRefusal {
    /// The settlement book of a drop refuses.
    #[error(transparent)]
    Payment(#[from] PaymentRefusal),
    /// Test money for a live drop.
    #[error("{hold} is of a live drop and the payment is a test: nothing was recorded")]
    TestMoney {
        /// The first hold of a live drop.
        hold: HoldId,
    },
    /// Nothing says what the payment is for.
    #[error("the payment names no hold and none is known of it: name its holds")]
    NoHolds,
    /// The payment would be for more holds than one may be for, those of earlier reports included.
    #[error(
        "the payment would be for {count} holds with those of earlier reports; one is for {max} at most"
    )]
    TooManyHolds {
        /// With those of earlier reports.
        count: usize,
        /// The most.
        max: usize,
    },
}

/// An attempt to pay that is durable: the provider may be asked from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The payment.
    pub payment: PaymentId,
    /// The hold.
    pub hold: HoldId,
    /// Whose it is.
    pub viewer: ViewerNumber,
    /// What is owed.
    pub amount: Money,
}
