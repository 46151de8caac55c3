//! The server's view beside the browser's: the same answers have to give the same page.

use std::{
    fs,
    io::Write as _,
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use super::{Live, Reader, Stage};
use crate::{
    answers::{Demo, Running, Snapshot},
    demo::Strip,
    numbers::money,
    words::Language,
};

#[path = "../../tests/pages/demos.rs"]
mod demos;
#[path = "../../tests/pages/fake.rs"]
#[allow(dead_code, reason = "the twin reads the answers, not the router")]
mod fake;

const READERS: [(Language, Option<i32>, &str); 4] = [
    (Language::English, Some(60), "host"),
    (Language::English, Some(60), "merchant"),
    (Language::Chinese, None, "ops"),
    (Language::Chinese, Some(-480), "creator"),
];

/// What a module in the browser makes of the cases.
fn in_the_browser(script: &str, cases: &Value) -> Value {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/javascript");
    let script = format!("{folder}/{script}");
    let mut node = Command::new("node")
        .args([script.as_str(), env!("OUT_DIR")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the tests need Node");
    let mut input = node.stdin.take().unwrap();
    input.write_all(cases.to_string().as_bytes()).unwrap();
    drop(input);
    let output = node.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_browser_draws_what_the_server_drew() {
    let mut cases = Vec::new();
    let mut drawn = Vec::new();
    for stream in fake::STREAMS {
        let told = fake::snapshot(stream);
        let running = json!({ "drops": fake::summaries(stream), "show": fake::show(stream) });
        let snapshot: Snapshot = serde_json::from_value(told.clone()).unwrap();
        let list: Running = serde_json::from_value(running.clone()).unwrap();
        for (language, ahead_min, role) in READERS {
            let reader = Reader { language, ahead_min, role, name: "Nina", plans: role == "host" };
            let live = Live::new(&snapshot, &list, reader);
            let mut server = serde_json::to_value(&live).unwrap();
            server["stage"] = serde_json::to_value(Stage::new(&snapshot, reader)).unwrap();
            drawn.push((stream, server));
            cases.push(json!({ "snapshot": told, "running": running, "reader": {
                "language": language.tag(), "aheadMin": ahead_min, "role": role, "name": "Nina", "plans": role == "host" } }));
        }
    }
    let browser = in_the_browser("view.mjs", &json!(cases));
    for (place, (stream, server)) in drawn.iter().enumerate() {
        for (part, value) in server.as_object().unwrap() {
            assert_eq!(&browser[place][part], value, "{part} of {stream}, case {place}");
        }
    }
}

#[test]
fn a_rehearsal_is_marked_and_left_out_of_what_was_paid() {
    let mut told = fake::snapshot("open");
    let mut running = json!({ "drops": fake::summaries("open") });
    let view = |told: &Value, running: &Value| {
        let snapshot: Snapshot = serde_json::from_value(told.clone()).unwrap();
        let list: Running = serde_json::from_value(running.clone()).unwrap();
        let reader = Reader {
            language: Language::English,
            ahead_min: Some(60),
            role: "host",
            name: "Nina",
            plans: true,
        };
        let server = serde_json::to_value(Live::new(&snapshot, &list, reader)).unwrap();
        let reader = json!({ "language": "en", "aheadMin": 60, "role": "host", "name": "Nina", "plans": true });
        let case = json!({ "snapshot": told, "running": running, "reader": reader });
        let browser = in_the_browser("view.mjs", &json!([case]));
        for part in ["order", "tonight"] {
            assert_eq!(browser[0][part], server[part], "{part}");
        }
        let marks = server["order"].as_array().unwrap().iter().map(|row| row["mark"].clone());
        (server["tonight"].clone(), marks.collect::<Vec<_>>())
    };
    let (all, marks) = view(&told, &running);
    assert!(marks.iter().all(|mark| mark == ""), "{marks:?}");
    assert_ne!(all, "0 paid");
    told["drops"][0]["plan"]["mode"] = json!("rehearsal");
    running["drops"][0]["mode"] = json!("rehearsal");
    let (less, marks) = view(&told, &running);
    assert_eq!(marks[..2], [json!("Rehearsal"), json!("")]);
    assert_ne!(less, all, "the first drop has sold");
    for drop in told["drops"].as_array_mut().unwrap() {
        drop["plan"]["mode"] = json!("rehearsal");
    }
    for drop in running["drops"].as_array_mut().unwrap() {
        drop["mode"] = json!("rehearsal");
    }
    assert_eq!(view(&told, &running).0, "0 paid");
}

#[test]
fn while_a_rehearsal_goes_on_the_room_has_its_drops_alone() {
    let view = |told: &Value, running: &Value, role: &str| {
        let snapshot: Snapshot = serde_json::from_value(told.clone()).unwrap();
        let list: Running = serde_json::from_value(running.clone()).unwrap();
        let reader = Reader {
            language: Language::English,
            ahead_min: Some(60),
            role,
            name: "Nina",
            plans: role == "host",
        };
        let mut server = serde_json::to_value(Live::new(&snapshot, &list, reader)).unwrap();
        server["stage"] = serde_json::to_value(Stage::new(&snapshot, reader)).unwrap();
        let reader = json!({ "language": "en", "aheadMin": 60, "role": role, "name": "Nina", "plans": role == "host" });
        let case = json!({ "snapshot": told, "running": running, "reader": reader });
        let browser = in_the_browser("view.mjs", &json!([case]));
        for (part, value) in server.as_object().unwrap() {
            assert_eq!(&browser[0][part], value, "{part} for {role}");
        }
        server
    };
    let mut told = fake::snapshot("before");
    let mut running = json!({ "drops": fake::summaries("before") });
    let before = view(&told, &running, "host");
    assert_eq!((&before["can_rehearse"], &before["rehearsing"]), (&json!(true), &json!(false)));
    assert_eq!(view(&told, &running, "ops")["can_rehearse"], false);
    let mut copy = told["drops"][0].clone();
    (copy["drop"], copy["rehearses"]) = (json!("d900"), copy["drop"].clone());
    copy["plan"]["mode"] = json!("rehearsal");
    told["drops"].as_array_mut().unwrap().push(copy);
    let mut listed = running["drops"][0].clone();
    (listed["drop"], listed["mode"]) = (json!("d900"), json!("rehearsal"));
    listed["rehearsal_copy"] = json!(true);
    running["drops"].as_array_mut().unwrap().push(listed);
    let during = view(&told, &running, "host");
    assert_eq!((&during["can_rehearse"], &during["rehearsing"]), (&json!(false), &json!(true)));
    let order = during["order"].as_array().unwrap();
    assert_eq!((order.len(), &order[0]["drop"]), (1, &json!("d900")));
    assert_eq!(during["buttons"]["next"]["drop"], "d900", "nobody starts a live drop by mistake");
    assert_eq!(during["stage"]["rehearsing"], true);
    let last = told["drops"].as_array_mut().unwrap().last_mut().unwrap();
    last["phase"] = json!("closed");
    assert_eq!(view(&told, &running, "host")["rehearsing"], false);
}

#[test]
fn the_browser_says_of_a_demo_what_the_server_said() {
    let mut cases = Vec::new();
    let mut said = Vec::new();
    for told in demos::demos() {
        let demo: Demo = serde_json::from_value(told.clone()).unwrap();
        for (language, ahead_min, role) in READERS {
            let strip =
                Strip::new(&demo, Reader { language, ahead_min, role, name: "Nina", plans: false });
            said.push(serde_json::to_value(&strip).unwrap());
            cases.push(json!({ "demo": told, "reader": {
                "language": language.tag(), "aheadMin": ahead_min, "role": role } }));
        }
    }
    assert_eq!(in_the_browser("strip.mjs", &json!(cases)), json!(said));
}

#[test]
fn money_is_the_same_in_the_browser_in_every_currency() {
    let letters = || 'A'..='Z';
    let codes: Vec<String> = letters()
        .flat_map(|one| letters().map(move |two| [one, two]))
        .flat_map(|[one, two]| letters().map(move |three| [one, two, three].iter().collect()))
        .collect();
    let written: Vec<_> = codes.iter().map(|code| money(1_234_567, code)).collect();
    assert!(written.contains(&"RSD\u{a0}12,345.67".to_owned()));
    assert_eq!(in_the_browser("money.mjs", &json!(codes)), json!(written));
}

#[test]
fn the_modules_keep_a_stream_true() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/javascript");
    let read = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let scripts: Vec<_> =
        read.filter(|path| path.to_string_lossy().ends_with(".test.mjs")).collect();
    assert!(scripts.len() > 10, "{scripts:?}");
    let mut node = Command::new("node");
    let node = node.arg("--test").args(scripts).env("WORDS", env!("OUT_DIR"));
    let output = node.output().expect("the tests need Node");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
