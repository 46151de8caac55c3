//! The crate's metrics, declared once.

use metrics::{Unit, counter, describe_counter, describe_gauge, gauge};

/// Payment attempts that came to an end, by `outcome`: `ordered`, `failed`, `failed_finally`,
/// `too_late`, `refunded`, `refused`, `unknown`.
pub const ATTEMPTS: &str = "stampede_payment_attempts_total";
/// Payment attempts under way.
pub const ATTEMPTS_UNDER_WAY: &str = "stampede_payment_attempts_under_way";

/// Tells the recorder what each metric means, begins every series.
pub fn describe() {
    for outcome in
        ["ordered", "failed", "failed_finally", "too_late", "refunded", "refused", "unknown"]
    {
        counter!(ATTEMPTS, "outcome" => outcome).increment(0);
    }
    gauge!(ATTEMPTS_UNDER_WAY).set(0.0);
    describe_counter!(ATTEMPTS, Unit::Count, "payment attempts that came to an end, by outcome");
    describe_gauge!(ATTEMPTS_UNDER_WAY, Unit::Count, "payment attempts under way");
}
