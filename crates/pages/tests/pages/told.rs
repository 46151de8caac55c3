//! Reports of drops, as the interface tells them that answers for tests.

use serde_json::{Value, json};

use super::HOSTILE;

/// 2026-11-27 20:14:07 UTC.
pub(crate) const OPENED_MS: u64 = 1_795_810_447_000;

/// A drop for each shape that a report can have.
pub(crate) const DROPS: [(&str, &str); 17] = [
    ("d42", "all taken in 0.80 s, all paid"),
    ("d31", "two hours, not sold out"),
    ("d10", "running"),
    ("d11", "planned"),
    ("d12", "nothing sold"),
    ("d13", "one unit"),
    ("d14", "as many units as there can be"),
    ("d15", "64 sizes, 20,000 channels"),
    ("d16", "names that try everything"),
    ("d17", "paused, and away"),
    ("d18", "adjusted since"),
    ("d19", "called off"),
    ("d20", "over two days"),
    ("d21", "an interface that tells no new figures"),
    ("d22", "oversold, with money to see to"),
    ("d23", "opening: all held, nothing paid"),
    ("d24", "a rehearsal"),
];

/// How a sale goes on: the share of the units that were paid after each share of the time.
const PAID: [f64; 13] = [0.0, 0.02, 0.15, 0.36, 0.53, 0.66, 0.74, 0.79, 0.82, 0.85, 0.9, 0.96, 1.0];

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a fixture"
)]
fn at_share(whole: u64, place: u64, of: u64) -> u64 {
    let at = place as f64 / of as f64 * (PAID.len() - 1) as f64;
    let (low, rest) = (at.floor() as usize, at.fract());
    let high = PAID[(low + 1).min(PAID.len() - 1)];
    ((PAID[low] + (high - PAID[low]) * rest) * whole as f64) as u64
}

/// A course in which all is taken at once, or as it is paid.
fn course(supplied: u64, sold: u64, end_ms: u64, at_once: bool, back: u64) -> Value {
    let step_ms = (end_ms / 256).next_power_of_two().max(1);
    let steps = end_ms.div_ceil(step_ms).max(1);
    let mut before = 0;
    let steps: Vec<Value> = (1..=steps)
        .map(|step| {
            let paid = at_share(sold, step, steps) - before;
            before += paid;
            // What came back was taken again at once.
            let came_back = if step * 2 > steps { back / (steps / 2).max(1) } else { 0 };
            let first = if step == 1 { supplied } else { came_back };
            let taken = if at_once { first } else { paid + came_back };
            json!({ "taken": taken, "paid": paid, "came_back": came_back, "clicks": taken * 3,
                "refused": taken, "connected": 38_420 - step * 31 })
        })
        .collect();
    json!({ "step_ms": step_ms, "steps": steps })
}

/// When half of the supply was paid in such a course.
fn half_paid(course: &Value, supplied: u64) -> Option<u64> {
    let mut paid = 0;
    let step_ms = course["step_ms"].as_u64()?;
    let steps = course["steps"].as_array()?;
    let place = steps.iter().position(|step| {
        paid += step["paid"].as_u64().unwrap_or(0);
        paid * 2 >= supplied
    });
    place.map(|place| (u64::try_from(place).unwrap_or(0) + 1) * step_ms)
}

fn pace(units: u64, end_ms: u64) -> Value {
    let step_ms = (end_ms / 256).next_power_of_two().max(1);
    let steps = end_ms.div_ceil(step_ms).max(1);
    let units: Vec<u64> =
        (1..=steps).map(|step| units * step / steps - units * (step - 1) / steps).collect();
    json!({ "step_ms": step_ms, "units": units })
}

fn money(paid: u64) -> Value {
    json!({ "gross_minor": paid, "charges_minor": 0, "paid_minor": paid, "refunded_minor": 0, "net_minor": paid })
}

/// A fixture with fields of another one.
pub(crate) fn merged(mut one: Value, other: &Value) -> Value {
    let fields = other.as_object().expect("a fixture").clone();
    one.as_object_mut().expect("a fixture").extend(fields);
    one
}

/// `(option, price, supplied, sold, refused for want)`.
type Size<'a> = (&'a str, u64, u64, u64, u64);

fn sku(name: &str, (option, price, supplied, sold, refused): &Size<'_>) -> Value {
    let told = json!({ "sku": option, "title": "Eau de parfum", "merchant_sku": format!("EDP-{option}"),
        "options": [{ "name": name, "value": option }], "price_minor": price, "supplied": supplied, "held": 0,
        "sold": sold, "taken": supplied, "came_back": 0, "left": supplied - sold, "refused_for_want": refused,
        "orders": sold, "sold_out_after_ms": null });
    merged(told, &money(price * sold))
}

fn channel(name: Option<&str>, clicks: u64, taken: u64, units: u64, paid: u64) -> Value {
    let told = json!({ "channel": name, "clicks": clicks, "taken": taken, "came_back": taken.saturating_sub(units),
        "held": 0, "orders": units, "units": units });
    merged(told, &money(paid))
}

struct Sale<'a> {
    drop: &'a str,
    title: &'a str,
    end_ms: u64,
    option: &'a str,
    sizes: &'a [Size<'a>],
    channels: Vec<Value>,
    sold_out_after_ms: Option<u64>,
    came_back: u64,
}

fn sale(sale: &Sale<'_>) -> Value {
    let sum = |figure: fn(&Size<'_>) -> u64| sale.sizes.iter().map(figure).sum::<u64>();
    let (supplied, sold) = (sum(|size| size.2), sum(|size| size.3));
    let (paid, refused) = (sum(|size| size.1 * size.3), sum(|size| size.4));
    let skus: Vec<Value> = sale.sizes.iter().map(|size| sku(sale.option, size)).collect();
    let phase = |phase: &str, at_ms: u64| json!({ "phase": phase, "at_ms": at_ms });
    let end = OPENED_MS + sale.end_ms;
    let taken = if sale.sold_out_after_ms.is_some() { supplied } else { sold };
    let (released, expired) = (sale.came_back / 13, sale.came_back - sale.came_back / 13);
    let all_paid = (sold == supplied).then_some(sale.end_ms);
    let course =
        course(supplied, sold, sale.end_ms, sale.sold_out_after_ms.is_some(), sale.came_back);
    let half_paid = half_paid(&course, supplied);
    let told = json!({ "schema": "stampede.report.v1", "drop": sale.drop, "title": sale.title,
        "stream": "friday-show", "merchant": "maison-nord", "host": "nina", "mode": "live", "revision": 1,
        "phase": "settled", "as_of_ms": end + 1_000,
        "phases": [phase("scheduled", OPENED_MS - 4_287_000), phase("countdown", OPENED_MS - 10_000),
            phase("open", OPENED_MS), phase("closed", end), phase("settled", end + 1_000)],
        "planned": supplied, "supplied": supplied, "held": 0, "sold": sold, "left": supplied - sold, "oversold": 0,
        "taken": { "all": { "holds": taken * 9 / 10 + 1, "units": taken + sale.came_back },
            "confirmed": { "holds": sold * 87 / 100 + 1, "units": sold },
            "released": { "holds": released, "units": released },
            "expired": { "holds": expired * 9 / 10, "units": expired + taken - sold } } });
    let more = json!({ "came_back": { "holds": 0, "units": sale.came_back + taken - sold }, "taken_again": sale.came_back,
        "skus": skus, "buyers": sold * 87 / 100 + 1, "channels": sale.channels, "channels_left_out": 0,
        "clicks": supplied + refused, "retries": 708, "counts_complete": true, "restarts_live": 0,
        "answer_times": { "answers": 201_372, "p50_us": 200, "p99_us": 41_000, "p999_us": 90_000 },
        "refusals": if refused > 0 { json!({ "sold_out": refused, "not_open": 810, "not_enough": 131 }) } else { json!({}) },
        "refused_for_want": refused });
    let times = json!({ "tally_clicks_max": 31_926, "connected_max": 38_420, "opened_at_ms": OPENED_MS,
        "sold_out_after_ms": sale.sold_out_after_ms,
        "half_after_ms": sale.sold_out_after_ms.map(|ms| ms / 2), "nine_tenths_after_ms": sale.sold_out_after_ms.map(|ms| ms * 9 / 10),
        "half_paid_after_ms": half_paid,
        "all_paid_after_ms": all_paid, "last_paid_after_ms": sale.end_ms,
        "last_taken_after_ms": sale.end_ms, "settled_after_ms": sale.end_ms + 1_000, "paused_ms": 0, "outage_ms": 0,
        "restarts": 0, "gaps": [], "currency": "EUR", "refunds_due": 0, "refund_due_minor": 0, "authorized_minor": 0,
        "declined": 0, "unpaid_orders": 0, "cancelled_units": 0, "cancelled_orders": 0, "adjustments": null,
        "pace": pace(taken, sale.sold_out_after_ms.unwrap_or(sale.end_ms)),
        "course": course,
        "closing_hash": "7f3a91c40be25d68a41f6c07e9b328d513fe7a904c6bd1e285f7306a9bd4c21e",
        "journal": { "records": 30_527, "commits": 412, "bytes": 4_100_000 } });
    merged(merged(merged(told, &more), &times), &money(paid))
}

pub(crate) fn rush() -> Value {
    let sizes = [
        ("30 ml", 2_990, 4_000, 4_000, 20_112),
        ("50 ml", 4_990, 9_000, 9_000, 141_503),
        ("100 ml", 7_990, 2_000, 2_000, 22_994),
    ];
    let channels = vec![
        channel(Some("friday-show"), 88_214, 7_902, 6_874, 33_389_260),
        channel(Some("lea-sommer"), 61_470, 5_633, 4_912, 23_736_880),
        channel(Some("newsletter"), 18_905, 1_987, 1_802, 9_013_980),
        channel(Some("tom-reyes"), 26_118, 1_604, 1_133, 5_339_670),
        channel(None, 6_665, 363, 279, 1_370_210),
    ];
    sale(&Sale {
        drop: "d42",
        title: "Eau de parfum",
        end_ms: 253_208,
        option: "Size",
        sizes: &sizes,
        channels,
        sold_out_after_ms: Some(802),
        came_back: 2_489,
    })
}

fn slow() -> Value {
    let sizes =
        [("Oak", 3_490, 400, 338, 0), ("Linen", 3_490, 400, 201, 0), ("Rose", 3_490, 200, 73, 0)];
    let channels = vec![
        channel(Some("late-show"), 520, 455, 402, 1_402_980),
        channel(Some("jonas"), 214, 181, 148, 516_520),
        channel(Some("newsletter"), 69, 66, 62, 216_380),
    ];
    sale(&Sale {
        drop: "d31",
        title: "Room diffuser",
        end_ms: 7_200_000,
        option: "Scent",
        sizes: &sizes,
        channels,
        sold_out_after_ms: None,
        came_back: 90,
    })
}

fn of_one_size(
    drop: &str,
    title: &str,
    supplied: u64,
    sold: u64,
    end_ms: u64,
    out: Option<u64>,
) -> Value {
    sale(&Sale {
        drop,
        title,
        end_ms,
        option: "Size",
        sizes: &[("one", 1_490, supplied, sold, 0)],
        channels: Vec::new(),
        sold_out_after_ms: out,
        came_back: 0,
    })
}

/// A sale that goes on: nothing is settled, something is held.
fn open(mut told: Value, held: u64) -> Value {
    let sold = told["sold"].as_u64().expect("a fixture");
    told["phase"] = "open".into();
    told["sold"] = (sold - held).into();
    told["held"] = held.into();
    told["closing_hash"] = Value::Null;
    told["all_paid_after_ms"] = Value::Null;
    told["phases"].as_array_mut().expect("a fixture").truncate(3);
    told["skus"][0]["sold"] = (told["skus"][0]["sold"].as_u64().expect("a fixture") - held).into();
    told
}

fn many() -> Value {
    let names: Vec<String> = (1..=64).map(|size| format!("EU {size}")).collect();
    let sizes: Vec<Size> = (1_u64..)
        .zip(&names)
        .map(|(place, name)| (name.as_str(), 9_990, 100, 100 - place, 0))
        .collect();
    let channels = (0..100)
        .map(|place| {
            channel(
                Some(&format!("creator-{place:05}")),
                90 - place / 2,
                60,
                50 - place / 3,
                499_500,
            )
        })
        .collect();
    let mut told = sale(&Sale {
        drop: "d15",
        title: "Trainers",
        end_ms: 600_000,
        option: "Size",
        sizes: &sizes,
        channels,
        sold_out_after_ms: None,
        came_back: 200,
    });
    told["channels_left_out"] = 19_900.into();
    told["channels_rest"] = channel(None, 70_000, 800, 700, 6_993_000);
    told["clicks_by_channel_other"] = 12.into();
    told
}

fn hostile() -> Value {
    let long = "W".repeat(200);
    let sizes = [
        (HOSTILE, 4_990, 9_000, 9_000, 99_000),
        (long.as_str(), 4_990, 9_000, 8_000, 0),
        ("=cmd|' /C calc'!A0", 1, 1, 0, 0),
    ];
    let channels =
        vec![channel(Some("مرحبا"), 1, 1, 1, 1), channel(Some(&"x".repeat(64)), 2, 2, 2, 2)];
    let mut told = sale(&Sale {
        drop: "d16",
        title: HOSTILE,
        end_ms: 253_208,
        option: HOSTILE,
        sizes: &sizes,
        channels,
        sold_out_after_ms: None,
        came_back: 0,
    });
    told["host"] = HOSTILE.into();
    told
}

fn gaps() -> Value {
    let mut told = rush();
    told["drop"] = "d17".into();
    told["gaps"] = json!([{ "kind": "paused", "from_ms": 60_000, "to_ms": 82_000 }, { "kind": "away", "from_ms": 150_000, "to_ms": 154_200 }]);
    told["paused_ms"] = 22_000.into();
    told["outage_ms"] = 4_200.into();
    told["counts_complete"] = false.into();
    told["restarts"] = 1.into();
    let phases = told["phases"].as_array_mut().expect("a fixture");
    phases.insert(3, json!({ "phase": "paused", "at_ms": OPENED_MS + 60_000, "by_stream": true }));
    phases.insert(4, json!({ "phase": "open", "at_ms": OPENED_MS + 82_000, "by_stream": true }));
    told
}

/// All of it is held, nothing is paid.
fn opening() -> Value {
    let mut told = open(rush(), 4_000);
    for (sku, held) in
        told["skus"].as_array_mut().expect("a fixture").iter_mut().zip([4_000, 9_000, 2_000])
    {
        sku["sold"] = 0.into();
        sku["held"] = held.into();
        sku["paid_minor"] = 0.into();
    }
    for (field, value) in
        [("sold", 0), ("held", 15_000), ("buyers", 0), ("paid_minor", 0), ("taken_again", 0)]
    {
        told[field] = value.into();
    }
    told["came_back"] = json!({ "holds": 0, "units": 0 });
    told["channels"] = json!([]);
    told["taken"] = taken(13_063, 15_000);
    told["as_of_ms"] = (OPENED_MS + 4_000).into();
    told["course"] = json!({ "step_ms": 16,
        "steps": [{ "taken": 15_000, "paid": 0, "came_back": 0, "connected": 30_000 }] });
    told["half_paid_after_ms"] = Value::Null;
    told["last_paid_after_ms"] = Value::Null;
    told
}

/// So much was taken, and nothing of it has ended.
fn taken(holds: u64, units: u64) -> Value {
    let none = json!({ "holds": 0, "units": 0 });
    json!({ "all": { "holds": holds, "units": units }, "confirmed": none, "released": none, "expired": none })
}

fn planned() -> Value {
    let mut told = of_one_size("d11", "Gift set, three scents", 1_200, 0, 1, None);
    for field in ["opened_at_ms", "half_after_ms", "closing_hash", "last_paid_after_ms"] {
        told[field] = Value::Null;
    }
    told["phase"] = "scheduled".into();
    told["supplied"] = 0.into();
    told["left"] = 0.into();
    told["phases"].as_array_mut().expect("a fixture").truncate(1);
    told["course"] = json!({ "step_ms": 1, "steps": [] });
    told["pace"] = json!({ "step_ms": 1, "units": [] });
    told["taken"] = taken(0, 0);
    told
}

fn unsold() -> Value {
    let mut told = of_one_size("d12", "Hand cream, 75 ml", 3_000, 0, 1_800_000, None);
    told["buyers"] = 0.into();
    told["last_paid_after_ms"] = Value::Null;
    told["clicks"] = 0.into();
    told["taken"] = taken(0, 0);
    told
}

fn only_one() -> Value {
    let mut told = of_one_size("d13", "The only one", 1, 1, 3_100, Some(200));
    told["taken"]["confirmed"]["holds"] = 1.into();
    told["buyers"] = 1.into();
    told
}

fn adjusted() -> Value {
    let mut told = rush();
    told["adjustments"] = json!({ "as_of_ms": OPENED_MS + 90_000_000, "records": 6, "orders_cancelled": 3,
        "units_cancelled": 4, "charges_minor": 0, "paid_minor": 0, "refunded_minor": 19_960, "net_minor": -19_960 });
    told
}

/// As an interface tells it that does not know the figures of this page yet.
fn of_before() -> Value {
    let mut told = rush();
    let new = [
        "left",
        "came_back",
        "taken_again",
        "course",
        "pace",
        "gaps",
        "refused_for_want",
        "closing_hash",
        "half_paid_after_ms",
        "all_paid_after_ms",
        "last_paid_after_ms",
        "adjustments",
        "cancelled_units",
    ];
    told.as_object_mut().expect("a fixture").retain(|name, _| !new.contains(&name.as_str()));
    told
}

fn broken() -> Value {
    let mut told = rush();
    told["oversold"] = 3.into();
    told["refund_due_minor"] = 4_990.into();
    told["unpaid_orders"] = 1.into();
    told
}

/// The report of a drop of this number.
pub(crate) fn report(drop: &str) -> Option<Value> {
    let mut told = match drop {
        "d42" => rush(),
        "d31" => slow(),
        "d10" => open(slow(), 24),
        "d11" => planned(),
        "d12" => unsold(),
        "d13" => only_one(),
        "d14" => {
            of_one_size("d14", "Everything", 16_777_215, 16_777_215, 7_000_000, Some(6_900_000))
        }
        "d15" => many(),
        "d16" => hostile(),
        "d17" => gaps(),
        "d18" => adjusted(),
        "d19" => merged(planned(), &json!({ "phase": "cancelled" })),
        "d20" => of_one_size("d20", "Advent calendar", 5_000, 4_100, 172_800_000, None),
        "d21" => of_before(),
        "d22" => broken(),
        "d24" => merged(rush(), &json!({ "drop": "d24", "mode": "rehearsal" })),
        "d23" => opening(),
        _ => return None,
    };
    told["drop"] = drop.into();
    Some(told)
}
