//! Faults of payments, of deadlines that moved for them, of orders that nobody paid for.

use stampede_domain::{DurationMs, HoldId, Money, PaymentId, RefundReason, UnixMillis};

/// Money that does not add up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "each message names its fields")]
pub enum MoneyFault {
    /// A record about the money for a hold that the drop never had.
    #[error("{record} names hold {hold}, which nobody took")]
    NeverTaken { record: &'static str, hold: HoldId },
    /// What only a live hold can have, of one that had ended or whose time was over.
    #[error("{record} of hold {hold}, which was not held any more")]
    NotHeld { record: &'static str, hold: HoldId },
    /// An end or a change of an order, of a hold that is none.
    #[error("{record} of hold {hold}, which {stands}")]
    WrongStanding { record: &'static str, hold: HoldId, stands: &'static str },
    /// A second stretch of one hold.
    #[error("hold {hold} was stretched before")]
    StretchedTwice { hold: HoldId },
    /// Units of one hold that were taken again twice.
    #[error("the units of hold {hold} were taken again before")]
    RetakenTwice { hold: HoldId },
    /// A stretch without an attempt to pay.
    #[error("hold {hold} was stretched, but nobody was about to pay for it")]
    StretchedForNothing { hold: HoldId },
    /// A deadline that moved further than the plan lets it.
    #[error(
        "hold {hold} was stretched by {} ms to {deadline} ms; the plan gives {} ms, until {latest} ms at most",
        span.get(), most.get()
    )]
    StretchTooLong {
        hold: HoldId,
        span: DurationMs,
        most: DurationMs,
        deadline: UnixMillis,
        latest: UnixMillis,
    },
    /// An order for which the money did not come, or other money than was owed.
    #[error(
        "hold {hold} confirmed for {} owed, right before it came {}",
        written(*owed),
        came.map_or_else(|| "no money".to_owned(), |came| came.to_string())
    )]
    OrderUnpaid { hold: HoldId, owed: Option<Money>, came: Option<Money> },
    /// Charges that nobody can write.
    #[error("goods and charges of hold {hold} come to more than an amount can have")]
    ChargesTooLarge { hold: HoldId },
    /// A record of a payment that cannot follow what was known of it.
    #[error("payment {payment} of hold {hold} {to}, but it {from}")]
    OutOfTurn { hold: HoldId, payment: PaymentId, from: &'static str, to: &'static str },
    /// Money of one part that was taken twice.
    #[error("payment {payment} of hold {hold} was paid before")]
    PaidTwice { hold: HoldId, payment: PaymentId },
    /// Money that was taken in another currency than it was kept ready in.
    #[error("payment {payment} of hold {hold}: {kept} were kept ready, {paid} were taken")]
    OtherCurrency { hold: HoldId, payment: PaymentId, kept: Money, paid: Money },
    /// More payments of one hold than there may be.
    #[error("payment {payment} is number {number} of hold {hold}, it may have {max}")]
    TooManyPayments { hold: HoldId, payment: PaymentId, number: usize, max: usize },
    /// Money that came, nothing was given for it, and it is not due back.
    #[error(
        "payment {payment} of hold {hold}: {amount} came for which nothing was given, {due} minor units are due back"
    )]
    RefundNotDue { hold: HoldId, payment: PaymentId, amount: Money, due: u64 },
    /// A refund due of money that never came.
    #[error("{amount} of payment {payment} of hold {hold} are due back, but no money came")]
    DueWithoutMoney { hold: HoldId, payment: PaymentId, amount: Money },
    /// More due back than came.
    #[error("{due} minor units of payment {payment} of hold {hold} are due back, {amount} came")]
    DueAbovePayment { hold: HoldId, payment: PaymentId, due: u64, amount: Money },
    /// A reason that the hold or the drop contradicts.
    #[error("money for hold {hold} is due back because of {reason}, but it {stands}")]
    OtherReason { hold: HoldId, reason: RefundReason, stands: &'static str },
    /// More went back than was taken.
    #[error("{refunded} minor units of payment {payment} of hold {hold} went back, {paid} came")]
    RefundAbovePayment { hold: HoldId, payment: PaymentId, refunded: u64, paid: Money },
    /// A total of refunds that does not rise.
    #[error(
        "{total} of payment {payment} of hold {hold} went back in all, {before} minor units had before"
    )]
    RefundNotMore { hold: HoldId, payment: PaymentId, total: Money, before: u64 },
    /// A provider that was asked about a payment that nobody has heard of, or units that were taken again for one that
    /// has not paid for them.
    #[error("{record} names payment {payment} of hold {hold}, which is not known")]
    UnknownPayment { record: &'static str, hold: HoldId, payment: PaymentId },
    /// Cancelled units that fall, or do not rise though no money goes back, or are more than the order has.
    #[error("{units} units of order {hold} cancelled, {before} were before, it has {ordered}")]
    CancelledUnits { hold: HoldId, units: u32, before: u32, ordered: u32 },
    /// More goes back for cancelled units than the order cost.
    #[error("{amount} minor units go back for units of order {hold}, which cost {}", written(*cost))]
    CancelledAmount { hold: HoldId, amount: u64, cost: Option<Money> },
    /// Money that nobody can match, recorded twice.
    #[error("payment {payment} was recorded as unmatched before")]
    UnmatchedTwice { payment: PaymentId },
}

fn written(amount: Option<Money>) -> String {
    amount.map_or_else(|| "more than an amount can have".to_owned(), |amount| amount.to_string())
}

impl MoneyFault {
    pub(in crate::verify) const fn kind(&self) -> &'static str {
        match self {
            Self::NeverTaken { .. } => "money_never_taken",
            Self::NotHeld { .. } => "money_not_held",
            Self::WrongStanding { .. } => "money_standing",
            Self::StretchedTwice { .. } => "stretched_twice",
            Self::RetakenTwice { .. } => "retaken_twice",
            Self::StretchedForNothing { .. } => "stretched_for_nothing",
            Self::StretchTooLong { .. } => "stretch_too_long",
            Self::OrderUnpaid { .. } => "order_unpaid",
            Self::ChargesTooLarge { .. } => "charges_too_large",
            Self::OutOfTurn { .. } => "payment_out_of_turn",
            Self::PaidTwice { .. } => "paid_twice",
            Self::OtherCurrency { .. } => "payment_currency_differs",
            Self::TooManyPayments { .. } => "too_many_payments",
            Self::RefundNotDue { .. } => "refund_not_due",
            Self::DueWithoutMoney { .. } => "refund_due_without_money",
            Self::DueAbovePayment { .. } => "refund_due_above_payment",
            Self::OtherReason { .. } => "refund_reason_differs",
            Self::RefundAbovePayment { .. } => "refund_above_payment",
            Self::RefundNotMore { .. } => "refund_not_more",
            Self::UnknownPayment { .. } => "payment_unknown",
            Self::CancelledUnits { .. } => "cancelled_units",
            Self::CancelledAmount { .. } => "cancelled_amount",
            Self::UnmatchedTwice { .. } => "unmatched_twice",
        }
    }
}
