//! Errors in the one shape that every path answers with: RFC 9457 problem details.

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use stampede_domain::DurationMs;
use stampede_engine::{CommandRefusal, FactRefusal, PaymentRefusal, StockRefusal, Unavailable};
use utoipa::ToSchema;

use crate::dto::SeenState;

/// Media type of every error.
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

/// How long to wait where nothing better is known.
const RETRY_AFTER: DurationMs = DurationMs::from_secs(1);

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident $code:literal $status:ident $title:literal)*) => {
        /// What is wrong, as a stable code.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Code { $($(#[$doc])* $variant,)* }

        impl Code {
            /// Every code.
            pub(crate) const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name on the interface.
            pub(crate) const fn name(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// The HTTP status that goes with it.
            pub(crate) const fn status(self) -> StatusCode {
                match self { $(Self::$variant => StatusCode::$status,)* }
            }

            /// The same few words each time.
            pub(crate) const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }
        }
    };
}

codes! {
    // Decided by the engine: recorded with the command.
    UnknownDrop "unknown_drop" NOT_FOUND "No such drop"
    Forbidden "forbidden" FORBIDDEN "The role is not trusted with this"
    KeyReused "key_reused" UNPROCESSABLE_ENTITY "The idempotency key was used for another command"
    WrongPhase "wrong_phase" CONFLICT "Not possible in this phase"
    DropChanged "drop_changed" CONFLICT "The drop is not what was seen"
    StaleTerms "stale_terms" PRECONDITION_FAILED "The terms were edited since they were read"
    InvalidPlan "invalid_plan" UNPROCESSABLE_ENTITY "The plan is not sound"
    FixedField "fixed_field" UNPROCESSABLE_ENTITY "An edit cannot change this field"
    AlreadySupplied "already_supplied" CONFLICT "Units were put on sale already"
    AlreadyPaid "already_paid" CONFLICT "Something of the drop is paid already"
    UnknownSku "unknown_sku" UNPROCESSABLE_ENTITY "No such SKU in the drop"
    LotOutOfRange "lot_out_of_range" UNPROCESSABLE_ENTITY "A lot of this size is not possible"
    InvalidAmendment "invalid_amendment" UNPROCESSABLE_ENTITY "Terms cannot be amended so"
    NotFree "not_free" CONFLICT "Fewer units are free"
    UnknownRequest "unknown_request" NOT_FOUND "No such request"
    RequestOver "request_over" CONFLICT "The request has ended"
    RequestsFull "requests_full" CONFLICT "As many requests of the drop are open as may"
    StreamFull "stream_full" CONFLICT "The stream has as many drops as it may"
    MemoryFull "memory_full" CONFLICT "Live drops would need more memory than they may"
    InThePast "in_the_past" UNPROCESSABLE_ENTITY "The time lies in the past"
    TooFarAhead "too_far_ahead" UNPROCESSABLE_ENTITY "The time lies too far ahead"
    EndsTooSoon "ends_too_soon" UNPROCESSABLE_ENTITY "The drop would end before anybody can buy"
    InvalidReason "invalid_reason" UNPROCESSABLE_ENTITY "The reason is not acceptable"
    UnknownStream "unknown_stream" NOT_FOUND "No such stream"
    RateOutOfRange "rate_out_of_range" UNPROCESSABLE_ENTITY "A rate of this size is not possible"
    ExpiryOutOfRange "expiry_out_of_range" UNPROCESSABLE_ENTITY "A time of this length is not possible"
    RangeTooWide "range_too_wide" UNPROCESSABLE_ENTITY "A ban of so many addresses is not possible"
    NotInForce "not_in_force" CONFLICT "There is nothing to end"
    UnknownBan "unknown_ban" NOT_FOUND "No such ban in force"
    BansFull "bans_full" CONFLICT "As many bans as there may be are in force"
    CommandsFull "commands_full" CONFLICT "The drop has had as many commands as it may"
    OrderChanged "order_changed" CONFLICT "The order is not what was seen"
    NothingToCancel "nothing_to_cancel" UNPROCESSABLE_ENTITY "Neither units nor money are named"
    MoreThanOrdered "more_than_ordered" CONFLICT "The order has fewer units left"
    MoreThanPaid "more_than_paid" CONFLICT "Less is left of the order's payment"
    ExtensionOutOfRange "extension_out_of_range" UNPROCESSABLE_ENTITY "An extension of this length is not possible"
    ExtensionsFull "extensions_full" CONFLICT "The drop's holds were extended for long enough"
    MoneyNotLoaded "money_not_loaded" SERVICE_UNAVAILABLE "The drop's money has to be read first"
    StreamNotYours "stream_not_yours" FORBIDDEN "The stream is somebody else's"
    HostsNotAllowed "hosts_not_allowed" FORBIDDEN "The merchant does not let hosts plan there"
    ShareFull "share_full" CONFLICT "Admitted merchants have as many drops as they may"
    UnknownRoom "unknown_room" NOT_FOUND "The stream belongs to nobody"
    RoomExists "room_exists" CONFLICT "The stream belongs to somebody already"
    RoomUnchanged "room_unchanged" CONFLICT "Nothing would change"
    RoomInUse "room_in_use" CONFLICT "Drops of the stream are not over"
    RoomsFull "rooms_full" CONFLICT "As many streams belong to somebody as may"
    RoomFull "room_full" CONFLICT "The stream admits as many merchants as it may"
    VideoDelayOutOfRange "video_delay_out_of_range" UNPROCESSABLE_ENTITY "A delay of this length is not possible"
    CountdownTooShort "countdown_too_short" UNPROCESSABLE_ENTITY "The host would have no time to speak"
    CountdownRuns "countdown_runs" CONFLICT "A countdown runs in the stream"
    LiveOnAir "live_on_air" CONFLICT "Something is on air for real"
    RehearsalRuns "rehearsal_runs" CONFLICT "A rehearsal runs in the stream"
    RehearsalOnAir "rehearsal_on_air" CONFLICT "A drop is on air that was planned as a rehearsal"
    NothingPlanned "nothing_planned" CONFLICT "No live drop is planned in the stream"
    NoRehearsal "no_rehearsal" CONFLICT "No rehearsal runs in the stream"
    InvalidAccount "invalid_account" UNPROCESSABLE_ENTITY "The account's name is not acceptable"
    // Decided by the engine about payments: nothing was recorded.
    AmountDiffers "amount_differs" CONFLICT "The payment was reported with another amount"
    RefundAbovePayment "refund_above_payment" CONFLICT "More would go back than was paid"
    TooManyPayments "too_many_payments" CONFLICT "The hold has had as many payments as it may"
    AmountFixed "amount_fixed" CONFLICT "What is owed cannot change any more"
    AmountTooLarge "amount_too_large" UNPROCESSABLE_ENTITY "More is owed than can be written"
    TestMoney "test_money" CONFLICT "A test cannot pay for a live drop"
    NoHolds "no_holds" UNPROCESSABLE_ENTITY "Nothing says what the payment is for"
    TooManyHolds "too_many_holds" CONFLICT "The payment is for as many holds as it may be"
    // A refusal without a code of its own.
    Refused "refused" CONFLICT "The command was refused"
    // Decided here: nothing reached the engine.
    TokenMissing "token_missing" UNAUTHORIZED "No staff token"
    TokenUnknown "token_unknown" UNAUTHORIZED "The staff token is not known"
    SessionExpired "session_expired" UNAUTHORIZED "The session has run out"
    OriginRefused "origin_refused" FORBIDDEN "The request comes from another site"
    CsrfFailed "csrf_failed" FORBIDDEN "The token of the page is missing or wrong"
    UnknownOrder "unknown_order" NOT_FOUND "No such order"
    UnknownHold "unknown_hold" NOT_FOUND "No such hold"
    UnknownPayment "unknown_payment" NOT_FOUND "No such payment"
    AccountReserved "account_reserved" UNPROCESSABLE_ENTITY "Nobody reports for this account"
    UnknownSession "unknown_session" NOT_FOUND "No such session"
    SessionsFull "sessions_full" CONFLICT "As many browsers as may are signed in"
    UnknownToken "unknown_token" NOT_FOUND "No such staff token"
    LastAdmin "last_admin" CONFLICT "No other admin would be left"
    InvitationUnknown "invitation_unknown" NOT_FOUND "No such invitation"
    InvitationUsed "invitation_used" GONE "Somebody came in by the invitation already"
    InvitationOver "invitation_over" GONE "The invitation is over"
    InvitationsFull "invitations_full" CONFLICT "There are as many invitations as may be"
    NameTaken "name_taken" CONFLICT "The name is somebody else's"
    UnknownShare "unknown_share" NOT_FOUND "No such share"
    ShareOver "share_over" GONE "The share is over"
    NotShared "not_shared" NOT_FOUND "The share does not have this"
    SharesFull "shares_full" CONFLICT "As many reports are shared as may"
    PublicUrlMissing "public_url_missing" CONFLICT "Nobody has said where browsers find the server"
    NoPlaces "no_places" CONFLICT "Too few places for viewers are free"
    NoCrowd "no_crowd" CONFLICT "The server has no crowd for a rehearsal"
    NoDemo "no_demo" NOT_FOUND "The server is no demo's"
    DemoBusy "demo_busy" CONFLICT "The demo is busy"
    IfMatchMissing "if_match_missing" PRECONDITION_REQUIRED "The edit does not say which terms it replaces"
    IfMatchMalformed "if_match_malformed" BAD_REQUEST "The header If-Match is malformed"
    KeyMissing "key_missing" BAD_REQUEST "No idempotency key"
    KeyMalformed "key_malformed" BAD_REQUEST "The idempotency key is malformed"
    IdMalformed "id_malformed" BAD_REQUEST "The id in the path is malformed"
    BadQuery "bad_query" BAD_REQUEST "The query is malformed"
    BadJson "bad_json" BAD_REQUEST "The body is not JSON"
    BadBody "bad_body" UNPROCESSABLE_ENTITY "The body does not fit"
    BadRequest "bad_request" BAD_REQUEST "The request is malformed"
    NotJson "not_json" UNSUPPORTED_MEDIA_TYPE "The body is not declared as JSON"
    BodyTooLarge "body_too_large" PAYLOAD_TOO_LARGE "The body is too large"
    UnknownPath "unknown_path" NOT_FOUND "No such path"
    MethodNotAllowed "method_not_allowed" METHOD_NOT_ALLOWED "The path has no such method"
    RequestTimeout "request_timeout" REQUEST_TIMEOUT "The request took too long"
    TooManyGuesses "too_many_guesses" TOO_MANY_REQUESTS "Too many wrong secrets from this address"
    FieldsConflict "fields_conflict" UNPROCESSABLE_ENTITY "These fields do not go together"
    PriceBelowMinimum "price_below_minimum" UNPROCESSABLE_ENTITY "The payment provider does not charge so little"
    UnknownCurrency "unknown_currency" UNPROCESSABLE_ENTITY "No currency has this code"
    NotAddresses "not_addresses" UNPROCESSABLE_ENTITY "These are no addresses"
    InvalidViewer "invalid_viewer" UNPROCESSABLE_ENTITY "The viewer's id is not acceptable"
    InvalidName "invalid_name" UNPROCESSABLE_ENTITY "The name is not acceptable"
    InvalidLabel "invalid_label" UNPROCESSABLE_ENTITY "The label is not acceptable"
    InvalidLine "invalid_line" UNPROCESSABLE_ENTITY "The line is not acceptable"
    TooManyFollowers "too_many_followers" TOO_MANY_REQUESTS "As many follow streams as may"
    TooManyReads "too_many_reads" TOO_MANY_REQUESTS "Too many requests from this address"
    TooManyCommands "too_many_commands" TOO_MANY_REQUESTS "Too many commands in a short time"
    // Nothing is wrong with the request.
    Busy "busy" SERVICE_UNAVAILABLE "Too many requests wait"
    Poisoned "poisoned" SERVICE_UNAVAILABLE "The ledger failed"
    Draining "draining" SERVICE_UNAVAILABLE "The server is sending its viewers away"
    Stopping "stopping" SERVICE_UNAVAILABLE "The server is stopping"
    OutcomeUnknown "outcome_unknown" SERVICE_UNAVAILABLE "The outcome is not known"
    LedgerDamaged "ledger_damaged" INTERNAL_SERVER_ERROR "The ledger is damaged"
    ReportUnavailable "report_unavailable" INTERNAL_SERVER_ERROR "The figures cannot be shown"
    Internal "internal" INTERNAL_SERVER_ERROR "The server failed"
}

impl Code {
    /// The code of this name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.name() == name)
    }

    /// The code of an error that a library answered with a bare status.
    pub(crate) fn of_status(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::UnknownPath,
            StatusCode::METHOD_NOT_ALLOWED => Self::MethodNotAllowed,
            StatusCode::PAYLOAD_TOO_LARGE => Self::BodyTooLarge,
            StatusCode::REQUEST_TIMEOUT => Self::RequestTimeout,
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::NotJson,
            other if other.is_client_error() => Self::BadRequest,
            _ => Self::Internal,
        }
    }
}

/// An error on its way out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) code: Code,
    pub(crate) detail: String,
    retry_after: Option<DurationMs>,
    /// How the drop stands that was to be another.
    now: Option<SeenState>,
    /// Units that nobody had taken, where more were to be taken back.
    free: Option<u32>,
    /// Holds that became orders, where the opening was to be undone.
    orders: Option<u64>,
    /// What the log has to say about it.
    cause: Option<Cause>,
}

/// Why the server itself failed; goes with the answer as far as the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cause(pub(crate) String);

/// Problem details of RFC 9457: what every error answers with, as `application/problem+json`.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemBody {
    /// Names the kind of problem; relative, stable, for machines.
    #[schema(example = "/problems/wrong_phase")]
    r#type: String,
    /// The kind of problem in a few words that never change.
    #[schema(example = "Not possible in this phase")]
    title: &'static str,
    /// The HTTP status.
    #[schema(example = 409)]
    status: u16,
    /// What is wrong this time, and what to do.
    #[schema(example = "pause is not possible while the drop is scheduled")]
    detail: String,
    /// The last part of `type`.
    #[schema(example = "wrong_phase")]
    code: &'static str,
    /// When to send the same request again, in milliseconds, if waiting helps.
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after_ms: Option<u64>,
    /// How the drop stands, where it was not what was `seen` or what `If-Match` named.
    #[serde(skip_serializing_if = "Option::is_none")]
    now: Option<SeenState>,
    /// Units that nobody had taken, where more were to be taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    free: Option<u32>,
    /// Holds that became orders, where the opening was to be undone.
    #[serde(skip_serializing_if = "Option::is_none")]
    orders: Option<u64>,
}

impl Problem {
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Self {
        Self {
            code,
            detail: detail.into(),
            retry_after: None,
            now: None,
            free: None,
            orders: None,
            cause: None,
        }
    }

    /// The same problem, with the advice to send the request again after a moment.
    pub(crate) fn retry(code: Code, detail: impl Into<String>) -> Self {
        Self { retry_after: Some(RETRY_AFTER), ..Self::new(code, detail) }
    }

    /// What is wrong, as a stable code.
    pub(crate) const fn code(&self) -> Code {
        self.code
    }

    /// The same facts under another code.
    pub(crate) fn named(self, code: Code, detail: String) -> Self {
        Self { code, detail, ..self }
    }

    /// The same problem, with the advice to send the request again after so long.
    pub(crate) fn retry_after(self, wait: DurationMs) -> Self {
        Self { retry_after: Some(wait), ..self }
    }

    /// Another merchant's drop reads like one that never was.
    pub(crate) fn unknown_drop() -> Self {
        CommandRefusal::UnknownDrop.into()
    }

    /// The server's own failure: the log has the facts, the answer does not.
    pub(crate) fn internal(error: &dyn std::error::Error) -> Self {
        Self::new(Code::Internal, "the server failed; its log says why").because(error)
    }

    /// The same problem with its cause, for the log.
    pub(crate) fn because(self, error: &dyn std::error::Error) -> Self {
        Self { cause: Some(Cause(error.to_string())), ..self }
    }
}

impl From<CommandRefusal> for Problem {
    fn from(refusal: CommandRefusal) -> Self {
        let code = Code::from_name(refusal.code()).unwrap_or(Code::Refused);
        let now = match &refusal {
            CommandRefusal::Changed { now, .. } => Some(SeenState::from(*now)),
            _ => None,
        };
        let free = match &refusal {
            CommandRefusal::Stock(StockRefusal::NotFree { free, .. }) => Some(free.get()),
            CommandRefusal::Stock(StockRefusal::NoneFree { .. }) => Some(0),
            _ => None,
        };
        let orders = match &refusal {
            CommandRefusal::AlreadyPaid { orders } => Some(*orders),
            _ => None,
        };
        // It was read, and pushed out again at once.
        let retry_after = (refusal == CommandRefusal::MoneyNotLoaded).then_some(RETRY_AFTER);
        Self { retry_after, now, free, orders, ..Self::new(code, refusal.to_string()) }
    }
}

impl From<PaymentRefusal> for Problem {
    fn from(refusal: PaymentRefusal) -> Self {
        let (code, advice) = match refusal {
            PaymentRefusal::AmountDiffers { .. } => (
                Code::AmountDiffers,
                "nothing was recorded. Ask the provider for the amount; report other money as a payment of its own",
            ),
            PaymentRefusal::RefundAbovePayment { .. } => (
                Code::RefundAbovePayment,
                "nothing was recorded. `amount` is everything that was given back of the payment so far",
            ),
            PaymentRefusal::TooManyPayments { .. } => (
                Code::TooManyPayments,
                "nothing was recorded. Money that comes all the same is still taken: report it as paid",
            ),
            PaymentRefusal::AmountIsFixed => {
                (Code::AmountFixed, "read the hold, and refund what is too much at the provider")
            }
            PaymentRefusal::TooLarge => (Code::AmountTooLarge, "send smaller charges"),
        };
        Self::new(code, format!("{refusal}; {advice}"))
    }
}

impl From<FactRefusal> for Problem {
    fn from(refusal: FactRefusal) -> Self {
        match refusal {
            FactRefusal::Payment(refusal) => refusal.into(),
            FactRefusal::TestMoney { .. } => Self::new(
                Code::TestMoney,
                format!("{refusal}. Void or refund it at the provider, pay with real money"),
            ),
            FactRefusal::NoHolds => Self::new(Code::NoHolds, refusal.to_string()),
            FactRefusal::TooManyHolds { .. } => Self::new(
                Code::TooManyHolds,
                format!("{refusal}. Pay for the others by another payment"),
            ),
        }
    }
}

impl From<Unavailable> for Problem {
    fn from(unavailable: Unavailable) -> Self {
        let detail = unavailable.to_string();
        match unavailable {
            Unavailable::Busy { .. } => Self::retry(Code::Busy, detail),
            Unavailable::Poisoned => Self::new(Code::Poisoned, detail),
            Unavailable::Stopping => Self::retry(Code::Stopping, detail),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = self.code.status();
        let body = ProblemBody {
            r#type: format!("/problems/{}", self.code.name()),
            title: self.code.title(),
            status: status.as_u16(),
            detail: self.detail,
            code: self.code.name(),
            retry_after_ms: self.retry_after.map(DurationMs::get),
            now: self.now,
            free: self.free,
            orders: self.orders,
        };
        let mut response = (status, Json(body)).into_response();
        if let Some(cause) = self.cause {
            response.extensions_mut().insert(cause);
        }
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        if let Some(wait) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(wait.get().div_ceil(1_000)));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use stampede_domain::Phase;
    use stampede_engine::SeenDrop;

    use super::*;

    #[test]
    fn every_refusal_of_the_engine_has_a_code_here() {
        for name in CommandRefusal::CODES {
            let code = Code::from_name(name);
            assert!(code.is_some_and(|code| code != Code::Refused), "{name}: {code:?}");
        }
    }

    #[test]
    fn a_refusal_keeps_its_code_and_its_sentence() {
        let seen = SeenDrop { phase: Phase::Paused, revision: 1, phase_changes: None };
        let now = SeenDrop { phase: Phase::Open, revision: 1, phase_changes: Some(5) };
        let refusal = CommandRefusal::Changed { seen, now };
        let problem = Problem::from(refusal.clone());
        assert_eq!((problem.code, problem.detail), (Code::DropChanged, refusal.to_string()));
        assert_eq!(problem.now, Some(SeenState::from(now)));
    }

    #[test]
    fn codes_are_unique_and_documented() {
        let guide = include_str!("../../../docs/control.md");
        for (place, code) in Code::ALL.iter().enumerate() {
            assert_eq!(Code::from_name(code.name()), Some(*code));
            assert!(Code::ALL[..place].iter().all(|other| other.name() != code.name()));
            let row = format!("| `{}` | {} |", code.name(), code.status().as_u16());
            assert!(guide.contains(&row), "docs/control.md lacks the row {row}");
        }
    }
}
