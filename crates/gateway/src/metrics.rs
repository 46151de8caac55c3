//! The crate's metrics, declared once.

use metrics::{Counter, Unit, counter, describe_counter, describe_gauge};
use stampede_proxies::IntakeError;
use stampede_wire::CloseCode;

/// Connections that have finished their handshake.
pub const CONNECTIONS: &str = "stampede_gateway_connections";
/// How many there may be.
pub const CONNECTIONS_MAX: &str = "stampede_gateway_connections_max";
/// Handshakes, by `outcome`: `accepted`, `refused`, `timed_out`, `broken`, `tls_failed`; `displaced` by
/// another one, `dropped` because their address opened too many, `checked` for health; where a PROXY header is required
/// `proxy_untrusted`, `proxy_missing`, `proxy_malformed`, `proxy_too_long`, `proxy_broken`.
pub const HANDSHAKES: &str = "stampede_gateway_handshakes_total";
/// Messages that clients sent.
pub const RECEIVED: &str = "stampede_gateway_messages_received_total";
/// Messages that one connection was told.
pub const ANSWERS: &str = "stampede_gateway_answers_total";
/// Stock ticks written to connections.
pub const TICKS: &str = "stampede_gateway_ticks_total";
/// Stock ticks that slow readers skipped.
pub const TICKS_SKIPPED: &str = "stampede_gateway_ticks_skipped_total";
/// Buys, by `outcome`: `taken`, `retry`, `refused`.
pub const BUYS: &str = "stampede_gateway_buys_total";
/// Connections that the server closed, by `code`.
pub const CLOSES: &str = "stampede_gateway_closes_total";

/// How a handshake may end, besides the reasons of a PROXY header.
const OUTCOMES: [&str; 7] =
    ["accepted", "refused", "timed_out", "broken", "tls_failed", "displaced", "dropped"];
/// A close for a frame that breaks WebSocket itself by a code that has no name here.
const PROTOCOL_ERROR: &str = "protocol_error";

/// Begins every series at zero: what has not happened yet can be told from what is not counted.
fn begin() {
    for outcome in OUTCOMES.into_iter().chain(IntakeError::REASONS) {
        counter!(HANDSHAKES, "outcome" => outcome).increment(0);
    }
    for code in CloseCode::ALL.iter().map(|code| code.name()).chain([PROTOCOL_ERROR]) {
        counter!(CLOSES, "code" => code).increment(0);
    }
}

/// Tells the recorder what each metric means.
pub fn describe() {
    begin();
    let count = Unit::Count;
    describe_gauge!(CONNECTIONS, count, "connections that have finished their handshake");
    describe_gauge!(CONNECTIONS_MAX, count, "connections that there may be");
    describe_counter!(HANDSHAKES, count, "handshakes, by outcome");
    describe_counter!(RECEIVED, count, "messages that clients sent");
    describe_counter!(ANSWERS, count, "messages for one connection, ticks left out");
    describe_counter!(TICKS, count, "stock ticks written to connections");
    describe_counter!(TICKS_SKIPPED, count, "stock ticks that slow readers skipped");
    describe_counter!(BUYS, count, "buys, by outcome");
    describe_counter!(CLOSES, count, "connections that the server closed, by code");
}

/// The handles of one core, so that counting looks nothing up.
pub(crate) struct CoreMetrics {
    pub(crate) received: Counter,
    pub(crate) answers: Counter,
    pub(crate) ticks: Counter,
    pub(crate) ticks_skipped: Counter,
    pub(crate) taken: Counter,
    pub(crate) retries: Counter,
    pub(crate) refused: Counter,
}

impl CoreMetrics {
    pub(crate) fn new() -> Self {
        Self {
            received: counter!(RECEIVED),
            answers: counter!(ANSWERS),
            ticks: counter!(TICKS),
            ticks_skipped: counter!(TICKS_SKIPPED),
            taken: counter!(BUYS, "outcome" => "taken"),
            retries: counter!(BUYS, "outcome" => "retry"),
            refused: counter!(BUYS, "outcome" => "refused"),
        }
    }
}

/// Counts a close by the name of its code.
pub(crate) fn count_close(code: &'static str) {
    counter!(CLOSES, "code" => code).increment(1);
}

/// Counts a close by a code that has no name.
pub(crate) fn count_protocol_error() {
    count_close(PROTOCOL_ERROR);
}

/// Counts a handshake by how it ended.
pub(crate) fn count_handshake(outcome: &'static str) {
    debug_assert!(OUTCOMES.into_iter().chain(IntakeError::REASONS).any(|known| known == outcome));
    counter!(HANDSHAKES, "outcome" => outcome).increment(1);
}
