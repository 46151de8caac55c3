//! Orders as JSON, and how they are asked for.

#![expect(
    clippy::large_stack_frames,
    reason = "the derived schema of an order is built once, when the document is made"
)]

use serde::{Deserialize, Serialize};
use stampede_domain::{DropPlan, HoldId, UnixMillis};
use stampede_report::orders::{
    ListedOrder, Order, OrderPayment, OrderState, PageStart, PaymentState, UnitEdition,
};
use utoipa::{IntoParams, ToSchema};

use super::ModeName;
use crate::{
    extract::PageLimit,
    place::{INTEGER_MAX, Place},
};

/// Which part of the list of orders, in which form.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct OrderParams {
    /// List orders behind this place, in the list's direction: the `cursor` of the page before. 0 begins anew.
    #[serde(default)]
    #[param(value_type = u64, default = 0, maximum = 9_007_199_254_740_991_i64)]
    pub(crate) after: Place,
    /// Turns the list's direction: the order that was confirmed last comes first.
    #[serde(default)]
    #[param(default = false)]
    pub(crate) newest_first: bool,
    /// Orders of one page, 100 if it is left out. As CSV without it, every order behind `after`.
    #[serde(default)]
    #[param(value_type = Option<usize>, minimum = 1, maximum = 1000)]
    pub(crate) limit: Option<PageLimit>,
    /// Only orders of this merchant's goods.
    #[serde(default)]
    #[param(example = "maison-nord")]
    pub(crate) merchant: Option<String>,
    /// Only orders of this drop.
    #[serde(default)]
    #[param(example = "d12")]
    pub(crate) drop: Option<String>,
    /// Wins over the header `Accept`, which may ask for `text/csv`.
    #[serde(default)]
    #[param(inline)]
    pub(crate) format: Option<OrderForm>,
}

impl OrderParams {
    /// Where the page begins.
    pub(crate) const fn start(&self) -> PageStart {
        match (self.newest_first, self.after.get()) {
            (false, after) => PageStart::After(after),
            (true, 0) => PageStart::Before(u64::MAX),
            (true, before) => PageStart::Before(before),
        }
    }
}

/// What is looked for.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct OrderSearchParams {
    /// An order's code, the id of an order or a hold, what the platform calls an order, or the name of a payment, with
    /// its account in front of it or without (`platform/pay-1`, `pay-1`). Only the whole text matches, blanks at its
    /// ends apart.
    #[param(example = "R-1001", min_length = 1, max_length = 128)]
    pub(crate) text: String,
    /// What the text is, where that is known.
    #[serde(default, rename = "as")]
    #[param(inline)]
    pub(crate) meant: Option<OrderTextKind>,
    /// Go on with the search: the `next` of the page before.
    #[serde(default)]
    #[param(example = "00000001000001000000001900000007")]
    pub(crate) after: Option<String>,
    /// Orders and holds of one page.
    #[serde(default)]
    #[param(value_type = usize, default = 20, minimum = 1, maximum = 100)]
    pub(crate) limit: Option<PageLimit<SEARCH_FOUND_MAX>>,
}

/// What a search finds at once, at most.
pub(crate) const SEARCH_FOUND_MAX: usize = 100;
/// What a search finds at once where nothing is said.
pub(crate) const SEARCH_FOUND_DEFAULT: usize = 20;

/// What a text is that orders are looked for by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OrderTextKind {
    /// What the platform calls an order, or the name of a payment, even if it has the form of a code or an id.
    Reference,
}

/// What goes by a text, those of the newest drop first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OrderSearch {
    /// The orders.
    pub(crate) orders: Vec<OrderLine>,
    /// Holds that are no orders.
    pub(crate) holds: Vec<FoundHold>,
    /// What to send as `after` to go on; left out once everything was looked at. A page looks at 16 drops at most, so
    /// it may have found nothing although there is more.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "00000001000001000000001900000007")]
    pub(crate) next: Option<String>,
}

/// A hold that is no order.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FoundHold {
    /// Its id; `/v1/orders/{order}/timeline` tells what became of it.
    #[schema(example = "00000001000001000000001900000007")]
    hold: String,
    /// Its drop.
    #[schema(example = "d17")]
    drop: String,
    /// Live, or a rehearsal.
    mode: ModeName,
    /// The SKU's id.
    sku: String,
    /// Its title.
    title: String,
}

impl FoundHold {
    /// `None` for a hold of goods that the plan does not have.
    pub(crate) fn new(hold: HoldId, plan: &DropPlan) -> Option<Self> {
        let sku = plan.sku(plan.pools().sku_of(hold.pool())?)?;
        Some(Self {
            hold: hold.to_string(),
            drop: hold.drop_id().to_string(),
            mode: plan.mode.into(),
            sku: sku.id.to_string(),
            title: sku.title.clone(),
        })
    }
}

/// The forms of a list of orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OrderForm {
    /// For programs.
    Json,
    /// For spreadsheets.
    Csv,
}

/// Orders of one page, in the order in which they were confirmed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OrderList {
    /// The orders that the token may see. There may be fewer than `limit`, or none, although there are more.
    pub(crate) orders: Vec<OrderLine>,
    /// What to send as `after` for the next page, now or, oldest first, whenever there may be new orders.
    pub(crate) cursor: u64,
    /// Whether the list goes on behind `cursor`: ask for the next page at once.
    pub(crate) more: bool,
}

/// An order as it stands.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Order)]
pub(crate) struct OrderLine {
    /// Place in the list, which never changes; left out of a single order.
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<u64>,
    /// The order's id, which is its hold's.
    #[schema(example = "00000011000000400000004000000001")]
    order: String,
    /// The same for people: the drop, the order's number in it, a check digit.
    #[schema(example = "17-4211-0")]
    code: String,
    /// The drop's id.
    #[schema(example = "d17")]
    drop: String,
    /// The stream's id.
    stream: String,
    /// Whose goods were sold.
    merchant: String,
    /// Live, or a rehearsal in which nothing was sold.
    mode: ModeName,
    /// How it stands.
    state: OrderStateName,
    /// When it became durable, in milliseconds since 1970-01-01 UTC.
    confirmed_at_ms: u64,
    /// When its money or its units changed last since, in milliseconds since 1970-01-01 UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    changed_at_ms: Option<u64>,
    /// The SKU.
    sku: String,
    /// The merchant's own code for it.
    merchant_sku: String,
    /// Its title for viewers.
    title: String,
    /// Its option values.
    options: Vec<OrderOption>,
    /// Units bought.
    units: u32,
    /// Units of them that were cancelled.
    cancelled_units: u32,
    /// How often units of it were cancelled, or money was given back for it.
    cancellations: u32,
    /// The numbers of the other units; left out where the SKU is not numbered.
    #[serde(skip_serializing_if = "Option::is_none")]
    edition: Option<OrderEdition>,
    /// Of every amount but those of payments.
    currency: String,
    /// Price of one unit.
    unit_price_minor: u64,
    /// Price of all units.
    goods_minor: u64,
    /// What was owed for bringing the goods.
    shipping_minor: u64,
    /// What was owed for the tax office.
    tax_minor: u64,
    /// What was owed for anything else.
    fee_minor: u64,
    /// What was taken, by all payments in the order's currency.
    paid_minor: u64,
    /// What went back of it.
    refunded_minor: u64,
    /// What still has to go back of it.
    refund_due_minor: u64,
    /// The most that a cancellation may give back: what was taken or is kept ready by the payment behind the order, less
    /// what was decided to go back of it. A refund that nobody decided here does not lessen it.
    left_minor: u64,
    /// What went back of that payment and nobody decided here, at the provider for example: the next cancellation counts
    /// it towards what it gives back.
    refunded_ahead_minor: u64,
    /// The channel that gets the credit.
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<String>,
    /// The platform's id of the buyer; left out once it was erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    viewer: Option<String>,
    /// What the platform calls the order.
    #[serde(skip_serializing_if = "Option::is_none")]
    order_reference: Option<String>,
    /// Every payment for it; none on record for drops that were planned by older versions, or cost nothing.
    payments: Vec<OrderPaymentLine>,
}

/// One option value of a SKU.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OrderOption {
    /// The option's name.
    #[schema(example = "colour")]
    name: String,
    /// The value.
    #[schema(example = "red")]
    value: String,
}

/// The numbers of an order's units, like No. 37 of 80.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OrderEdition {
    /// Ranges in ascending order; none once all units are cancelled.
    numbers: Vec<OrderNumbers>,
    /// How many units of the SKU were ever on sale, each once; a later lot raises it.
    of: u64,
}

/// Numbers without a gap.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OrderNumbers {
    /// The lowest.
    first: u32,
    /// The highest.
    last: u32,
}

/// A payment's part that is for the order.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OrderPaymentLine {
    /// Where the money went through.
    #[schema(example = "stripe:main")]
    account: String,
    /// The payment's name there.
    #[schema(example = "pi_3MtwBw")]
    reference: String,
    /// Where it stands.
    state: PaymentStateName,
    /// What was taken or was kept ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    amount_minor: Option<u64>,
    /// What went back.
    refunded_minor: u64,
    /// What still has to go back.
    refund_due_minor: u64,
    /// Whether it stands behind the order: any other goes back.
    makes_order: bool,
    /// Of these amounts; left out where none was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
}

/// How an order stands.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = OrderState)]
pub(crate) enum OrderStateName {
    /// Its money was taken, or it cost nothing.
    Paid,
    /// Its money is kept ready.
    Authorized,
    /// Some of its money went back.
    PartlyRefunded,
    /// All of its money went back.
    Refunded,
    /// All of its units were cancelled.
    Cancelled,
    /// No money stands behind it any more.
    Unpaid,
}

/// Where a payment stands.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = OrderPaymentState)]
pub(crate) enum PaymentStateName {
    /// Only a refund of it is known.
    Unknown,
    /// The viewer is at it.
    Begun,
    /// It came to nothing.
    Failed,
    /// The money is kept ready.
    Authorized,
    /// What was kept ready was let go.
    Voided,
    /// The money was taken.
    Paid,
}

impl OrderLine {
    /// An order of the list.
    pub(crate) fn listed(listed: &ListedOrder) -> Self {
        Self { place: Some(exact(listed.place)), ..Self::new(&listed.order) }
    }

    /// An order by itself.
    pub(crate) fn new(order: &Order) -> Self {
        let (plan, sku) = (&order.plan, order.sku_plan());
        let option = |option: &stampede_domain::SkuOption| OrderOption {
            name: option.name.clone(),
            value: option.value.clone(),
        };
        Self {
            place: None,
            order: order.id.to_string(),
            code: order.code.to_string(),
            drop: order.code.drop_id().to_string(),
            stream: plan.stream.to_string(),
            merchant: plan.merchant.to_string(),
            mode: plan.mode.into(),
            state: order.state.into(),
            confirmed_at_ms: exact(order.confirmed_at.get()),
            changed_at_ms: order.changed_at.map(UnixMillis::get).map(exact),
            sku: sku.id.to_string(),
            merchant_sku: sku.merchant_sku.clone(),
            title: sku.title.clone(),
            options: sku.options.iter().map(option).collect(),
            units: order.units.get(),
            cancelled_units: order.cancelled_units,
            cancellations: order.cancellations,
            edition: order.edition.as_ref().map(OrderEdition::new),
            currency: order.goods.currency().to_string(),
            unit_price_minor: sku.price.minor(),
            goods_minor: order.goods.minor(),
            shipping_minor: exact(order.charges.shipping),
            tax_minor: exact(order.charges.tax),
            fee_minor: exact(order.charges.fee),
            paid_minor: exact(order.paid_minor),
            refunded_minor: exact(order.refunded_minor),
            refund_due_minor: exact(order.refund_due_minor),
            left_minor: exact(order.payment().map_or(0, OrderPayment::left_minor)),
            refunded_ahead_minor: exact(
                order.payment().map_or(0, OrderPayment::refunded_ahead_minor),
            ),
            channel: order.channel.as_ref().map(ToString::to_string),
            viewer: order.viewer.as_ref().map(ToString::to_string),
            order_reference: order.reference.as_ref().map(ToString::to_string),
            payments: order.payments.iter().map(OrderPaymentLine::new).collect(),
        }
    }
}

impl OrderEdition {
    pub(crate) fn new(edition: &UnitEdition) -> Self {
        let ranges = edition.numbers.ranges().iter();
        let numbers = ranges.map(|range| OrderNumbers { first: range.first, last: range.last });
        Self { numbers: numbers.collect(), of: exact(edition.of) }
    }
}

impl OrderPaymentLine {
    fn new(part: &OrderPayment) -> Self {
        Self {
            account: part.payment.account.to_string(),
            reference: part.payment.reference.to_string(),
            state: part.state.into(),
            amount_minor: part.amount.map(stampede_domain::Money::minor),
            refunded_minor: exact(part.refunded_minor),
            refund_due_minor: exact(part.refund_due_minor()),
            makes_order: part.makes_order,
            currency: part.currency().map(|currency| currency.to_string()),
        }
    }
}

impl From<OrderState> for OrderStateName {
    fn from(state: OrderState) -> Self {
        match state {
            OrderState::Paid => Self::Paid,
            OrderState::Authorized => Self::Authorized,
            OrderState::PartlyRefunded => Self::PartlyRefunded,
            OrderState::Refunded => Self::Refunded,
            OrderState::Cancelled => Self::Cancelled,
            OrderState::Unpaid => Self::Unpaid,
        }
    }
}

impl From<PaymentState> for PaymentStateName {
    fn from(state: PaymentState) -> Self {
        match state {
            PaymentState::Unknown => Self::Unknown,
            PaymentState::Begun => Self::Begun,
            PaymentState::Failed => Self::Failed,
            PaymentState::Authorized => Self::Authorized,
            PaymentState::Voided => Self::Voided,
            PaymentState::Paid => Self::Paid,
        }
    }
}

/// Only a damaged ledger has more than every JSON reader keeps exact.
pub(crate) fn exact(number: u64) -> u64 {
    number.min(INTEGER_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_have_one_name_on_every_interface() {
        for state in OrderState::ALL {
            let name = serde_json::to_value(OrderStateName::from(state)).unwrap();
            assert_eq!(name, state.name());
        }
    }
}
