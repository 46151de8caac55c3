//! The interface's metrics, declared once.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use metrics::{Unit, counter, histogram};

/// Requests answered, by method, route and status.
pub const REQUESTS: &str = "stampede_control_requests_total";
/// Time from a request's headers to the head of its answer, by route.
pub const REQUEST_SECONDS: &str = "stampede_control_request_seconds";
/// Commands, by action and outcome.
pub const COMMANDS: &str = "stampede_control_commands_total";
/// Bytes of audits that were made.
pub const AUDIT_BYTES: &str = "stampede_control_audit_bytes_total";

/// Connections that opened or were dropped before a request, by outcome.
pub const OPENINGS: &str = "stampede_control_openings_total";

/// Gives every metric its unit with a help text.
pub fn describe() {
    metrics::describe_counter!(
        REQUESTS,
        Unit::Count,
        "HTTP requests answered, by method, route and status"
    );
    metrics::describe_histogram!(
        REQUEST_SECONDS,
        Unit::Seconds,
        "Time from a request's headers to the head of its answer, by route"
    );
    metrics::describe_counter!(COMMANDS, Unit::Count, "Staff commands, by action and outcome");
    metrics::describe_counter!(
        OPENINGS,
        Unit::Count,
        "Connections that opened or were dropped before a request, by outcome"
    );
    metrics::describe_counter!(AUDIT_BYTES, Unit::Bytes, "Bytes of audits that were made");
}

/// `route` is the path's pattern: the number of series stays bounded whatever is asked for.
pub(crate) fn count_request(method: &Method, route: &str, status: StatusCode, took: Duration) {
    // Extension methods are the client's invention, so they share one name.
    let method = match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        _ => "other",
    };
    let status = status.as_str().to_owned();
    let route = route.to_owned();
    counter!(REQUESTS, "method" => method, "route" => route.clone(), "status" => status)
        .increment(1);
    histogram!(REQUEST_SECONDS, "route" => route).record(took);
}

pub(crate) fn count_command(action: &'static str, outcome: &'static str) {
    counter!(COMMANDS, "action" => action, "outcome" => outcome).increment(1);
}

pub(crate) fn count_opening(outcome: &'static str) {
    counter!(OPENINGS, "outcome" => outcome).increment(1);
}

pub(crate) fn count_audit_bytes(bytes: usize) {
    counter!(AUDIT_BYTES).increment(u64::try_from(bytes).unwrap_or(u64::MAX));
}
