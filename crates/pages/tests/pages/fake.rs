//! An interface that answers what its stream's name asks for.

#[path = "lists.rs"]
mod lists;

use std::{convert::Infallible, time::Duration};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{
        IntoResponse, Response,
        sse::{Event, Sse},
    },
    routing::{get, post},
};
use futures_util::stream;
use serde_json::{Value, json};

#[path = "shows.rs"]
mod shows;

#[path = "sold.rs"]
pub(crate) mod sold;

#[path = "told.rs"]
pub(crate) mod told;

#[path = "told_shows.rs"]
pub(crate) mod told_shows;

use self::shows::{cue, people, units};

/// A stream for each state that a page can be in.
pub(crate) const STREAMS: [&str; 49] = [
    "open",
    "asked",
    "asked-more",
    "nothing",
    "before",
    "countdown",
    "taken",
    "sold-out",
    "paused",
    "closed",
    "offline",
    "failing",
    "poisoned",
    "stopped",
    "one",
    "hostile",
    "rehearsal",
    "cancelled",
    "cue-ahead",
    "cue-now",
    "cue-under",
    "cue-zero",
    "cue-heard",
    "cue-long",
    "behind",
    "for-stage",
    "for-stage-out",
    "countdown-long",
    "single",
    "single-taken",
    "reserved",
    "reserved-taken",
    "reserved-unheld",
    "reserved-closed",
    "reserved-out",
    "unpaid",
    "paid-just",
    "undone",
    "ends-after",
    "ends-planned",
    "winds-down",
    "winds-down-taken",
    "winds-down-paused",
    "winds-down-off-air",
    "refusing",
    "ended",
    "ended-gone",
    "ended-called-off",
    "ended-rehearsals",
];

/// 2026-11-27 20:33:12 UTC.
pub(crate) const NOW_MS: u64 = 1_795_811_592_000;

/// A name that tries everything at once.
pub(crate) const HOSTILE: &str = "<script>alert(1)</script>\"'&{{7*7}} \u{202e}evil\u{202c} 👩‍👩‍👧‍👦";

/// Who is signed in: the role, or nobody.
#[derive(Clone, Copy)]
pub(crate) struct Fake {
    pub(crate) role: Option<&'static str>,
}

/// The interface with a session of this role.
pub(crate) fn interface(role: Option<&'static str>) -> Router {
    Router::new()
        .route("/v1/sessions/current", get(session))
        .route("/v1/sessions", post(sign_in))
        .route("/v1/invitations/look", post(look))
        .route("/v1/drops", get(lists::drops))
        .route("/v1/drops/{drop}", get(sold::drop))
        .route("/v1/drops/{drop}/orders/{order}/cancel", post(sold::cancel))
        .route("/v1/streams", get(lists::streams))
        .route("/v1/rooms/{stream}", get(room))
        .route("/v1/requests", get(lists::requests))
        .route("/v1/streams/{stream}", get(running))
        .route("/v1/streams/{stream}/follow", get(follow))
        .route("/v1/drops/{drop}/{act}", post(command))
        .route("/v1/attention", get(sold::attention))
        .route("/v1/orders", get(sold::list))
        .route("/v1/orders/search", get(sold::search))
        .route("/v1/orders/{order}/timeline", get(sold::timeline))
        .route("/v1/drops/{drop}/report", get(told_shows::drop_report))
        .route("/v1/shows", get(told_shows::shows))
        .route("/v1/shows/{drop}/report", get(told_shows::show))
        .route("/v1/shares", get(told_shows::shares))
        .route("/shared/{secret}/report.json", get(told_shows::shared))
        .route("/v1/brake", get(brake))
        .route("/v1/brake/{act}", post(braked))
        .route("/v1/commands", get(commands))
        .route("/metrics", get(metrics))
        .route("/readyz", get(readyz))
        .with_state(Fake { role })
}

fn problem(status: StatusCode, code: &str) -> Response {
    (status, Json(json!({ "code": code, "status": status.as_u16() }))).into_response()
}

async fn session(State(fake): State<Fake>) -> Response {
    let Some(role) = fake.role else {
        return problem(StatusCode::UNAUTHORIZED, "token_missing");
    };
    let mut told = json!({ "session": "s1", "name": "Nina", "role": role, "csrf": "c", "streams": ["open"],
        "idle_expires_in_ms": 3_600_000, "expires_in_ms": 43_200_000 });
    if role == "merchant" {
        told["merchant"] = "maison-nord".into();
    }
    Json(told).into_response()
}

/// Hosts may plan in one show.
async fn room(Path(stream): Path<String>) -> Response {
    let hosts = if stream == "open" { json!(["maison-nord"]) } else { json!([]) };
    Json(json!({ "stream": stream, "owner": { "kind": "merchant", "name": "maison-nord" },
        "admitted": [], "video_delay_ms": 0, "hosts_plan_for": hosts, "drops": [] }))
    .into_response()
}

async fn sign_in() -> Response {
    problem(StatusCode::UNAUTHORIZED, "token_unknown")
}

async fn look(Json(body): Json<Value>) -> Response {
    match body["invitation"].as_str() {
        Some("sti_good") => Json(json!({ "name": "Nina", "role": "host", "by": "Mara",
            "streams": ["friday-show"], "expires_in_ms": 36_000_000 }))
        .into_response(),
        Some("sti_till") => Json(json!({ "name": "till", "role": "payments", "by": "Mara",
            "expires_in_ms": 36_000_000 }))
        .into_response(),
        _ => problem(StatusCode::NOT_FOUND, "unknown_invitation"),
    }
}

async fn command(Path((drop, act)): Path<(String, String)>) -> Json<Value> {
    Json(json!({ "drop": drop, "action": act }))
}

async fn braked(Path(act): Path<String>) -> Json<Value> {
    Json(json!({ "action": act }))
}

async fn brake() -> Json<Value> {
    Json(
        json!({ "server_time_ms": NOW_MS, "bans": 3, "rates": { "buys_per_s": 20_000, "actor": "Ilse", "since_ms": NOW_MS } }),
    )
}

async fn commands() -> Json<Value> {
    Json(json!({ "commands": [
        { "number": 3, "at_ms": NOW_MS - 82_000, "actor": "Nina", "role": "host", "action": "restock", "drop": "d3" },
        { "number": 2, "at_ms": NOW_MS - 102_000, "actor": HOSTILE, "role": "host", "action": "open", "drop": "d3",
            "refused": { "code": "wrong_phase" } },
    ] }))
}

async fn readyz() -> Json<Value> {
    Json(json!({ "status": "ready" }))
}

async fn metrics(State(fake): State<Fake>) -> Response {
    if !matches!(fake.role, Some("ops" | "admin" | "host")) {
        return problem(StatusCode::FORBIDDEN, "forbidden");
    }
    "stampede_gateway_connections 31410\nstampede_gateway_connections_max 60000\n\
     stampede_engine_answer_seconds_bucket{le=\"0.0048\"} 99\n\
     stampede_engine_answer_seconds_bucket{le=\"+Inf\"} 100\n\
     stampede_engine_answer_seconds_count 12000\n\
     stampede_ledger_commit_seconds{quantile=\"0.99\"} 0.0033\n\
     stampede_ledger_commit_seconds_count 4000\n\
     stampede_engine_clock_ahead_seconds 0.002\n\
     stampede_ledger_wal_bytes 6500000\nstampede_ledger_wal_bytes_max 33554432\n\
     stampede_ledger_orders_behind 0\n\
     stampede_ledger_disk_free_bytes 195421011968\nstampede_ledger_disk_bytes 274877906944\n\
     stampede_engine_bans 3\nstampede_engine_bans_max 10000\n"
        .into_response()
}

async fn running(State(fake): State<Fake>, Path(stream): Path<String>) -> Response {
    if fake.role.is_none() {
        return problem(StatusCode::UNAUTHORIZED, "token_missing");
    }
    if fake.role == Some("stage") {
        return problem(StatusCode::FORBIDDEN, "forbidden");
    }
    if stream == "nobody" {
        return problem(StatusCode::NOT_FOUND, "unknown_stream");
    }
    Json(json!({ "stream": stream, "server_time_ms": NOW_MS, "viewers_connected": 31_283,
        "drops": summaries(&stream) }))
    .into_response()
}

/// The show of a stream whose drops are all over.
pub(crate) fn show(stream: &str) -> Value {
    if !stream.starts_with("ended") {
        return Value::Null;
    }
    let supplied = if stream == "ended-called-off" { 0 } else { 33_200 };
    let mode = if stream == "ended-rehearsals" { "rehearsal" } else { "live" };
    let drops = json!([{ "drop": "d1", "title": "Mug", "phase": "settled", "mode": mode, "supplied": 1, "sold": 1 }]);
    let gross = [("EUR", 115_293_970), ("JPY", 3_000)];
    let gross = gross.map(|(currency, minor)| json!({ "currency": currency, "minor": minor }));
    json!({ "show": "d1", "stream": stream, "host": "nina", "merchants": ["maison-nord"], "began_ms": NOW_MS,
        "ended_ms": NOW_MS, "running": false, "drops": drops, "drops_total": 6, "supplied": supplied, "sold": supplied.min(31_753),
        "gross": gross })
}

/// The stream that is another's.
const FOREIGN: &str = "foreign";

async fn follow(Path(stream): Path<String>, headers: HeaderMap) -> Response {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    if stream == FOREIGN {
        return problem(StatusCode::NOT_FOUND, "unknown_drop");
    }
    let told = snapshot(&stream);
    if !accept.is_some_and(|accept| accept.contains("text/event-stream")) {
        return Json(told).into_response();
    }
    let events = stream::unfold(0_u64, move |turn| {
        let told = told.to_string();
        async move {
            if turn == 0 {
                let event = Event::default().event("snapshot").data(told);
                return Some((Ok::<_, Infallible>(event), 1));
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
            let alive = json!({ "server_time_ms": NOW_MS + turn * 1_000 });
            Some((Ok(Event::default().event("alive").data(alive.to_string())), turn + 1))
        }
    });
    Sse::new(events).into_response()
}

pub(crate) fn summaries(stream: &str) -> Vec<Value> {
    let told = snapshot(stream);
    let sum = |drop: &Value, of: &str| -> u64 {
        let skus = drop["skus"].as_array().expect("a fixture");
        skus.iter().filter_map(|sku| sku.get(of)?.as_u64()).sum()
    };
    let drops = told["drops"].as_array().expect("a fixture").iter().map(|drop| {
        json!({ "drop": drop["drop"], "stream": stream, "title": drop["plan"]["title"],
            "merchant": "maison-nord", "host": "nina", "mode": drop["plan"]["mode"],
            "phase": drop["phase"], "featured": drop["featured"], "version": 3,
            "supplied": sum(drop, "supplied"), "available": sum(drop, "available"),
            "held": sum(drop, "held"), "sold": sum(drop, "sold"), "reserve": sum(drop, "reserve") })
    });
    drops.collect()
}

/// A drop with goods `(id, option, supplied, held, sold)`.
fn drop(
    place: u64,
    title: &str,
    phase: &str,
    goods: &[(&str, &str, u64, u64, u64)],
    price: u64,
) -> Value {
    let is_over = matches!(phase, "settled" | "closed");
    let skus = goods.iter().map(|(id, _, supplied, held, sold)| {
        json!({ "sku": id, "supplied": supplied, "available": supplied - held - sold, "held": held, "sold": sold })
    });
    let planned = goods.iter().map(|(id, option, supplied, ..)| {
        let options = if option.is_empty() { json!([]) } else { json!([{ "name": "Scent", "value": option }]) };
        let image = if option.is_empty() { "https://shop.example/mug.svg" } else { "/goods/candle.svg" };
        json!({ "id": id, "title": title, "options": options, "merchant_sku": id, "supply": supplied,
            "image": image, "limit_per_viewer": 2, "price": { "minor": price, "currency": "EUR" } })
    });
    json!({
        "drop": format!("d{place}"), "phase": phase, "featured": false, "version": 3, "revision": 1,
        "server_time_ms": NOW_MS, "viewers_connected": 31_283,
        "skus": skus.collect::<Vec<_>>(), "totals": { "held": 5, "retries": 0, "refused": {} },
        "held_ending": if is_over { Value::Null } else { json!({ "soon_holds": 180, "soon_units": 212, "first_in_ms": 54_100, "last_in_ms": 116_000 }) },
        "paying": { "ordered_units": 6_746, "returned_units": 1_081, "recent_orders": 3_120, "recent_failed": 0 },
        "plan": { "stream": "friday-show", "running_order": place, "title": title,
            "merchant": "maison-nord", "host": "nina", "mode": "live",
            "skus": planned.collect::<Vec<_>>(), "limit_per_viewer": 2, "holds_per_viewer_max": 16,
            "hold_ttl_ms": 120_000, "countdown_ms": 10_000 },
    })
}

fn order() -> Vec<Value> {
    vec![
        drop(1, "Travel spray, 10 ml", "settled", &[("spray", "", 1_200, 0, 1_200)], 1_490),
        drop(2, "Eau de parfum", "settled", &[("edp", "", 15_000, 0, 15_000)], 4_990),
        drop(
            3,
            "Scented candle, 200 g",
            "open",
            &[
                ("cedar", "Cedar", 4_000, 212, 3_788),
                ("fig", "Fig", 5_000, 517, 1_522),
                ("salt", "Sea salt", 3_000, 307, 1_436),
            ],
            2_490,
        ),
        drop(4, "Gift set, three scents", "scheduled", &[("gift", "", 1_200, 0, 0)], 5_900),
        drop(5, "Hand cream, 75 ml", "scheduled", &[("cream", "", 3_000, 0, 0)], 1_490),
        drop(6, "Room diffuser", "scheduled", &[("room", "", 800, 0, 0)], 3_900),
    ]
}

/// What a stream of this name shows.
pub(crate) fn snapshot(stream: &str) -> Value {
    let mut drops = order();
    let mut seconds: Vec<Value> = (1..=60_u64)
        .map(|ago| {
            let takes = 58 + (ago * 37) % 23 + ago;
            let refused = if ago < 31 { 1_854 - ago * 55 } else { 300 + (ago * 53) % 90 };
            json!({ "drop": "d3", "at_ms": NOW_MS - ago * 1_000, "clicks": takes + refused, "takes": takes,
                "refused": { "sold_out": refused }, "answer_p99_us": 4_800 })
        })
        .collect();
    seconds.reverse();
    drops[AIR]["featured"] = true.into();
    stage(stream, &mut drops, &mut seconds);
    let mut told = json!({ "stream": stream, "server_time_ms": NOW_MS, "drops": drops, "seconds": { "d3": seconds },
        "people": people(stream) });
    cue(stream, &mut told);
    told
}

/// Where the drop on air stands.
const AIR: usize = 2;

/// Brings a stream into the state that its name asks for.
fn stage(stream: &str, drops: &mut Vec<Value>, seconds: &mut Vec<Value>) {
    match stream {
        "nothing" | "nobody" => drops.clear(),
        "before" => {
            drops.drain(..3);
            seconds.clear();
        }
        "countdown" | "countdown-long" => {
            drops[AIR] = drop(
                3,
                "Scented candle, 200 g",
                "countdown",
                &[("cedar", "Cedar", 4_000, 0, 0), ("fig", "Fig", 8_000, 0, 0)],
                2_490,
            );
            drops[AIR]["featured"] = true.into();
            let left = if stream == "countdown" { 6_400 } else { 59_400 };
            drops[AIR]["opens_in_ms"] = left.into();
        }
        "cancelled" => drops[AIR]["phase"] = "scheduled".into(),
        "taken" => take(&mut drops[AIR], 4_568),
        "sold-out" => take(&mut drops[AIR], 0),
        "paused" => {
            drops[AIR]["phase"] = "paused".into();
            // Another one sells off air.
            drops[1] = drop(2, "Eau de parfum", "open", &[("edp", "", 15_000, 60, 13_069)], 4_990);
        }
        "rehearsal" => {
            for drop in drops {
                drop["plan"]["mode"] = "rehearsal".into();
            }
        }
        "rehearsed" => rehearse(drops),
        "closed" => drops[AIR]["phase"] = "closed".into(),
        "refusing" => refuse(seconds),
        "offline" => {
            drops[AIR]["stream_offline_since_ms"] = (NOW_MS - 20_000).into();
            drops[3]["start_missed_ms"] = (NOW_MS - 500_000).into();
        }
        "asked" | "asked-more" => ask(stream, drops),
        "failing" => {
            drops[AIR]["paying"] = json!({ "ordered_units": 6_746, "returned_units": 1_081, "recent_orders": 12, "recent_failed": 28 });
        }
        "one" => {
            drops[AIR] = drop(
                3,
                "Scented candle, 200 g",
                "open",
                &[("candle", "", 16_777_215, 12, 300_000)],
                2_490,
            );
            drops[AIR]["featured"] = true.into();
            // Nothing was paid for, or came back, since the server started.
            drops[AIR]["paying"] = json!({ "ordered_units": 0, "returned_units": 0, "recent_orders": 0, "recent_failed": 9 });
        }
        "hostile" => name_badly(drops),
        _ => units(stream, drops),
    }
}

/// Gives drops and goods names that try to break the page.
fn name_badly(drops: &mut [Value]) {
    let long = "W".repeat(200);
    drops[AIR]["plan"]["title"] = HOSTILE.into();
    drops[AIR]["plan"]["skus"][0]["options"][0]["value"] = long.clone().into();
    drops[AIR]["plan"]["skus"][1]["options"][0]["value"] = HOSTILE.into();
    drops[3]["plan"]["title"] = long.into();
}

/// Has clicks refused for every kind of reason.
fn refuse(seconds: &mut [Value]) {
    for (place, second) in seconds.iter_mut().enumerate() {
        second["refused"] = match place % 4 {
            0 => json!({ "sold_out": 20, "not_enough": 1, "over_viewer_limit": 40 }),
            1 => json!({ "holds_capped": 2, "rate_limited": 3, "busy": 1 }),
            2 => json!({ "paused": 4, "not_open": 5, "key_reused": 1 }),
            _ => json!({ "of_tomorrow": 1 }),
        };
    }
}

/// Somebody asks for more units than are in reserve.
fn ask(stream: &str, drops: &mut [Value]) {
    drops[AIR]["requests"] = json!([request(2, "cedar", 1_500, "open", 20_000)]);
    if stream == "asked" {
        return;
    }
    // Somebody has answered one; another drop sells off air.
    drops[1] = drop(2, "Eau de parfum", "open", &[("edp", "", 15_000, 60, 13_069)], 4_990);
    drops[1]["requests"] = json!([request(1, "edp", 40, "open", 30_000)]);
    drops[AIR]["stream_offline_since_ms"] = (NOW_MS - 20_000).into();
    let answered = request(1, "cedar", 200, "declined", 60_000);
    drops[AIR]["requests"].as_array_mut().expect("a fixture").push(answered);
}

/// A request for more units than are in reserve, made so long ago.
fn request(number: u32, sku: &str, units: u32, state: &str, ago_ms: u64) -> Value {
    json!({ "request": format!("q3-{number}"), "drop": "d3", "sku": sku, "units": units, "state": state,
        "asked_by": "Nina", "asked_at_ms": NOW_MS - ago_ms })
}

/// Adds a copy of the drop on air, for a rehearsal by one press.
fn rehearse(drops: &mut Vec<Value>) {
    let mut copy = drops[AIR].clone();
    (copy["drop"], copy["rehearses"]) = ("d900".into(), copy["drop"].clone());
    copy["plan"]["mode"] = "rehearsal".into();
    drops.push(copy);
}

/// Leaves nothing of a drop: so much is held, the rest is paid.
fn take(drop: &mut Value, held: u64) {
    let mut held = held;
    for sku in drop["skus"].as_array_mut().expect("a fixture") {
        let supplied = sku["supplied"].as_u64().expect("a fixture");
        let here = held.min(supplied);
        held -= here;
        sku["available"] = 0.into();
        sku["held"] = here.into();
        sku["sold"] = (supplied - here).into();
    }
}
