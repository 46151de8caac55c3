//! Which holds a payment is for: keys in the metadata of Stripe's objects.
//!
//! | key | value |
//! |---|---|
//! | `stampede_hold` | the id of a hold, 32 lower-case hexadecimal digits |
//! | `stampede_hold_1` to `stampede_hold_64` | one more each |
//! | `stampede_holds` | ids with commas between them; 15 fit Stripe's 500 characters |
//! | `stampede_holds_2` to `stampede_holds_64` | the rest of the list |
//! | `stampede_order` | what the platform calls the order: 1 to 128 characters that can be printed |
//!
//! Stripe copies the metadata of a payment intent to its charges. It does not copy those of a checkout session to
//! the intent: whoever makes a session sets them twice, as `metadata` and as `payment_intent_data.metadata`.
//! ("Metadata", <https://docs.stripe.com/metadata>, checked on 2026-11-30: 50 keys of 40 characters, values of 500.)

use std::collections::BTreeMap;

use serde_json::Value;
use stampede_domain::{HoldId, IdError, OrderReference, limits::HOLDS_PER_PAYMENT_MAX};

/// Bytes of what a payment named, where it cannot be read as holds.
pub const NAMED_BYTES_MAX: usize = 1_024;

const HOLD: &str = "stampede_hold";
const HOLDS: &str = "stampede_holds";
const ORDER: &str = "stampede_order";

/// Metadata of one of Stripe's objects. Its values are texts; others are no error before they are needed.
pub type Metadata = BTreeMap<String, Value>;

/// What metadata say about a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The holds.
    pub holds: NamedHolds,
    /// What the platform calls the order. A text that is no reference is left out: the money matters more than
    /// its label.
    pub order_reference: Option<OrderReference>,
    /// What is wrong with a text that was left out.
    pub order_fault: Option<IdError>,
    /// All of our keys with their values, for people: `stampede_hold=h1 stampede_order=o-7`. At most
    /// [`NAMED_BYTES_MAX`] bytes without control characters; empty if there are none.
    pub text: String,
}

/// The holds that metadata name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NamedHolds {
    /// None.
    None,
    /// Each once, in the order of their ids, so that two reports of one payment are equal. At most
    /// [`HOLDS_PER_PAYMENT_MAX`].
    Read(Vec<HoldId>),
    /// Something in the place of a hold is none, or there are too many. None of them counts then: the amount is
    /// for all holds, so a part of them cannot be judged by it.
    Unread,
}

impl Named {
    /// Reads metadata.
    pub fn read(metadata: &Metadata) -> Self {
        let ours = metadata.iter().filter(|(key, value)| is_ours(key) && !value.is_null());
        let ours: Vec<(&str, String)> =
            ours.map(|(key, value)| (key.as_str(), text_of(value))).collect();
        let order = ours.iter().find(|(key, _)| *key == ORDER).map(|(_, text)| text.trim());
        let order: Option<Result<OrderReference, IdError>> =
            order.filter(|text| !text.is_empty()).map(str::parse);
        let (order_reference, order_fault) = match order {
            Some(Ok(reference)) => (Some(reference), None),
            Some(Err(fault)) => (None, Some(fault)),
            None => (None, None),
        };
        Self { holds: holds(&ours), order_reference, order_fault, text: shown(&ours) }
    }
}

/// Whatever begins like the key of a hold is meant for us, also if it is spelled in a way that nobody knows.
fn is_ours(key: &str) -> bool {
    key.starts_with(HOLD) || key == ORDER
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn holds(ours: &[(&str, String)]) -> NamedHolds {
    let mut holds = Vec::new();
    for (key, text) in ours.iter().filter(|(key, _)| *key != ORDER) {
        if !is_key_of_holds(key) {
            return NamedHolds::Unread;
        }
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            match part.parse::<HoldId>() {
                Ok(hold) => holds.push(hold),
                Err(_) => return NamedHolds::Unread,
            }
        }
    }
    holds.sort_unstable();
    holds.dedup();
    match holds.len() {
        0 => NamedHolds::None,
        1..=HOLDS_PER_PAYMENT_MAX => NamedHolds::Read(holds),
        _ => NamedHolds::Unread,
    }
}

fn is_key_of_holds(key: &str) -> bool {
    let numbered = |stem: &str, first: usize| {
        let number = key.strip_prefix(stem).and_then(|rest| rest.strip_prefix('_'));
        number.is_some_and(|number| {
            (first..=HOLDS_PER_PAYMENT_MAX).any(|known| known.to_string() == number)
        })
    };
    key == HOLD || key == HOLDS || numbered(HOLD, 1) || numbered(HOLDS, 2)
}

fn shown(ours: &[(&str, String)]) -> String {
    let pairs: Vec<String> = ours.iter().map(|(key, text)| format!("{key}={text}")).collect();
    bounded(&pairs.join(" "), NAMED_BYTES_MAX)
}

/// A text from outside for people: cut to whole characters, without control characters.
pub(crate) fn bounded(text: &str, bytes_max: usize) -> String {
    // One byte for each, so that the text never grows.
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    plain[..plain.floor_char_boundary(bytes_max)].to_owned()
}
