//! What became of a hold, as JSON.

use serde::Serialize;
use stampede_domain::{Currency, Money, PaymentId, UnixMillis};
use stampede_report::{
    lineage::{
        Cancelled, Happening, Lineage, LineageEvent, MoveCause, PaymentChange, ProviderRequest,
        Standing,
    },
    orders::Order,
};
use utoipa::ToSchema;

use super::{
    ModeName,
    orders::{OrderEdition, OrderLine, exact},
    payment_facts::RefundReasonName,
    payments::ChargesBody,
    plan::MoneyBody,
};

/// What became of a hold, and of the holds that its payments paid for.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Timeline {
    /// In the order in which they were taken.
    pub(crate) holds: Vec<HoldStory>,
}

/// What became of one hold.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HoldStory {
    /// The hold.
    #[schema(example = "00000001000001000000001900000007")]
    hold: String,
    /// Its drop.
    #[schema(example = "d17")]
    drop: String,
    /// Live, or a rehearsal.
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<ModeName>,
    /// The SKU's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    sku: Option<String>,
    /// Its title.
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    /// How the hold stands.
    stands: HoldStands,
    /// When its time to pay is over, in milliseconds since 1970-01-01 UTC; only while it is held.
    #[serde(skip_serializing_if = "Option::is_none")]
    until_ms: Option<u64>,
    /// The order, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<OrderLine>,
    /// What happened, in the order in which it was recorded.
    events: Vec<EventLine>,
}

/// How a hold stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum HoldStands {
    /// It waits for its payment.
    Held,
    /// It is an order.
    Ordered,
    /// It has given its units back.
    Ended,
    /// The ledger does not say how it began.
    Unknown,
}

/// Something that happened to a hold. Besides `at_ms` and `kind` it has what belongs to its kind.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct EventLine {
    /// When, in milliseconds since 1970-01-01 UTC.
    at_ms: u64,
    /// What.
    kind: EventKind,
    /// Units: taken, ordered, given back; with `cancelled` those that this cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    units: Option<u32>,
    /// With `cancelled`: all units of the order that are cancelled by now.
    #[serde(skip_serializing_if = "Option::is_none")]
    cancelled_units: Option<u32>,
    /// With `cancelled`: units of the order.
    #[serde(skip_serializing_if = "Option::is_none")]
    of_units: Option<u32>,
    /// The time to pay is over then, in milliseconds since 1970-01-01 UTC: with `taken` and `moved`.
    #[serde(skip_serializing_if = "Option::is_none")]
    until_ms: Option<u64>,
    /// With `moved`: by how many milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    moved_ms: Option<u64>,
    /// With `moved`: why.
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<MoveCauseName>,
    /// With `ordered`: the order's code.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "17-4211-0")]
    code: Option<String>,
    /// With `ordered`: the numbers of its units, if they are numbered.
    #[serde(skip_serializing_if = "Option::is_none")]
    edition: Option<OrderEdition>,
    /// How much: ordered, kept ready, paid, due back, gone back in all.
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<MoneyBody>,
    /// With `charged`: what is owed beyond the goods, in minor units of the drop's currency.
    #[serde(skip_serializing_if = "Option::is_none")]
    charges: Option<ChargesBody>,
    /// Of the charges.
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<String>,
    /// Where the money goes through.
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    /// The payment's name there.
    #[serde(skip_serializing_if = "Option::is_none")]
    payment: Option<String>,
    /// With `referenced`: what the platform calls the order.
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    /// With `failed` the provider's code, with `cancelled` and `declined` somebody's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// With `refund_due`: why.
    #[serde(skip_serializing_if = "Option::is_none")]
    refund_reason: Option<RefundReasonName>,
    /// With `asked` and `declined`: what the provider was asked to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<ProviderRequestName>,
    /// The other hold: with `paid_by_another` the one that had ended, with `retaken` the one that took the units.
    #[serde(skip_serializing_if = "Option::is_none")]
    other_hold: Option<String>,
    /// With `cancelled`: the lot by which the units went back on sale.
    #[serde(skip_serializing_if = "Option::is_none")]
    lot: Option<u32>,
    /// With `cancelled`: who.
    #[serde(skip_serializing_if = "Option::is_none")]
    actor: Option<String>,
    /// With `taken`: who; left out once it was erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    viewer: Option<String>,
    /// With `taken`: the channel that gets the credit.
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<String>,
}

/// What may happen to a hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum EventKind {
    /// A viewer took units.
    #[default]
    Taken,
    /// It became an order.
    Ordered,
    /// It was given back before its time was over.
    GivenBack,
    /// Its time was over.
    Expired,
    /// Its time to pay moved.
    Moved,
    /// A payment for a hold that had ended paid for its units.
    PaidByAnother,
    /// Units were cancelled, or money was given back for the order.
    Cancelled,
    /// What is owed beyond the goods was set.
    Charged,
    /// The platform gave the order a name.
    Referenced,
    /// An attempt to pay began.
    Begun,
    /// The provider keeps money ready.
    Authorized,
    /// The money was taken.
    Paid,
    /// The attempt failed.
    Failed,
    /// What was kept ready was let go, or the attempt is over.
    Voided,
    /// Money has to go back.
    RefundDue,
    /// Money went back.
    Refunded,
    /// The provider was asked for something.
    Asked,
    /// The provider refused it.
    Declined,
    /// Its units were taken again by another hold, for its late payment.
    Retaken,
}

/// Why a time to pay moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MoveCauseName {
    /// The viewer began to pay.
    Attempt,
    /// Staff gave every live hold more time.
    Staff,
    /// The server was alive and served nobody.
    Pause,
    /// The server was away.
    Outage,
}

/// What a provider is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ProviderRequestName {
    /// Take what is kept ready.
    Capture,
    /// Let it go.
    Void,
    /// Give money back.
    Refund,
}

impl HoldStory {
    /// A hold's story; `order` is its order with its viewer's name, if it is one.
    pub(crate) fn new(lineage: &Lineage, order: Option<&Order>) -> Self {
        let Lineage { hold, sku, plan, events, stands } = lineage;
        let goods = plan.as_ref().zip(*sku).and_then(|(plan, sku)| plan.sku(sku));
        let (stands, until) = match stands {
            Standing::Held { until } => (HoldStands::Held, Some(*until)),
            Standing::Ordered(_) => (HoldStands::Ordered, None),
            Standing::Ended => (HoldStands::Ended, None),
            Standing::Unknown => (HoldStands::Unknown, None),
        };
        Self {
            hold: hold.to_string(),
            drop: hold.drop_id().to_string(),
            mode: plan.as_ref().map(|plan| plan.mode.into()),
            sku: goods.map(|sku| sku.id.to_string()),
            title: goods.map(|sku| sku.title.clone()),
            stands,
            until_ms: until.map(at_ms),
            order: order.map(OrderLine::new),
            events: events.iter().map(EventLine::new).collect(),
        }
    }
}

impl EventLine {
    fn new(event: &LineageEvent) -> Self {
        Self { at_ms: at_ms(event.at), ..Self::of(&event.what) }
    }

    fn of(what: &Happening) -> Self {
        let none = Self::default();
        match what {
            Happening::Taken { viewer, units, channel, until, .. } => Self {
                units: Some(units.get()),
                until_ms: Some(at_ms(*until)),
                viewer: viewer.as_ref().map(ToString::to_string),
                channel: channel.as_ref().map(ToString::to_string),
                ..none
            },
            Happening::Ordered { named, units, amount } => Self {
                kind: EventKind::Ordered,
                units: Some(units.get()),
                amount: Some((*amount).into()),
                code: named.as_ref().map(|(code, _)| code.to_string()),
                edition: named
                    .as_ref()
                    .and_then(|(_, edition)| edition.as_ref().map(OrderEdition::new)),
                ..none
            },
            Happening::GivenBack { units } => {
                Self { kind: EventKind::GivenBack, units: Some(units.get()), ..none }
            }
            Happening::Expired { units } => {
                Self { kind: EventKind::Expired, units: Some(units.get()), ..none }
            }
            Happening::Moved { cause, span, until } => Self {
                kind: EventKind::Moved,
                moved_ms: Some(exact(span.get())),
                until_ms: Some(at_ms(*until)),
                cause: Some((*cause).into()),
                ..none
            },
            Happening::PaidByAnother { payment, hold } => {
                let other_hold = Some(hold.to_string());
                Self { other_hold, ..Self::about(EventKind::PaidByAnother, payment) }
            }
            Happening::Cancelled { cancelled, more, of } => Self::cancelled(cancelled, *more, *of),
            Happening::Money { change, currency } => Self::money(change, *currency),
        }
    }

    fn about(kind: EventKind, payment: &PaymentId) -> Self {
        let (account, reference) = (payment.account.to_string(), payment.reference.to_string());
        Self { kind, account: Some(account), payment: Some(reference), ..Self::default() }
    }

    fn cancelled(cancelled: &Cancelled, more: u32, of: u32) -> Self {
        Self {
            kind: EventKind::Cancelled,
            units: Some(more),
            cancelled_units: Some(cancelled.units),
            of_units: Some(of),
            amount: Some(cancelled.amount.into()),
            lot: cancelled.lot,
            actor: Some(cancelled.actor.as_str().to_owned()),
            reason: Some(cancelled.reason.as_str().to_owned()),
            ..Self::default()
        }
    }

    fn money(change: &PaymentChange, currency: Option<Currency>) -> Self {
        let of = |kind, payment, amount: Option<Money>| Self {
            amount: amount.map(MoneyBody::from),
            ..Self::about(kind, payment)
        };
        match change {
            PaymentChange::Charged(charges) => Self {
                kind: EventKind::Charged,
                charges: Some((*charges).into()),
                currency: currency.map(|currency| currency.to_string()),
                ..Self::default()
            },
            PaymentChange::Referenced(reference) => Self {
                kind: EventKind::Referenced,
                reference: Some(reference.to_string()),
                ..Self::default()
            },
            PaymentChange::Begun { payment } => of(EventKind::Begun, payment, None),
            PaymentChange::Authorized { payment, amount } => {
                of(EventKind::Authorized, payment, Some(*amount))
            }
            PaymentChange::Paid { payment, amount } => of(EventKind::Paid, payment, Some(*amount)),
            PaymentChange::Failed { payment, reason } => {
                Self { reason: Some(reason.to_string()), ..of(EventKind::Failed, payment, None) }
            }
            PaymentChange::Voided { payment } => of(EventKind::Voided, payment, None),
            PaymentChange::RefundDue { payment, amount, reason } => Self {
                refund_reason: Some((*reason).into()),
                ..of(EventKind::RefundDue, payment, Some(*amount))
            },
            PaymentChange::Refunded { payment, total } => {
                of(EventKind::Refunded, payment, Some(*total))
            }
            PaymentChange::Asked { payment, request } => {
                Self { request: Some((*request).into()), ..of(EventKind::Asked, payment, None) }
            }
            PaymentChange::Declined { payment, request, reason } => Self {
                request: Some((*request).into()),
                reason: Some(reason.as_str().to_owned()),
                ..of(EventKind::Declined, payment, None)
            },
            PaymentChange::Retaken { payment, into } => {
                Self { other_hold: Some(into.to_string()), ..of(EventKind::Retaken, payment, None) }
            }
            // The lineage tells it with how many came before.
            PaymentChange::Cancelled(decided) => {
                Self::cancelled(decided, decided.units, decided.units)
            }
        }
    }
}

impl From<MoveCause> for MoveCauseName {
    fn from(cause: MoveCause) -> Self {
        match cause {
            MoveCause::Attempt => Self::Attempt,
            MoveCause::Staff => Self::Staff,
            MoveCause::Pause => Self::Pause,
            MoveCause::Outage => Self::Outage,
        }
    }
}

impl From<ProviderRequest> for ProviderRequestName {
    fn from(request: ProviderRequest) -> Self {
        match request {
            ProviderRequest::Capture => Self::Capture,
            ProviderRequest::Void => Self::Void,
            ProviderRequest::Refund => Self::Refund,
        }
    }
}

fn at_ms(at: UnixMillis) -> u64 {
    exact(at.get())
}
