//! What whoever has a share's link reads.

use axum::{Router, http::StatusCode};
use serde_json::{Value, json};
use stampede_control::ControlConfig;
use stampede_domain::{DurationMs, Mode, limits::SETTLED_KEPT_MS};
use stampede_engine::{Buy, BuyRequest};
use stampede_proxies::TrustedProxies;

use crate::{
    reports::workbook,
    rig::{Ask, Rig, lamps, mugs, until},
    shares::share,
};

const READER: &str = "192.0.2.7";
const HOUR_MS: u64 = 3_600_000;

/// A request by somebody who has the link.
fn read(rig: &Rig, made: &Value, file: &str) -> Ask {
    let path = format!("{}/{file}", made["path"].as_str().unwrap());
    rig.ask_nobody("GET", &path).from(READER)
}

async fn wrong(rig: &Rig, to: &Router, from: &str, status: u16, code: &str) {
    let path = format!("/shared/shr_{:064}/report.json", 7);
    rig.ask_nobody("GET", &path).from(from).to(to.clone()).refused(status, code).await;
}

#[tokio::test]
async fn a_link_shows_the_report_on_either_listener() {
    let mut rig = Rig::new();
    let drop = rig.open(mugs()).await;
    let paid = rig.buy(&drop, "buyer-with-a-name", "mug", 2).await;
    rig.pay(paid).await;
    let made = share(&rig, "admin", json!({ "drop": drop })).await;
    let own = rig.ask("admin", "GET", &format!("/v1/drops/{drop}/report"));
    let own = own.expect(StatusCode::OK).await.json;
    for to in [rig.router.clone(), rig.shared_with(ControlConfig::default())] {
        let answer = read(&rig, &made, "report.json").to(to).expect(StatusCode::OK).await;
        for (name, value) in [
            ("content-type", "application/json"),
            ("cache-control", "no-store"),
            ("x-robots-tag", "noindex, nofollow"),
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{name}");
        }
        let facts = json!({"kind": "drop", "ends_at_ms": made["ends_at_ms"]});
        assert_eq!(answer.json["share"], facts);
        assert_eq!((&answer.json["report"]["sold"], &own["sold"]), (&json!(2), &json!(2)));
        for name in ["buyer-with-a-name", "admin", &paid.to_string()] {
            assert!(!answer.text.contains(name), "{name} in {}", answer.text);
        }
    }
}

#[tokio::test]
async fn an_altered_link_is_unknown_and_one_that_is_over_says_so() {
    let rig = Rig::new();
    let drop = rig.plan(mugs()).await;
    let made = share(&rig, "admin", json!({"drop": drop, "valid_for_s": 3_600})).await;
    let path = made["path"].as_str().unwrap();
    for altered in [&path[..path.len() - 1], &format!("{path}0"), "/shared/x", "/shared/r%C3%A9d"] {
        let ask = rig.ask_nobody("GET", &format!("{altered}/report.json"));
        let answer = ask.refused(404, "unknown_share").await;
        assert_eq!(answer.header("x-robots-tag"), Some("noindex, nofollow"));
    }
    read(&rig, &made, "report.pdf").refused(404, "not_shared").await;
    rig.advance(HOUR_MS - 1);
    read(&rig, &made, "report.json").expect(StatusCode::OK).await;
    rig.advance(1);
    let over = read(&rig, &made, "report.json").refused(410, "share_over").await;
    assert_eq!(over.header("cache-control"), Some("no-store"));
    rig.advance(90 * 24 * HOUR_MS);
    share(&rig, "admin", json!({ "drop": drop })).await;
    read(&rig, &made, "report.json").refused(404, "unknown_share").await;
}

#[tokio::test]
async fn a_share_that_is_revoked_is_dead_for_a_reader_who_polls() {
    let rig = Rig::new();
    let drop = rig.open(mugs()).await;
    let made = share(&rig, "acme", json!({ "drop": drop })).await;
    // Nobody knows how often it polls until the share is revoked.
    let config = ControlConfig { shared_reads_burst: u32::MAX, ..ControlConfig::default() };
    let public = rig.shared_with(config);
    let ask = || read(&rig, &made, "report.json").to(public.clone());
    let polls = async {
        loop {
            let answer = ask().send().await;
            if answer.status != StatusCode::OK {
                return answer;
            }
            tokio::task::yield_now().await;
        }
    };
    let revoke = async {
        ask().expect(StatusCode::OK).await;
        let path = format!("/v1/shares/{}", made["id"].as_str().unwrap());
        rig.ask("acme", "DELETE", &path).expect(StatusCode::NO_CONTENT).await;
        ask().refused(410, "share_over").await;
    };
    let (last, ()) = tokio::join!(polls, revoke);
    assert_eq!(last.json["code"], "share_over", "{}", last.text);
}

#[tokio::test]
async fn reads_are_counted_by_the_minute() {
    let rig = Rig::new();
    let drop = rig.plan(mugs()).await;
    let made = share(&rig, "admin", json!({ "drop": drop })).await;
    for wait in [0, 1_000, 60_000] {
        rig.advance(wait);
        read(&rig, &made, "report.json").expect(StatusCode::OK).await;
    }
    let listed = rig.ask("admin", "GET", "/v1/shares").expect(StatusCode::OK).await.json;
    let line = &listed["shares"][0];
    assert_eq!((&line["uses"], &line["used_at_ms"]), (&json!(2), &listed["server_time_ms"]));
}

#[tokio::test]
async fn an_address_reads_and_guesses_so_often() {
    let rig = Rig::new();
    let drop = rig.plan(mugs()).await;
    let made = share(&rig, "admin", json!({ "drop": drop })).await;
    let public = rig.shared_with(ControlConfig::default());
    let ask = |from: &str| {
        let path = format!("{}/report.json", made["path"].as_str().unwrap());
        rig.ask_nobody("GET", &path).from(from).to(public.clone())
    };
    ask("192.0.2.8").expect(StatusCode::OK).await;
    for _ in 0..10 {
        wrong(&rig, &public, "192.0.2.8", 404, "unknown_share").await;
    }
    wrong(&rig, &public, "192.0.2.8", 429, "too_many_guesses").await;
    ask("192.0.2.8").expect(StatusCode::OK).await;
    for _ in 0..100 {
        ask(READER).expect(StatusCode::OK).await;
    }
    let told = ask(READER).refused(429, "too_many_reads").await;
    assert_eq!(
        (told.header("retry-after"), &told.json["retry_after_ms"]),
        (Some("1"), &json!(100))
    );
    ask("192.0.2.9").expect(StatusCode::OK).await;
    rig.advance(100);
    ask(READER).expect(StatusCode::OK).await;
    ask(READER).refused(429, "too_many_reads").await;
    rig.ask("admin", "GET", "/v1/drops").from(READER).expect(StatusCode::OK).await;
}

#[tokio::test]
async fn behind_a_proxy_the_readers_address_counts() {
    let rig = Rig::new();
    let trusted_proxies = TrustedProxies::parse(&["10.0.0.0/8"]).unwrap();
    let config = ControlConfig {
        trusted_proxies,
        shared_reads_burst: 1,
        shared_reads_per_s: 1,
        ..ControlConfig::default()
    };
    let public = rig.shared_with(config);
    let drop = rig.plan(mugs()).await;
    let made = share(&rig, "admin", json!({ "drop": drop })).await;
    let ask = |client: &str| {
        let path = format!("{}/report.json", made["path"].as_str().unwrap());
        let ask = rig.ask_nobody("GET", &path).from("10.0.0.1").to(public.clone());
        ask.header("x-forwarded-for", client)
    };
    ask(READER).expect(StatusCode::OK).await;
    ask(READER).refused(429, "too_many_reads").await;
    ask("192.0.2.8").expect(StatusCode::OK).await;
}

#[tokio::test]
async fn readers_have_places_of_their_own() {
    let rig = Rig::new();
    let drop = rig.plan(mugs()).await;
    let made = share(&rig, "admin", json!({ "drop": drop })).await;
    let none = ControlConfig {
        shared_ledger_reads_max: 0,
        shared_ledger_wait: DurationMs::new(1),
        ..ControlConfig::default()
    };
    let public = rig.shared_with(none);
    read(&rig, &made, "report.json").to(public).refused(503, "busy").await;
    let staff_full =
        rig.shared_with(ControlConfig { ledger_reads_max: 0, ..ControlConfig::default() });
    read(&rig, &made, "report.json").to(staff_full).expect(StatusCode::OK).await;
}

#[tokio::test]
async fn a_reader_is_not_told_what_is_wrong_with_the_ledger() {
    let mut rig = Rig::new();
    let drop = rig.plan(mugs()).await;
    let made = share(&rig, "admin", json!({ "drop": drop })).await;
    rig.forget_ledger();
    let told = read(&rig, &made, "report.json").refused(500, "report_unavailable").await;
    assert!(!told.text.contains("ledger"), "{}", told.text);
}

#[tokio::test]
async fn a_damaged_file_of_shares_shows_nothing() {
    let rig = Rig::new();
    let drop = rig.plan(mugs()).await;
    let made = share(&rig, "admin", json!({ "drop": drop })).await;
    std::fs::write(rig.dir.path().join("shares.json"), "{").unwrap();
    read(&rig, &made, "report.json").refused(500, "internal").await;
    rig.ask("admin", "GET", "/v1/shares").refused(500, "internal").await;
}

/// A buy by a ticket of this channel, paid.
async fn sell(rig: &mut Rig, drop: &str, (viewer, channel): (&str, &str), units: u64) {
    let stream = "show".parse().unwrap();
    let (key, channel) = (format!("{viewer}-key").parse().unwrap(), channel.parse().unwrap());
    let joined = rig.port.join(&viewer.parse().unwrap(), (&stream, Mode::Live), 1);
    let drop = drop.parse().unwrap();
    let channel = Some(&channel);
    let request = BuyRequest { drop, sku: "mug", units, key: &key, channel };
    let bought = rig.port.buy(&joined, &stream, Mode::Live, request);
    let Buy::Pending { hold, position } = bought else { panic!("{viewer}: {bought:?}") };
    rig.port.flush();
    until(async || rig.port.durable() >= position).await;
    rig.pay(hold).await;
}

/// Two drops of one show: acme's mugs, sold by two channels, and zeta's lamps.
async fn show(rig: &mut Rig) -> [String; 2] {
    let mut plan = mugs();
    (plan["skus"][0]["supply"], plan["limit_per_viewer"]) = (json!(700), json!(90));
    let mugs = rig.open(plan).await;
    let room = json!({ "merchant": "zeta" });
    let admit = rig.ask("admin", "POST", "/v1/rooms/show/admit").key("admit").json(&room);
    admit.expect(StatusCode::OK).await;
    let mut plan = lamps();
    (plan["skus"][0]["supply"], plan["limit_per_viewer"]) = (json!(500), json!(90));
    let lamps = rig.open(plan).await;
    sell(rig, &mugs, ("first-buyer", "nina-live"), 7).await;
    sell(rig, &mugs, ("second-buyer", "rival-live"), 83).await;
    sell(rig, &lamps, ("third-buyer", "nina-live"), 11).await;
    [mugs, lamps]
}

/// Every number and text of a JSON value.
fn leaves(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => fields.values().for_each(|inner| leaves(inner, found)),
        Value::Array(items) => items.iter().for_each(|inner| leaves(inner, found)),
        Value::String(text) => found.push(text.clone()),
        other => found.push(other.to_string()),
    }
}

#[tokio::test]
async fn a_link_cut_to_a_channel_shows_nothing_of_others() {
    let mut rig = Rig::new();
    let [mugs, lamps] = show(&mut rig).await;
    let cut = share(&rig, "admin", json!({"drop": mugs, "channel": "nina-live"})).await;
    let answer = read(&rig, &cut, "report.json").expect(StatusCode::OK).await;
    assert_eq!(answer.json["share"]["kind"], "drop_channel");
    let report = &answer.json["report"];
    assert_eq!((&report["sold"], &report["taken"]), (&json!(7), &json!(7)), "{report}");
    assert_eq!(report["gross_minor"], 7 * 1_990);
    let mut seen = Vec::new();
    leaves(&answer.json, &mut seen);
    // The rival's units and money, what there was, the sums.
    let others =
        [83, 83 * 1_990, 700, 693, 610, 90, 90 * 1_990, 2].map(|figure: u64| figure.to_string());
    for other in others.iter().map(String::as_str).chain(["rival-live", "acme", "nina"]) {
        assert!(!seen.iter().any(|leaf| leaf == other), "{other} in {}", answer.text);
    }
    assert!(!answer.text.contains("-buyer"), "{}", answer.text);
    for file in ["report.xlsx", "sizes.csv", "channels.csv", "seconds.csv"] {
        read(&rig, &cut, file).refused(404, "not_shared").await;
    }
    let nobody = share(&rig, "admin", json!({"drop": mugs, "channel": "new-live"})).await;
    let nothing = read(&rig, &nobody, "report.json").expect(StatusCode::OK).await.json;
    assert_eq!(nothing["report"]["sold"], 0);
    let cut = share(&rig, "admin", json!({"show": lamps, "channel": "nina-live"})).await;
    let answer = read(&rig, &cut, "report.json").expect(StatusCode::OK).await;
    assert_eq!(answer.json["share"]["kind"], "show_channel");
    assert_eq!(answer.json["report"]["sold"], 18, "{}", answer.text);
    for other in ["rival-live", "-buyer"] {
        assert!(!answer.text.contains(other), "{other} in {}", answer.text);
    }
}

#[tokio::test]
async fn a_link_has_the_files_of_its_report() {
    let mut rig = Rig::new();
    let [mugs, _] = show(&mut rig).await;
    let public = rig.shared_with(ControlConfig::default());
    let of_drop = share(&rig, "acme", json!({ "drop": mugs })).await;
    for (file, line) in [
        ("sizes.csv", "\"d1\",\"mug\""),
        ("channels.csv", "\"rival-live\""),
        ("seconds.csv", "\"d1\",0"),
    ] {
        let answer = read(&rig, &of_drop, file).to(public.clone()).expect(StatusCode::OK).await;
        assert!(answer.text.contains(line), "{file}: {}", answer.text);
        assert!(!answer.text.contains("-buyer"), "{file}: {}", answer.text);
        let name = format!("attachment; filename=\"d1-{file}\"");
        assert_eq!(answer.header("content-disposition"), Some(name.as_str()));
        assert_eq!(answer.header("content-type"), Some("text/csv; charset=utf-8; header=present"));
        assert_eq!(answer.header("x-robots-tag"), Some("noindex, nofollow"));
    }
    let of_show = share(&rig, "admin", json!({ "show": mugs })).await;
    for (made, name) in [(&of_drop, "d1-report.xlsx"), (&of_show, "d1-show.xlsx")] {
        let (kind, told, bytes) =
            workbook(read(&rig, made, "report.xlsx").to(public.clone())).await;
        assert_eq!(kind, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet");
        assert_eq!((told, &bytes[..2]), (format!("attachment; filename=\"{name}\""), &b"PK"[..]));
    }
    for file in ["sizes.csv", "channels.csv", "seconds.csv", "orders.csv"] {
        read(&rig, &of_show, file).refused(404, "not_shared").await;
    }
}

#[tokio::test]
async fn a_link_to_a_show_never_has_a_hidden_drop_that_was_called_off() {
    let rig = Rig::new();
    let shown = rig.plan(mugs()).await;
    let mut secret = mugs();
    (secret["hidden"], secret["title"]) = (json!(true), json!("Secret"));
    let secret = rig.plan(secret).await;
    let made = share(&rig, "admin", json!({ "show": shown })).await;
    rig.command(&secret, "cancel", "c1").await;
    rig.until_phase(&secret, "cancelled").await;
    let says_nothing = async |rig: &Rig| {
        let answer = read(rig, &made, "report.json").expect(StatusCode::OK).await;
        assert_eq!(answer.json["report"]["cancelled"], json!([]), "{}", answer.text);
        assert!(!answer.text.contains("Secret"), "{}", answer.text);
    };
    says_nothing(&rig).await;
    rig.advance(SETTLED_KEPT_MS + 1_000);
    let drop = secret.parse().unwrap();
    until(async || {
        rig.wake_steward().await;
        rig.engine.sale(drop).is_none()
    })
    .await;
    says_nothing(&rig).await;
    says_nothing(&rig.restart_at(SETTLED_KEPT_MS + 2_000)).await;
}

#[tokio::test]
async fn a_link_to_a_show_has_a_hidden_drop_once_viewers_hear_of_it() {
    let rig = Rig::new();
    let mut secret = mugs();
    (secret["hidden"], secret["countdown_ms"]) = (json!(true), json!(60_000));
    let first = rig.plan(secret.clone()).await;
    let made = share(&rig, "admin", json!({ "show": first })).await;
    read(&rig, &made, "report.json").refused(404, "not_shared").await;
    secret["title"] = json!("Secret");
    let mut open = mugs();
    open["title"] = json!("Open");
    let [second, third] = [rig.plan(secret).await, rig.plan(open).await];
    let ids = async || {
        let report = read(&rig, &made, "report.json").expect(StatusCode::OK).await.json;
        let drops = report["report"]["drops"].as_array().unwrap().clone();
        drops.iter().map(|drop| drop["drop"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(ids().await, [third.as_str()]);
    rig.command(&second, "open", "o1").await;
    rig.until_phase(&second, "countdown").await;
    assert_eq!(ids().await, [second, third]);
}

#[tokio::test]
async fn a_merchants_link_to_a_show_has_its_own_drops_alone() {
    let mut rig = Rig::new();
    let [mugs, lamps] = show(&mut rig).await;
    let of = async |who: &str, drop: &str| {
        let made = share(&rig, who, json!({ "show": drop })).await;
        let answer = read(&rig, &made, "report.json").expect(StatusCode::OK).await;
        assert_eq!(answer.json["share"]["kind"], "show");
        assert!(!answer.text.contains("-buyer"), "{}", answer.text);
        let drops = answer.json["report"]["drops"].as_array().unwrap().clone();
        let names: Vec<_> =
            drops.iter().map(|drop| drop["drop"].as_str().unwrap().to_owned()).collect();
        (names, answer.json["report"]["sold"].clone())
    };
    assert_eq!(of("admin", &lamps).await, (vec![mugs.clone(), lamps.clone()], json!(101)));
    assert_eq!(of("zeta", &lamps).await, (vec![lamps.clone()], json!(11)));
    assert_eq!(of("acme", &mugs).await, (vec![mugs], json!(90)));
}
