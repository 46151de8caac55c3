//! A record about money as a line.

use serde::Serialize;
use stampede_domain::{Charges, Money, PaymentId, UnixMillis};
use stampede_ledger::{PaymentChange, PaymentRecord};

use crate::json::{exact, time};

/// Something about the money for a hold. What does not apply is left out.
#[derive(Clone, Debug, Default, Serialize)]
pub struct PaymentLine {
    /// The hold.
    pub hold: String,
    /// What happened.
    pub what: &'static str,
    /// The payment's account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// The provider's reference of the payment.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// How much, of the hold's part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub amount_minor: Option<u64>,
    /// All that went back so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total_minor: Option<u64>,
    /// The currency of either.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
    /// What is owed for bringing the goods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shipping_minor: Option<u64>,
    /// What is owed for the tax office.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tax_minor: Option<u64>,
    /// What else is owed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fee_minor: Option<u64>,
    /// What the platform calls the order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_reference: Option<String>,
    /// What the provider was asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<&'static str>,
    /// Units of the order that are cancelled by now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub units: Option<u32>,
    /// The lot by which they went on sale again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lot: Option<u32>,
    /// The hold that took the units again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub into: Option<String>,
    /// Who decided so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// Why: a code, or somebody's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Time of the record's commit.
    pub at_ms: u64,
}

impl PaymentLine {
    pub(super) fn of(record: &PaymentRecord, at: UnixMillis) -> Self {
        let PaymentRecord { hold, change } = record;
        let line = match change {
            PaymentChange::Charged(charges) => Self::charged(*charges),
            PaymentChange::Referenced(reference) => {
                let order_reference = Some(reference.to_string());
                Self { what: "referenced", order_reference, ..Self::default() }
            }
            PaymentChange::Begun { payment } => Self::about("begun", payment),
            PaymentChange::Authorized { payment, amount } => {
                Self::about("authorized", payment).amount(*amount)
            }
            PaymentChange::Paid { payment, amount } => Self::about("paid", payment).amount(*amount),
            PaymentChange::Failed { payment, reason } => {
                Self::about("failed", payment).reason(reason)
            }
            PaymentChange::Voided { payment } => Self::about("voided", payment),
            PaymentChange::RefundDue { payment, amount, reason } => {
                Self::about("refund_due", payment).amount(*amount).reason(reason)
            }
            PaymentChange::Refunded { payment, total } => {
                let (total_minor, currency) = (Some(total.minor()), Some(currency(*total)));
                Self { total_minor, currency, ..Self::about("refunded", payment) }
            }
            PaymentChange::Asked { payment, request } => {
                Self { request: Some(request.name()), ..Self::about("asked", payment) }
            }
            PaymentChange::Declined { payment, request, reason } => {
                let line = Self::about("declined", payment).reason(reason);
                Self { request: Some(request.name()), ..line }
            }
            PaymentChange::Cancelled(cancelled) => {
                let line = Self { what: "cancelled", ..Self::default() };
                Self {
                    units: Some(cancelled.units),
                    lot: cancelled.lot,
                    actor: Some(cancelled.actor.to_string()),
                    ..line.amount(cancelled.amount).reason(&cancelled.reason)
                }
            }
            PaymentChange::Retaken { payment, into } => {
                Self { into: Some(into.to_string()), ..Self::about("retaken", payment) }
            }
        };
        Self { hold: hold.to_string(), at_ms: time(at), ..line }
    }

    fn about(what: &'static str, payment: &PaymentId) -> Self {
        let PaymentId { account, reference } = payment;
        let (account, reference) = (Some(account.to_string()), Some(reference.to_string()));
        Self { what, account, reference, ..Self::default() }
    }

    fn charged(Charges { shipping, tax, fee }: Charges) -> Self {
        Self {
            what: "charged",
            shipping_minor: Some(exact(shipping)),
            tax_minor: Some(exact(tax)),
            fee_minor: Some(exact(fee)),
            ..Self::default()
        }
    }

    fn amount(self, amount: Money) -> Self {
        Self { amount_minor: Some(amount.minor()), currency: Some(currency(amount)), ..self }
    }

    fn reason(self, reason: &impl ToString) -> Self {
        Self { reason: Some(reason.to_string()), ..self }
    }
}

fn currency(amount: Money) -> String {
    amount.currency().to_string()
}
