//! Browsers that sign in by a cookie.

use axum::http::StatusCode;
use serde_json::{Value, json};
use stampede_control::{ControlConfig, PublicUrl, Site};
use stampede_domain::UnixMillis;

use crate::{
    browser::{Browser, ORIGIN},
    rig::{Answer, Ask, NOON, Rig, mugs, mugs_in_reserve},
};

const HOUR_MS: u64 = 3_600_000;

fn site(url: &str) -> ControlConfig {
    let url: PublicUrl = url.parse().unwrap();
    ControlConfig { site: Site::Public(url), ..ControlConfig::default() }
}

fn sign_in(rig: &Rig, token: &str) -> Ask {
    rig.ask_nobody("POST", "/v1/sessions").json(&json!({ "token": token }))
}

async fn names(rig: &Rig, who: &str) -> Vec<String> {
    let listed = rig.ask(who, "GET", "/v1/sessions").expect(StatusCode::OK).await.json;
    let name = |line: &Value| line["name"].as_str().unwrap().to_owned();
    listed["sessions"].as_array().unwrap().iter().map(name).collect()
}

fn cookie(answer: &Answer) -> Vec<String> {
    let line = answer.header("set-cookie").unwrap();
    line.split("; ").skip(1).map(str::to_owned).collect()
}

#[tokio::test]
async fn a_pasted_token_signs_a_browser_in() {
    let rig = Rig::new();
    let drop = rig.open(mugs()).await;
    let answer =
        sign_in(&rig, &format!(" {} ", rig.token("acme"))).expect(StatusCode::CREATED).await;
    let expected = ["Path=/", "HttpOnly", "SameSite=Strict", "Max-Age=90000"];
    assert_eq!(cookie(&answer), expected);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
    let browser = Browser::of(&answer);
    let mut told = answer.json;
    assert_eq!(told["csrf"].as_str().unwrap().len(), 64);
    told["csrf"].take();
    let expected = json!({
        "session": browser.session, "name": "acme", "role": "merchant", "merchant": "acme",
        "csrf": null, "idle_expires_in_ms": 8 * HOUR_MS, "expires_in_ms": 24 * HOUR_MS,
    });
    assert_eq!(told, expected);

    rig.advance(HOUR_MS);
    let seen = rig.browse(&browser, "GET", "/v1/sessions/current").expect(StatusCode::OK).await;
    assert_eq!(seen.json["csrf"], browser.csrf.as_str());
    assert_eq!(seen.json["idle_expires_in_ms"], 8 * HOUR_MS, "this was a use");
    assert_eq!(seen.json["expires_in_ms"], 23 * HOUR_MS);
    rig.browse(&browser, "GET", &format!("/v1/drops/{drop}")).expect(StatusCode::OK).await;
    let paused = rig.press(&browser, "POST", &format!("/v1/drops/{drop}/pause")).key("p1");
    paused.expect(StatusCode::OK).await;
    let recorded = rig.ask("admin", "GET", "/v1/commands").expect(StatusCode::OK).await.json;
    assert_eq!(recorded["commands"][0]["actor"], "acme", "records know the person");
}

#[tokio::test]
async fn only_its_hash_is_kept_and_a_wrong_token_makes_nothing() {
    let rig = Rig::new();
    let path = rig.dir.path().join("sessions.json");
    for wrong in ["stf_0", ""] {
        sign_in(&rig, wrong).refused(401, "token_unknown").await;
    }
    for (body, code) in [
        (json!({}), "fields_conflict"),
        (json!({"token": null}), "fields_conflict"),
        (json!({"token": "stf_0", "invitation": "sti_0"}), "fields_conflict"),
        (json!({"token": 5}), "bad_body"),
        (json!({"cookie": "x"}), "bad_body"),
    ] {
        rig.ask_nobody("POST", "/v1/sessions").json(&body).refused(422, code).await;
    }
    let text = rig.ask_nobody("POST", "/v1/sessions").body("text/plain", "{}");
    text.refused(415, "not_json").await;
    assert!(!path.exists());
    let browser = rig.sign_in("host").await;
    let kept = std::fs::read_to_string(&path).unwrap();
    let secret = browser.cookie.strip_prefix("stampede_session=sts_").unwrap();
    assert_eq!(secret.len(), 64, "256 bits");
    assert!(!kept.contains(secret) && !kept.contains(&browser.csrf), "{kept}");
    assert!(!browser.csrf.contains(secret));
    for wrong in ["stampede_session=sts_0", "stampede_session=x; theme=dark"] {
        let ask = rig.ask_nobody("GET", "/v1/drops").header("cookie", wrong);
        ask.refused(401, "session_expired").await;
    }
    // A neighbour's cookie beside ours: one of them is not ours, and nobody can tell which.
    let two = format!("{}; stampede_session=sts_0", browser.cookie);
    rig.ask_nobody("GET", "/v1/drops").header("cookie", &two).refused(401, "session_expired").await;
}

#[tokio::test]
async fn cookies_are_for_encrypted_connections_where_the_address_is_https() {
    let rig = Rig::new();
    let secure = || rig.router_with(site("https://Sale.Example/"));
    let ask = sign_in(&rig, rig.token("host")).header("origin", "https://sale.example");
    let answer = ask.to(secure()).expect(StatusCode::CREATED).await;
    assert_eq!(cookie(&answer).last().unwrap(), "Secure");
    let browser = Browser::of(&answer);
    let out = |origin: &str| {
        let ask = rig.browse(&browser, "DELETE", "/v1/sessions/current");
        ask.header("x-csrf-token", &browser.csrf).header("origin", origin).to(secure())
    };
    // What the request says of itself counts nothing.
    for foreign in ["http://sale.example", "http://127.0.0.1:7701", "https://sale.example:8443"] {
        out(foreign).header("host", "127.0.0.1:7701").refused(403, "origin_refused").await;
    }
    let answer = out("https://sale.example").expect(StatusCode::NO_CONTENT).await;
    let expected = ["Path=/", "HttpOnly", "SameSite=Strict", "Max-Age=0", "Secure"];
    assert_eq!(cookie(&answer), expected);
    assert!(answer.header("set-cookie").unwrap().starts_with("stampede_session=;"));
}

#[tokio::test]
async fn a_page_proves_that_it_is_ours_and_a_tool_need_not() {
    let rig = Rig::new();
    let drop = rig.open(mugs()).await;
    let browser = rig.sign_in("host").await;
    let other = rig.sign_in("host").await;
    let path = format!("/v1/drops/{drop}/pause");
    let ask = || rig.browse(&browser, "POST", &path).key("p1");
    ask().header("x-csrf-token", &browser.csrf).refused(403, "origin_refused").await;
    let foreign =
        ["https://evil.example", "null", "http://127.0.0.1", "http://127.0.0.1:7701.evil"];
    for origin in foreign {
        let ask = ask().header("x-csrf-token", &browser.csrf).header("origin", origin);
        ask.refused(403, "origin_refused").await;
    }
    let twice = ask().header("x-csrf-token", &browser.csrf).header("origin", ORIGIN);
    twice.header("origin", "https://evil.example").refused(403, "origin_refused").await;
    ask().header("origin", ORIGIN).refused(403, "csrf_failed").await;
    for wrong in ["", "0", other.csrf.as_str(), &browser.csrf[..63]] {
        let ask = ask().header("origin", ORIGIN).header("x-csrf-token", wrong);
        ask.refused(403, "csrf_failed").await;
    }
    assert_eq!(rig.state(&drop).await["phase"], "open", "nothing was done");
    // With both, the token counts: it needs no proof, and it is the admin's.
    let bearer = format!("Bearer {}", rig.token("admin"));
    ask().header("authorization", &bearer).expect(StatusCode::OK).await;
    let listed = rig.browse(&browser, "GET", "/v1/commands").header("authorization", &bearer);
    listed.expect(StatusCode::OK).await;
    rig.browse(&browser, "GET", "/v1/commands").refused(403, "forbidden").await;
    // A proxy's own password is not ours.
    let basic = rig.browse(&browser, "GET", "/v1/drops").header("authorization", "Basic eDp5");
    basic.expect(StatusCode::OK).await;
    // Another site cannot sign a browser in as somebody of its choice.
    let ask = sign_in(&rig, rig.token("host")).header("origin", "https://evil.example");
    ask.refused(403, "origin_refused").await;
}

#[tokio::test]
async fn two_sessions_of_one_name_never_share_a_key() {
    let mut rig = Rig::new();
    let drop = rig.open(mugs_in_reserve()).await;
    let path = format!("/v1/drops/{drop}/lots");
    let lot = json!({"sku": "mug", "units": 3});
    let (one, two) = (rig.sign_in("host").await, rig.sign_in("host").await);
    for (browser, number) in [(&one, 2), (&two, 3)] {
        let ask = rig.press(browser, "POST", &path).key("lot").json(&lot);
        assert_eq!(ask.expect(StatusCode::OK).await.json["lot"], number);
    }
    let by_token = rig.ask("host", "POST", &path).key("lot").json(&lot);
    assert_eq!(by_token.expect(StatusCode::OK).await.json["lot"], 4);
    // The same session asks again, after a restart too.
    for _ in 0..2 {
        let ask = rig.press(&one, "POST", &path).key("lot").json(&lot);
        let again = ask.expect(StatusCode::OK).await;
        assert_eq!(again.header("idempotency-replayed"), Some("true"));
        assert_eq!(again.json["lot"], 2);
        rig = rig.restart();
    }
    let another =
        rig.press(&one, "POST", &path).key("lot").json(&json!({"sku": "mug", "units": 4}));
    another.refused(422, "key_reused").await;
}

#[tokio::test]
async fn a_session_runs_out_idle_or_old_and_its_browser_goes_on_with_its_keys() {
    let rig = Rig::new();
    let drop = rig.open(mugs_in_reserve()).await;
    let path = format!("/v1/drops/{drop}/lots");
    let lot = json!({"sku": "mug", "units": 3});
    let press = |browser: &Browser| rig.press(browser, "POST", &path).key("lot").json(&lot);
    let (idle, busy) = (rig.sign_in("host").await, rig.sign_in("ops").await);
    assert_eq!(press(&idle).expect(StatusCode::OK).await.json["lot"], 2);
    let current = |browser: &Browser| rig.browse(browser, "GET", "/v1/sessions/current");
    for _ in 0..3 {
        rig.advance(8 * HOUR_MS - 1);
        current(&busy).expect(StatusCode::OK).await;
    }
    press(&idle).refused(401, "session_expired").await;
    rig.advance(3);
    let told = current(&busy).refused(401, "session_expired").await;
    assert!(told.detail().contains("sign in again"), "{}", told.text);
    // Over for longer than it is remembered: a new sign-in is a new actor.
    let again = |browser: &Browser, who: &str| {
        sign_in(&rig, rig.token(who)).header("cookie", &browser.cookie)
    };
    let fresh = Browser::of(&again(&idle, "host").expect(StatusCode::CREATED).await);
    assert_eq!(press(&fresh).expect(StatusCode::OK).await.json["lot"], 3);
    // Out for a moment: the press is offered again and does nothing twice.
    rig.advance(8 * HOUR_MS);
    press(&fresh).refused(401, "session_expired").await;
    let back = Browser::of(&again(&fresh, "host").expect(StatusCode::CREATED).await);
    let answer = press(&back).expect(StatusCode::OK).await;
    assert_eq!(
        (answer.header("idempotency-replayed"), &answer.json["lot"]),
        (Some("true"), &json!(3))
    );
    // Somebody else at the same browser has keys of their own, and the session before is over.
    let other = Browser::of(&again(&back, "admin").expect(StatusCode::CREATED).await);
    assert_eq!(press(&other).expect(StatusCode::OK).await.json["lot"], 4);
    press(&back).refused(401, "session_expired").await;
}

#[tokio::test]
async fn a_session_ends_with_its_token_and_survives_a_restart() {
    let rig = Rig::new();
    let browser = rig.sign_in("host").await;
    let drops = |rig: &Rig| rig.browse(&browser, "GET", "/v1/drops");
    rig.advance(HOUR_MS);
    drops(&rig).expect(StatusCode::OK).await;
    assert!(rig.sessions.are_uses_due(UnixMillis::new(NOON + HOUR_MS)));
    rig.sessions.write_uses(UnixMillis::new(NOON + HOUR_MS)).unwrap();
    assert!(!rig.sessions.are_uses_due(UnixMillis::new(NOON + HOUR_MS + 60_000)), "no use since");
    drops(&rig).expect(StatusCode::OK).await;
    assert!(!rig.sessions.are_uses_due(UnixMillis::new(NOON + HOUR_MS + 59_999)));
    assert!(rig.sessions.are_uses_due(UnixMillis::new(NOON + HOUR_MS + 60_000)));
    let rig = rig.restart_at(9 * HOUR_MS - 1);
    drops(&rig).expect(StatusCode::OK).await;
    // The restart has made another token of the name; the session rests on the first.
    let tokens = rig.staff.list().unwrap();
    let first = tokens.iter().find(|token| token.staff.name == "host").unwrap();
    rig.staff.revoke(&first.id).unwrap();
    drops(&rig).refused(401, "session_expired").await;
    assert_eq!(names(&rig, "admin").await, [""; 0]);
}

#[tokio::test]
async fn sessions_are_listed_and_ended_by_their_own_name_or_an_admin() {
    let rig = Rig::new();
    let first = rig.sign_in("host").await;
    rig.advance(1);
    let (second, ops) = (rig.sign_in("host").await, rig.sign_in("ops").await);
    assert_eq!(names(&rig, "host").await, ["host", "host"]);
    assert_eq!(names(&rig, "acme").await, [""; 0]);
    assert_eq!(names(&rig, "admin").await, ["host", "host", "ops"]);
    let listed = rig.browse(&second, "GET", "/v1/sessions").expect(StatusCode::OK).await.json;
    let expected = json!({
        "session": first.session, "name": "host", "role": "host", "current": false,
        "started_at_ms": NOON, "used_at_ms": NOON,
        "idle_expires_in_ms": 8 * HOUR_MS - 1, "expires_in_ms": 24 * HOUR_MS - 1,
    });
    assert_eq!(listed["sessions"][0], expected);
    assert_eq!(listed["sessions"][1]["current"], true);
    assert!(!listed.to_string().contains("csrf"));

    let end = |by: &Browser, id: &str| rig.press(by, "DELETE", &format!("/v1/sessions/{id}"));
    end(&second, &ops.session).refused(404, "unknown_session").await;
    end(&second, "s0").refused(404, "unknown_session").await;
    let elsewhere = end(&second, &first.session).expect(StatusCode::NO_CONTENT).await;
    assert_eq!(elsewhere.header("set-cookie"), None, "it was another browser's");
    rig.browse(&first, "GET", "/v1/drops").refused(401, "session_expired").await;
    let by_admin = rig.ask("admin", "DELETE", &format!("/v1/sessions/{}", ops.session));
    by_admin.expect(StatusCode::NO_CONTENT).await;
    assert_eq!(names(&rig, "admin").await, ["host"]);

    let third = rig.sign_in("host").await;
    let everywhere =
        rig.press(&third, "DELETE", "/v1/sessions").expect(StatusCode::NO_CONTENT).await;
    assert!(everywhere.header("set-cookie").unwrap().contains("Max-Age=0"));
    assert_eq!(names(&rig, "admin").await, [""; 0]);
    // A token has no session of its own, yet may end those of its name.
    for method in ["GET", "DELETE"] {
        let ask = rig.ask("host", method, "/v1/sessions/current");
        ask.refused(404, "unknown_session").await;
    }
    rig.ask("host", "DELETE", "/v1/sessions").expect(StatusCode::NO_CONTENT).await;
}

#[tokio::test]
async fn sessions_are_limited_by_name_and_in_all() {
    let rig = Rig::new();
    let mut hosts = Vec::new();
    for _ in 0..3 {
        hosts.push(rig.sign_in("host").await);
        rig.advance(1);
    }
    rig.browse(&hosts[0], "GET", "/v1/drops").expect(StatusCode::OK).await;
    rig.advance(1);
    // A fourth of the name: the one that nobody has used for the longest time ends.
    hosts.push(rig.sign_in("host").await);
    for (place, browser) in hosts.iter().enumerate() {
        let status = rig.browse(browser, "GET", "/v1/drops").send().await.status.as_u16();
        assert_eq!(status, if place == 1 { 401 } else { 200 }, "{place}");
    }
    let (ops, _acme) = (rig.sign_in("ops").await, rig.sign_in("acme").await);
    let told = sign_in(&rig, rig.token("zeta")).refused(409, "sessions_full").await;
    assert!(told.detail().contains("5 browsers"), "{}", told.text);
    rig.browse(&ops, "GET", "/v1/drops").expect(StatusCode::OK).await;
    // The same browser again takes its own place.
    let again = sign_in(&rig, rig.token("zeta")).header("cookie", &ops.cookie);
    again.expect(StatusCode::CREATED).await;
    // Those that have run out make room.
    rig.advance(8 * HOUR_MS);
    rig.sign_in("ops").await;
}

#[tokio::test]
async fn without_an_address_no_browser_signs_in() {
    let rig = Rig::new();
    let config = ControlConfig { site: Site::Unknown, ..ControlConfig::default() };
    let ask = sign_in(&rig, rig.token("host")).to(rig.router_with(config.clone()));
    let told = ask.refused(409, "public_url_missing").await;
    assert!(told.detail().contains("control.public_url"), "{}", told.text);
    let ask = sign_in(&rig, rig.token("host")).header("origin", ORIGIN);
    ask.to(rig.router_with(config.clone())).refused(403, "origin_refused").await;
    let tools = rig.ask("host", "GET", "/v1/drops").to(rig.router_with(config));
    tools.expect(StatusCode::OK).await;
}

#[tokio::test]
async fn a_damaged_file_of_sessions_lets_no_browser_in_and_keeps_no_token_out() {
    let rig = Rig::new();
    let browser = rig.sign_in("host").await;
    std::fs::write(rig.dir.path().join("sessions.json"), "{").unwrap();
    rig.browse(&browser, "GET", "/v1/drops").refused(500, "internal").await;
    sign_in(&rig, rig.token("host")).refused(500, "internal").await;
    rig.ask("host", "GET", "/v1/drops").expect(StatusCode::OK).await;
}
