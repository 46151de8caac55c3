//! Tests of a show's other parts: people, video, stage.

use serde_json::{Value, json};

use super::{AIR, HOSTILE, drop, take};

/// A drop that counts down, this many milliseconds before its opening.
fn counting(opens_in_ms: u64) -> Value {
    let goods = [("cedar", "Cedar", 4_000, 0, 0), ("fig", "Fig", 8_000, 0, 0)];
    let mut drop = drop(3, "Scented candle, 200 g", "countdown", &goods, 2_490);
    drop["featured"] = true.into();
    drop["opens_in_ms"] = opens_in_ms.into();
    drop
}

/// Brings a stream into a state that its units make, if its name asks for one.
pub(super) fn units(stream: &str, drops: &mut [Value]) {
    match stream {
        "single" | "single-taken" => single(stream, drops),
        "unpaid" | "paid-just" | "undone" => opened(stream, drops),
        "ended" | "ended-gone" | "ended-rehearsals" => {
            for drop in drops.iter_mut() {
                drop["phase"] = "settled".into();
            }
            drops[AIR]["featured"] = (stream == "ended").into();
        }
        "ended-called-off" => {
            for drop in drops.iter_mut() {
                drop["phase"] = "cancelled".into();
                drop["featured"] = false.into();
            }
        }
        _ if stream.starts_with("reserved") => reserved(stream, drops),
        _ => ending(stream, drops),
    }
}

/// Brings a stream into a state in which there is one unit of everything.
fn single(stream: &str, drops: &mut [Value]) {
    let goods: &[(&str, &str, u64, u64, u64)] = match stream {
        "single" => &[("cedar", "Cedar", 1, 1, 0), ("fig", "Fig", 2, 0, 1)],
        _ => &[("candle", "", 1, 1, 0)],
    };
    drops[0] = drop(1, "Travel spray, 10 ml", "settled", &[("spray", "", 1, 0, 1)], 1_490);
    drops[AIR] = drop(3, "Scented candle, 200 g", "open", goods, 2_490);
    drops[AIR]["featured"] = true.into();
    if let Some(skus) = drops[AIR]["plan"]["skus"].as_array_mut() {
        for sku in skus {
            sku["limit_per_viewer"] = 1.into();
        }
    }
    drops[3] = drop(4, "Gift set, three scents", "scheduled", &[("gift", "", 1, 0, 0)], 5_900);
}

/// Brings a stream into a state in which an opening can be undone, or no more, or was.
fn opened(stream: &str, drops: &mut [Value]) {
    if stream == "paid-just" {
        drops[AIR]["opened_ago_ms"] = 59_000.into();
        return;
    }
    take(&mut drops[AIR], u64::MAX);
    drops[AIR]["opened_ago_ms"] = 4_000.into();
    if stream == "undone" {
        drops[AIR]["phase"] = "voiding".into();
    }
}

/// Brings a stream into a state in which units are in reserve, and in which viewers have not heard of the next drop.
fn reserved(stream: &str, drops: &mut [Value]) {
    match stream {
        "reserved-taken" => take(&mut drops[AIR], 4_568),
        "reserved-unheld" | "reserved-closed" => take(&mut drops[AIR], 0),
        "reserved-out" => drops[AIR]["skus"][0]["held"] = 0.into(),
        _ => {}
    }
    if stream == "reserved-closed" {
        drops[AIR]["phase"] = "closed".into();
    }
    for (place, reserve) in [(AIR, 1_000), (AIR + 1, 250)] {
        drops[place]["skus"][0]["reserve"] = reserve.into();
    }
    drops[AIR]["plan"]["ends_at_ms"] = 1_795_812_600_000_u64.into();
    drops[AIR]["closes_in_ms"] = 1_008_000.into();
    drops[AIR + 1]["hidden"] = true.into();
    drops[AIR + 2]["hidden"] = true.into();
}

/// Brings a stream into a state in which a drop ends so long after its opening, or winds down.
fn ending(stream: &str, drops: &mut [Value]) {
    let air = match stream {
        "ends-after" | "ends-planned" => AIR,
        "winds-down-off-air" => {
            let goods = [("edp", "", 15_000, 60, 13_069)];
            drops[1] = drop(2, "Eau de parfum", "open", &goods, 4_990);
            1
        }
        _ if stream.starts_with("winds-down") => AIR,
        _ => return,
    };
    if stream == "ends-planned" {
        drops[air] = counting(8_700);
    }
    let air = &mut drops[air];
    if stream.starts_with("ends") {
        air["plan"]["ends_after_opening_ms"] = 900_000.into();
    } else {
        air["winds_down_in_ms"] = 240_000.into();
    }
    match stream {
        "ends-planned" => {}
        "ends-after" => air["closes_in_ms"] = 500_000.into(),
        _ => air["closes_in_ms"] = 240_000.into(),
    }
    match stream {
        "winds-down-taken" => take(air, 4_568),
        "winds-down-paused" => air["phase"] = "paused".into(),
        _ => {}
    }
}

/// Who is at the show: the reader, and in some shows others.
pub(super) fn people(stream: &str) -> Value {
    let others: &[(&str, &str)] = match stream {
        "open" | "offline" => &[("Ilse", "ops"), ("Jonas", "host")],
        "paused" => &[("Jonas", "host")],
        "one" => &[("Ilse", "ops"), ("Jonas", "host"), ("Mara", "merchant"), ("小林", "creator")],
        "hostile" => &[(HOSTILE, "host")],
        _ => &[],
    };
    let all = others.iter().chain(&[("Nina", "host")]);
    all.map(|(name, role)| json!({ "name": name, "role": role })).collect()
}

/// Brings a stream into a state in which its video is behind, its reader the stage, or its server poisoned.
pub(super) fn cue(stream: &str, told: &mut Value) {
    if matches!(stream, "poisoned" | "stopped") {
        told["blocked"] = stream.into();
    }
    let (delay, air) = match stream {
        "cue-ahead" => (6_000, Some(counting(8_700))),
        "cue-now" => (6_000, Some(counting(5_600))),
        "cue-under" => (6_000, Some(counting(3_900))),
        "cue-zero" => (2_500, Some(counting(0))),
        "cue-long" => (60_000, Some(counting(299_400))),
        "cue-heard" | "behind" | "for-stage" | "for-stage-out" => (6_000, None),
        _ => return,
    };
    told["video_delay_ms"] = delay.into();
    told["stage_line"] = "Three sizes, the middle one first".into();
    if let Some(air) = air {
        told["drops"][AIR] = air;
    }
    let air = &mut told["drops"][AIR];
    match stream {
        "cue-heard" => air["opened_ago_ms"] = 1_400.into(),
        "behind" => air["opened_ago_ms"] = 3_000.into(),
        "for-stage" | "for-stage-out" => strip(told, stream == "for-stage"),
        _ => {}
    }
}

/// What a stage is told in the place of the same.
fn strip(told: &mut Value, can_come_back: bool) {
    told["seconds"] = json!({});
    for drop in told["drops"].as_array_mut().expect("a fixture") {
        let fields = drop.as_object_mut().expect("a fixture");
        fields.retain(|name, _| !matches!(name.as_str(), "viewers_connected" | "held_ending"));
        drop["can_come_back"] = can_come_back.into();
        if can_come_back {
            drop["last_hold_ends_in_ms"] = 116_000.into();
        }
        for sku in drop["skus"].as_array_mut().expect("a fixture") {
            sku["available"] = 0.into();
            let fields = sku.as_object_mut().expect("a fixture");
            fields.remove("held");
            fields.remove("sold");
        }
    }
}
