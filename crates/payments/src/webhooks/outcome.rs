//! What becomes of a request, with its answer.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use stampede_domain::{DurationMs, PaymentEvent};

use crate::stripe::{SignatureError, StripeEvent, StripeEventKind};

/// What becomes of an event that Stripe signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EventOutcome {
    /// The books have decided by it, or it said what they knew.
    Recorded,
    /// Money that cannot be assigned stands in the ledger.
    Unmatched,
    /// It is about nothing that counts here.
    Ignored,
    /// A test, and about a live drop, or money that is none.
    TestMoney,
    /// A test for an account with real money, or the other way round.
    WrongMode,
    /// The books refuse it: it contradicts what was said before.
    Refused,
    /// A refund of a payment that nobody remembers.
    NoHolds,
    /// It cannot be read.
    Unreadable,
    /// The engine has too much to do.
    Busy,
    /// The ledger cannot be written or read.
    Unavailable,
    /// Nothing was durable in time.
    Late,
}

impl EventOutcome {
    /// Every name in metrics.
    pub(crate) const NAMES: [&'static str; 9] = [
        "recorded",
        "unmatched",
        "ignored",
        "test_money",
        "wrong_mode",
        "refused",
        "no_holds",
        "unreadable",
        "unavailable",
    ];

    /// Its name in metrics, which have one for all that Stripe sends again: what was wrong, the engine's and the
    /// ledger's own metrics tell.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Unmatched => "unmatched",
            Self::Ignored => "ignored",
            Self::TestMoney => "test_money",
            Self::WrongMode => "wrong_mode",
            Self::Refused => "refused",
            Self::NoHolds => "no_holds",
            Self::Unreadable => "unreadable",
            Self::Busy | Self::Unavailable | Self::Late => "unavailable",
        }
    }
}

/// Why nobody looked at what a request says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RequestRefusal {
    UnknownAccount,
    HeaderMissing,
    HeaderMalformed,
    SchemeMissing,
    NoSecretMatches,
    TooOld,
    TooNew,
    TooLarge,
    BodyLate,
    BodyBroken,
    BodiesFull,
    AddressRate,
    AccountRate,
}

impl RequestRefusal {
    /// Every name in metrics.
    pub(crate) const NAMES: [&'static str; 13] = [
        "unknown_account",
        "header_missing",
        "header_malformed",
        "scheme_missing",
        "no_secret_matches",
        "too_old",
        "too_new",
        "too_large",
        "body_late",
        "body_broken",
        "bodies_full",
        "address_rate",
        "account_rate",
    ];

    /// Its name in metrics.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::UnknownAccount => "unknown_account",
            Self::HeaderMissing => "header_missing",
            Self::HeaderMalformed => "header_malformed",
            Self::SchemeMissing => "scheme_missing",
            Self::NoSecretMatches => "no_secret_matches",
            Self::TooOld => "too_old",
            Self::TooNew => "too_new",
            Self::TooLarge => "too_large",
            Self::BodyLate => "body_late",
            Self::BodyBroken => "body_broken",
            Self::BodiesFull => "bodies_full",
            Self::AddressRate => "address_rate",
            Self::AccountRate => "account_rate",
        }
    }
}

impl From<&SignatureError> for RequestRefusal {
    fn from(error: &SignatureError) -> Self {
        match error {
            SignatureError::HeaderMissing => Self::HeaderMissing,
            SignatureError::HeaderMalformed => Self::HeaderMalformed,
            SignatureError::SchemeMissing => Self::SchemeMissing,
            SignatureError::NoSecretMatches => Self::NoSecretMatches,
            SignatureError::TooOld { .. } => Self::TooOld,
            SignatureError::TooNew { .. } => Self::TooNew,
        }
    }
}

/// Names of what an event says, as metrics have them.
pub(crate) const KINDS: [&str; 7] =
    ["authorized", "paid", "failed", "voided", "refunded", "unmatched", "other"];
/// The kind of what cannot be read.
pub(crate) const OTHER: &str = "other";

/// What an event says, in a word.
pub(crate) const fn kind_of(event: &StripeEvent) -> &'static str {
    match &event.kind {
        StripeEventKind::Unmatched { .. } => "unmatched",
        StripeEventKind::Ignored { .. } => OTHER,
        StripeEventKind::Fact(fact) => match fact.event {
            PaymentEvent::Begun => OTHER,
            PaymentEvent::Authorized { .. } => "authorized",
            PaymentEvent::Paid { .. } => "paid",
            PaymentEvent::Failed { .. } => "failed",
            PaymentEvent::Voided => "voided",
            PaymentEvent::Refunded { .. } => "refunded",
        },
    }
}

/// An answer that has no choice of words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Event(EventOutcome),
    Refusal(RequestRefusal),
    /// The same after a while.
    Wait(RequestRefusal, DurationMs),
}

/// Time until an engine that was busy should be asked again.
const BUSY_RETRY: DurationMs = DurationMs::from_secs(1);

/// What everybody gets whom Stripe's signature does not vouch for: it says neither which accounts there are nor what is
/// wrong.
const NOT_SIGNED: (StatusCode, &str) =
    (StatusCode::BAD_REQUEST, "no account here has signed this\n");

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        use EventOutcome as Event;
        use RequestRefusal as Refusal;
        let refusal = match self {
            Self::Event(outcome) => {
                return match outcome {
                    Event::Busy => later(Some(BUSY_RETRY), "busy; send it again\n"),
                    Event::Unavailable => {
                        later(None, "the ledger cannot be used now; send it again\n")
                    }
                    Event::Late => later(None, "not durable in time; send it again\n"),
                    Event::Unreadable => {
                        let why = "signed, but not as Stripe documents its events\n";
                        (StatusCode::UNPROCESSABLE_ENTITY, why).into_response()
                    }
                    Event::Recorded
                    | Event::Unmatched
                    | Event::Ignored
                    | Event::TestMoney
                    | Event::WrongMode
                    | Event::Refused
                    | Event::NoHolds => (StatusCode::OK, "received\n").into_response(),
                };
            }
            Self::Wait(_, wait) => {
                return retry_after(wait, (StatusCode::TOO_MANY_REQUESTS, "too many\n"));
            }
            Self::Refusal(refusal) => refusal,
        };
        match refusal {
            Refusal::UnknownAccount
            | Refusal::HeaderMissing
            | Refusal::HeaderMalformed
            | Refusal::SchemeMissing
            | Refusal::NoSecretMatches
            | Refusal::TooOld
            | Refusal::TooNew => NOT_SIGNED.into_response(),
            Refusal::TooLarge => {
                (StatusCode::PAYLOAD_TOO_LARGE, "no event is that large\n").into_response()
            }
            Refusal::BodyLate => {
                (StatusCode::REQUEST_TIMEOUT, "the body came too late\n").into_response()
            }
            Refusal::BodyBroken => {
                (StatusCode::BAD_REQUEST, "the body broke off\n").into_response()
            }
            Refusal::BodiesFull => later(Some(BUSY_RETRY), "busy; send it again\n"),
            Refusal::AddressRate | Refusal::AccountRate => {
                (StatusCode::TOO_MANY_REQUESTS, "too many\n").into_response()
            }
        }
    }
}

fn later(wait: Option<DurationMs>, why: &'static str) -> Response {
    let answer = (StatusCode::SERVICE_UNAVAILABLE, why);
    wait.map_or_else(|| answer.into_response(), |wait| retry_after(wait, answer))
}

fn retry_after(wait: DurationMs, answer: (StatusCode, &'static str)) -> Response {
    let seconds = HeaderValue::from(wait.get().div_ceil(1_000));
    let mut response = answer.into_response();
    response.headers_mut().insert(header::RETRY_AFTER, seconds);
    response
}
