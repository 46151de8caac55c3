//! How a reader is shown amounts, times and names.

use super::told::{Order, Payment, PaymentState, State};
use crate::{
    numbers::{clock, count, date, money},
    visitor::Visitor,
    words::Language,
};

/// Whoever reads a page about orders.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader {
    pub(super) words: Language,
    ahead_min: Option<i32>,
    hides_money: bool,
}

/// A state in a word, with its sign.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pill {
    pub(super) word: &'static str,
    pub(super) glyph: &'static str,
    /// Whether somebody has to see to it.
    pub(super) needs: bool,
}

impl Reader {
    pub(super) fn new(visitor: &Visitor) -> Self {
        let (words, ahead_min) = (visitor.language, visitor.ahead_min);
        Self { words, ahead_min, hides_money: visitor.choices.hides_money }
    }

    /// An exact amount, unless the screen is on camera.
    pub(super) fn money(&self, minor: u64, currency: &str) -> String {
        if self.hides_money { self.words.money_hidden().to_owned() } else { money(minor, currency) }
    }

    /// A time of day; by UTC, and saying so, until the browser has told its own.
    pub(super) fn time(&self, ms: u64) -> String {
        match self.ahead_min {
            Some(ahead) => clock(ms, ahead),
            None => self.words.time_utc(clock(ms, 0)),
        }
    }

    /// A day.
    pub(super) fn day(&self, ms: u64) -> String {
        date(self.words, ms, self.ahead_min.unwrap_or_default())
    }

    /// A day with a time of day.
    pub(super) fn moment(&self, ms: u64) -> String {
        self.words.day_time(self.day(ms), self.time(ms))
    }

    pub(super) fn units(&self, units: u64) -> String {
        self.words.units_in(count(units))
    }

    /// How an order stands.
    pub(super) fn state(&self, state: State) -> Pill {
        let words = self.words;
        let (word, glyph) = match state {
            State::Paid => (words.order_paid(), "tick"),
            State::Authorized => (words.order_authorized(), "ring"),
            State::PartlyRefunded => (words.order_partly_refunded(), "half"),
            State::Refunded => (words.order_refunded(), "square"),
            State::Cancelled => (words.order_cancelled(), "cross"),
            State::Unpaid => (words.order_unpaid(), "triangle"),
        };
        Pill { word, glyph, needs: matches!(state, State::Unpaid) }
    }

    /// Where a payment stands; money that went back in full is no money of the order's any more.
    pub(super) fn payment_state(&self, part: &Payment) -> &'static str {
        let words = self.words;
        let is_back = part.amount_minor.is_some_and(|taken| part.refunded_minor >= taken);
        match part.state {
            PaymentState::Paid if is_back => words.money_refunded(),
            PaymentState::Unknown => words.payment_unknown(),
            PaymentState::Begun => words.payment_begun(),
            PaymentState::Failed => words.payment_failed(),
            PaymentState::Authorized => words.order_authorized(),
            PaymentState::Voided => words.payment_voided(),
            PaymentState::Paid => words.order_paid(),
        }
    }

    /// `Cedar`, `Cedar, large`; empty without options.
    pub(super) fn options(order: &Order) -> String {
        let values = order.options.iter().map(|option| option.value.as_str());
        values.collect::<Vec<_>>().join(", ")
    }

    /// `No. 37`, `No. 2, 37 to 38 of 80`.
    pub(super) fn edition(&self, order: &Order) -> Option<String> {
        let edition = order.edition.as_ref()?;
        let range = |range: &super::told::Range| {
            let (first, last) = (count(range.first), count(range.last));
            if first == last { first } else { self.words.number_range(first, last) }
        };
        let numbers = edition.numbers.iter().map(range).collect::<Vec<_>>().join(", ");
        (!numbers.is_empty()).then(|| self.words.edition(numbers, count(edition.of)))
    }
}
