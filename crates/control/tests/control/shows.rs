//! Lists of many shows, with many drops that are over.

use std::sync::Arc;

use axum::http::StatusCode;
use serde_json::{Value, json};
use stampede_control::ControlConfig;
use stampede_domain::{DropId, Incarnation, Mode, Phase, Seq, Units, UnixMillis};
use stampede_ledger::{
    OpenLedger, RowHash, Seal, SealSummary, SealedDrop, SealedSku, fake::FakeLedger,
};
use tempfile::TempDir;

use crate::rig::{NOON, Rig, lamps, mugs};

const SHOWS: usize = 500;
const PAST: u32 = 5_000;
/// Bytes of a page of fifty lines at most.
const PAGE_BYTES_MAX: usize = 128 << 10;

/// A drop that was over long before the start, of acme or of zeta; ten of them in each show's stream.
fn over(number: u32) -> SealedDrop {
    let commit = (Incarnation::default(), Seq::new(u64::from(number)).unwrap());
    let summary = SealSummary {
        phase: Phase::Settled,
        revision: 1,
        stream: format!("show-{:03}", number % 500).parse().unwrap(),
        running_order: 0,
        title: format!("Past {number}").into(),
        merchant: if number.is_multiple_of(2) { "acme" } else { "zeta" }.parse().unwrap(),
        host: "nina".parse().unwrap(),
        mode: Mode::Live,
        is_rehearsal_copy: false,
        was_hidden: false,
        skus: [SealedSku {
            supplied: Units::new(5).unwrap(),
            sold: Units::ONE,
            reserve: Units::ZERO,
        }]
        .into(),
        opened_at: Some(UnixMillis::new(NOON - 90_000_000)),
        currency: Some("EUR".parse().unwrap()),
    };
    let seal = Seal {
        drop: DropId::new(number),
        first: commit,
        last: commit,
        rows: 1,
        records: 1,
        head: RowHash::from_bytes([7; 32]),
        units_supplied: 5,
        units_sold: 1,
        orders: 1,
        amount_minor: 1_990,
        settled_at: UnixMillis::new(NOON - 86_400_000),
        summary: summary.encode(),
    };
    SealedDrop { seal, summary }
}

/// The drops that are over come with the ledger, the shows are planned.
async fn many() -> Rig {
    let opened = FakeLedger::new("n1".parse().unwrap()).open();
    let opened = OpenLedger { sealed: (1..=PAST).map(over).collect(), ..opened };
    let rig = Rig::on(opened, Arc::new(TempDir::new().unwrap()), ControlConfig::default());
    for number in 0..SHOWS {
        let mut plan = mugs();
        plan["stream"] = json!(format!("show-{number:03}"));
        plan["title"] = json!(format!("Mugs-{number}"));
        rig.plan(plan).await;
        // A name may give fifty commands a second.
        rig.advance(20);
    }
    rig
}

async fn page(rig: &Rig, who: &str, path: &str) -> Value {
    let answer = rig.ask(who, "GET", path).expect(StatusCode::OK).await;
    assert!(answer.text.len() < PAGE_BYTES_MAX, "{path}: {} bytes", answer.text.len());
    answer.json
}

fn titles(page: &Value) -> Vec<&str> {
    page["drops"].as_array().unwrap().iter().map(|drop| drop["title"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn many_shows_and_past_drops_are_listed_a_page_at_a_time() {
    let rig = many().await;
    let shows = page(&rig, "admin", "/v1/streams?limit=50&skip=450").await;
    assert_eq!(shows["total"], SHOWS);
    let found = shows["shows"].as_array().unwrap();
    assert_eq!((found.len(), &found[0]["stream"]), (50, &json!("show-450")));
    // Ten drops of the stream are over, one is planned.
    assert_eq!((&found[0]["drops_total"], &found[0]["supplied"]), (&json!(11), &json!(55)));
    assert_eq!((titles(&found[0]).len(), &found[0]["sold"]), (6, &json!(10)));
    let beyond = page(&rig, "admin", "/v1/streams?limit=50&skip=500").await;
    assert_eq!((&beyond["total"], &beyond["shows"]), (&json!(SHOWS), &json!([])));

    let newest = "/v1/drops?over=true&newest_first=true&limit=50";
    let first = page(&rig, "admin", newest).await;
    assert_eq!((&first["total"], titles(&first)[0]), (&json!(PAST), "Past 5000"));
    let after = page(&rig, "admin", &format!("{newest}&after=d4951")).await;
    let skipped = page(&rig, "admin", &format!("{newest}&skip=50")).await;
    assert_eq!(after["drops"], skipped["drops"]);
    assert_eq!((first["next"].as_str(), titles(&skipped)[0]), (Some("d4951"), "Past 4950"));
    let going = page(&rig, "admin", "/v1/drops?over=false&limit=50").await;
    assert_eq!((&going["total"], titles(&going)[0]), (&json!(SHOWS), "Mugs-0"));
    // What a drop goes by, whatever the case; 5,000 are looked through.
    for (q, total) in [
        ("past%2047", 111),
        ("PAST%204711", 1),
        ("d4711", 1),
        ("show-007", 10),
        ("zeta", 2_500),
        ("nina", 5_000),
        ("%20%20", 5_000),
        ("nobody", 0),
    ] {
        let found = page(&rig, "admin", &format!("{newest}&q={q}")).await;
        assert_eq!(found["total"], total, "{q}");
    }
    assert_eq!(page(&rig, "zeta", &format!("{newest}&q=acme")).await["total"], 0);
    let long = format!("{newest}&q={}", "x".repeat(201));
    rig.ask("admin", "GET", &long).refused(400, "bad_query").await;
    // Another merchant sees its own drops alone, and no show: all of its own are over.
    let others = page(&rig, "zeta", newest).await;
    assert_eq!((&others["total"], titles(&others)[0]), (&json!(PAST / 2), "Past 4999"));
    assert_eq!(page(&rig, "zeta", "/v1/streams?limit=50").await["total"], 0);
}

/// Past drops of acme and of zeta in one stream, by the hours between noon and their ends.
fn past(hours: &[u64]) -> OpenLedger {
    let opened = FakeLedger::new("n1".parse().unwrap()).open();
    let drops = (1_u32..).zip(hours).map(|(number, ago)| {
        let SealedDrop { seal, summary } = over(number);
        let settled_at = UnixMillis::new(NOON - ago * 3_600_000);
        let (stream, opened_at) = ("friday".parse().unwrap(), Some(settled_at));
        let summary = SealSummary { stream, opened_at, ..summary };
        SealedDrop { seal: Seal { settled_at, ..seal }, summary }
    });
    OpenLedger { sealed: drops.collect(), ..opened }
}

/// Each show by its first drop, with how many drops it has.
fn shows(page: &Value) -> Vec<(&str, u64)> {
    let shows = page["shows"].as_array().unwrap().iter();
    shows
        .map(|show| (show["show"].as_str().unwrap(), show["drops_total"].as_u64().unwrap()))
        .collect()
}

#[tokio::test]
async fn drops_that_follow_each_other_are_a_show() {
    // Two shows of two days, six hours and a bit more apart; the ids are not in the order of time.
    let ledger = past(&[39, 48, 47, 46, 38, 31, 30]);
    let rig = Rig::on(ledger, Arc::new(TempDir::new().unwrap()), ControlConfig::default());
    let all = page(&rig, "admin", "/v1/shows").await;
    assert_eq!(shows(&all), [("d6", 2), ("d1", 2), ("d2", 3)], "{all}");
    let oldest = &all["shows"][2];
    for (field, value) in [
        ("stream", json!("friday")),
        ("host", json!("nina")),
        ("merchants", json!(["acme", "zeta"])),
        ("began_ms", json!(NOON - 48 * 3_600_000)),
        ("ended_ms", json!(NOON - 46 * 3_600_000)),
        ("running", json!(false)),
        ("supplied", json!(15)),
        ("sold", json!(3)),
        ("gross", json!([{"currency": "EUR", "minor": 5_970}])),
    ] {
        assert_eq!(oldest[field], value, "{field} in {oldest}");
    }
    let drop = json!({"drop": "d2", "title": "Past 2", "phase": "settled", "mode": "live", "supplied": 5, "sold": 1});
    assert_eq!(oldest["drops"][0], drop);
    assert_eq!(shows(&page(&rig, "admin", "/v1/shows?skip=1&limit=1").await), [("d1", 2)]);
    assert_eq!(shows(&page(&rig, "admin", "/v1/shows?q=past%203").await), [("d2", 3)]);
    assert_eq!(shows(&page(&rig, "admin", "/v1/shows?q=FRIDAY").await).len(), 3);
    // Another merchant's drops neither count nor hold a show together.
    assert_eq!(shows(&page(&rig, "zeta", "/v1/shows").await), [("d7", 1), ("d1", 2), ("d3", 1)]);
    let platform = page(&rig, "platform", "/v1/shows").await;
    assert_eq!(
        (&platform["shows"][0]["sold"], &platform["shows"][0]["gross"]),
        (&Value::Null, &Value::Null)
    );
    rig.ask("admin", "GET", "/v1/shows?limit=1001").refused(400, "bad_query").await;
}

#[tokio::test]
async fn a_show_runs_until_its_last_drop_is_settled() {
    let mut rig = Rig::new();
    rig.plan(lamps()).await;
    assert_eq!(page(&rig, "admin", "/v1/shows").await["total"], 0, "nothing has begun");
    let drop = rig.open(mugs()).await;
    // The lamps come first by their number, and have no time of their own.
    let found = page(&rig, "admin", "/v1/shows").await["shows"][0].clone();
    assert_eq!((&found["drops_total"], &found["began_ms"]), (&json!(2), &json!(NOON)));
    rig.advance(1_000);
    let hold = rig.buy(&drop, "ann", "mug", 2).await;
    rig.pay(hold).await;
    let found = page(&rig, "admin", "/v1/shows").await["shows"][0].clone();
    assert_eq!((&found["show"], &found["running"]), (&json!(drop), &json!(true)));
    assert_eq!((&found["began_ms"], found.get("ended_ms")), (&json!(NOON), None));
    assert_eq!(found["gross"], json!([{"currency": "EUR", "minor": 3_980}]));
    rig.advance(1_000);
    rig.command(&drop, "close", "close").await;
    rig.until_phase(&drop, "settled").await;
    let found = page(&rig, "admin", "/v1/shows").await["shows"][0].clone();
    assert_eq!(
        (&found["began_ms"], &found["running"]),
        (&json!(NOON), &json!(true)),
        "the lamps wait"
    );
}

#[tokio::test]
async fn a_rehearsal_beside_a_settled_drop_keeps_no_show_running() {
    let rig = Rig::new();
    let mut rehearsal = mugs();
    (rehearsal["mode"], rehearsal["title"]) = (json!("rehearsal"), json!("Rehearsal"));
    rig.open(rehearsal).await;
    let drop = rig.open(mugs()).await;
    rig.advance(1_000);
    let running = async || {
        let found = page(&rig, "admin", "/v1/shows").await["shows"][0].clone();
        let path = format!("/v1/shows/{drop}/report");
        let report = rig.ask("admin", "GET", &path).expect(StatusCode::OK).await.json;
        assert_eq!(report["running"], found["running"]);
        (found["running"].as_bool().unwrap(), found["ended_ms"].as_u64())
    };
    assert_eq!(running().await, (true, None));
    rig.command(&drop, "close", "close").await;
    rig.until_phase(&drop, "settled").await;
    assert_eq!(running().await, (false, Some(NOON + 1_000)));
}

#[tokio::test]
async fn shows_of_many_past_drops_are_listed_a_page_at_a_time() {
    let rig = many().await;
    // The drops of a stream were over together; the planned one is no part of it.
    let first = page(&rig, "admin", "/v1/shows?limit=50").await;
    assert_eq!((&first["total"], first["shows"].as_array().unwrap().len()), (&json!(SHOWS), 50));
    assert_eq!(
        (&first["shows"][0]["drops_total"], &first["shows"][0]["sold"]),
        (&json!(10), &json!(10))
    );
    let last = page(&rig, "admin", "/v1/shows?limit=50&skip=450").await;
    assert_eq!((&last["total"], last["shows"].as_array().unwrap().len()), (&json!(SHOWS), 50));
    assert_eq!(page(&rig, "admin", "/v1/shows?limit=50&q=show-007").await["total"], 1);
}

#[tokio::test]
async fn what_is_on_air_stands_first() {
    let rig = Rig::new();
    for (stream, opens) in [("late", true), ("early", false)] {
        let mut plan = mugs();
        (plan["stream"], plan["title"]) = (json!(stream), json!(stream));
        if opens {
            rig.open(plan).await;
        } else {
            rig.plan(plan).await;
        }
    }
    let shows = page(&rig, "host", "/v1/streams").await;
    let found = shows["shows"].as_array().unwrap();
    let seen = |place: usize| (found[place]["stream"].as_str().unwrap(), &found[place]["featured"]);
    assert_eq!((seen(0), seen(1)), (("late", &json!(true)), ("early", &json!(false))));
    assert_eq!((&found[0]["host"], &found[0]["sold"]), (&json!("nina"), &json!(0)));
}
