//! Times as ISO 8601 has them.

use stampede_domain::UnixMillis;
use time::OffsetDateTime;

/// `2026-11-30T02:21:05.042Z`; a time beyond the year 9999 as milliseconds since 1970.
pub(crate) fn iso_utc(at: UnixMillis) -> String {
    let (seconds, millis) = (at.get() / 1_000, at.get() % 1_000);
    let found = i64::try_from(seconds).ok();
    let Some(at) = found.and_then(|at| OffsetDateTime::from_unix_timestamp(at).ok()) else {
        return at.get().to_string();
    };
    let (date, (hour, minute, second)) = (at.date(), at.to_hms());
    format!("{date}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_their_milliseconds() {
        assert_eq!(iso_utc(UnixMillis::new(1_763_816_400_042)), "2025-11-22T13:00:00.042Z");
        assert_eq!(iso_utc(UnixMillis::default()), "1970-01-01T00:00:00.000Z");
        assert_eq!(iso_utc(UnixMillis::new(u64::MAX)), u64::MAX.to_string());
    }
}
