//! What somebody has to do about money.

use stampede_domain::{HoldId, Money, PaymentId, RefundReason};
use stampede_ledger::{ProviderRequest, Text};

/// Something about a payment that is not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matter {
    /// The hold.
    pub hold: HoldId,
    /// The payment.
    pub payment: PaymentId,
    /// What is to be done.
    pub kind: MatterKind,
    /// Whether the provider was asked to do it.
    pub is_asked: bool,
    /// What the provider answered, if it refused.
    pub declined: Option<Text>,
}

/// What is to be done about a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatterKind {
    /// Money has to go back.
    Refund {
        /// How much.
        amount: Money,
        /// Why.
        reason: RefundReason,
    },
    /// The hold is an order: take what is kept ready.
    Capture {
        /// How much.
        amount: Money,
    },
    /// The hold has ended: let go of what is kept ready, end the attempt.
    Void,
    /// The hold is an order that still is to be delivered, and all of its money was let go, failed, or went back.
    Unpaid {
        /// What it lacks: what it cost less what was cancelled.
        amount: Money,
    },
}

impl MatterKind {
    /// What the provider is asked for it, if anything.
    pub const fn request(self) -> Option<ProviderRequest> {
        match self {
            Self::Refund { .. } => Some(ProviderRequest::Refund),
            Self::Capture { .. } => Some(ProviderRequest::Capture),
            Self::Void => Some(ProviderRequest::Void),
            Self::Unpaid { .. } => None,
        }
    }

    /// The name on every interface.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refund { .. } => "refund",
            Self::Capture { .. } => "capture",
            Self::Void => "void",
            Self::Unpaid { .. } => "unpaid",
        }
    }
}
