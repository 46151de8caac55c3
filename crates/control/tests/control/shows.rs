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

use crate::rig::{NOON, Rig, mugs};

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
        skus: [SealedSku { supplied: Units::new(5).unwrap(), sold: Units::ONE }].into(),
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
