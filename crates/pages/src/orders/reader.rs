//! How a reader is shown what stands with orders.

use super::told::{Order, Payment, PaymentState, State};
use crate::{numbers::count, reader::Reader};

/// A state in a word, with its sign.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pill {
    pub(super) word: &'static str,
    pub(super) glyph: &'static str,
    /// Whether somebody has to see to it.
    pub(super) needs: bool,
}

impl Reader {
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
