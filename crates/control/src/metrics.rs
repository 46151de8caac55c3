//! The interface's metrics, declared once.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use metrics::{Unit, counter, gauge, histogram};
use stampede_proxies::IntakeError;

/// Requests answered, by `kind` and `status` (its first digit, like `2xx`).
pub const REQUESTS: &str = "stampede_control_requests_total";
/// Time from a request's headers to the head of its answer, by `kind`.
pub const REQUEST_SECONDS: &str = "stampede_control_request_seconds";
/// Bounds of its buckets.
pub const REQUEST_SECONDS_BOUNDS: [f64; 4] = [0.005, 0.05, 0.5, 5.0];
/// Commands answered, by `outcome`; the engine's own metric tells the actions.
pub const COMMANDS: &str = "stampede_control_commands_total";
/// Bytes of audits that were made.
pub const AUDIT_BYTES: &str = "stampede_control_audit_bytes_total";

/// Streams of events that are open.
pub const FOLLOWERS: &str = "stampede_control_followers";
/// How many may be.
pub const FOLLOWERS_MAX: &str = "stampede_control_followers_max";

/// Connections that opened or were dropped before a request, by outcome.
pub const OPENINGS: &str = "stampede_control_openings_total";

/// The route of requests to no path of the interface.
pub(crate) const UNKNOWN_ROUTE: &str = "unknown";
const KINDS: [&str; 6] = ["health", "read", "command", "ledger", "file", "unknown"];
const STATUSES: [&str; 4] = ["2xx", "3xx", "4xx", "5xx"];
const OUTCOMES: [&str; 6] =
    ["accepted", "replayed", "refused", "too_many", "unavailable", "unknown"];

/// Begins every series at zero: what has not happened yet can be told from what is not counted.
fn begin() {
    for kind in KINDS {
        for status in STATUSES {
            counter!(REQUESTS, "kind" => kind, "status" => status).increment(0);
        }
        let _begun = histogram!(REQUEST_SECONDS, "kind" => kind);
    }
    for outcome in OUTCOMES {
        counter!(COMMANDS, "outcome" => outcome).increment(0);
    }
    for outcome in ["opened", "timed_out", "tls_failed"].into_iter().chain(IntakeError::REASONS) {
        counter!(OPENINGS, "outcome" => outcome).increment(0);
    }
    counter!(AUDIT_BYTES).increment(0);
    gauge!(FOLLOWERS).set(0.0);
}

/// Gives every metric its unit with a help text, every series its beginning.
pub fn describe() {
    begin();
    metrics::describe_counter!(REQUESTS, Unit::Count, "HTTP requests answered, by kind and status");
    metrics::describe_histogram!(
        REQUEST_SECONDS,
        Unit::Seconds,
        "Time from a request's headers to the head of its answer, by kind"
    );
    metrics::describe_counter!(COMMANDS, Unit::Count, "Commands answered, by outcome");
    metrics::describe_counter!(
        OPENINGS,
        Unit::Count,
        "Connections that opened or were dropped before a request, by outcome"
    );
    metrics::describe_gauge!(FOLLOWERS, Unit::Count, "Streams of events that staff follow");
    metrics::describe_gauge!(FOLLOWERS_MAX, Unit::Count, "How many may be followed at a time");
    metrics::describe_counter!(AUDIT_BYTES, Unit::Bytes, "Bytes of audits that were made");
}

/// Of what kind a request is. Single routes would be half of all series.
fn kind(method: &Method, route: &str) -> &'static str {
    let reads = matches!(*method, Method::GET | Method::HEAD);
    match route {
        "/healthz" | "/readyz" | "/metrics" => "health",
        "/v1/commands"
        | "/v1/drops/{drop}/report"
        | "/v1/drops/{drop}/audit"
        | "/v1/orders"
        | "/v1/orders/{order}" => "ledger",
        UNKNOWN_ROUTE => "unknown",
        route if !route.starts_with("/v1/") => "file",
        _ if reads => "read",
        _ => "command",
    }
}

/// `route` is the path's pattern, or [`UNKNOWN_ROUTE`].
pub(crate) fn count_request(method: &Method, route: &str, status: StatusCode, took: Duration) {
    let kind = kind(method, route);
    let class = usize::from(status.as_u16() / 100).saturating_sub(2);
    let status = STATUSES.get(class).unwrap_or(&"5xx");
    counter!(REQUESTS, "kind" => kind, "status" => *status).increment(1);
    histogram!(REQUEST_SECONDS, "kind" => kind).record(took);
}

/// Counts a command by what became of it.
pub(crate) fn count_command(outcome: &'static str) {
    counter!(COMMANDS, "outcome" => outcome).increment(1);
}

pub(crate) fn count_opening(outcome: &'static str) {
    counter!(OPENINGS, "outcome" => outcome).increment(1);
}

/// One more follower, or one less.
pub(crate) fn count_follower(by: f64) {
    gauge!(FOLLOWERS).increment(by);
}

pub(crate) fn show_followers_max(max: usize) {
    gauge!(FOLLOWERS_MAX).set(f64::from(u32::try_from(max).unwrap_or(u32::MAX)));
}

pub(crate) fn count_audit_bytes(bytes: usize) {
    counter!(AUDIT_BYTES).increment(u64::try_from(bytes).unwrap_or(u64::MAX));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_is_of_a_known_kind() {
        let cases = [
            (Method::GET, "/readyz", "health"),
            (Method::GET, "/v1/drops/{drop}", "read"),
            (Method::PUT, "/v1/drops/{drop}", "command"),
            (Method::POST, "/v1/brake/stop", "command"),
            (Method::GET, "/v1/drops/{drop}/audit", "ledger"),
            (Method::GET, "/openapi.json", "file"),
            (Method::PATCH, UNKNOWN_ROUTE, "unknown"),
        ];
        for (method, route, expected) in cases {
            assert_eq!(kind(&method, route), expected);
            assert!(KINDS.contains(&expected));
        }
    }
}
