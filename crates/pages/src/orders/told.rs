//! What the interface answers about orders, as far as pages read it.

use serde::Deserialize;

use crate::answers::{Choice, Mode, Money, Phase};

/// Orders of one page.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct List {
    pub(super) orders: Vec<Order>,
    pub(super) cursor: u64,
    pub(super) more: bool,
}

/// What goes by a text.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Found {
    pub(super) orders: Vec<Order>,
    pub(super) holds: Vec<Hold>,
    /// Where the search goes on.
    #[serde(default)]
    pub(super) next: Option<String>,
}

/// A hold that is no order.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Hold {
    #[serde(rename = "hold")]
    pub(super) id: String,
    pub(super) mode: Mode,
    pub(super) title: String,
}

/// An order as it stands.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Order {
    #[serde(rename = "order")]
    pub(super) id: String,
    pub(super) code: String,
    pub(super) drop: String,
    pub(super) stream: String,
    pub(super) merchant: String,
    pub(super) mode: Mode,
    pub(super) state: State,
    pub(super) confirmed_at_ms: u64,
    pub(super) merchant_sku: String,
    pub(super) title: String,
    pub(super) options: Vec<Choice>,
    pub(super) units: u64,
    pub(super) cancelled_units: u64,
    /// How often something of it was cancelled.
    pub(super) cancellations: u64,
    #[serde(default)]
    pub(super) edition: Option<Edition>,
    pub(super) currency: String,
    pub(super) unit_price_minor: u64,
    pub(super) goods_minor: u64,
    pub(super) shipping_minor: u64,
    pub(super) tax_minor: u64,
    pub(super) fee_minor: u64,
    pub(super) paid_minor: u64,
    pub(super) refunded_minor: u64,
    pub(super) refund_due_minor: u64,
    /// The most that a cancellation may give back.
    pub(super) left_minor: u64,
    /// What went back and counts towards what the next cancellation gives back.
    pub(super) refunded_ahead_minor: u64,
    #[serde(default)]
    pub(super) channel: Option<String>,
    #[serde(default)]
    pub(super) viewer: Option<String>,
    /// What the platform calls it.
    #[serde(default, rename = "order_reference")]
    pub(super) reference: Option<String>,
    pub(super) payments: Vec<Payment>,
}

/// How an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    Paid,
    Authorized,
    PartlyRefunded,
    Refunded,
    Cancelled,
    Unpaid,
}

/// Numbers of an order's units.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Edition {
    pub(super) numbers: Vec<Range>,
    pub(super) of: u64,
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Range {
    pub(super) first: u64,
    pub(super) last: u64,
}

/// A payment's part that is for an order.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Payment {
    pub(super) account: String,
    pub(super) reference: String,
    pub(super) state: PaymentState,
    #[serde(default)]
    pub(super) amount_minor: Option<u64>,
    /// What of it went back.
    pub(super) refunded_minor: u64,
    #[serde(default)]
    pub(super) currency: Option<String>,
}

/// Where a payment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum PaymentState {
    Unknown,
    Begun,
    Failed,
    Authorized,
    Voided,
    Paid,
}

/// What became of an order or a hold.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Timeline {
    pub(super) holds: Vec<Story>,
}

/// What became of one hold.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Story {
    pub(super) hold: String,
    pub(super) drop: String,
    #[serde(default)]
    pub(super) mode: Option<Mode>,
    #[serde(default)]
    pub(super) title: Option<String>,
    pub(super) stands: Stands,
    #[serde(default)]
    pub(super) until_ms: Option<u64>,
    #[serde(default)]
    pub(super) order: Option<Order>,
    pub(super) events: Vec<Event>,
}

/// How a hold stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Stands {
    Held,
    Ordered,
    Ended,
    Unknown,
}

/// Something that happened to a hold; what belongs to its kind is there.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Event {
    pub(super) at_ms: u64,
    pub(super) kind: String,
    pub(super) units: u64,
    pub(super) cancelled_units: u64,
    pub(super) of_units: u64,
    pub(super) until_ms: u64,
    pub(super) moved_ms: u64,
    pub(super) cause: String,
    pub(super) code: Option<String>,
    pub(super) amount: Option<Money>,
    pub(super) charges: Charges,
    pub(super) currency: String,
    pub(super) payment: String,
    pub(super) reference: String,
    pub(super) reason: String,
    pub(super) refund_reason: String,
    pub(super) request: String,
    pub(super) other_hold: String,
    pub(super) lot: Option<u64>,
    pub(super) actor: String,
    pub(super) viewer: Option<String>,
}

/// What is owed beyond the goods.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Charges {
    pub(super) shipping: u64,
    pub(super) tax: u64,
    pub(super) fee: u64,
}

/// Matters that need somebody.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Attention {
    pub(super) server_time_ms: u64,
    pub(super) matters: Vec<Matter>,
    #[serde(default)]
    pub(super) next: Option<String>,
}

/// A matter that needs somebody.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Matter {
    pub(super) kind: String,
    pub(super) account: String,
    pub(super) payment: String,
    pub(super) amount: Option<Money>,
    pub(super) reason: String,
    pub(super) since_ms: Option<u64>,
    pub(super) is_asked: bool,
    pub(super) declined: Option<String>,
    pub(super) hold: Option<String>,
    pub(super) order: Option<String>,
    pub(super) mode: Option<Mode>,
    pub(super) title: Option<String>,
    pub(super) named: Option<String>,
}

/// Where a drop stands.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct DropPhase {
    pub(super) phase: Phase,
}
