//! A warning that may come again a thousand times, said seldom.

use crate::{DurationMs, UnixMillis};

/// Shortest time between two words about the same trouble.
const SAY_EVERY: DurationMs = DurationMs::from_secs(60);

/// Says a trouble at its first occurrence, then at most once a minute with the count since, then
/// once when it is over.
#[derive(Debug, Default)]
pub struct RepeatedWarning {
    said_at: Option<UnixMillis>,
    /// Occurrences since the last word.
    unsaid: u64,
    /// Said, and not known to be over.
    is_on: bool,
}

impl RepeatedWarning {
    /// Counts an occurrence; with how many there were since the last word, if it is to be said now.
    #[must_use]
    pub const fn note(&mut self, now: UnixMillis) -> Option<u64> {
        self.unsaid = self.unsaid.saturating_add(1);
        if let Some(at) = self.said_at
            && now.since(at).get() < SAY_EVERY.get()
        {
            return None;
        }
        self.said_at = Some(now);
        self.is_on = true;
        Some(std::mem::replace(&mut self.unsaid, 0))
    }

    /// The trouble is not there now; with how many occurrences nobody has heard of, if its end is to
    /// be said. Trouble that comes and goes within a minute is said once.
    #[must_use]
    pub const fn over(&mut self) -> Option<u64> {
        if std::mem::replace(&mut self.is_on, false) {
            Some(std::mem::replace(&mut self.unsaid, 0))
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(secs: u64) -> UnixMillis {
        UnixMillis::new(secs * 1_000)
    }

    #[test]
    fn it_is_said_once_then_counted() {
        let mut warning = RepeatedWarning::default();
        assert_eq!(warning.note(at(5)), Some(1));
        for _ in 0..6_260 {
            assert_eq!(warning.note(at(64)), None);
        }
        assert_eq!(warning.note(at(65)), Some(6_261));
        assert_eq!(warning.note(at(66)), None);
        assert_eq!(warning.over(), Some(1));
        assert_eq!(warning.over(), None);
    }

    #[test]
    fn what_comes_and_goes_is_said_once_a_minute() {
        let mut warning = RepeatedWarning::default();
        assert_eq!((warning.note(at(0)), warning.over()), (Some(1), Some(0)));
        for second in 1..60 {
            assert_eq!((warning.note(at(second)), warning.over()), (None, None));
        }
        assert_eq!(warning.note(at(60)), Some(60));
    }
}
