//! The crate's metrics, declared once.

use metrics::{Unit, describe_counter, describe_gauge};

/// Payment attempts that came to an end, by `outcome`: `ordered`, `failed`, `failed_finally`,
/// `too_late`, `unknown`.
pub const ATTEMPTS: &str = "stampede_payment_attempts_total";
/// Payment attempts under way.
pub const ATTEMPTS_UNDER_WAY: &str = "stampede_payment_attempts_under_way";

/// Tells the recorder what each metric means.
pub fn describe() {
    describe_counter!(ATTEMPTS, Unit::Count, "payment attempts that came to an end, by outcome");
    describe_gauge!(ATTEMPTS_UNDER_WAY, Unit::Count, "payment attempts under way");
}
