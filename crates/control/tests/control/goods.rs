//! The goods of the tests.

use serde_json::{Value, json};

/// A small plan of merchant acme: five mugs, two to a viewer.
pub(crate) fn mugs() -> Value {
    json!({
        "stream": "show",
        "title": "Mugs",
        "merchant": "acme",
        "host": "nina",
        "limit_per_viewer": 2,
        "hold_ttl_ms": 60_000,
        "skus": [{
            "id": "mug",
            "title": "Mug",
            "price": {"minor": 1990, "currency": "EUR"},
            "supply": 5,
        }],
    })
}

/// The same with more in reserve: a host restocks without asking.
pub(crate) fn mugs_in_reserve() -> Value {
    let mut plan = mugs();
    plan["skus"][0]["reserve"] = json!(100);
    plan
}

/// The same by another merchant.
pub(crate) fn lamps() -> Value {
    let mut plan = mugs();
    plan["title"] = json!("Lamps");
    plan["merchant"] = json!("zeta");
    plan["running_order"] = json!(1);
    plan
}
