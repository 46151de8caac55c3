//! A drop as the interface tells of it, for tests: 15,000 units that were all taken in 0.80 s.

use serde_json::{Value, json};

use super::told::Report;

/// 2026-11-27 20:14:07 UTC.
pub(crate) const OPENED_MS: u64 = 1_795_810_447_000;

pub(crate) fn report() -> Report {
    with(|_| {})
}

/// The same after a change.
pub(crate) fn with(change: impl FnOnce(&mut Value)) -> Report {
    let mut told = told();
    change(&mut told);
    serde_json::from_value(told).expect("a fixture")
}

fn sku(option: &str, price: u64, units: u64, paid: u64, refused: u64, gone: u64) -> Value {
    json!({ "sku": option, "title": "Eau de parfum", "merchant_sku": format!("EDP-{option}"),
        "options": [{ "name": "Size", "value": option }], "price_minor": price, "supplied": units, "held": 0,
        "sold": units, "taken": units + 100, "came_back": 100, "left": 0, "refused_for_want": refused,
        "orders": units, "gross_minor": paid, "charges_minor": 0, "paid_minor": paid, "refunded_minor": 0,
        "net_minor": paid, "sold_out_after_ms": gone })
}

fn channel(name: Option<&str>, clicks: u64, taken: u64, units: u64, paid: u64) -> Value {
    json!({ "channel": name, "clicks": clicks, "taken": taken, "came_back": taken - units, "held": 0,
        "orders": units, "units": units, "gross_minor": paid, "charges_minor": 0, "paid_minor": paid,
        "refunded_minor": 0, "net_minor": paid })
}

fn told() -> Value {
    let skus = [
        sku("30 ml", 2_990, 4_000, 11_960_000, 20_112, 640),
        sku("50 ml", 4_990, 9_000, 44_910_000, 141_503, 802),
        sku("100 ml", 7_990, 2_000, 15_980_000, 22_994, 340),
    ];
    let channels = [
        channel(Some("friday-show"), 88_214, 7_902, 6_874, 33_389_260),
        channel(Some("lea"), 61_470, 5_633, 4_912, 23_736_880),
        channel(Some("newsletter"), 18_905, 1_987, 1_802, 9_013_980),
        channel(Some("tom"), 26_118, 1_604, 1_133, 5_339_670),
        channel(None, 6_665, 363, 279, 1_370_210),
    ];
    let phase = |phase: &str, after: u64| json!({ "phase": phase, "at_ms": OPENED_MS + after });
    let mut told = json!({ "drop": "d42", "title": "Eau de parfum", "stream": "friday-show", "merchant": "maison-nord",
        "host": "nina", "mode": "live", "revision": 1, "phase": "settled", "as_of_ms": OPENED_MS + 253_208,
        "phases": [json!({ "phase": "scheduled", "at_ms": OPENED_MS - 4_000_000 }), phase("open", 0),
            phase("closed", 253_208), phase("settled", 254_000)],
        "planned": 15_000, "supplied": 15_000, "held": 0, "sold": 15_000, "left": 0, "oversold": 0,
        "taken": { "all": { "holds": 15_245, "units": 17_489 }, "confirmed": { "holds": 13_063, "units": 15_000 },
            "released": { "holds": 168, "units": 182 }, "expired": { "holds": 2_014, "units": 2_307 } },
        "came_back": { "holds": 2_182, "units": 2_489 }, "taken_again": 2_489,
        "skus": skus });
    let more = json!({ "buyers": 13_062, "channels": channels, "channels_left_out": 0, "clicks": 201_372,
        "retries": 708, "counts_complete": true, "answer_times": { "answers": 201_372, "p50_us": 200, "p99_us": 41_000 },
        "refusals": { "sold_out": 184_478, "not_open": 810, "not_enough": 131 }, "refused_for_want": 184_609,
        "tally_clicks_max": 31_926, "connected_max": 38_420, "opened_at_ms": OPENED_MS,
        "sold_out_after_ms": 802, "half_after_ms": 395, "nine_tenths_after_ms": 714,
        "half_paid_after_ms": 41_200, "all_paid_after_ms": 241_330, "last_paid_after_ms": 241_330,
        "last_taken_after_ms": 131_000, "settled_after_ms": 254_000, "paused_ms": 0, "outage_ms": 0, "restarts": 0,
        "currency": "EUR", "gross_minor": 72_850_000, "charges_minor": 0, "paid_minor": 72_850_000,
        "refunded_minor": 0, "net_minor": 72_850_000, "closing_hash": "7f3a91c4".repeat(8),
        "journal": { "records": 30_527, "commits": 400, "bytes": 4_000_000 } });
    let fields = more.as_object().expect("a fixture").clone();
    told.as_object_mut().expect("a fixture").extend(fields);
    told
}
