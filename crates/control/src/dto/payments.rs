//! Payments as JSON: what is reported, what became of it, how holds stand.

use serde::{Deserialize, Serialize};
use stampede_domain::{
    Charges, DropPlan, HoldId, Money, OrderId, PaymentEvent, PaymentFact, PaymentId,
    PaymentReference, RefundReason, UnixMillis,
};
use stampede_engine::{
    HoldAccount, HoldLook, HoldMoney, HoldOutcome, HoldStatus, Matter, MatterKind, Moment, Part,
    PartOutcome, PartState, PaymentOutcome,
};
use utoipa::{IntoParams, ToSchema};

use super::plan::{MoneyBody, parsed};
use crate::{
    extract::PageLimit,
    place::INTEGER_MAX,
    problem::{Code, Problem},
};

/// The account of whoever names none.
const PLATFORM: &str = "platform";
/// The server's own test payments.
const SANDBOX: &str = "sandbox";
/// Accounts whose provider reports to the server by itself begin so.
const STRIPE: &str = "stripe:";
/// A path that could be an account.
const HOLDS: &str = "holds";
/// Most holds in one page of what is to be done.
pub(crate) const TODO_HOLDS_MAX: usize = 500;

/// Something that happened to a payment. It may come twice, late, in any order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PaymentFact)]
pub(crate) struct FactBody {
    /// The payment's name with its account: 1 to 128 letters, digits or `. _ : -`.
    #[schema(example = "pay-81723", max_length = 128)]
    payment: String,
    /// Where the money goes through. `sandbox`, `holds` and what begins with `stripe:` are reserved.
    #[serde(default = "platform")]
    #[schema(default = "platform", example = "platform", max_length = 64)]
    account: String,
    /// What happened.
    event: EventName,
    /// How much, for all holds of the payment together; of `refunded`, everything that was given back so far. Needed
    /// with `authorized`, `paid` and `refunded`, not allowed with other events.
    #[serde(default)]
    amount: Option<MoneyBody>,
    /// The holds that are paid for, all of one viewer; left out, those that the payment had before.
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
    /// What the platform calls the order.
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
fn is_reported(account: &str) -> bool {
    account != SANDBOX && account != HOLDS && !account.starts_with(STRIPE)
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
                 your own that is not `{SANDBOX}` or `{HOLDS}` and does not begin with `{STRIPE}`",
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

/// What is owed for a hold beyond its goods, in minor units of the drop's currency.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Charges)]
pub(crate) struct ChargesBody {
    /// For bringing the goods.
    #[serde(default)]
    #[schema(default = 0, example = 490, minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    shipping: u64,
    /// For the tax office, where prices are without it.
    #[serde(default)]
    #[schema(default = 0, example = 0, minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    tax: u64,
    /// For anything else, such as gift wrapping.
    #[serde(default)]
    #[schema(default = 0, example = 0, minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    fee: u64,
}

impl ChargesBody {
    pub(crate) fn to_charges(self) -> Result<Charges, Problem> {
        let Self { shipping, tax, fee } = self;
        for (field, minor) in [("shipping", shipping), ("tax", tax), ("fee", fee)] {
            if minor > INTEGER_MAX {
                let detail = format!("{field} is {minor}; at most {INTEGER_MAX} is allowed");
                return Err(Problem::new(Code::BadBody, detail));
            }
        }
        Ok(Charges { shipping, tax, fee })
    }
}

impl From<Charges> for ChargesBody {
    fn from(Charges { shipping, tax, fee }: Charges) -> Self {
        Self { shipping, tax, fee }
    }
}

/// How a hold stands, with its money.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HoldState {
    /// The hold.
    #[schema(example = "00000001000001000000001900000007")]
    hold: String,
    /// Its drop.
    #[schema(example = "d17")]
    drop: String,
    /// How it stands.
    state: HoldStateName,
    /// The server's time, in milliseconds since 1970-01-01 UTC.
    server_time_ms: u64,
    /// The order, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "00000001000001000000001900000007")]
    order: Option<String>,
    /// What the platform calls the order, if it has said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "R-1001")]
    order_reference: Option<String>,
    /// The hold that took the units again when a payment came after this one had ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "0000000100000100000000190000002a")]
    taken_again_by: Option<String>,
    /// Time left to pay as its viewer is shown, in milliseconds; only while it is held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pay_in_ms: Option<u64>,
    /// Time left until it gives its units back, the plan's grace included, in milliseconds: a payment that is reported
    /// by then makes an order. Only while it is held.
    #[serde(skip_serializing_if = "Option::is_none")]
    ends_in_ms: Option<u64>,
    /// When that is, in milliseconds since 1970-01-01 UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    ends_at_ms: Option<u64>,
    /// What is held or ordered; of a hold that has ended nothing is known any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    goods: Option<HeldGoods>,
    /// What is owed beyond the goods, in minor units of the drop's currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    charges: Option<ChargesBody>,
    /// What a payment for this hold alone has to come to: goods with charges.
    #[serde(skip_serializing_if = "Option::is_none")]
    owed: Option<MoneyBody>,
    /// Every payment that was heard of, the first one first.
    payments: Vec<PaymentPart>,
    /// What is to be done about them.
    todo: Vec<Todo>,
}

/// How a hold stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = HoldStanding)]
pub(crate) enum HoldStateName {
    /// It waits for its payment.
    Held,
    /// It is an order.
    Ordered,
    /// It has given its units back.
    Ended,
    /// It is no order, and its drop has left memory, where no hold is live.
    DropOver,
}

/// What a hold holds.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HeldGoods {
    /// The SKU's id.
    #[schema(example = "n5-50")]
    sku: String,
    /// Its title.
    #[schema(example = "No. 5")]
    title: String,
    /// The merchant's own code.
    #[schema(example = "MN-0005-50")]
    merchant_sku: String,
    /// How many units.
    #[schema(example = 2)]
    units: u32,
    /// What they cost together.
    amount: MoneyBody,
}

/// A payment's part that is for one hold.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PaymentPart {
    /// Where the money goes through.
    #[schema(example = "platform")]
    account: String,
    /// The payment's name there.
    #[schema(example = "pay-81723")]
    payment: String,
    /// Where it stands.
    state: PartStateName,
    /// What was taken or is kept ready for this hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<MoneyBody>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "card_declined")]
    failed: Option<String>,
    /// Whether the order was made by it.
    makes_order: bool,
    /// What has to go back in all, in minor units of its currency.
    refund_due_minor: u64,
    /// What went back so far.
    refunded_minor: u64,
    /// What has to go back and has not.
    refund_outstanding_minor: u64,
    /// Why money has to go back, last.
    #[serde(skip_serializing_if = "Option::is_none")]
    refund_reason: Option<RefundReasonName>,
}

/// Where a payment stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PaymentState)]
pub(crate) enum PartStateName {
    /// A refund was reported before anything else was.
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

impl From<&PartState> for PartStateName {
    fn from(state: &PartState) -> Self {
        match state {
            PartState::Unknown => Self::Unknown,
            PartState::Begun => Self::Begun,
            PartState::Failed(_) => Self::Failed,
            PartState::Authorized(_) => Self::Authorized,
            PartState::Voided => Self::Voided,
            PartState::Paid(_) => Self::Paid,
        }
    }
}

/// Something about a payment that is not done.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Todo {
    /// Where the money goes through.
    #[schema(example = "platform")]
    account: String,
    /// The payment's name there.
    #[schema(example = "pay-81723")]
    payment: String,
    /// What is to be done.
    action: TodoName,
    /// How much, with `refund` and `capture`.
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<MoneyBody>,
    /// Why money has to go back, with `refund`.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<RefundReasonName>,
    /// Whether the server has asked the provider for it.
    is_asked: bool,
    /// What the provider answered, if it refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    declined: Option<String>,
    /// The same in words.
    what_to_do: String,
}

/// What is to be done about a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum TodoName {
    /// Money has to go back.
    Refund,
    /// The hold is an order: take what is kept ready.
    Capture,
    /// Let go of what is kept ready, end the attempt.
    Void,
    /// The hold is an order whose money is gone.
    Unpaid,
}

impl HoldState {
    /// How a hold stands; `None` for one that nobody was told of. `plan` is its drop's, as long as that is in memory.
    pub(crate) fn new(
        hold: HoldId,
        money: &HoldMoney,
        plan: Option<&DropPlan>,
        now: Moment,
    ) -> Option<Self> {
        let account = money.account.as_ref();
        let is_order = account.is_some_and(HoldAccount::is_order);
        let (state, known) = match money.look {
            HoldLook::Known(status) if status.confirmed => (HoldStateName::Ordered, Some(status)),
            HoldLook::Known(status) => (HoldStateName::Held, Some(status)),
            HoldLook::Ended => (HoldStateName::Ended, None),
            HoldLook::Unknown if money.is_over && is_order => (HoldStateName::Ordered, None),
            HoldLook::Unknown if money.is_over => (HoldStateName::DropOver, None),
            HoldLook::Unknown | HoldLook::Pending => return None,
        };
        let held = known.filter(|_| state == HoldStateName::Held);
        let left = |at: UnixMillis| at.since(now.sale);
        let charges = account.map_or(Charges::NONE, |account| account.charges);
        let order = (state == HoldStateName::Ordered).then(|| OrderId::of(hold).to_string());
        let order_reference = account.and_then(|account| account.reference.as_ref());
        let parts = account.map(|account| account.parts.as_slice()).unwrap_or_default();
        let order_part = account.and_then(|account| account.order_part());
        let part = |part: &Part| PaymentPart::new(part, order_part == Some(part));
        Some(Self {
            hold: hold.to_string(),
            drop: hold.drop_id().to_string(),
            state,
            server_time_ms: now.wall.get(),
            order,
            order_reference: order_reference.map(ToString::to_string),
            taken_again_by: account
                .and_then(|account| account.retaken)
                .map(|into| into.to_string()),
            pay_in_ms: held.map(|held| left(held.deadline).get()),
            ends_in_ms: held.map(|held| left(held.ends_at()).get()),
            ends_at_ms: held.map(|held| now.wall.plus(left(held.ends_at())).get()),
            goods: known.zip(plan).and_then(|(status, plan)| HeldGoods::new(&status, plan)),
            charges: known.map(|_| charges.into()),
            owed: known.and_then(|status| charges.with(status.amount)).map(MoneyBody::from),
            payments: parts.iter().map(part).collect(),
            todo: money.matters.iter().map(Todo::new).collect(),
        })
    }
}

impl HeldGoods {
    fn new(status: &HoldStatus, plan: &DropPlan) -> Option<Self> {
        let sku = plan.skus.get(usize::from(status.sku.get()))?;
        Some(Self {
            sku: sku.id.to_string(),
            title: sku.title.clone(),
            merchant_sku: sku.merchant_sku.clone(),
            units: status.units.get(),
            amount: status.amount.into(),
        })
    }
}

impl PaymentPart {
    fn new(part: &Part, makes_order: bool) -> Self {
        let failed = match &part.state {
            PartState::Failed(reason) => Some(reason.to_string()),
            _ => None,
        };
        Self {
            account: part.payment.account.to_string(),
            payment: part.payment.reference.to_string(),
            state: (&part.state).into(),
            amount: part.covers().map(MoneyBody::from),
            failed,
            makes_order,
            refund_due_minor: part.due,
            refunded_minor: part.refunded,
            refund_outstanding_minor: part.outstanding(),
            refund_reason: part.due_reason.map(RefundReasonName::from),
        }
    }
}

impl Todo {
    pub(crate) fn new(matter: &Matter) -> Self {
        let (action, amount, reason) = match matter.kind {
            MatterKind::Refund { amount, reason } => (TodoName::Refund, Some(amount), Some(reason)),
            MatterKind::Capture { amount } => (TodoName::Capture, Some(amount), None),
            MatterKind::Void => (TodoName::Void, None, None),
            MatterKind::Unpaid => (TodoName::Unpaid, None, None),
        };
        let declined = matter.declined.as_ref().map(|reason| reason.as_str().to_owned());
        Self {
            account: matter.payment.account.to_string(),
            payment: matter.payment.reference.to_string(),
            action,
            amount: amount.map(MoneyBody::from),
            reason: reason.map(RefundReasonName::from),
            is_asked: matter.is_asked,
            what_to_do: what_to_do(matter, declined.is_some()),
            declined,
        }
    }
}

fn what_to_do(matter: &Matter, is_declined: bool) -> String {
    let account = matter.payment.account.as_str();
    if !is_reported(account) && matter.kind != MatterKind::Unpaid {
        return if is_declined {
            format!("{account} has refused: see to it there")
        } else {
            format!("nothing: the server asks {account} for it")
        };
    }
    match matter.kind {
        MatterKind::Refund { amount, .. } => format!(
            "refund {amount} at the provider, then report `refunded` with everything that was given back of the payment"
        ),
        MatterKind::Capture { amount } => {
            format!("capture {amount} at the provider, then report the payment as `paid`")
        }
        MatterKind::Void => {
            "void the payment at the provider, or end its attempt, then report it as `voided`".to_owned()
        }
        MatterKind::Unpaid => {
            "the hold is an order and its money is gone: have it paid anew, or do not send the goods".to_owned()
        }
    }
}

/// A payment with its holds.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Payment)]
pub(crate) struct PaymentAnswer {
    /// Where the money goes through.
    #[schema(example = "platform")]
    pub(crate) account: String,
    /// The payment's name there.
    #[schema(example = "pay-81723")]
    pub(crate) payment: String,
    /// Its holds that the token may ask about, at most 64, by their ids.
    pub(crate) holds: Vec<HoldState>,
}

/// Which part of the list of what is to be done.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct TodoParams {
    /// List holds after this one: the `next` of the page before.
    #[serde(default)]
    #[param(example = "00000001000001000000001900000007")]
    pub(crate) after: Option<String>,
    /// Holds of one page.
    #[serde(default)]
    #[param(value_type = usize, default = 100, minimum = 1, maximum = 500)]
    pub(crate) limit: PageLimit<TODO_HOLDS_MAX>,
}

/// What is to be done about payments, one page.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TodoList {
    /// Holds with something to be done, by their ids.
    pub(crate) holds: Vec<TodoHold>,
    /// What to send as `after` for the next page; left out on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "00000001000001000000001900000007")]
    pub(crate) next: Option<String>,
}

/// A hold with what is to be done about its payments.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TodoHold {
    /// The hold.
    #[schema(example = "00000001000001000000001900000007")]
    hold: String,
    /// Its drop.
    #[schema(example = "d17")]
    drop: String,
    /// What is to be done.
    todo: Vec<Todo>,
}

impl TodoHold {
    pub(crate) fn new(hold: HoldId, matters: &[Matter]) -> Self {
        Self {
            hold: hold.to_string(),
            drop: hold.drop_id().to_string(),
            todo: matters.iter().map(Todo::new).collect(),
        }
    }
}
