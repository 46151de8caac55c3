//! The crate's metrics, declared once.

use std::time::Duration;

use metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};

use crate::webhooks::outcome::{Answer, EventOutcome, KINDS, RequestRefusal};

/// Payment attempts that came to an end, by `outcome`: `ordered`, `failed`, `failed_finally`,
/// `too_late`, `refunded`, `refused`, `unknown`.
pub const ATTEMPTS: &str = "stampede_payment_attempts_total";
/// Payment attempts under way.
pub const ATTEMPTS_UNDER_WAY: &str = "stampede_payment_attempts_under_way";
/// Events that Stripe signed, by `kind` and `outcome`.
pub const WEBHOOK_EVENTS: &str = "stampede_payment_webhook_events_total";
/// Requests to the listener for webhooks whose event was not looked at, by `reason`.
pub const WEBHOOK_REFUSALS: &str = "stampede_payment_webhook_refusals_total";
/// Time from the headers of such a request to its answer.
pub const WEBHOOK_SECONDS: &str = "stampede_payment_webhook_seconds";
/// Bounds of its buckets.
pub const WEBHOOK_SECONDS_BOUNDS: [f64; 5] = [0.005, 0.05, 0.5, 2.0, 10.0];

/// Tells the recorder what each metric means, begins every series.
pub fn describe() {
    for outcome in
        ["ordered", "failed", "failed_finally", "too_late", "refunded", "refused", "unknown"]
    {
        counter!(ATTEMPTS, "outcome" => outcome).increment(0);
    }
    gauge!(ATTEMPTS_UNDER_WAY).set(0.0);
    for kind in KINDS {
        for outcome in EventOutcome::NAMES {
            counter!(WEBHOOK_EVENTS, "kind" => kind, "outcome" => outcome).increment(0);
        }
    }
    for reason in RequestRefusal::NAMES {
        counter!(WEBHOOK_REFUSALS, "reason" => reason).increment(0);
    }
    let _begun = histogram!(WEBHOOK_SECONDS);
    describe_counter!(ATTEMPTS, Unit::Count, "payment attempts that came to an end, by outcome");
    describe_gauge!(ATTEMPTS_UNDER_WAY, Unit::Count, "payment attempts under way");
    let events = "events that Stripe signed, by kind and outcome";
    describe_counter!(WEBHOOK_EVENTS, Unit::Count, events);
    let refusals = "requests to the webhooks' listener whose event was not looked at, by reason";
    describe_counter!(WEBHOOK_REFUSALS, Unit::Count, refusals);
    let seconds = "time from the headers of a webhook to its answer";
    describe_histogram!(WEBHOOK_SECONDS, Unit::Seconds, seconds);
}

pub(crate) fn count_event(kind: &'static str, outcome: EventOutcome) {
    counter!(WEBHOOK_EVENTS, "kind" => kind, "outcome" => outcome.name()).increment(1);
}

pub(crate) fn count_answer(answer: Answer, micros: u64) {
    if let Answer::Refusal(refusal) | Answer::Wait(refusal, _) = answer {
        counter!(WEBHOOK_REFUSALS, "reason" => refusal.name()).increment(1);
    }
    histogram!(WEBHOOK_SECONDS).record(Duration::from_micros(micros));
}
