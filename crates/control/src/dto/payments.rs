//! Payments as JSON: how holds stand, what is owed, what is to be done.

use serde::{Deserialize, Serialize};
use stampede_domain::{Charges, DropPlan, HoldId, OrderId, UnixMillis};
use stampede_engine::{
    HoldAccount, HoldGoods, HoldLook, HoldMoney, Matter, MatterKind, Moment, Part, PartState,
};
use utoipa::{IntoParams, ToSchema};

use super::{
    payment_facts::{RefundReasonName, SANDBOX, is_reported},
    plan::MoneyBody,
};
use crate::{
    extract::PageLimit,
    place::INTEGER_MAX,
    problem::{Code, Problem},
};

/// Most holds in one page of what is to be done.
pub(crate) const TODO_HOLDS_MAX: usize = 500;

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
    /// What is held, was held or was ordered, as long as the drop is in memory; of the holds that have ended, the
    /// latest 65,536 of each drop.
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
    /// How much, with `refund`, `capture` and `unpaid`.
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<MoneyBody>,
    /// Why money has to go back, with `refund`.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<RefundReasonName>,
    /// Whether the server does it by itself: `true` for `sandbox`; everywhere else it is yours to do.
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
        let (state, held) = match money.look {
            HoldLook::Known(status) if status.confirmed => (HoldStateName::Ordered, None),
            HoldLook::Known(status) => (HoldStateName::Held, Some(status)),
            HoldLook::Ended => (HoldStateName::Ended, None),
            HoldLook::Unknown if money.is_over && is_order => (HoldStateName::Ordered, None),
            HoldLook::Unknown if money.is_over => (HoldStateName::DropOver, None),
            HoldLook::Unknown | HoldLook::Pending => return None,
        };
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
            goods: money.goods.zip(plan).and_then(|(goods, plan)| HeldGoods::new(goods, plan)),
            charges: money.goods.map(|_| charges.into()),
            owed: money.goods.and_then(|goods| charges.with(goods.amount)).map(MoneyBody::from),
            payments: parts.iter().map(part).collect(),
            todo: money.matters.iter().map(Todo::new).collect(),
        })
    }
}

impl HeldGoods {
    fn new(goods: HoldGoods, plan: &DropPlan) -> Option<Self> {
        let sku = plan.sku(goods.sku)?;
        Some(Self {
            sku: sku.id.to_string(),
            title: sku.title.clone(),
            merchant_sku: sku.merchant_sku.clone(),
            units: goods.units.get(),
            amount: goods.amount.into(),
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
            MatterKind::Unpaid { amount } => (TodoName::Unpaid, Some(amount), None),
        };
        let declined = matter.declined.as_ref().map(|reason| reason.as_str().to_owned());
        Self {
            account: matter.payment.account.to_string(),
            payment: matter.payment.reference.to_string(),
            action,
            amount: amount.map(MoneyBody::from),
            reason: reason.map(RefundReasonName::from),
            is_asked: is_done_here(matter),
            what_to_do: what_to_do(matter, declined.is_some()),
            declined,
        }
    }
}

/// Whether the server itself asks the provider for it, or has asked.
fn is_done_here(matter: &Matter) -> bool {
    let is_sandbox = matter.payment.account.as_str() == SANDBOX;
    matter.is_asked || (is_sandbox && matter.kind.request().is_some())
}

fn what_to_do(matter: &Matter, is_declined: bool) -> String {
    let (account, payment) = (matter.payment.account.as_str(), &matter.payment.reference);
    match matter.kind {
        MatterKind::Unpaid { amount } => format!(
            "the order's money is gone: have {amount} paid anew, by any payment, or cancel its units and do not send them"
        ),
        _ if is_declined => format!("{account} has refused: see to it there"),
        _ if account == SANDBOX => {
            "nothing: the server does it by itself, as long as it runs with the sandbox".to_owned()
        }
        MatterKind::Refund { amount, .. } if is_reported(account) => format!(
            "refund {amount} at the provider, then report `refunded` with everything that was given back of the payment"
        ),
        MatterKind::Capture { amount } if is_reported(account) => {
            format!("capture {amount} at the provider, then report the payment as `paid`")
        }
        MatterKind::Void if is_reported(account) => {
            "void the payment at the provider, or end its attempt, then report it as `voided`"
                .to_owned()
        }
        // The server hears of it from the provider, and asks the provider for nothing.
        MatterKind::Refund { amount, .. } => {
            format!("refund {amount} of {payment} in Stripe; its webhook reports it")
        }
        MatterKind::Capture { amount } => {
            format!("capture {amount} of {payment} in Stripe; its webhook reports it")
        }
        MatterKind::Void => format!("cancel {payment} in Stripe; its webhook reports it"),
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

#[cfg(test)]
mod tests {
    use stampede_domain::{Money, PaymentId, RefundReason};

    use super::*;

    #[test]
    fn what_is_to_be_done_says_who_does_it() {
        let amount = Money::new(4_000, "EUR".parse().unwrap()).unwrap();
        let refund = MatterKind::Refund { amount, reason: RefundReason::HoldEnded };
        let hold = "00000001000001000000001900000007".parse().unwrap();
        let told = |account: &str, kind| {
            let payment = PaymentId::new(account, "pi_w").unwrap();
            let todo = Todo::new(&Matter { hold, payment, kind, is_asked: false, declined: None });
            (todo.is_asked, todo.what_to_do)
        };
        for (kind, words) in [
            (refund, "refund 40.00 EUR of pi_w in Stripe; its webhook reports it"),
            (
                MatterKind::Capture { amount },
                "capture 40.00 EUR of pi_w in Stripe; its webhook reports it",
            ),
            (MatterKind::Void, "cancel pi_w in Stripe; its webhook reports it"),
        ] {
            assert_eq!(told("stripe:main", kind), (false, words.to_owned()));
            let (is_asked, words) = told("platform", kind);
            assert!(!is_asked && words.contains("at the provider"), "{words}");
        }
        for kind in [refund, MatterKind::Void] {
            let (is_asked, words) = told("sandbox", kind);
            assert!(is_asked && words.starts_with("nothing: the server does it"), "{words}");
        }
        for account in ["stripe:main", "platform", "sandbox"] {
            let (is_asked, words) = told(account, MatterKind::Unpaid { amount });
            assert!(!is_asked && words.contains("have 40.00 EUR paid anew"), "{words}");
        }
    }
}
