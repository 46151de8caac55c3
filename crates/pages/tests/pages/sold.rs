//! Orders of the interface that answers for tests.

use axum::{
    Json,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Fake, HOSTILE, NOW_MS, problem};

/// Orders that there are.
const ORDERS: u64 = 120;
/// The id of the order that everything happened to, which is its hold's.
pub(crate) const LONG: &str = "00000003000001000000004000000025";
/// A hold that is no order.
pub(crate) const HOLD: &str = "00000003000001000000004000000099";

#[derive(Deserialize)]
pub(crate) struct Part {
    #[serde(default)]
    newest_first: bool,
    #[serde(default)]
    after: u64,
    limit: u64,
}

#[derive(Deserialize)]
pub(crate) struct Wanted {
    text: String,
    #[serde(default, rename = "as")]
    meant: Option<String>,
    #[serde(default)]
    after: Option<String>,
}

/// An order without anything special.
fn order(place: u64, code: &str, state: &str) -> Value {
    json!({ "place": place, "order": LONG, "code": code, "drop": "d3", "stream": "friday-show",
        "merchant": "maison-nord", "mode": "live", "state": state, "confirmed_at_ms": NOW_MS - 60_000 * place,
        "sku": "cedar", "merchant_sku": "CND-200", "title": "Scented candle, 200 g",
        "options": [{ "name": "Scent", "value": "Cedar" }], "units": 2, "cancelled_units": 0, "cancellations": 0,
        "currency": "EUR",
        "unit_price_minor": 2_490, "goods_minor": 4_980, "shipping_minor": 0, "tax_minor": 0, "fee_minor": 0,
        "paid_minor": 4_980, "refunded_minor": 0, "refund_due_minor": 0, "left_minor": 4_980,
        "refunded_ahead_minor": 0, "viewer": "v-4711", "payments": [] })
}

/// The order that everything happened to.
fn long() -> Value {
    let mut told = order(1, "3-37-0", "partly_refunded");
    told["edition"] = json!({ "numbers": [{ "first": 37, "last": 37 }], "of": 80 });
    told["cancelled_units"] = 1.into();
    told["cancellations"] = 1.into();
    for (field, minor) in [
        ("shipping_minor", 490),
        ("paid_minor", 5_470),
        ("refunded_minor", 1_000),
        ("refund_due_minor", 1_490),
        // 24.90 were decided to go back of the payment behind it, 10.00 of them went.
        ("left_minor", 2_980),
    ] {
        told[field] = minor.into();
    }
    told["channel"] = "nina-tv".into();
    told["order_reference"] = "R-1001".into();
    told["payments"] = json!([
        { "account": "platform", "reference": "pay-8", "state": "paid", "amount_minor": 5_470,
            "refunded_minor": 5_470, "refund_due_minor": 0, "currency": "EUR" },
        { "account": "platform", "reference": "pay-9", "state": "failed", "refunded_minor": 0, "refund_due_minor": 0 },
        { "account": "platform", "reference": "pay-10", "state": "paid", "amount_minor": 5_470,
            "refunded_minor": 1_000, "refund_due_minor": 1_490, "currency": "EUR" },
        // A second payment, to be let go: its money is not the order's.
        { "account": "platform", "reference": "pay-12", "state": "authorized", "amount_minor": 5_470,
            "refunded_minor": 0, "refund_due_minor": 0, "currency": "EUR" },
    ]);
    told
}

/// Some orders in other states and other money.
fn all(place: u64) -> Value {
    let codes = ["3-37-0", "3-38-1"];
    let states = ["partly_refunded", "paid", "authorized", "refunded", "cancelled", "unpaid"];
    let at = usize::try_from(place - 1).expect("few");
    let mut told =
        if place == 1 { long() } else { order(place, codes[at % 2], states[at % states.len()]) };
    match place {
        3 => told["mode"] = "rehearsal".into(),
        4 => {
            told["currency"] = "JPY".into();
            told["paid_minor"] = 1_200.into();
        }
        5 => told["title"] = HOSTILE.into(),
        _ => {}
    }
    told
}

fn refusal(fake: &Fake) -> Option<Response> {
    match fake.role {
        None => Some(problem(StatusCode::UNAUTHORIZED, "token_missing")),
        // Others are refused by the interface itself.
        Some("platform" | "stage" | "creator") => Some(problem(StatusCode::FORBIDDEN, "forbidden")),
        Some(_) => None,
    }
}

/// The newest orders.
pub(crate) async fn list(State(fake): State<Fake>, Query(part): Query<Part>) -> Response {
    if let Some(refused) = refusal(&fake) {
        return refused;
    }
    assert!(part.newest_first && part.limit <= 50, "a page asks for the newest");
    let first = part.after + 1;
    let last = (first + part.limit - 1).min(ORDERS);
    let orders: Vec<_> = (first..=last).map(all).collect();
    Json(json!({ "orders": orders, "cursor": last, "more": last < ORDERS })).into_response()
}

/// What goes by a text.
pub(crate) async fn search(State(fake): State<Fake>, Query(wanted): Query<Wanted>) -> Response {
    if let Some(refused) = refusal(&fake) {
        return refused;
    }
    let hold = json!({ "hold": HOLD, "drop": "d3", "mode": "live", "sku": "cedar", "title": "Scented candle, 200 g" });
    let none = json!({ "orders": [], "holds": [] });
    let is_reference = wanted.meant.as_deref() == Some("reference");
    let told = match wanted.text.as_str() {
        "3-37-1" if !is_reference => panic!("a wrong check digit is not looked for"),
        "3-37-0" | LONG | "R-1001" | "pay-10" => json!({ "orders": [long()], "holds": [] }),
        "pay-11" => json!({ "orders": [], "holds": [hold] }),
        "same" if wanted.after.is_none() => {
            json!({ "orders": [long(), all(2)], "holds": [hold], "next": HOLD })
        }
        "old" if wanted.after.is_none() => json!({ "orders": [], "holds": [], "next": HOLD }),
        "a b" => return problem(StatusCode::BAD_REQUEST, "bad_query"),
        _ => none,
    };
    Json(told).into_response()
}

/// What became of an order or a hold.
pub(crate) async fn timeline(State(fake): State<Fake>, Path(name): Path<String>) -> Response {
    if let Some(refused) = refusal(&fake) {
        return refused;
    }
    let at = |s: u64| NOW_MS - 600_000 + s * 1_000;
    let euro = |minor: u64| json!({ "minor": minor, "currency": "EUR" });
    let taken = json!({ "at_ms": at(0), "kind": "taken", "units": 2, "until_ms": at(120), "viewer": "v-4711",
        "channel": "nina-tv" });
    let pay = |mut event: Value, payment: &str| {
        event["account"] = "platform".into();
        event["payment"] = payment.into();
        event
    };
    let (name, told) = match name.as_str() {
        "3-37-0" | LONG => (
            LONG,
            json!([
                taken,
                { "at_ms": at(9), "kind": "charged", "charges": { "shipping": 490, "tax": 0, "fee": 0 }, "currency": "EUR" },
                { "at_ms": at(9), "kind": "referenced", "reference": "R-1001" },
                pay(json!({ "at_ms": at(10), "kind": "begun" }), "pay-9"),
                { "at_ms": at(10), "kind": "moved", "cause": "attempt", "moved_ms": 60_000, "until_ms": at(180) },
                pay(json!({ "at_ms": at(31), "kind": "failed", "reason": "card_declined" }), "pay-9"),
                pay(json!({ "at_ms": at(58), "kind": "paid", "amount": euro(5_470) }), "pay-10"),
                { "at_ms": at(58), "kind": "ordered", "code": "3-37-0", "units": 2, "amount": euro(4_980) },
                { "at_ms": at(90_000), "kind": "cancelled", "units": 1, "cancelled_units": 1, "of_units": 2,
                    "amount": euro(2_490), "actor": "Mara", "reason": "broken in the box", "lot": 4 },
                pay(json!({ "at_ms": at(90_000), "kind": "refund_due", "amount": euro(2_490), "refund_reason": "cancelled" }), "pay-10"),
                pay(json!({ "at_ms": at(90_060), "kind": "refunded", "amount": euro(1_000) }), "pay-10"),
                { "at_ms": at(90_070), "kind": "brought_by_stork" },
            ]),
        ),
        HOLD => (
            HOLD,
            json!([
                taken,
                pay(json!({ "at_ms": at(10), "kind": "begun" }), "pay-11"),
                { "at_ms": at(123), "kind": "expired", "units": 2 },
                pay(json!({ "at_ms": at(140), "kind": "refund_due", "amount": euro(4_980), "refund_reason": "hold_ended" }), "pay-11"),
            ]),
        ),
        "3-38-1" => {
            (LONG, json!([{ "at_ms": at(0), "kind": "taken", "units": 1, "until_ms": at(120) }]))
        }
        _ => return problem(StatusCode::NOT_FOUND, "unknown_order"),
    };
    let mut story = json!({ "hold": name, "drop": "d3", "mode": "live", "sku": "cedar",
        "title": "Scented candle, 200 g", "stands": "ended", "events": told });
    if name == LONG {
        let is_test = told.as_array().expect("a fixture").len() == 1;
        story["stands"] = "ordered".into();
        story["order"] = if is_test { all(3) } else { long() };
        if is_test {
            story["mode"] = "rehearsal".into();
            story["order"]["code"] = "3-38-1".into();
        }
    }
    Json(json!({ "holds": [story] })).into_response()
}

#[derive(Deserialize)]
pub(crate) struct Matters {
    kind: String,
    limit: u64,
    #[serde(default)]
    after: String,
}

/// What about money needs somebody; nothing for a member of operations.
pub(crate) async fn attention(State(fake): State<Fake>, Query(wanted): Query<Matters>) -> Response {
    if let Some(refused) = refusal(&fake) {
        return refused;
    }
    let Matters { kind, limit, after } = wanted;
    let euro = |minor: u64| json!({ "minor": minor, "currency": "EUR" });
    let mut matter = json!({ "kind": kind, "account": "platform", "payment": "pay-11", "is_asked": false,
        "since_ms": NOW_MS - 5_400_000, "hold": HOLD, "drop": "d3", "mode": "live", "title": "Scented candle, 200 g" });
    let mut matters = Vec::new();
    match kind.as_str() {
        _ if fake.role == Some("ops") || after == "far" => {}
        "unmatched" => matters.push(json!({ "kind": kind, "account": "stripe:main", "payment": "pi_3MtwBw",
            "amount": euro(4_990), "named": HOSTILE, "is_asked": false, "since_ms": NOW_MS - 86_400_000 })),
        "unnamed" => matters.push(json!({ "kind": kind, "account": "stripe:main", "payment": "pi_shop",
            "amount": euro(700), "is_asked": false, "since_ms": NOW_MS - 86_400_000 })),
        "unpaid" => {
            matter["order"] = "3-38-1".into();
            matter["hold"] = LONG.into();
            matter["amount"] = euro(4_980);
            matters.push(matter);
        }
        "wrong_amount" => {
            (matter["amount"], matter["reason"]) = (euro(4_900), "wrong_amount".into());
            matters.push(matter);
        }
        "refund" => {
            (matter["amount"], matter["reason"]) = (euro(1_490), "cancelled".into());
            matter["order"] = "3-37-0".into();
            for place in 0..limit.min(3) {
                let mut one = matter.clone();
                match place {
                    0 => one["declined"] = "no balance".into(),
                    1 => one["is_asked"] = true.into(),
                    _ => one["mode"] = "rehearsal".into(),
                }
                matters.push(one);
            }
        }
        "void" => matters.push(matter),
        _ => {}
    }
    let is_first = kind == "refund" && after.is_empty() && !matters.is_empty();
    let next = (is_first || after == "far").then_some(HOLD);
    Json(json!({ "server_time_ms": NOW_MS, "matters": matters, "next": next })).into_response()
}

/// Where the drop stands: open.
pub(crate) async fn drop(Path(drop): Path<String>) -> Json<Value> {
    Json(json!({ "drop": drop, "phase": "open" }))
}

pub(crate) async fn cancel(Path((drop, _)): Path<(String, String)>) -> Json<Value> {
    Json(json!({ "drop": drop, "action": "cancel_order" }))
}
