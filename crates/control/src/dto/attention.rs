//! What about money needs somebody, as JSON.

use serde::{Deserialize, Serialize};
use stampede_domain::{HoldId, Money, OrderId, RefundReason};
use stampede_engine::{Matter, MatterKind, UnmatchedEntry, UnmatchedPayment};
use stampede_report::orders::PaymentFor;
use utoipa::{IntoParams, ToSchema};

use super::{ModeName, orders::exact, payment_facts::RefundReasonName, plan::MoneyBody};
use crate::extract::PageLimit;

/// Most matters of one page.
pub(crate) const ATTENTION_MAX: usize = 100;
/// Matters of one page where nothing is said.
pub(crate) const ATTENTION_DEFAULT: usize = 50;

/// Which part of what needs somebody.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AttentionParams {
    /// What kind of matter.
    #[param(inline)]
    pub(crate) kind: AttentionKind,
    /// List what stands behind this: the `next` of the page before.
    #[serde(default)]
    #[param(example = "00000001000001000000001900000007")]
    pub(crate) after: Option<String>,
    /// Matters of one page.
    #[serde(default)]
    #[param(value_type = usize, default = 50, minimum = 1, maximum = 100)]
    pub(crate) limit: Option<PageLimit<ATTENTION_MAX>>,
}

/// What kind of matter, the most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AttentionKind {
    /// Money came, and nobody can say what for: what it named cannot be read, or is nobody's.
    Unmatched,
    /// The money of an order is gone.
    Unpaid,
    /// Money came that is not what was owed: it has to go back.
    WrongAmount,
    /// Money has to go back for another reason.
    Refund,
    /// Money that is kept ready, or an attempt under way, for a hold that has ended.
    Void,
    /// Money is kept ready for an order: it has to be taken.
    Capture,
    /// Money came that named nothing of a sale: another shop's, if the account has one.
    Unnamed,
}

impl From<&MatterKind> for AttentionKind {
    fn from(kind: &MatterKind) -> Self {
        match kind {
            MatterKind::Refund { reason: RefundReason::WrongAmount, .. } => Self::WrongAmount,
            MatterKind::Refund { .. } => Self::Refund,
            MatterKind::Capture { .. } => Self::Capture,
            MatterKind::Void => Self::Void,
            MatterKind::Unpaid { .. } => Self::Unpaid,
        }
    }
}

/// Matters of one kind, one page.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AttentionList {
    /// The server's time, in milliseconds since 1970-01-01 UTC.
    pub(crate) server_time_ms: u64,
    /// The matters. There may be fewer than `limit`, or none, although there are more.
    pub(crate) matters: Vec<AttentionLine>,
    /// What to send as `after` for the next page; left out on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "00000001000001000000001900000007")]
    pub(crate) next: Option<String>,
}

/// A matter that needs somebody.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AttentionLine {
    /// What kind of matter.
    kind: AttentionKind,
    /// Where the money goes through.
    #[schema(example = "platform")]
    account: String,
    /// The payment's name there.
    #[schema(example = "pay-81723")]
    payment: String,
    /// How much, where it is about an amount; of an order whose money is gone, what it lacks.
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<MoneyBody>,
    /// Why money has to go back.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<RefundReasonName>,
    /// Since when, in milliseconds since 1970-01-01 UTC: what the ledger last recorded about the payment that this
    /// comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    since_ms: Option<u64>,
    /// Whether the server has asked the provider to see to it.
    is_asked: bool,
    /// What the provider answered, if it refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    declined: Option<String>,
    /// The hold; left out of money that nobody can match.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "00000001000001000000001900000007")]
    hold: Option<String>,
    /// The order's code, if the hold is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "17-4211-0")]
    order: Option<String>,
    /// What the platform calls the order.
    #[serde(skip_serializing_if = "Option::is_none")]
    order_reference: Option<String>,
    /// The drop.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "d17")]
    drop: Option<String>,
    /// Live, or a rehearsal.
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<ModeName>,
    /// The title of the goods.
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    /// What money that nobody can match named, as far as it can be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    named: Option<String>,
}

impl AttentionLine {
    /// A matter of a hold, with what the ledger tells of its payment.
    pub(crate) fn of_hold(hold: HoldId, matter: &Matter, told: Option<&PaymentFor>) -> Self {
        let (amount, reason): (Option<Money>, _) = match matter.kind {
            MatterKind::Refund { amount, reason } => (Some(amount), Some(reason.into())),
            MatterKind::Capture { amount } | MatterKind::Unpaid { amount } => (Some(amount), None),
            MatterKind::Void => (None, None),
        };
        let plan = told.map(|told| &*told.plan);
        let sku = plan.and_then(|plan| plan.sku(plan.pools().sku_of(hold.pool())?));
        let order = told.and_then(|told| told.order.as_ref());
        debug_assert!(order.is_none_or(|order| order.id == OrderId::of(hold)));
        Self {
            kind: (&matter.kind).into(),
            account: matter.payment.account.to_string(),
            payment: matter.payment.reference.to_string(),
            amount: amount.map(MoneyBody::from),
            reason,
            since_ms: told.and_then(|told| told.since).map(|at| exact(at.get())),
            is_asked: matter.is_asked,
            declined: matter.declined.as_ref().map(|reason| reason.as_str().to_owned()),
            hold: Some(hold.to_string()),
            order: order.map(|order| order.code.to_string()),
            order_reference: order.and_then(|order| Some(order.reference.as_ref()?.to_string())),
            drop: Some(hold.drop_id().to_string()),
            mode: plan.map(|plan| plan.mode.into()),
            title: sku.map(|sku| sku.title.clone()),
            named: None,
        }
    }

    /// Money that nobody can match.
    pub(crate) fn unmatched(entry: &UnmatchedEntry) -> Self {
        let UnmatchedPayment { payment, amount, named } = &entry.unmatched;
        Self {
            kind: if named.as_str().is_empty() {
                AttentionKind::Unnamed
            } else {
                AttentionKind::Unmatched
            },
            account: payment.account.to_string(),
            payment: payment.reference.to_string(),
            amount: Some((*amount).into()),
            reason: None,
            since_ms: Some(exact(entry.at.get())),
            is_asked: false,
            declined: None,
            hold: None,
            order: None,
            order_reference: None,
            drop: None,
            mode: None,
            title: None,
            named: Some(named.as_str().to_owned()).filter(|named| !named.is_empty()),
        }
    }
}
