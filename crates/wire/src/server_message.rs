//! Messages from the server.

use std::{borrow::Cow, sync::Arc};

use serde::{Deserialize, Serialize};
use stampede_domain::{
    ChannelId, Currency, DropId, HoldId, IdempotencyKey, MerchantId, Mode, OrderId, Phase,
    RefusalCode, SkuId, StreamId, ViewerId,
};

use crate::text;

/// One message from the server. The field `type` is always the first one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ServerMessage {
    /// The answer to `hello`: everything the viewer needs to go on.
    Welcome(Box<Welcome>),
    /// The answer to `refresh`.
    Refreshed(Refreshed),
    /// Units are held for the viewer. Durable.
    Held(Held),
    /// A request was refused; nothing has changed.
    Refused(Refused),
    /// A hold was given back. Durable.
    Released(Ended),
    /// A hold's time ran out. Durable.
    Expired(Ended),
    /// A hold has become an order. Durable.
    Order(Order),
    /// A payment attempt failed.
    PaymentFailed(PaymentFailed),
    /// What is available now; only the newest matters.
    Stock(Stock),
    /// A drop changed its phase, its times or its place on air.
    Phase(PhaseNotice),
    /// A drop is new, or its terms have changed.
    #[serde(rename = "drop")]
    DropInfo(Arc<DropInfo>),
    /// The answer to `ping`.
    Pong(Pong),
    /// Why the connection closes next.
    Error(ErrorNotice),
}

/// The answer to `hello`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Welcome {
    /// The viewer, as the ticket names them.
    #[serde(with = "text")]
    pub viewer: ViewerId,
    /// The stream that the connection has joined.
    #[serde(with = "text")]
    pub stream: StreamId,
    /// The channel that gets the credit.
    #[serde(with = "text::optional", default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<ChannelId>,
    /// Live or rehearsal.
    #[serde(with = "text::mode")]
    pub mode: Mode,
    /// The server's clock: milliseconds since 1970-01-01 UTC.
    #[serde(with = "text::integer")]
    pub server_time_ms: u64,
    /// Silence after which the server pings; twice that without a sign of life ends the connection.
    #[serde(with = "text::integer")]
    pub heartbeat_ms: u64,
    /// How long the ticket is still good.
    #[serde(with = "text::integer")]
    pub ticket_expires_in_ms: u64,
    /// The stream's drops in running order; further ones follow as `drop` messages.
    pub drops: Vec<Arc<DropInfo>>,
    /// The viewer's open holds; further ones follow as `held` messages.
    pub holds: Vec<Held>,
    /// The viewer's orders in this stream; further ones follow as `order` messages.
    pub orders: Vec<Order>,
}

/// The answer to `refresh`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refreshed {
    /// The server's clock: milliseconds since 1970-01-01 UTC.
    #[serde(with = "text::integer")]
    pub server_time_ms: u64,
    /// How long the new ticket is good.
    #[serde(with = "text::integer")]
    pub ticket_expires_in_ms: u64,
}

/// The answer to `ping`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pong {
    /// The server's clock: milliseconds since 1970-01-01 UTC.
    #[serde(with = "text::integer")]
    pub server_time_ms: u64,
}

/// A drop with its terms and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DropInfo {
    /// The drop.
    #[serde(with = "text")]
    pub drop: DropId,
    /// Rises with every change of the drop; messages with a lower one are stale.
    #[serde(with = "text::integer")]
    pub version: u64,
    /// Title for viewers.
    pub title: String,
    /// Whose goods are sold.
    #[serde(with = "text")]
    pub merchant: MerchantId,
    /// Where the drop stands.
    #[serde(with = "text::phase")]
    pub phase: Phase,
    /// Whether it is the one on air.
    pub featured: bool,
    /// Time until it opens, where that is known.
    #[serde(with = "text::integer::optional", default, skip_serializing_if = "Option::is_none")]
    pub opens_in_ms: Option<u64>,
    /// Time until it closes, where that is known.
    #[serde(with = "text::integer::optional", default, skip_serializing_if = "Option::is_none")]
    pub closes_in_ms: Option<u64>,
    /// How long a hold lives.
    #[serde(with = "text::integer")]
    pub hold_ttl_ms: u64,
    /// Units over all SKUs that one viewer may hold or own.
    pub limit_per_viewer: u32,
    /// Currency of all prices.
    #[serde(with = "text")]
    pub currency: Currency,
    /// What is sold.
    pub skus: Vec<SkuInfo>,
}

/// One sellable variant of a drop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkuInfo {
    /// Name within the drop.
    #[serde(with = "text")]
    pub sku: SkuId,
    /// Title for viewers.
    pub title: String,
    /// Option values, such as colour or size.
    pub options: Vec<SkuOptionInfo>,
    /// The merchant's own code.
    pub merchant_sku: String,
    /// Address of an image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// Price of one unit in minor units.
    #[serde(with = "text::integer")]
    pub price_minor: u64,
    /// Units available now.
    pub available: u32,
    /// Whether `available` was rounded down, because there is plenty.
    #[serde(default, skip_serializing_if = "text::is_false")]
    pub approximate: bool,
    /// Units that one viewer may hold or own.
    pub limit_per_viewer: u32,
    /// Units that one buy may ask for.
    pub units_per_buy_max: u32,
}

/// One option value of a SKU.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkuOptionInfo {
    /// The option's name.
    pub name: String,
    /// The value that this SKU has.
    pub value: String,
}

/// Units held for the viewer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The request's key, only on the connection that sent it.
    #[serde(with = "text::optional", default, skip_serializing_if = "Option::is_none")]
    pub key: Option<IdempotencyKey>,
    /// Whether this repeats the answer to an earlier request with the same key.
    pub retry: bool,
    /// The hold.
    #[serde(with = "text")]
    pub hold: HoldId,
    /// Its drop.
    #[serde(with = "text")]
    pub drop: DropId,
    /// Its SKU.
    #[serde(with = "text")]
    pub sku: SkuId,
    /// How many units.
    pub units: u32,
    /// Price of all units in minor units.
    #[serde(with = "text::integer")]
    pub amount_minor: u64,
    /// Currency of the amount.
    #[serde(with = "text")]
    pub currency: Currency,
    /// How long the hold still lives.
    #[serde(with = "text::integer")]
    pub expires_in_ms: u64,
}

/// The request that a refusal answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// A `buy`.
    Buy,
    /// A `release`.
    Release,
    /// A `pay`.
    Pay,
}

/// Why a request was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// What was asked.
    pub request: Request,
    /// The key of the refused `buy`.
    #[serde(with = "text::optional", default, skip_serializing_if = "Option::is_none")]
    pub key: Option<IdempotencyKey>,
    /// The hold of the refused `release` or `pay`.
    #[serde(with = "text::optional", default, skip_serializing_if = "Option::is_none")]
    pub hold: Option<HoldId>,
    /// The reason's name; new ones may come, so it stays a text.
    pub code: Cow<'static, str>,
    /// A sentence for the client's developer.
    pub message: String,
    /// Whether the same request may succeed later.
    pub temporary: bool,
    /// When to try again, where the server can tell.
    #[serde(with = "text::integer::optional", default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
    /// The limit that stands in the way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Units that are available.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub available: Option<u32>,
}

impl Refused {
    /// The reason, if this version knows it; otherwise go by `temporary`.
    pub fn refusal_code(&self) -> Option<RefusalCode> {
        RefusalCode::ALL.into_iter().find(|code| code.name() == self.code)
    }
}

/// A hold that is over without an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// The hold.
    #[serde(with = "text")]
    pub hold: HoldId,
    /// Its drop.
    #[serde(with = "text")]
    pub drop: DropId,
    /// Its SKU.
    #[serde(with = "text")]
    pub sku: SkuId,
    /// Units that went back.
    pub units: u32,
    /// Whether it ended because its drop was called off: nothing was charged. Left out where it is not so.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub called_off: bool,
}

/// A confirmed purchase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The key of the `buy` that this answers: a retry whose hold is an order already.
    #[serde(with = "text::optional", default, skip_serializing_if = "Option::is_none")]
    pub key: Option<IdempotencyKey>,
    /// The order.
    #[serde(with = "text")]
    pub order: OrderId,
    /// The hold that it came from.
    #[serde(with = "text")]
    pub hold: HoldId,
    /// Its drop.
    #[serde(with = "text")]
    pub drop: DropId,
    /// Its SKU.
    #[serde(with = "text")]
    pub sku: SkuId,
    /// How many units.
    pub units: u32,
    /// Price of all units in minor units.
    #[serde(with = "text::integer")]
    pub amount_minor: u64,
    /// Currency of the amount.
    #[serde(with = "text")]
    pub currency: Currency,
}

/// A failed payment attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaymentFailed {
    /// The hold.
    #[serde(with = "text")]
    pub hold: HoldId,
    /// Whether the hold has ended with it; otherwise it can be paid until it expires.
    #[serde(rename = "final")]
    pub is_final: bool,
    /// How long the hold still lives; absent when final.
    #[serde(with = "text::integer::optional", default, skip_serializing_if = "Option::is_none")]
    pub expires_in_ms: Option<u64>,
}

/// What is available in one drop: the SKUs that changed since the last tick.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stock {
    /// The drop.
    #[serde(with = "text")]
    pub drop: DropId,
    /// The drop's version; lower than the last one seen means stale.
    #[serde(with = "text::integer")]
    pub version: u64,
    /// The SKUs.
    pub skus: Vec<SkuStock>,
}

/// What is available of one SKU.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkuStock {
    /// The SKU.
    #[serde(with = "text")]
    pub sku: SkuId,
    /// Units available now.
    pub available: u32,
    /// Whether `available` was rounded down, because there is plenty.
    #[serde(default, skip_serializing_if = "text::is_false")]
    pub approximate: bool,
}

/// Where a drop stands now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhaseNotice {
    /// The drop.
    #[serde(with = "text")]
    pub drop: DropId,
    /// The drop's version; lower than the last one seen means stale.
    #[serde(with = "text::integer")]
    pub version: u64,
    /// Where the drop stands.
    #[serde(with = "text::phase")]
    pub phase: Phase,
    /// Whether it is the one on air.
    pub featured: bool,
    /// The server's clock: milliseconds since 1970-01-01 UTC.
    #[serde(with = "text::integer")]
    pub server_time_ms: u64,
    /// Time until it opens, where that is known.
    #[serde(with = "text::integer::optional", default, skip_serializing_if = "Option::is_none")]
    pub opens_in_ms: Option<u64>,
    /// Time until it closes, where that is known.
    #[serde(with = "text::integer::optional", default, skip_serializing_if = "Option::is_none")]
    pub closes_in_ms: Option<u64>,
}

/// Sent just before the server closes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorNotice {
    /// Name of the close code.
    pub code: Cow<'static, str>,
    /// The close code that follows.
    pub close_code: u16,
    /// A sentence for the client's developer.
    pub message: String,
    /// How long to wait before the first attempt to connect again, where the server spreads a crowd.
    #[serde(with = "text::integer::optional", default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}
