//! What happened to a hold or an order, in the reader's words.

use super::told::Event;
use crate::{
    answers::Money,
    numbers::{count, duration},
    reader::Reader,
};

/// A sentence with its sign.
#[derive(Clone, Debug)]
pub(super) struct Said {
    pub(super) text: String,
    pub(super) glyph: &'static str,
}

/// What an event says.
pub(super) fn said(reader: &Reader, event: &Event) -> Said {
    let (text, glyph) = match event.kind.as_str() {
        "taken" | "ordered" | "given_back" | "expired" | "moved" | "cancelled" => {
            hold(reader, event)
        }
        _ => money(reader, event),
    };
    Said { text, glyph }
}

/// What is about units and time.
fn hold(reader: &Reader, event: &Event) -> (String, &'static str) {
    let Reader { words, .. } = reader;
    let units = count(event.units);
    match event.kind.as_str() {
        "taken" => {
            let until = reader.time(event.until_ms);
            let text = match &event.viewer {
                Some(viewer) => words.event_taken(viewer, units, until),
                None => words.event_taken_erased(units, until),
            };
            (text, "ring")
        }
        "ordered" => {
            let amount = amount(reader, event.amount.as_ref());
            let text = match &event.code {
                Some(code) => words.event_ordered(code, units, amount),
                None => words.event_ordered_plain(units, amount),
            };
            (text, "tick")
        }
        "given_back" => (words.event_given_back(units), "square"),
        "expired" => (words.event_expired(units), "square"),
        "moved" => {
            let (by, until) = (duration(*words, event.moved_ms), reader.time(event.until_ms));
            let text = match event.cause.as_str() {
                "attempt" => words.event_moved_attempt(by, until),
                "staff" => words.event_moved_staff(by, until),
                _ => words.event_moved_outage(by, until),
            };
            (text, "half")
        }
        _ => (cancelled(reader, event), "cross"),
    }
}

/// Somebody cancelled units, or gave money back.
fn cancelled(reader: &Reader, event: &Event) -> String {
    let Reader { words, .. } = reader;
    let (who, amount) = (&event.actor, amount(reader, event.amount.as_ref()));
    let what = if event.units == 0 {
        words.event_gave_back(who, amount)
    } else {
        let (units, of) = (count(event.units), count(event.of_units));
        let so_far = count(event.cancelled_units);
        match event.lot {
            Some(_) => words.event_cancelled_restocked(who, units, so_far, of, amount),
            None => words.event_cancelled(who, units, so_far, of, amount),
        }
    };
    if event.reason.is_empty() { what } else { words.event_because(what, &event.reason) }
}

/// What is about money.
fn money(reader: &Reader, event: &Event) -> (String, &'static str) {
    let Reader { words, .. } = reader;
    let (payment, amount) = (&event.payment, amount(reader, event.amount.as_ref()));
    match event.kind.as_str() {
        "charged" => {
            let of = |minor| reader.money(minor, &event.currency);
            let (shipping, tax, fee) =
                (event.charges.shipping, event.charges.tax, event.charges.fee);
            (words.event_charged(of(shipping), of(tax), of(fee)), "plus")
        }
        "referenced" => (words.event_referenced(&event.reference), "link"),
        "begun" => (words.event_begun(payment), "half"),
        "authorized" => (words.event_authorized(payment, amount), "ring"),
        "paid" => (words.event_paid(payment, amount), "tick"),
        "failed" => (words.event_failed(payment, &event.reason), "cross"),
        "voided" => (words.event_voided(payment), "cross"),
        "refund_due" => {
            let why = refund_reason(reader, &event.refund_reason);
            (words.event_refund_due(amount, payment, why), "triangle")
        }
        "refunded" => (words.event_refunded(amount, payment), "tick"),
        "asked" => (words.event_asked(request(reader, &event.request), payment), "half"),
        "declined" => {
            let what = request(reader, &event.request);
            (words.event_declined(what, payment, &event.reason), "triangle")
        }
        "paid_by_another" => (words.event_paid_by_another(payment, &event.other_hold), "skip"),
        "retaken" => (words.event_retaken(payment, &event.other_hold), "skip"),
        // A newer server may tell of what this page does not know.
        other => (words.event_other(other), "ring"),
    }
}

/// Why money has to go back.
pub(super) fn refund_reason(reader: &Reader, reason: &str) -> &'static str {
    let words = reader.words;
    match reason {
        "hold_ended" => words.refund_hold_ended(),
        "second_payment" => words.refund_second_payment(),
        "wrong_amount" => words.refund_wrong_amount(),
        "wrong_mode" => words.refund_wrong_mode(),
        _ => words.refund_cancelled(),
    }
}

fn request(reader: &Reader, request: &str) -> &'static str {
    let words = reader.words;
    match request {
        "capture" => words.request_capture(),
        "void" => words.request_void(),
        _ => words.request_refund(),
    }
}

fn amount(reader: &Reader, amount: Option<&Money>) -> String {
    amount.map_or_else(
        || reader.words.unknown().to_owned(),
        |Money { minor, currency }| reader.money(*minor, currency),
    )
}
