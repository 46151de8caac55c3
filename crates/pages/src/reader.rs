//! How a reader is shown amounts and times.

use crate::{
    numbers::{clock, count, date, long_date, money, short_clock},
    visitor::Visitor,
    words::Language,
};

/// Whoever reads a page with amounts and times.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader {
    pub(crate) words: Language,
    ahead_min: Option<i32>,
    hides_money: bool,
}

impl Reader {
    pub(crate) fn new(visitor: &Visitor) -> Self {
        let (words, ahead_min) = (visitor.language, visitor.ahead_min);
        Self { words, ahead_min, hides_money: visitor.choices.hides_money }
    }

    /// An exact amount, unless the screen is on camera.
    pub(crate) fn money(&self, minor: u64, currency: &str) -> String {
        if self.hides_money { self.words.money_hidden().to_owned() } else { money(minor, currency) }
    }

    /// A time of day; by UTC, and saying so, until the browser has told its own.
    pub(crate) fn time(&self, ms: u64) -> String {
        match self.ahead_min {
            Some(ahead) => clock(ms, ahead),
            None => self.words.time_utc(clock(ms, 0)),
        }
    }

    /// A time of day without its seconds.
    pub(crate) fn short_time(&self, ms: u64) -> String {
        match self.ahead_min {
            Some(ahead) => short_clock(ms, ahead),
            None => self.words.time_utc(short_clock(ms, 0)),
        }
    }

    /// A day.
    pub(crate) fn day(&self, ms: u64) -> String {
        date(self.words, ms, self.ahead_min.unwrap_or_default())
    }

    /// A day with its name.
    pub(crate) fn long_day(&self, ms: u64) -> String {
        long_date(self.words, ms, self.ahead_min.unwrap_or_default())
    }

    /// A day with a time of day.
    pub(crate) fn moment(&self, ms: u64) -> String {
        self.words.day_time(self.day(ms), self.time(ms))
    }

    pub(crate) fn units(&self, units: u64) -> String {
        self.words.units_in(count(units))
    }
}

#[cfg(test)]
impl Reader {
    /// A reader who has told no zone.
    pub(crate) const fn of(words: Language) -> Self {
        Self { words, ahead_min: None, hides_money: false }
    }
}
