//! Lists of the interface that answers for tests.

use axum::{
    Json,
    extract::{Query, State},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Fake, NOW_MS, summaries};

/// Shows that there are.
const SHOWS: u64 = 500;
/// Drops that are over.
const PAST: u64 = 5_000;

#[derive(Deserialize)]
pub(crate) struct Part {
    #[serde(default)]
    skip: u64,
    limit: u64,
    #[serde(default)]
    over: bool,
    after: Option<String>,
    #[serde(default)]
    q: String,
}

/// The places that a part of a list has.
fn places(part: &Part, whole: u64) -> std::ops::Range<u64> {
    assert!(part.limit <= 50, "a page asks for a page");
    part.skip.min(whole)..part.skip.saturating_add(part.limit).min(whole)
}

/// Drops that are over, newest first.
pub(crate) async fn drops(State(fake): State<Fake>, Query(part): Query<Part>) -> Json<Value> {
    if let Some(after) = &part.after {
        let drops = summaries("open").into_iter().skip_while(|drop| drop["drop"] != after.as_str());
        let drops: Vec<_> = drops.skip(1).take(1).collect();
        return Json(json!({ "server_time_ms": NOW_MS, "drops": drops, "total": 6 }));
    }
    assert!(part.over, "what goes on is listed by stream");
    let past = summaries("open").remove(0);
    let total = if part.q == "nothing" { 0 } else { PAST };
    let drops = places(&part, total).map(|place| {
        let mut drop = past.clone();
        drop["title"] = format!("Past {place}").into();
        without_money(&fake, drop)
    });
    Json(json!({ "server_time_ms": NOW_MS, "drops": drops.collect::<Vec<_>>(), "total": total }))
}

/// What is told to the platform in the place of the same.
fn without_money(fake: &Fake, mut told: Value) -> Value {
    if fake.role == Some("platform") {
        let fields = told.as_object_mut().expect("a fixture");
        fields.retain(|name, _| !matches!(name.as_str(), "held" | "sold"));
    }
    told
}

/// What goes on, then more of the same.
pub(crate) async fn streams(State(fake): State<Fake>, Query(part): Query<Part>) -> Json<Value> {
    let shows = places(&part, SHOWS).map(|place| {
        let name = ["open", "late-show", "countdown"].get(usize::try_from(place).expect("few"));
        let stream = name.map_or_else(|| format!("show-{place}"), |name| (*name).to_owned());
        let drops = summaries(name.unwrap_or(&"before"));
        let sum = |of: &str| drops.iter().filter_map(|drop| drop[of].as_u64()).sum::<u64>();
        let (supplied, sold, drops_total) = (sum("supplied"), sum("sold"), drops.len());
        let drops = drops.into_iter().map(|drop| without_money(&fake, drop)).collect::<Vec<_>>();
        let show = json!({ "stream": stream, "host": "nina", "featured": place < 3,
            "drops_total": drops_total, "supplied": supplied, "sold": sold, "drops": drops });
        without_money(&fake, show)
    });
    let shows: Vec<_> = shows.collect();
    Json(json!({ "server_time_ms": NOW_MS, "shows": shows, "total": SHOWS }))
}

/// `GET /v1/requests`: one that nobody has answered in the show on air, with a reason, and one that somebody has.
pub(crate) async fn requests() -> Json<Value> {
    let line = |number: u32, state: &str| {
        json!({ "request": format!("q3-{number}"), "drop": "d3", "sku": "cedar", "units": 500, "state": state,
            "asked_by": "nina", "reason": "they all want it", "asked_at_ms": NOW_MS - 20_000,
            "stream": "open", "title": "Scented candle, 200 g", "merchant": "acme", "goods": "Cedar" })
    };
    Json(json!({ "server_time_ms": NOW_MS, "open": 1, "total": 2,
        "requests": [line(2, "open"), line(1, "declined")] }))
}
