//! Shares: made, listed, revoked, by whom and of what.

use axum::http::StatusCode;
use serde_json::{Value, json};
use stampede_control::{ControlConfig, Site};

use crate::{
    browser::ORIGIN,
    rig::{NOON, Rig, lamps, mugs},
};

const DAY_S: u64 = 86_400;

/// Shares a report by somebody; what the answer says.
pub(crate) async fn share(rig: &Rig, who: &str, body: Value) -> Value {
    let ask = rig.ask(who, "POST", "/v1/shares").json(&body);
    ask.expect(StatusCode::CREATED).await.json
}

async fn list(rig: &Rig, who: &str, query: &str) -> Vec<Value> {
    let answer = rig.ask(who, "GET", &format!("/v1/shares{query}")).expect(StatusCode::OK).await;
    assert!(!answer.text.contains("shr_"), "a list has no secrets: {}", answer.text);
    answer.json["shares"].as_array().unwrap().clone()
}

fn ids(shares: &[Value]) -> Vec<&str> {
    shares.iter().map(|share| share["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_share_says_what_it_shows_and_until_when() {
    let rig = Rig::new();
    let drop = rig.plan(mugs()).await;
    let body = json!({"drop": drop, "channel": "nina-live", "label": "for the board", "valid_for_s": 7_200});
    let made = share(&rig, "admin", body).await;
    let path = made["path"].as_str().unwrap();
    let secret = path.strip_prefix("/shared/shr_").unwrap();
    assert_eq!((secret.len(), secret.bytes().all(|byte| byte.is_ascii_hexdigit())), (64, true));
    assert_eq!(made["url"], format!("http://127.0.0.1:7701{path}"));
    for (field, value) in [
        ("drop", json!(drop)),
        ("show", Value::Null),
        ("title", json!("Mugs")),
        ("channel", json!("nina-live")),
        ("label", json!("for the board")),
        ("by", json!("admin")),
        ("created_at_ms", json!(NOON)),
        ("ends_at_ms", json!(NOON + 7_200_000)),
        ("uses", json!(0)),
    ] {
        assert_eq!(made[field], value, "{field} in {made}");
    }
    let plain = share(&rig, "admin", json!({ "show": drop })).await;
    assert_eq!((&plain["show"], &plain["title"]), (&json!(drop), &json!("show")));
    assert_eq!(plain["ends_at_ms"], NOON + 30 * DAY_S * 1_000);
    let file = std::fs::read_to_string(rig.dir.path().join("shares.json")).unwrap();
    assert!(!file.contains(secret) && file.contains("nina-live"), "{file}");
}

#[tokio::test]
async fn a_link_begins_where_people_find_the_public_files() {
    let rig = Rig::new();
    let drop = rig.plan(mugs()).await;
    let url = |config: ControlConfig| {
        let ask = rig.ask("admin", "POST", "/v1/shares").to(rig.router_with(config));
        let ask = ask.json(&json!({ "drop": drop }));
        async { ask.expect(StatusCode::CREATED).await.json["url"].clone() }
    };
    let site = Site::Public("https://sale.example".parse().unwrap());
    let config = ControlConfig { site, ..ControlConfig::default() };
    let link = url(config.clone()).await;
    assert!(link.as_str().unwrap().starts_with("https://sale.example/shared/shr_"), "{link}");
    let shared_at = Some("https://show.example".parse().unwrap());
    let link = url(ControlConfig { shared_at, ..config }).await;
    assert!(link.as_str().unwrap().starts_with("https://show.example/shared/shr_"), "{link}");
    let nowhere = ControlConfig { site: Site::Unknown, ..ControlConfig::default() };
    assert_eq!(url(nowhere).await, Value::Null);
}

#[tokio::test]
async fn what_cannot_be_shared_is_refused() {
    let rig = Rig::new();
    let drop = rig.plan(mugs()).await;
    let post = |who: &str, body: Value| rig.ask(who, "POST", "/v1/shares").json(&body);
    for (body, status, code) in [
        (json!({}), 422, "fields_conflict"),
        (json!({"drop": drop, "show": drop}), 422, "fields_conflict"),
        (json!({"drop": "d99"}), 404, "unknown_drop"),
        (json!({"show": "d99"}), 404, "unknown_drop"),
        (json!({"drop": "12"}), 422, "bad_body"),
        (json!({"drop": drop, "channel": "a b"}), 422, "bad_body"),
        (json!({"drop": drop, "valid_for_s": 3_599}), 422, "bad_body"),
        (json!({"drop": drop, "valid_for_s": 400 * DAY_S + 1}), 422, "bad_body"),
        (json!({"drop": drop, "label": " "}), 422, "invalid_label"),
        (json!({"drop": drop, "label": "x".repeat(201)}), 422, "invalid_label"),
        (json!({"drop": drop, "for": "ever"}), 422, "bad_body"),
    ] {
        post("admin", body).refused(status, code).await;
    }
    for valid_for_s in [3_600, 400 * DAY_S] {
        share(&rig, "admin", json!({"drop": drop, "valid_for_s": valid_for_s})).await;
    }
    rig.ask_nobody("POST", "/v1/shares").refused(401, "token_missing").await;
    rig.ask("admin", "POST", "/v1/shares")
        .body("application/json", "{")
        .refused(400, "bad_json")
        .await;
    rig.ask("admin", "GET", "/v1/shares?drop=12").refused(400, "bad_query").await;
    rig.ask("admin", "GET", "/v1/shares?page=2").refused(400, "bad_query").await;
    rig.ask("admin", "DELETE", "/v1/shares/r0").refused(404, "unknown_share").await;
}

#[tokio::test]
async fn who_may_share_what() {
    let rig = Rig::new();
    let (mugs, lamps) = (rig.plan(mugs()).await, rig.plan(lamps()).await);
    for who in ["host", "ops", "platform", "payments", "nina"] {
        let made = rig.ask(who, "POST", "/v1/shares").json(&json!({ "drop": mugs }));
        made.refused(403, "forbidden").await;
        rig.ask(who, "GET", "/v1/shares").refused(403, "forbidden").await;
        rig.ask(who, "DELETE", "/v1/shares/r0").refused(403, "forbidden").await;
    }
    let other = rig.ask("acme", "POST", "/v1/shares").json(&json!({ "drop": lamps }));
    other.refused(404, "unknown_drop").await;
    let own = share(&rig, "acme", json!({ "drop": mugs })).await;
    let of_admin = share(&rig, "admin", json!({ "drop": mugs })).await;
    let whole = share(&rig, "admin", json!({ "show": mugs })).await;
    let own_show = share(&rig, "acme", json!({ "show": mugs })).await;
    let foreign = share(&rig, "zeta", json!({ "drop": lamps })).await;
    let id = |made: &Value| made["id"].as_str().unwrap().to_owned();
    // Newest first; a merchant does not decide about what shows others' drops.
    assert_eq!(ids(&list(&rig, "acme", "").await), [&id(&own_show), &id(&of_admin), &id(&own)]);
    assert_eq!(ids(&list(&rig, "zeta", "").await), [&id(&foreign)]);
    assert_eq!(list(&rig, "admin", "").await.len(), 5);
    let of_drop = list(&rig, "admin", &format!("?drop={mugs}")).await;
    assert_eq!(ids(&of_drop), [&id(&of_admin), &id(&own)]);
    let of_show = list(&rig, "admin", &format!("?show={mugs}")).await;
    assert_eq!(ids(&of_show), [&id(&own_show), &id(&whole)]);
    assert_eq!(ids(&list(&rig, "admin", "?skip=1&limit=2").await), [&id(&own_show), &id(&whole)]);
    for made in [&whole, &foreign] {
        let path = format!("/v1/shares/{}", id(made));
        rig.ask("acme", "DELETE", &path).refused(404, "unknown_share").await;
    }
    for made in [&own, &of_admin] {
        let path = format!("/v1/shares/{}", id(made));
        rig.ask("acme", "DELETE", &path).expect(StatusCode::NO_CONTENT).await;
        rig.ask("acme", "DELETE", &path).refused(404, "unknown_share").await;
    }
    assert_eq!(ids(&list(&rig, "acme", "").await), [&id(&own_show)]);
}

#[tokio::test]
async fn a_retry_with_its_key_makes_no_second_share() {
    let rig = Rig::new();
    let drop = rig.plan(mugs()).await;
    let body = json!({ "drop": drop });
    let send = |who: &str, body: &Value| rig.ask(who, "POST", "/v1/shares").key("k1").json(body);
    let first = send("admin", &body).expect(StatusCode::CREATED).await.json;
    let again = send("admin", &body).expect(StatusCode::CREATED).await.json;
    assert_eq!((&first["id"], first["path"] == again["path"]), (&again["id"], false));
    let read = |made: &Value| {
        let path = format!("{}/report.json", made["path"].as_str().unwrap());
        rig.ask_nobody("GET", &path).from("192.0.2.7")
    };
    read(&first).refused(404, "unknown_share").await;
    read(&again).expect(StatusCode::OK).await;
    let other = json!({ "drop": drop, "label": "board" });
    send("admin", &other).refused(422, "key_reused").await;
    let own = send("acme", &body).expect(StatusCode::CREATED).await.json;
    assert_ne!(own["id"], again["id"]);
    assert_eq!(list(&rig, "admin", "").await.len(), 2);
    let malformed = rig.ask("admin", "POST", "/v1/shares").key("k 1").json(&body);
    malformed.refused(400, "key_malformed").await;
}

#[tokio::test]
async fn a_page_shares_with_its_token_alone() {
    let rig = Rig::new();
    let drop = rig.plan(mugs()).await;
    let browser = rig.sign_in("admin").await;
    let body = json!({ "drop": drop });
    let strange = rig.browse(&browser, "POST", "/v1/shares").json(&body);
    strange.refused(403, "origin_refused").await;
    let stale = rig.browse(&browser, "POST", "/v1/shares").header("origin", ORIGIN).json(&body);
    stale.refused(403, "csrf_failed").await;
    let made = rig.press(&browser, "POST", "/v1/shares").json(&body);
    let made = made.expect(StatusCode::CREATED).await.json;
    let path = format!("/v1/shares/{}", made["id"].as_str().unwrap());
    rig.browse(&browser, "DELETE", &path).refused(403, "origin_refused").await;
    rig.press(&browser, "DELETE", &path).expect(StatusCode::NO_CONTENT).await;
}

#[tokio::test]
async fn there_are_so_many_shares_of_one_holder() {
    let rig = Rig::new();
    let drop = rig.plan(mugs()).await;
    let body = json!({ "drop": drop });
    share(&rig, "acme", body.clone()).await;
    // A thousand lines as the file has them, written at once.
    let path = rig.dir.path().join("shares.json");
    let mut file: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let row = file["shares"][0].clone();
    let rows = (0..1_000).map(|number| {
        let mut row = row.clone();
        (row["id"], row["blake3"]) = (json!(format!("r{number}")), json!(format!("{number:064}")));
        row
    });
    file["shares"] = rows.collect();
    std::fs::write(&path, file.to_string()).unwrap();
    let full = rig.ask("acme", "POST", "/v1/shares").json(&body).refused(409, "shares_full").await;
    assert!(full.detail().contains("1000 shares"), "{}", full.text);
    share(&rig, "admin", body.clone()).await;
    rig.ask("acme", "DELETE", "/v1/shares/r7").expect(StatusCode::NO_CONTENT).await;
    share(&rig, "acme", body).await;
}
