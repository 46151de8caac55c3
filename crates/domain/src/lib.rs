//! The terms that every other crate agrees on: ids, quantities, money, payments, time, plans, pools, phases,
//! limits, rates.
//!
//! No I/O, no atomics, no clock: time is always an argument. The types are deliberately not
//! serializable; each boundary (records, viewer protocol, HTTP) owns the bytes it speaks.

mod address;
mod amendment;
mod brake;
mod display;
#[cfg(test)]
mod given;
mod hold_id;
mod ids;
mod inline_text;
mod key;
pub mod limits;
mod moment;
mod money;
mod order_code;
mod payment;
mod phase;
mod plan;
mod plan_error;
mod pools;
mod rate;
mod refusal;
mod rehearsal;
mod repeated_warning;
mod shown_address;
mod shown_text;
mod test_card;
mod text_id;
mod time;
mod units;

pub use address::{AddressRange, AddressRangeError};
pub use amendment::{Amendment, NewEnd, ViewerLimits};
pub use brake::{BanRangeError, BanTarget, Rates, RatesError};
pub use display::{ShownUnits, StockDisplay};
pub use hold_id::{HoldId, OrderId};
pub use ids::{
    BanId, DropId, Incarnation, NodeEpoch, PoolIndex, RequestId, Seq, SkuIndex, SlotIndex,
    TakeNumber, ViewerNumber,
};
pub use key::{IdempotencyKey, KeyFingerprint};
pub use moment::Moment;
pub use money::{Currency, Money};
pub use order_code::{OrderCode, OrderCodeError, OrderNumber};
pub use payment::{Charges, PaymentEvent, PaymentFact, PaymentId, RefundReason};
pub use phase::{Phase, PhaseChange};
pub use plan::{DropPlan, Mode, PaymentTerms, SkuOption, SkuPlan, WhenOffline, units_per_buy_max};
pub use plan_error::PlanError;
pub use pools::{PoolMap, PoolMapError};
pub use rate::{Rate, RateDebt, TooFast};
pub use refusal::{Refusal, RefusalCode};
pub use rehearsal::Rehearsal;
pub use repeated_warning::RepeatedWarning;
pub use shown_address::{ShownAddressFault, check_shown_address};
pub use shown_text::{TextFault, check_note, check_shown, composed, is_same_text};
pub use test_card::TestCard;
pub use text_id::{
    ChannelId, HostId, IdError, MerchantId, NodeId, OrderReference, PaymentAccount,
    PaymentReference, SkuId, StreamId, ViewerId,
};
pub use time::{DurationMs, UnixMillis};
pub use units::Units;
