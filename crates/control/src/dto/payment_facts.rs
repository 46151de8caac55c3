//! Payments as JSON: what is reported, what became of it.

use serde::{Deserialize, Serialize};
use stampede_domain::{
    HoldId, Money, OrderId, PaymentEvent, PaymentFact, PaymentId, PaymentReference, RefundReason,
};
use stampede_engine::{HoldOutcome, PartOutcome, PaymentOutcome};
use utoipa::ToSchema;

use super::plan::{MoneyBody, parsed};
use crate::{
    place::INTEGER_MAX,
    problem::{Code, Problem},
};

/// The account of whoever names none.
const PLATFORM: &str = "platform";
/// The server's own test payments.
pub(super) const SANDBOX: &str = "sandbox";
/// Accounts whose provider reports to the server by itself begin so.
const STRIPE: &str = "stripe:";
/// A path that could be an account.
const HOLDS: &str = "holds";
/// What the crowds of rehearsals pay: the server plays their payments itself.
const REHEARSAL: &str = "rehearsal";

/// Something that happened to a payment. It may come twice, late, in any order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PaymentFact)]
pub(crate) struct FactBody {
    /// The payment's name with its account: 1 to 128 letters, digits or `. _ : -`.
    #[schema(example = "pay-81723", max_length = 128)]
    payment: String,
    /// Where the money goes through. `sandbox`, `holds`, `rehearsal` and what begins with `stripe:` are reserved.
    #[serde(default = "platform")]
    #[schema(default = "platform", example = "platform", max_length = 64)]
    account: String,
    /// What happened.
    event: EventName,
    /// How much, for all holds of the payment together; of `refunded`, everything that was given back so far. Needed
    /// with `authorized`, `paid` and `refunded`, not allowed with other events.
    #[serde(default)]
    amount: Option<MoneyBody>,
    /// The holds that are paid for; left out, those that the payment had before.
    #[serde(default)]
    #[schema(max_items = 64)]
    holds: Vec<String>,
    /// Why it failed, as a code of the provider; with `failed` alone.
    #[serde(default)]
    #[schema(example = "card_declined", max_length = 128)]
    reason: Option<String>,
    /// Whether the viewer shall not try again, so that the holds end; with `failed` alone.
    #[serde(default, rename = "final")]
    #[schema(default = false)]
    is_final: bool,
    /// What you call the order: 1 to 128 characters of any text that can be printed.
    #[serde(default)]
    #[schema(example = "R-1001", max_length = 128)]
    order_reference: Option<String>,
}

/// What happened to a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PaymentEvent)]
pub(crate) enum EventName {
    /// The viewer is at it: the first time, the hold gets the plan's whole stretch.
    Begun,
    /// The provider keeps the money ready.
    Authorized,
    /// The money was taken.
    Paid,
    /// This attempt came to nothing.
    Failed,
    /// What was kept ready was let go, or the attempt was called off.
    Voided,
    /// Money was given back.
    Refunded,
}

fn platform() -> String {
    PLATFORM.to_owned()
}

/// Whether reports for this account come by the API: no other is anybody's to report for.
pub(super) fn is_reported(account: &str) -> bool {
    ![SANDBOX, HOLDS, REHEARSAL].contains(&account) && !account.starts_with(STRIPE)
}

impl FactBody {
    /// The fact, unless its fields do not go together or somebody else reports for its account.
    pub(crate) fn to_fact(&self) -> Result<PaymentFact, Problem> {
        let payment = PaymentId {
            account: parsed("account", &self.account)?,
            reference: parsed("payment", &self.payment)?,
        };
        if !is_reported(&self.account) {
            let detail = format!(
                "account {} is reserved: its payments are heard of from its provider. Use `{PLATFORM}`, or a name of \
                 your own that is not `{SANDBOX}`, `{HOLDS}` or `{REHEARSAL}` and does not begin with `{STRIPE}`",
                self.account
            );
            return Err(Problem::new(Code::AccountReserved, detail));
        }
        let order_reference = self.order_reference.as_deref();
        let order_reference = order_reference.map(|text| parsed("order_reference", text));
        Ok(PaymentFact {
            payment,
            event: self.to_event()?,
            holds: self.to_holds()?,
            mode: None,
            order_reference: order_reference.transpose()?,
        })
    }

    fn to_holds(&self) -> Result<Vec<HoldId>, Problem> {
        let max = stampede_domain::limits::HOLDS_PER_PAYMENT_MAX;
        let bad = |detail: String| Problem::new(Code::BadBody, detail);
        if self.holds.len() > max {
            let named = self.holds.len();
            return Err(bad(format!("holds has {named} entries; at most {max} are allowed")));
        }
        let mut holds = Vec::with_capacity(self.holds.len());
        for (place, text) in self.holds.iter().enumerate() {
            let hold: HoldId = parsed(&format!("holds[{place}]"), text)?;
            if holds.contains(&hold) {
                return Err(bad(format!("holds[{place}]: {hold} is there already")));
            }
            holds.push(hold);
        }
        Ok(holds)
    }

    fn to_event(&self) -> Result<PaymentEvent, Problem> {
        let conflict = |detail: String| Problem::new(Code::FieldsConflict, detail);
        let has_amount =
            matches!(self.event, EventName::Authorized | EventName::Paid | EventName::Refunded);
        let amount = match &self.amount {
            Some(amount) if has_amount => Some(money("amount", amount)?),
            Some(_) => {
                let detail = "`amount` is for `authorized`, `paid` and `refunded`: leave it out";
                return Err(conflict(detail.to_owned()));
            }
            None => None,
        };
        if self.event != EventName::Failed && (self.reason.is_some() || self.is_final) {
            let detail = "`reason` and `final` are for `failed`: leave them out";
            return Err(conflict(detail.to_owned()));
        }
        let amount = || {
            amount.ok_or_else(|| {
                conflict("`amount` is missing: say how much the event is about".to_owned())
            })
        };
        Ok(match self.event {
            EventName::Begun => PaymentEvent::Begun,
            EventName::Authorized => PaymentEvent::Authorized { amount: amount()? },
            EventName::Paid => PaymentEvent::Paid { amount: amount()? },
            EventName::Failed => {
                let reason: PaymentReference =
                    parsed("reason", self.reason.as_deref().unwrap_or("failed"))?;
                PaymentEvent::Failed { reason, is_final: self.is_final }
            }
            EventName::Voided => PaymentEvent::Voided,
            EventName::Refunded => PaymentEvent::Refunded { total: amount()? },
        })
    }
}

fn money(field: &str, body: &MoneyBody) -> Result<Money, Problem> {
    let currency = body.currency.parse().map_err(|error| {
        Problem::new(Code::UnknownCurrency, format!("{field}.currency: {error}"))
    })?;
    Money::new(body.minor, currency).ok_or_else(|| {
        let detail = format!("{field}.minor is {}; at most {INTEGER_MAX} is allowed", body.minor);
        Problem::new(Code::BadBody, detail)
    })
}

/// What became of a report, durable.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PaymentReported)]
pub(crate) struct FactAnswer {
    /// Where the money goes through.
    #[schema(example = "platform")]
    account: String,
    /// The payment's name there.
    #[schema(example = "pay-81723")]
    payment: String,
    /// What it came to for each hold, in the order in which they were named.
    holds: Vec<HoldAnswer>,
}

/// What a report came to for one hold.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HoldAnswer {
    /// The hold.
    #[schema(example = "00000001000001000000001900000007")]
    hold: String,
    /// What it came to.
    outcome: OutcomeName,
    /// The order, if the hold is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "00000001000001000000001900000007")]
    order: Option<String>,
    /// The hold that took the units again, if this one had ended when its payment came. The rest of the answer is about
    /// that one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "0000000100000100000000190000002a")]
    taken_again_by: Option<String>,
    /// How much of the hold's part has to go back, with `refund_due`.
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<MoneyBody>,
    /// Why it has to go back.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<RefundReasonName>,
    /// What to do now, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    what_to_do: Option<String>,
}

/// What a report came to for one hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PaymentOutcome)]
pub(crate) enum OutcomeName {
    /// The hold is an order now.
    Ordered,
    /// The hold is an order, made by this payment.
    AlreadyOrdered,
    /// The hold has ended now: its viewer shall not try again.
    Ended,
    /// It is noted; the hold stays as it is.
    Noted,
    /// The money has to go back.
    RefundDue,
    /// It was known, or it changes nothing any more.
    Unchanged,
    /// There is no such hold.
    UnknownHold,
    /// The hold's drop left memory meanwhile: nothing was recorded.
    DropOver,
}

/// Why money has to go back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RefundReason)]
pub(crate) enum RefundReasonName {
    /// The hold had ended when the payment came.
    HoldEnded,
    /// The hold is an order already, paid for by another payment.
    SecondPayment,
    /// The amount or its currency is not what is owed.
    WrongAmount,
    /// Real money for a rehearsal.
    WrongMode,
    /// The order was cancelled, in part or as a whole.
    Cancelled,
}

impl From<RefundReason> for RefundReasonName {
    fn from(reason: RefundReason) -> Self {
        match reason {
            RefundReason::HoldEnded => Self::HoldEnded,
            RefundReason::SecondPayment => Self::SecondPayment,
            RefundReason::WrongAmount => Self::WrongAmount,
            RefundReason::WrongMode => Self::WrongMode,
            RefundReason::Cancelled => Self::Cancelled,
        }
    }
}

impl FactAnswer {
    pub(crate) fn new(event: &PaymentEvent, outcome: &PaymentOutcome) -> Self {
        let holds = outcome.holds.iter();
        Self {
            account: outcome.payment.account.to_string(),
            payment: outcome.payment.reference.to_string(),
            holds: holds.map(|(hold, outcome)| HoldAnswer::new(event, *hold, *outcome)).collect(),
        }
    }
}

impl HoldAnswer {
    fn new(event: &PaymentEvent, hold: HoldId, outcome: HoldOutcome) -> Self {
        let plain = |outcome| Self {
            hold: hold.to_string(),
            outcome,
            order: None,
            taken_again_by: None,
            amount: None,
            reason: None,
            what_to_do: None,
        };
        match outcome {
            HoldOutcome::Part(part) => Self::of_part(event, hold, part),
            HoldOutcome::Moved { into, part } => Self {
                hold: hold.to_string(),
                taken_again_by: Some(into.to_string()),
                ..Self::of_part(event, into, part)
            },
            HoldOutcome::Unknown => plain(OutcomeName::UnknownHold),
            HoldOutcome::Over => {
                let what_to_do = "the hold's drop is over and nothing was recorded: send it again";
                Self { what_to_do: Some(what_to_do.to_owned()), ..plain(OutcomeName::DropOver) }
            }
        }
    }

    fn of_part(event: &PaymentEvent, hold: HoldId, part: PartOutcome) -> Self {
        let (outcome, due) = match part {
            PartOutcome::Ordered => (OutcomeName::Ordered, None),
            PartOutcome::AlreadyOrdered => (OutcomeName::AlreadyOrdered, None),
            PartOutcome::Ends => (OutcomeName::Ended, None),
            PartOutcome::Noted => (OutcomeName::Noted, None),
            PartOutcome::Unchanged => (OutcomeName::Unchanged, None),
            PartOutcome::RefundDue { amount, reason } => {
                (OutcomeName::RefundDue, Some((amount, reason)))
            }
        };
        let is_order = match due {
            // The order is another payment's.
            Some((_, reason)) => reason == RefundReason::SecondPayment,
            None => matches!(outcome, OutcomeName::Ordered | OutcomeName::AlreadyOrdered),
        };
        Self {
            hold: hold.to_string(),
            outcome,
            order: is_order.then(|| OrderId::of(hold).to_string()),
            taken_again_by: None,
            amount: due.map(|(amount, _)| amount.into()),
            reason: due.map(|(_, reason)| reason.into()),
            what_to_do: due.map(|(amount, _)| give_back(event, amount)),
        }
    }
}

fn give_back(event: &PaymentEvent, amount: Money) -> String {
    match event {
        PaymentEvent::Authorized { .. } => format!(
            "{amount} are kept ready and not needed: void the payment at the provider, then report it as `voided`"
        ),
        _ => format!("refund {amount} at the provider, then report the payment as `refunded`"),
    }
}
