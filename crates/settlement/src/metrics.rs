//! The crate's metrics, declared once.

use metrics::{Unit, counter, describe_counter, describe_gauge, gauge};

/// Payment attempts that came to an end, by `outcome`: `ordered`, `failed`, `failed_finally`,
/// `too_late`, `unknown`.
pub const ATTEMPTS: &str = "stampede_payment_attempts_total";
/// Payment attempts under way.
pub const ATTEMPTS_UNDER_WAY: &str = "stampede_payment_attempts_under_way";

/// Payment attempts that may be under way.
pub const ATTEMPTS_MAX: &str = "stampede_payment_attempts_max";

/// Tells the recorder what each metric means, begins every series.
pub fn describe() {
    for outcome in ["ordered", "failed", "failed_finally", "too_late", "unknown"] {
        counter!(ATTEMPTS, "outcome" => outcome).increment(0);
    }
    gauge!(ATTEMPTS_UNDER_WAY).set(0.0);
    gauge!(ATTEMPTS_MAX).set(0.0);
    describe_gauge!(ATTEMPTS_MAX, Unit::Count, "payment attempts that may be under way");
    describe_counter!(ATTEMPTS, Unit::Count, "payment attempts that came to an end, by outcome");
    describe_gauge!(ATTEMPTS_UNDER_WAY, Unit::Count, "payment attempts under way");
}

/// Shows how many attempts may be under way.
pub(crate) fn show_attempts_max(max: usize) {
    gauge!(ATTEMPTS_MAX).set(u32::try_from(max).map_or(f64::MAX, f64::from));
}
