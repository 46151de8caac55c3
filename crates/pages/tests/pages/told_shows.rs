//! Reports of shows, links to reports, what a link shows: as the interface tells it that answers for tests.

use axum::{
    Json,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Fake, HOSTILE, problem,
    told::{OPENED_MS, merged, report, rush},
};

/// A shared link for each kind, then those that show nothing.
pub(crate) const SECRETS: [&str; 6] =
    ["shr_drop", "shr_slow", "shr_show", "shr_channel", "shr_evening", "shr_rehearsal"];

fn line(told: &Value) -> Value {
    let fields = [
        "drop",
        "title",
        "merchant",
        "host",
        "mode",
        "phase",
        "opened_at_ms",
        "supplied",
        "held",
        "sold",
        "left",
        "buyers",
        "clicks",
        "refused_for_want",
        "sold_out_after_ms",
        "all_paid_after_ms",
        "currency",
        "gross_minor",
        "charges_minor",
        "paid_minor",
        "refunded_minor",
        "net_minor",
        "closing_hash",
    ];
    let picked = fields.iter().map(|field| ((*field).to_owned(), told[*field].clone()));
    Value::Object(picked.collect())
}

/// The report of the show that a drop is in.
pub(crate) fn show_report(drop: &str) -> Option<Value> {
    report(drop)?;
    let evening = ["d13", "d42", "d20", "d12"].map(|drop| report(drop).expect("a fixture"));
    let sum = |field: &str| evening.iter().filter_map(|told| told[field].as_u64()).sum::<u64>();
    let running = drop == "d10";
    let best = [
        ("d42", "50 ml", 9_000_u64, 44_910_000_u64),
        ("d20", "one", 4_100, 6_109_000),
        ("d42", "30 ml", 4_000, 11_960_000),
    ];
    let best = best.map(|(drop, option, sold, gross)| json!({ "drop": drop, "title": "Eau de parfum", "sku": option,
        "sku_title": "Eau de parfum", "merchant_sku": format!("EDP-{option}"), "options": [{ "name": "Size", "value": option }],
        "sold": sold, "supplied": 9_000, "gross_minor": gross, "currency": "EUR" }));
    let channels: Vec<Value> = rush()["channels"].as_array().expect("a fixture").iter().map(|channel| {
        let money = json!([{ "currency": "EUR", "gross_minor": channel["gross_minor"], "charges_minor": 0,
            "paid_minor": channel["paid_minor"], "refunded_minor": 0, "net_minor": channel["net_minor"] }]);
        json!({ "channel": channel["channel"], "clicks": channel["clicks"], "taken": channel["taken"],
            "came_back": channel["came_back"], "held": 0, "orders": channel["orders"], "units": channel["units"], "money": money })
    }).collect();
    Some(json!({ "schema": "stampede.show-report.v1", "show": "d13", "stream": "friday-show",
        "began_ms": OPENED_MS - 847_000, "ended_ms": if running { Value::Null } else { (OPENED_MS + 3_480_000).into() },
        "as_of_ms": OPENED_MS + 3_480_000, "running": running,
        "money": [{ "currency": "EUR", "gross_minor": sum("gross_minor"), "charges_minor": 0, "paid_minor": sum("paid_minor"),
            "refunded_minor": 0, "net_minor": sum("net_minor") }],
        "planned": sum("planned"), "supplied": sum("supplied"), "taken": 30_000, "held": 0, "sold": sum("sold"),
        "left": sum("left"), "came_back": 3_000, "clicks": 400_000, "refused_for_want": sum("refused_for_want"),
        "buyers": 15_900, "orders": 16_700, "drops": evening.iter().map(line).collect::<Vec<_>>(),
        "rehearsals": [line(&report("d31").expect("a fixture"))], "cancelled": [line(&report("d19").expect("a fixture"))],
        "best": best, "channels": channels, "channels_left_out": 0, "channels_rest": null,
        "clicks_by_channel_other": 0, "counts_complete": true, "adjustments": null }))
}

/// How a report is asked for.
#[derive(Deserialize)]
pub(crate) struct Form {
    seconds: Option<bool>,
}

impl Form {
    /// Pages read no seconds, which are most of a long report.
    fn is_for_pages(&self) -> bool {
        self.seconds == Some(false)
    }
}

pub(crate) async fn drop_report(
    State(fake): State<Fake>,
    Path(drop): Path<String>,
    Query(form): Query<Form>,
) -> Response {
    if !form.is_for_pages() {
        return problem(StatusCode::BAD_REQUEST, "with_seconds");
    }
    if matches!(fake.role, Some("stage" | "platform" | "payments")) {
        return problem(StatusCode::FORBIDDEN, "forbidden");
    }
    if drop == "d66" {
        let told = json!({ "code": "ledger_damaged", "status": 500, "detail": "row 17 of d66: the hash does not follow" });
        return (StatusCode::INTERNAL_SERVER_ERROR, Json(told)).into_response();
    }
    report(&drop).map_or_else(
        || problem(StatusCode::NOT_FOUND, "unknown_drop"),
        |told| Json(told).into_response(),
    )
}

pub(crate) async fn show(Path(drop): Path<String>) -> Response {
    show_report(&drop).map_or_else(
        || problem(StatusCode::NOT_FOUND, "unknown_drop"),
        |told| Json(told).into_response(),
    )
}

#[derive(Deserialize)]
pub(crate) struct Part {
    #[serde(default)]
    q: String,
    #[serde(default)]
    skip: u64,
    limit: u64,
}

/// Shows, newest first.
pub(crate) async fn shows(Query(part): Query<Part>) -> Json<Value> {
    if part.q.starts_with("ended") {
        let shows = [super::show("ended-before"), super::show(&part.q)];
        return Json(json!({ "server_time_ms": OPENED_MS, "shows": shows, "total": 2 }));
    }
    let total: u64 = match part.q.as_str() {
        "" => 5_000,
        "nothing" => 0,
        _ => 1,
    };
    let places = part.skip.min(total)..part.skip.saturating_add(part.limit).min(total);
    let shows = places.map(|place| {
        let drops: Vec<Value> = ["Travel spray, 10 ml", "Eau de parfum", "Scented candle, 200 g"]
            .map(|title| json!({ "drop": "d42", "title": title, "phase": "settled", "mode": "live", "supplied": 1, "sold": 1 }))
            .into();
        json!({ "show": "d42", "stream": format!("evening-{place}"), "host": "nina", "merchants": ["maison-nord"],
            "began_ms": (place > 0).then_some(OPENED_MS - place * 86_400_000), "ended_ms": null, "running": place == 0, "drops": drops, "drops_total": 6,
            "supplied": 33_200, "sold": 31_753, "gross": [{ "currency": "EUR", "minor": 115_293_970 }] })
    });
    Json(json!({ "server_time_ms": OPENED_MS, "shows": shows.collect::<Vec<_>>(), "total": total }))
}

#[derive(Deserialize)]
pub(crate) struct Links {
    #[serde(default)]
    drop: String,
}

pub(crate) async fn shares(Query(links): Query<Links>) -> Response {
    let total = match links.drop.as_str() {
        "d31" => return problem(StatusCode::SERVICE_UNAVAILABLE, "busy"),
        "d15" => 1_250,
        _ => 2,
    };
    Json(json!({ "total": total, "shares": [
        { "id": "s1", "drop": "d42", "title": "Eau de parfum", "channel": null, "label": "For the board", "by": "Mara",
            "created_at_ms": OPENED_MS, "ends_at_ms": OPENED_MS + 2_592_000_000_u64, "used_at_ms": OPENED_MS, "uses": 3 },
        { "id": "s2", "drop": "d42", "title": "Eau de parfum", "channel": "tom-reyes", "label": HOSTILE, "by": "Mara",
            "created_at_ms": OPENED_MS, "ends_at_ms": OPENED_MS + 2_592_000_000_u64, "used_at_ms": null, "uses": 0 },
    ] }))
    .into_response()
}

/// What a link shows.
pub(crate) async fn shared(Path(secret): Path<String>, Query(form): Query<Form>) -> Response {
    if !form.is_for_pages() {
        return problem(StatusCode::BAD_REQUEST, "with_seconds");
    }
    let figures = json!({ "clicks": 26_118, "taken": 1_604, "held": 0, "sold": 1_133, "came_back": 471, "orders": 1_090 });
    let worth = json!({ "currency": "EUR", "gross_minor": 5_339_670, "net_minor": 5_339_670 });
    let channel = |drop: &str| {
        let told = json!({ "schema": "stampede.channel-report.v1", "drop": drop, "title": "Eau de parfum",
            "stream": "friday-show", "channel": "tom-reyes", "mode": "live", "phase": "settled", "opened_at_ms": OPENED_MS,
            "clicks_at_least": false, "counts_complete": true, "adjustments": null, "as_of_ms": OPENED_MS + 253_208, "closing_hash": "7f3a91c4".repeat(8) });
        merged(merged(told, &figures), &worth)
    };
    let evening = || {
        let told = json!({ "schema": "stampede.channel-report.v1", "show": "d42", "stream": "friday-show",
            "channel": "tom-reyes", "began_ms": OPENED_MS, "ended_ms": null, "as_of_ms": OPENED_MS + 253_208,
            "running": true, "money": [worth.clone()], "drops": [channel("d42"), channel("d31")] });
        merged(told, &figures)
    };
    let (kind, report) = match secret.as_str() {
        "shr_drop" => ("drop", report("d42").expect("a fixture")),
        "shr_slow" => ("drop", report("d10").expect("a fixture")),
        "shr_show" => ("show", show_report("d42").expect("a fixture")),
        "shr_channel" => ("drop_channel", channel("d42")),
        "shr_rehearsal" => {
            ("drop_channel", merged(channel("d42"), &json!({ "mode": "rehearsal" })))
        }
        "shr_evening" => ("show_channel", evening()),
        "shr_over" => return problem(StatusCode::GONE, "share_over"),
        "shr_full" => return problem(StatusCode::SERVICE_UNAVAILABLE, "busy"),
        "shr_busy" => return problem(StatusCode::TOO_MANY_REQUESTS, "too_many_requests"),
        _ => return problem(StatusCode::NOT_FOUND, "unknown_share"),
    };
    Json(json!({ "share": { "kind": kind, "ends_at_ms": OPENED_MS + 2_592_000_000_u64 }, "report": report })).into_response()
}
