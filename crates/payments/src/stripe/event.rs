//! What Stripe reports: events, as facts about payments.
//!
//! | event | fact |
//! |---|---|
//! | `payment_intent.succeeded` | paid, `amount_received` |
//! | `payment_intent.amount_capturable_updated` | authorized, `amount_capturable` |
//! | `payment_intent.payment_failed` | failed; the viewer may try again |
//! | `payment_intent.canceled` | voided |
//! | `checkout.session.completed`, `payment_status` `paid` | paid, `amount_total` |
//! | `checkout.session.expired` | failed with `expired` |
//! | `charge.refunded` | refunded, what went back so far of what was taken |
//!
//! All others are ignored, and a listener answers them like those that count: Stripe sends what the account
//! subscribed to, and repeats for days what is refused. A payment by a slow method completes its session as
//! `unpaid`, which is no payment; `payment_intent.succeeded` comes when the money does, so that
//! `checkout.session.async_payment_succeeded` need not be read.
//!
//! The payment is always the intent. A session without one is either of no money, such as an order for nothing, or
//! its money is an invoice's, whose own intent reports it: neither is a payment under the session's name. Only
//! for an expired session the session's id stands in. Since Stripe's version 2022-08-01 the intent is made when
//! the viewer confirms, so a session that nobody confirmed has no other name, and no money ever comes under it.
//! ("Deferred `PaymentIntent` creation in Checkout Session payment mode", changelog of 2022-08-01; "The ID of the
//! `PaymentIntent` for Checkout Sessions in `payment` mode", <https://docs.stripe.com/api/checkout/sessions/object>;
//! both checked on 2026-11-30.)
//!
//! A charge's `amount_refunded` counts all refunds so far, and what was kept ready and never captured as well: Stripe
//! books the rest of a partial capture as a refund. What went back is `amount_refunded` less `amount` less
//! `amount_captured`, and nothing of a charge that was not captured. (An intent of `amount` 20675 with `amount_received`
//! 20300 has a charge with `amount_refunded` 375: <https://github.com/woocommerce/woocommerce-gateway-stripe/issues/1073>;
//! "creating a refund for the remaining amount": <https://github.com/solidusio/solidus_stripe/pull/268>; both checked on
//! 2026-11-30.) With several captures of one intent the rest is open until the last one, so a refund before that is heard
//! of with the next one after it.
//!
//! Fields that are not used may be missing, new, or of any type. Those that are used are needed.

use serde::Deserialize;
use serde_json::value::RawValue;
use stampede_domain::{
    IdError, Mode, Money, PaymentAccount, PaymentEvent, PaymentFact, PaymentId, PaymentReference,
    UnixMillis, limits::PAYMENT_REFERENCE_BYTES_MAX,
};

use super::{
    amounts::{self, AmountError},
    metadata::{Metadata, Named, NamedHolds, bounded},
};

/// Bytes of an event's kind, where it is kept as text.
const KIND_BYTES_MAX: usize = 128;
/// Why a payment failed that Stripe gives no reason for.
const NO_REASON: &str = "unknown";
/// Why an attempt failed whose session ended.
const EXPIRED: &str = "expired";

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StripeEvent {
    /// Its id, such as `evt_1MtwBw`. The same event may come twice.
    pub id: PaymentReference,
    /// When Stripe made it. Events come in any order.
    pub created_at: UnixMillis,
    /// Whether it is about real money.
    pub live: bool,
    /// What it says.
    pub kind: StripeEventKind,
    /// Why the name of its order was left out, if it cannot be one.
    pub order_fault: Option<IdError>,
}

/// What an event says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StripeEventKind {
    /// Something about a payment. It names its holds if it is paid or authorized; otherwise they may be missing,
    /// and the payment is known by its id.
    Fact(PaymentFact),
    /// Money whose holds cannot be read, or which names none: perhaps of another business on the same account.
    Unmatched {
        /// The payment.
        payment: PaymentId,
        /// How much.
        amount: Money,
        /// Whether the money was taken; otherwise it is kept ready.
        is_taken: bool,
        /// What the payment named, for people; empty if nothing. At most
        /// [`NAMED_BYTES_MAX`](super::metadata::NAMED_BYTES_MAX) bytes.
        named: String,
    },
    /// Nothing that counts here.
    Ignored {
        /// The event's kind as Stripe calls it, cut to 128 bytes.
        kind: String,
        /// Why it does not count.
        why: Ignorance,
    },
}

/// Why an event does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ignorance {
    /// A kind that is not read.
    OtherKind,
    /// No money moved, and no attempt ended.
    NoMoney,
    /// The money is not a payment intent's, or another intent reports it: subscriptions, old charges.
    OtherPayment,
    /// It happened on a connected account, to whoever owns that: its money did not come to this one.
    ConnectedAccount,
    /// It names none of our keys, and its amount cannot be written here.
    OtherAmount,
}

/// Why an event cannot be read. Stripe repeats it, so that a newer version may read it.
#[derive(Debug, thiserror::Error)]
pub enum StripeEventError {
    /// Not JSON, or without what is needed.
    #[error("the {what} is not as Stripe documents it")]
    Shape {
        /// Which part.
        what: &'static str,
        /// Where it differs.
        source: serde_json::Error,
    },
    /// Another object in its place.
    #[error("an object {found:?} stands where {expected} is expected")]
    Object {
        /// What was expected.
        expected: &'static str,
        /// What stands there.
        found: String,
    },
    /// Without what is needed.
    #[error("the {what} has no {field}")]
    FieldMissing {
        /// Which part.
        what: &'static str,
        /// What it lacks.
        field: &'static str,
    },
    /// An id that is no reference.
    #[error("the id of the {what} is no reference")]
    Reference {
        /// Of which part.
        what: &'static str,
        /// What is wrong with it.
        source: IdError,
    },
    /// An amount that cannot be written here.
    #[error("{payment} has an amount that is none here")]
    Amount {
        /// The payment.
        payment: PaymentId,
        /// Why.
        source: AmountError,
    },
}

#[derive(Deserialize)]
struct Envelope<'a> {
    id: String,
    object: String,
    #[serde(rename = "type")]
    kind: String,
    livemode: bool,
    /// Seconds since 1970-01-01 UTC.
    created: u64,
    /// The connected account that it happened on.
    account: Option<String>,
    #[serde(borrow)]
    data: Data<'a>,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    object: &'a RawValue,
}

/// One of Stripe's objects, as far as it is used.
trait Object<'a>: Deserialize<'a> {
    const NAME: &'static str;
    fn object(&self) -> &str;
}

macro_rules! objects {
    ($($object:ident $name:literal),*) => {$(
        impl Object<'_> for $object {
            const NAME: &'static str = $name;

            fn object(&self) -> &str {
                &self.object
            }
        }
    )*};
}

objects!(Intent "payment_intent", Session "checkout.session", Charge "charge");

#[derive(Deserialize)]
struct Intent {
    id: String,
    object: String,
    currency: Option<String>,
    amount_received: Option<u64>,
    amount_capturable: Option<u64>,
    last_payment_error: Option<Decline>,
    metadata: Option<Metadata>,
}

#[derive(Deserialize)]
struct Decline {
    /// What the card's bank says.
    decline_code: Option<String>,
    /// What Stripe makes of it.
    code: Option<String>,
}

#[derive(Deserialize)]
struct Session {
    id: String,
    object: String,
    mode: String,
    payment_status: String,
    payment_intent: Option<String>,
    currency: Option<String>,
    amount_total: Option<u64>,
    metadata: Option<Metadata>,
}

#[derive(Deserialize)]
struct Charge {
    object: String,
    payment_intent: Option<String>,
    currency: Option<String>,
    captured: bool,
    amount: u64,
    /// Older versions of Stripe's do not have it.
    amount_captured: Option<u64>,
    amount_refunded: Option<u64>,
    metadata: Option<Metadata>,
}

/// A report about one payment.
struct Report<'a> {
    account: &'a PaymentAccount,
    payment: &'a str,
    live: bool,
    named: Named,
}

/// What a report says about money.
struct Amount<'a> {
    what: &'static str,
    field: &'static str,
    /// In Stripe's units.
    number: Option<u64>,
    currency: Option<&'a str>,
}

/// What an event comes to.
enum Outcome {
    Ignored(Ignorance),
    Kind(StripeEventKind, Option<IdError>),
}

/// Reads an event whose signature was checked, for the account that its secret belongs to.
///
/// # Errors
/// [`StripeEventError`].
pub fn read(account: &PaymentAccount, body: &[u8]) -> Result<StripeEvent, StripeEventError> {
    let envelope: Envelope<'_> = serde_json::from_slice(body)
        .map_err(|source| StripeEventError::Shape { what: "event", source })?;
    expect_object("event", &envelope.object)?;
    let (kind, order_fault) = match outcome(account, &envelope)? {
        Outcome::Kind(kind, order_fault) => (kind, order_fault),
        Outcome::Ignored(why) => {
            let kind = bounded(&envelope.kind, KIND_BYTES_MAX);
            (StripeEventKind::Ignored { kind, why }, None)
        }
    };
    Ok(StripeEvent {
        id: reference("event", &envelope.id)?,
        created_at: UnixMillis::new(envelope.created.saturating_mul(1_000)),
        live: envelope.livemode,
        kind,
        order_fault,
    })
}

fn outcome(account: &PaymentAccount, envelope: &Envelope<'_>) -> Result<Outcome, StripeEventError> {
    // The owner of a connected account could name anybody's hold there, and pay himself.
    if envelope.account.is_some() {
        return Ok(Outcome::Ignored(Ignorance::ConnectedAccount));
    }
    let (live, data) = (envelope.livemode, envelope.data.object);
    match envelope.kind.as_str() {
        "payment_intent.succeeded" => succeeded(account, live, &object(data)?),
        "payment_intent.amount_capturable_updated" => capturable(account, live, &object(data)?),
        "payment_intent.payment_failed" => payment_failed(account, live, &object(data)?),
        "payment_intent.canceled" => canceled(account, live, &object(data)?),
        "payment_intent.created" | "payment_intent.processing" => {
            Ok(Outcome::Ignored(Ignorance::NoMoney))
        }
        "checkout.session.completed" => completed(account, live, &object(data)?),
        "checkout.session.expired" => expired(account, live, &object(data)?),
        "charge.refunded" => refunded(account, live, &object(data)?),
        _ => Ok(Outcome::Ignored(Ignorance::OtherKind)),
    }
}

fn object<'a, T: Object<'a>>(data: &'a RawValue) -> Result<T, StripeEventError> {
    let read: T = serde_json::from_str(data.get())
        .map_err(|source| StripeEventError::Shape { what: T::NAME, source })?;
    expect_object(T::NAME, read.object())?;
    Ok(read)
}

fn expect_object(expected: &'static str, found: &str) -> Result<(), StripeEventError> {
    if found == expected {
        return Ok(());
    }
    Err(StripeEventError::Object { expected, found: bounded(found, KIND_BYTES_MAX) })
}

fn reference(what: &'static str, id: &str) -> Result<PaymentReference, StripeEventError> {
    id.parse().map_err(|source| StripeEventError::Reference { what, source })
}

fn succeeded(account: &PaymentAccount, live: bool, intent: &Intent) -> Read {
    let amount = intent.amount("amount_received", intent.amount_received);
    intent.report(account, live).money(&amount, true)
}

fn capturable(account: &PaymentAccount, live: bool, intent: &Intent) -> Read {
    let amount = intent.amount("amount_capturable", intent.amount_capturable);
    intent.report(account, live).money(&amount, false)
}

fn payment_failed(account: &PaymentAccount, live: bool, intent: &Intent) -> Read {
    let decline = intent.last_payment_error.as_ref();
    let codes = decline.map(|decline| [&decline.decline_code, &decline.code]);
    let code = codes.iter().flatten().find_map(|code| code.as_deref().filter(|c| !c.is_empty()));
    // The intent waits for another card.
    let failed =
        PaymentEvent::Failed { reason: reason(code.unwrap_or(NO_REASON)), is_final: false };
    intent.report(account, live).fact(failed)
}

fn canceled(account: &PaymentAccount, live: bool, intent: &Intent) -> Read {
    intent.report(account, live).fact(PaymentEvent::Voided)
}

fn completed(account: &PaymentAccount, live: bool, session: &Session) -> Read {
    if !session.is_of_a_payment() {
        return Ok(Outcome::Ignored(Ignorance::OtherPayment));
    }
    let is_free = session.amount_total == Some(0);
    if session.payment_status != "paid" || is_free {
        return Ok(Outcome::Ignored(Ignorance::NoMoney));
    }
    let missing = StripeEventError::FieldMissing { what: Session::NAME, field: "payment_intent" };
    let payment = session.payment_intent.as_deref().ok_or(missing)?;
    let amount = Amount {
        what: Session::NAME,
        field: "amount_total",
        number: session.amount_total,
        currency: session.currency.as_deref(),
    };
    Report::new(account, payment, live, session.metadata.as_ref()).money(&amount, true)
}

fn expired(account: &PaymentAccount, live: bool, session: &Session) -> Read {
    if !session.is_of_a_payment() {
        return Ok(Outcome::Ignored(Ignorance::OtherPayment));
    }
    let payment = session.payment_intent.as_deref().unwrap_or(&session.id);
    let failed = PaymentEvent::Failed { reason: reason(EXPIRED), is_final: false };
    Report::new(account, payment, live, session.metadata.as_ref()).fact(failed)
}

fn refunded(account: &PaymentAccount, live: bool, charge: &Charge) -> Read {
    let Some(payment) = charge.payment_intent.as_deref() else {
        return Ok(Outcome::Ignored(Ignorance::OtherPayment));
    };
    if !charge.captured {
        return Ok(Outcome::Ignored(Ignorance::NoMoney));
    }
    let amount = Amount {
        what: Charge::NAME,
        field: "amount_refunded",
        number: charge.went_back(),
        currency: charge.currency.as_deref(),
    };
    let report = Report::new(account, payment, live, charge.metadata.as_ref());
    match report.amount(&amount)? {
        Ok(total) => report.fact(PaymentEvent::Refunded { total }),
        Err(why) => Ok(Outcome::Ignored(why)),
    }
}

type Read = Result<Outcome, StripeEventError>;

impl Intent {
    fn report<'a>(&'a self, account: &'a PaymentAccount, live: bool) -> Report<'a> {
        Report::new(account, &self.id, live, self.metadata.as_ref())
    }

    fn amount(&self, field: &'static str, number: Option<u64>) -> Amount<'_> {
        Amount { what: Self::NAME, field, number, currency: self.currency.as_deref() }
    }
}

impl Charge {
    /// What went back of what was taken, in Stripe's units.
    fn went_back(&self) -> Option<u64> {
        let never_taken = self.amount.saturating_sub(self.amount_captured.unwrap_or(self.amount));
        self.amount_refunded.map(|refunded| refunded.saturating_sub(never_taken))
    }
}

impl Session {
    /// Sessions of other modes save a card or begin a subscription.
    fn is_of_a_payment(&self) -> bool {
        self.mode == "payment"
    }
}

impl<'a> Report<'a> {
    fn new(
        account: &'a PaymentAccount,
        payment: &'a str,
        live: bool,
        metadata: Option<&Metadata>,
    ) -> Self {
        let named = Named::read(metadata.unwrap_or(&Metadata::new()));
        Self { account, payment, live, named }
    }

    fn payment(&self) -> Result<PaymentId, StripeEventError> {
        let reference = reference("payment", self.payment)?;
        Ok(PaymentId { account: self.account.clone(), reference })
    }

    /// The amount, or why nobody needs it.
    fn amount(&self, given: &Amount<'_>) -> Result<Result<Money, Ignorance>, StripeEventError> {
        let missing = |field| StripeEventError::FieldMissing { what: given.what, field };
        let number = given.number.ok_or_else(|| missing(given.field))?;
        let currency = given.currency.ok_or_else(|| missing("currency"))?;
        if number == 0 {
            return Ok(Err(Ignorance::NoMoney));
        }
        match amounts::from_provider(number, currency) {
            Ok(money) => Ok(Ok(money)),
            // Repeating it for days would make noise about the sales of somebody else.
            Err(_) if self.named.text.is_empty() => Ok(Err(Ignorance::OtherAmount)),
            Err(source) => Err(StripeEventError::Amount { payment: self.payment()?, source }),
        }
    }

    fn money(self, given: &Amount<'_>, is_taken: bool) -> Read {
        let amount = match self.amount(given)? {
            Ok(amount) => amount,
            Err(why) => return Ok(Outcome::Ignored(why)),
        };
        if !matches!(self.named.holds, NamedHolds::Read(_)) {
            let (payment, named) = (self.payment()?, self.named.text);
            let kind = StripeEventKind::Unmatched { payment, amount, is_taken, named };
            return Ok(Outcome::Kind(kind, self.named.order_fault));
        }
        self.fact(if is_taken {
            PaymentEvent::Paid { amount }
        } else {
            PaymentEvent::Authorized { amount }
        })
    }

    fn fact(self, event: PaymentEvent) -> Read {
        let payment = self.payment()?;
        let holds = match self.named.holds {
            NamedHolds::Read(holds) => holds,
            NamedHolds::None | NamedHolds::Unread => Vec::new(),
        };
        let kind = StripeEventKind::Fact(PaymentFact {
            payment,
            event,
            holds,
            mode: Some(if self.live { Mode::Live } else { Mode::Rehearsal }),
            order_reference: self.named.order_reference,
        });
        Ok(Outcome::Kind(kind, self.named.order_fault))
    }
}

/// A code of Stripe's, with `_` for what a reference may not have.
fn reason(code: &str) -> PaymentReference {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | ':' | '-');
    let plain = code.chars().map(|c| if is_allowed(c) { c } else { '_' });
    let text: String = plain.take(PAYMENT_REFERENCE_BYTES_MAX).collect();
    text.parse().expect("a code that is not empty, of allowed characters, is a reference")
}
