//! What may happen to a hold.

use stampede_domain::{
    ChannelId, Currency, DurationMs, HoldId, Money, OrderCode, PaymentId, SkuId, Units, UnixMillis,
    ViewerId,
};
use stampede_ledger::{Cancelled, PaymentChange};

use crate::orders::UnitEdition;

/// Something that happened to a hold; it is shown as an English sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    /// A viewer took units.
    Taken {
        /// The hold.
        hold: HoldId,
        /// Who; `None` if the name was erased.
        viewer: Option<ViewerId>,
        /// How many.
        units: Units,
        /// The title of the goods with the SKU's id, if the plan is known.
        title: Option<(String, SkuId)>,
        /// The channel that gets the credit.
        channel: Option<ChannelId>,
        /// The deadline.
        until: UnixMillis,
    },
    /// It became an order.
    Ordered {
        /// The order's code, with the numbers of its units.
        named: Option<(OrderCode, Option<UnitEdition>)>,
        /// How many units.
        units: Units,
        /// The price of all units.
        amount: Money,
    },
    /// It was given back before its deadline.
    GivenBack {
        /// How many units.
        units: Units,
    },
    /// Its deadline passed.
    Expired {
        /// How many units.
        units: Units,
    },
    /// Its deadline moved.
    Moved {
        /// Why.
        cause: MoveCause,
        /// By how much.
        span: DurationMs,
        /// The deadline from now on.
        until: UnixMillis,
    },
    /// A payment that was for another hold paid for its units.
    PaidByAnother {
        /// The payment.
        payment: PaymentId,
        /// The hold that had ended.
        hold: HoldId,
    },
    /// Units were cancelled, or money was given back.
    Cancelled {
        /// What was decided.
        cancelled: Box<Cancelled>,
        /// Units that were cancelled by it.
        more: u32,
        /// Units of the order.
        of: u32,
    },
    /// Something about its money that is not about units.
    Money {
        /// What.
        change: PaymentChange,
        /// The currency of the drop, if the plan is known.
        currency: Option<Currency>,
    },
}

/// Why a deadline moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MoveCause {
    /// The viewer began to pay.
    Attempt,
    /// Staff gave every live hold more time.
    Staff,
    /// The server was alive and served nobody.
    Pause,
    /// The server was away.
    Outage,
}
