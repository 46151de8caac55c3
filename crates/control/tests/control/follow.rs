//! Streams that are followed.

use std::{collections::BTreeMap, time::Duration};

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::{
    events::{Event, Events, PATH},
    rig::{Answer, Rig, lamps, mugs, until},
};

/// What a page keeps: a snapshot with everything behind it.
#[derive(Default)]
struct PageState {
    drops: BTreeMap<String, Value>,
    seconds: BTreeMap<String, Vec<Value>>,
    server_time_ms: u64,
}

impl PageState {
    fn apply(&mut self, (name, data): Event) {
        let drop = data["drop"].as_str().unwrap_or_default().to_owned();
        self.server_time_ms = data["server_time_ms"].as_u64().unwrap_or(self.server_time_ms);
        match name.as_str() {
            "snapshot" => {
                let drops = data["drops"].as_array().unwrap().iter();
                let id = |drop: &Value| drop["drop"].as_str().unwrap().to_owned();
                self.drops = drops.map(|drop| (id(drop), drop.clone())).collect();
                self.seconds = serde_json::from_value(data["seconds"].clone()).unwrap();
            }
            "drop" => {
                self.drops.insert(drop, data);
            }
            "figures" => {
                let known = self.drops.get_mut(&drop).expect("figures of a known drop");
                for (field, value) in data.as_object().unwrap() {
                    known[field] = value.clone();
                }
            }
            "second" => self.seconds.entry(drop).or_default().push(data),
            "gone" => {
                self.drops.remove(&drop);
                self.seconds.remove(&drop);
            }
            "alive" | "stream" => {}
            other => panic!("an unknown event {other}"),
        }
    }

    /// All of it at this time, except what passes with time alone.
    fn at(&self, now: u64) -> Value {
        let mut drops = self.drops.clone();
        for drop in drops.values_mut() {
            let fields = drop.as_object_mut().unwrap();
            let passing =
                ["server_time_ms", "opens_in_ms", "opened_ago_ms", "closes_in_ms", "held_ending"];
            for passing in passing {
                fields.remove(passing);
            }
        }
        let mut seconds = self.seconds.clone();
        for of_drop in seconds.values_mut() {
            of_drop.retain(|second| second["at_ms"].as_u64().unwrap() + 60_000 > now);
        }
        seconds.retain(|_, of_drop| !of_drop.is_empty());
        json!({"drops": drops, "seconds": seconds})
    }
}

async fn fresh(rig: &Rig, who: &str) -> PageState {
    let answer = rig.ask(who, "GET", PATH).header("accept", "application/json");
    let mut shown = PageState::default();
    shown.apply(("snapshot".into(), answer.expect(StatusCode::OK).await.json));
    shown
}

/// Reads events until they make what a fresh snapshot shows.
async fn catch_up(rig: &Rig, events: &mut Events, shown: &mut PageState, who: &str) {
    let both = async |shown: &PageState| {
        let fresh = fresh(rig, who).await;
        (shown.at(fresh.server_time_ms), fresh.at(fresh.server_time_ms))
    };
    let reading = async {
        loop {
            let (followed, fresh) = both(shown).await;
            if followed == fresh {
                break;
            }
            shown.apply(events.next().await.expect("the stream goes on"));
        }
    };
    if tokio::time::timeout(Duration::from_secs(20), reading).await.is_err() {
        let (followed, fresh) = both(shown).await;
        assert_eq!(followed, fresh);
    }
}

#[tokio::test]
async fn a_snapshot_with_all_that_follows_is_the_snapshot_of_now() {
    let mut rig = Rig::new();
    let drop = rig.open(mugs()).await;
    let mut events = Events::follow(&rig, "admin", "?figures_ms=100").await;
    let mut shown = PageState::default();
    let hold = rig.buy(&drop, "v1", "mug", 2).await;
    catch_up(&rig, &mut events, &mut shown, "admin").await;
    assert_eq!(shown.drops[&drop]["skus"][0]["available"], 3);

    rig.pay(hold).await;
    rig.buy_in_vain(&drop, "v2", "cup");
    rig.command(&drop, "pause", "pause").await;
    let lamp = rig.plan(lamps()).await;
    rig.advance(1_000);
    catch_up(&rig, &mut events, &mut shown, "admin").await;
    assert_eq!(shown.drops[&drop]["phase"], "paused");
    assert_eq!(shown.drops[&lamp]["phase"], "scheduled");

    let lot = json!({"sku": "mug", "units": 7, "reason": "second pallet"});
    let path = format!("/v1/drops/{drop}/lots");
    rig.ask("admin", "POST", &path).key("lot").json(&lot).expect(StatusCode::OK).await;
    rig.command(&drop, "resume", "resume").await;
    rig.until_phase(&drop, "open").await;
    let mut plan = lamps();
    plan["title"] = json!("Lamps, edited");
    let edit = rig
        .ask("admin", "PUT", &format!("/v1/drops/{lamp}"))
        .header("if-match", "*")
        .key("edit")
        .json(&plan);
    edit.expect(StatusCode::OK).await;
    rig.ask("platform", "POST", "/v1/streams/show/offline").key("off").expect(StatusCode::OK).await;
    rig.buy(&drop, "v3", "mug", 1).await;
    rig.advance(1_000);
    catch_up(&rig, &mut events, &mut shown, "admin").await;
    assert_eq!(shown.drops[&lamp]["plan"]["title"], "Lamps, edited");
    assert_eq!(shown.drops[&drop]["skus"][0]["supplied"], 12);
    assert!(shown.drops[&drop]["stream_offline_since_ms"].is_u64());

    rig.command(&lamp, "cancel", "cancel").await;
    rig.until_phase(&lamp, "cancelled").await;
    rig.advance(stampede_domain::limits::SETTLED_KEPT_MS);
    let id = lamp.parse().unwrap();
    until(async || rig.engine.sale(id).is_none()).await;
    catch_up(&rig, &mut events, &mut shown, "admin").await;
    assert_eq!(shown.drops.keys().collect::<Vec<_>>(), [&drop], "one drop has gone");
}

#[tokio::test]
async fn a_change_comes_at_once_while_the_clock_stands_still() {
    let rig = Rig::new();
    let drop = rig.open(mugs()).await;
    // Figures would come much later.
    let mut events = Events::follow(&rig, "host", "?figures_ms=10000").await;
    let (first, snapshot) = events.next().await.unwrap();
    assert_eq!((first.as_str(), &snapshot["drops"][0]["phase"]), ("snapshot", &json!("open")));
    let now = rig.engine.moment();
    for (name, phase) in [("pause", "paused"), ("resume", "open")] {
        rig.command(&drop, name, name).await;
        let told = events.named("drop").await;
        assert_eq!((&told["drop"], &told["phase"]), (&json!(drop), &json!(phase)));
    }
    assert_eq!(rig.engine.moment(), now, "no time has passed");
}

#[tokio::test]
async fn whoever_follows_a_stream_without_drops_is_told_of_its_first() {
    let rig = Rig::new();
    let mut events = Events::follow(&rig, "host", "").await;
    let (first, snapshot) = events.next().await.unwrap();
    assert_eq!((first.as_str(), &snapshot["drops"]), ("snapshot", &json!([])));
    let drop = rig.plan(mugs()).await;
    assert_eq!(events.named("drop").await["drop"], json!(drop));
}

#[tokio::test]
async fn the_stream_says_each_second_that_it_is_there() {
    let rig = Rig::new();
    rig.plan(mugs()).await;
    let mut events = Events::follow(&rig, "host", "").await;
    assert_eq!(events.next().await.unwrap().0, "snapshot");
    for _ in 0..2 {
        let (name, data) = events.next().await.unwrap();
        assert_eq!(name, "alive");
        assert!(data["server_time_ms"].is_u64());
    }
}

#[tokio::test]
async fn seconds_have_clicks_takes_and_refusals() {
    let mut rig = Rig::new();
    let drop = rig.open(mugs()).await;
    let mut events = Events::follow(&rig, "admin", "?figures_ms=100").await;
    events.named("snapshot").await;
    rig.buy(&drop, "v1", "mug", 2).await;
    rig.buy_in_vain(&drop, "v2", "cup");
    rig.wake_steward().await;
    rig.advance(1_000);
    rig.wake_steward().await;
    let second = events.named("second").await;
    assert_eq!(
        (&second["drop"], &second["clicks"], &second["takes"]),
        (&json!(drop), &json!(2), &json!(1))
    );
    assert_eq!(second["refused"], json!({"unknown_sku": 1}));
    let snapshot = rig.ask("admin", "GET", PATH).expect(StatusCode::OK).await.json;
    let seconds = snapshot["seconds"][&drop].as_array().unwrap();
    assert_eq!(seconds.iter().map(|s| s["clicks"].as_u64().unwrap()).sum::<u64>(), 2);
}

#[tokio::test]
async fn a_reader_who_slept_gets_what_is_newest_and_no_queue() {
    let mut rig = Rig::new();
    let mut plan = mugs();
    plan["skus"][0]["supply"] = json!(1_000);
    let drop = rig.open(plan).await;
    let mut events = Events::follow(&rig, "admin", "?figures_ms=100").await;
    events.named("snapshot").await;
    // More seconds than are kept pass, each with a click, while the follower reads nothing; its stream is
    // looked at for others meanwhile.
    for number in 0..70 {
        rig.buy_in_vain(&drop, &format!("v{number}"), "cup");
        rig.wake_steward().await;
        rig.advance(1_000);
        rig.wake_steward().await;
        rig.ask("admin", "GET", PATH).expect(StatusCode::OK).await;
    }
    rig.command(&drop, "pause", "pause").await;
    let (name, data) = events.next().await.unwrap();
    assert_eq!(name, "snapshot", "it has missed something");
    assert_eq!(data["drops"][0]["phase"], "paused");
    let seconds = data["seconds"][&drop].as_array().unwrap().len();
    assert!(seconds <= 60, "{seconds}");
    loop {
        let (name, _) = events.next().await.unwrap();
        match name.as_str() {
            "alive" => break,
            "snapshot" | "drop" => panic!("{name} once more"),
            _ => {}
        }
    }
}

#[tokio::test]
async fn figures_come_no_more_often_than_asked_for() {
    let mut rig = Rig::new();
    let drop = rig.open(mugs()).await;
    let mut events = Events::follow(&rig, "admin", "?figures_ms=3000").await;
    events.named("snapshot").await;
    rig.buy(&drop, "v1", "mug", 1).await;
    // Seconds without figures pass first.
    assert_eq!(events.next().await.unwrap().0, "alive");
    rig.buy(&drop, "v2", "mug", 1).await;
    let figures = events.named("figures").await;
    assert_eq!(figures["skus"][0]["held"], 2, "both in one");
    assert_eq!(figures["phase"], "open");
    for (query, detail) in [
        ("?figures_ms=99", "figures_ms is 99; 100 to 10000 are allowed"),
        ("?figures_ms=10001", "figures_ms is 10001"),
        ("?rate=1", "unknown field `rate`"),
    ] {
        let answer = rig.ask("host", "GET", &format!("{PATH}{query}")).refused(400, "bad_query");
        let answer = answer.await;
        assert!(answer.detail().contains(detail), "{}", answer.text);
    }
}

#[tokio::test]
async fn a_snapshot_of_the_stream_shows_each_drop_as_the_drop_itself() {
    let mut rig = Rig::new();
    let drop = rig.open(mugs()).await;
    rig.buy(&drop, "v1", "mug", 2).await;
    until(async || {
        let state = rig.state(&drop).await;
        let snapshot = rig.ask("host", "GET", PATH).expect(StatusCode::OK).await.json;
        snapshot["drops"] == json!([state]) && state["held_ending"]["first_in_ms"].is_u64()
    })
    .await;
    let hold = rig.buy(&drop, "v2", "mug", 1).await;
    let fact = json!({ "payment": "p1", "event": "failed", "holds": [hold.to_string()], "reason": "card_declined" });
    rig.ask("payments", "POST", "/v1/payments").key("f").json(&fact).expect(StatusCode::OK).await;
    let paying =
        json!({ "ordered_units": 0, "returned_units": 0, "recent_orders": 0, "recent_failed": 1 });
    until(async || rig.state(&drop).await["paying"] == paying).await;
}

/// One thing that staff, viewers or time may do; most of them are refused most of the time.
async fn happen(rig: &mut Rig, what: u64, drop: u64, step: u64) {
    let key = format!("step{step}");
    let command =
        |name: &str| rig.ask("admin", "POST", &format!("/v1/drops/d{drop}/{name}")).key(&key);
    let mut terms = if step.is_multiple_of(2) { mugs() } else { lamps() };
    terms["countdown_ms"] = json!(step % 3 * 1_000);
    let names = ["open", "pause", "resume", "close", "cancel", "feature", "cancel-countdown"];
    match what {
        0..=6 => is_no_failure(&command(names[usize::try_from(what).unwrap()]).send().await),
        7 | 8 => {
            let ask = rig.ask("admin", "POST", "/v1/drops").key(&key).json(&terms);
            is_no_failure(&ask.send().await);
        }
        9 => {
            let edit = rig
                .ask("admin", "PUT", &format!("/v1/drops/d{drop}"))
                .header("if-match", "*")
                .key(&key);
            is_no_failure(&edit.json(&terms).send().await);
        }
        10 => {
            let lot = json!({"sku": "mug", "units": 3});
            is_no_failure(&command("lots").json(&lot).send().await);
        }
        11 | 12 => {
            let path = ["offline", "online"][usize::try_from(what - 11).unwrap()];
            let ask = rig.ask("platform", "POST", &format!("/v1/streams/show/{path}"));
            is_no_failure(&ask.key(&key).send().await);
        }
        13 => rig.advance(step * 97 % 2_000),
        _ => {
            let _any = rig.click(&format!("d{drop}"), &format!("v{step}"), "mug");
        }
    }
}

fn is_no_failure(answer: &Answer) {
    assert!(answer.status.as_u16() < 500, "{}", answer.text);
}

#[tokio::test]
async fn whatever_happens_the_events_make_the_snapshot_of_now() {
    for seed in 1..=3_u64 {
        let mut rig = Rig::new();
        let mut events = Events::follow(&rig, "acme", "?figures_ms=100").await;
        let mut shown = PageState::default();
        let mut state = seed;
        let mut roll = |sides: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % sides
        };
        for step in 1..=60 {
            happen(&mut rig, roll(18), roll(6) + 1, step).await;
            if step % 10 == 0 {
                catch_up(&rig, &mut events, &mut shown, "acme").await;
            }
        }
        assert!(!shown.drops.is_empty(), "seed {seed} has planned something");
    }
}
