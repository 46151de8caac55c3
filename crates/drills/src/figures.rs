//! Rates and shares, as outcomes show them.

/// A share of a core from which on a process is its own limit.
pub(crate) const FULL: f64 = 0.95;

/// How often in a second.
pub(crate) fn per_s(count: u64, us: u64) -> u64 {
    let per_s = u128::from(count) * 1_000_000 / u128::from(us.max(1));
    u64::try_from(per_s).unwrap_or(u64::MAX)
}

/// A share of a count.
#[expect(clippy::cast_precision_loss, reason = "a share needs no more than three digits")]
pub(crate) fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}

/// Three digits behind the point.
pub(crate) fn rounded(share: f64) -> f64 {
    (share * 1_000.0).round() / 1_000.0
}
