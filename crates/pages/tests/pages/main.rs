//! The pages as a browser gets them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

mod demos;
mod fake;
mod links;
mod live;
mod orders;
mod plan;
mod reports;
mod requests;

use std::{collections::BTreeSet, io::Read as _};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode, header},
};
use flate2::read::GzDecoder;
use tower::ServiceExt as _;

/// Those that see the control room.
const ROLES: [&str; 5] = ["admin", "host", "merchant", "ops", "creator"];

/// The role that sees the stage alone.
const STAGE: &str = "stage";

/// The role that sees every show, and no figures of money.
const PLATFORM: &str = "platform";

/// Bytes of a first load, compressed.
const FIRST_LOAD_BYTES_MAX: usize = 80 * 1024;

struct Page {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

fn pages(role: Option<&'static str>) -> Router {
    stampede_pages::router(fake::interface(role))
}

async fn get(router: &Router, path: &str, headers: &[(&str, &str)]) -> Page {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::empty()).unwrap();
    let answer = router.clone().oneshot(request).await.unwrap();
    let (parts, body) = answer.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Page { status: parts.status, headers: parts.headers, text }
}

/// Every page that there is, in every state.
fn paths() -> Vec<String> {
    let mut paths: Vec<String> = ["/sign-in", "/join/sti_good", "/join/sti_over", "/shows", "/ops"]
        .map(str::to_owned)
        .into();
    for stream in fake::STREAMS {
        paths.push(format!("/live/{stream}"));
        paths.push(format!("/stage/{stream}"));
    }
    paths.extend(["/live/nobody", "/live/%3Cb%3E"].map(str::to_owned));
    let looked_for = ["", "?text=same", "?text=nothing", "?text=3-37-1", "?after=100"];
    paths.extend(looked_for.map(|query| format!("/orders{query}")));
    paths.extend(["", "?kind=refund", "?kind=capture"].map(|query| format!("/attention{query}")));
    paths.extend(reports::paths());
    paths.extend(["3-37-0", "3-38-1", fake::sold::HOLD].map(|name| format!("/orders/{name}")));
    paths
}

#[tokio::test]
async fn every_page_is_sent_with_a_strict_policy_and_carries_nothing_inline() {
    let router = pages(Some("host"));
    for path in paths() {
        for language in ["en", "zh-CN"] {
            let page = get(&router, &path, &[("accept-language", language)]).await;
            let policy = page.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
            for part in ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"] {
                assert!(policy.contains(part), "{path}: {policy}");
            }
            assert!(!policy.contains("unsafe"), "{path}: {policy}");
            assert_eq!(page.headers[header::CACHE_CONTROL], "no-store", "{path}");
            assert_eq!(page.headers[header::REFERRER_POLICY], "no-referrer", "{path}");
            assert!(page.text.contains(&format!("<html lang=\"{language}\"")), "{path}");
            check_nothing_inline(&path, &page.text);
        }
    }
}

#[track_caller]
fn check_nothing_inline(path: &str, html: &str) {
    assert!(!html.contains("<style"), "{path}");
    for tag in html.split('<').skip(1).filter(|tag| !tag.starts_with('!')) {
        let tag = tag.split('>').next().unwrap();
        assert!(!tag.contains(" style="), "{path}: {tag}");
        assert!(!tag.contains("javascript:"), "{path}: {tag}");
        if tag.starts_with("script") {
            assert!(tag.contains("src=\"/assets/"), "{path}: {tag}");
        }
        let is_handler = |part: &str| part.starts_with("on") && part.contains("=\"");
        let handler = tag.split(' ').skip(1).any(is_handler);
        assert!(!handler, "{path}: {tag}");
    }
}

#[tokio::test]
async fn names_with_markup_stay_text() {
    let router = pages(Some("host"));
    for path in ["/live/hostile", "/stage/hostile"] {
        let page = get(&router, path, &[]).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(!page.text.contains("<script>alert"), "{path}");
        assert!(page.text.contains("&#60;script&#62;alert(1)"), "{path}");
        // Text that runs from right to left cannot turn what stands around it.
        assert!(page.text.contains("<bdi"), "{path}");
    }
}

/// The interface of a server that a demo runs.
fn interface_of_demo(role: &'static str) -> Router {
    let told = async || axum::Json(demos::demos()[1].clone());
    fake::interface(Some(role)).route("/v1/demo", axum::routing::get(told))
}

#[tokio::test]
async fn a_demo_has_a_strip_and_no_other_server_has_one() {
    let router = stampede_pages::router(interface_of_demo("host"));
    let page = get(&router, "/live/open", &[]).await;
    check_nothing_inline("/live/open", &page.text);
    for part in [
        "17,998 of 18,000 viewers",
        "30,514 promises given",
        "14,213 promises given before the kill, 14,213 kept",
        "data-ready=\"true\"",
        "/goods/candle.svg#goods",
    ] {
        assert!(page.text.contains(part), "{part} in {}", page.text);
    }
    assert!(!get(&pages(Some("host")), "/live/open", &[]).await.text.contains("data-do=\"kill\""));
    // Nobody else may kill it.
    let router = stampede_pages::router(interface_of_demo("ops"));
    let page = get(&router, "/live/open", &[]).await;
    assert!(page.text.contains("data-ready=\"false\" aria-disabled=\"true\""));
}

#[tokio::test]
async fn drawings_of_goods_come_with_the_server() {
    let router = pages(None);
    for name in ["candle", "cream", "diffuser", "gift", "perfume"] {
        let drawing = get(&router, &format!("/goods/{name}.svg"), &[]).await;
        assert_eq!(drawing.status, StatusCode::OK);
        assert_eq!(drawing.headers[header::CONTENT_TYPE], "image/svg+xml");
        assert!(drawing.text.contains("<symbol id=\"goods\"") && !drawing.text.contains("script"));
    }
    for path in ["/goods/mug.svg", "/goods/candle"] {
        assert_eq!(get(&router, path, &[]).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn whatever_a_page_names_is_there_for_ever() {
    let router = pages(Some("host"));
    let mut named = BTreeSet::new();
    for path in paths() {
        let page = get(&router, &path, &[]).await;
        for part in page.text.split("\"/assets/").skip(1) {
            named.insert(format!("/assets/{}", part.split('"').next().unwrap()));
        }
    }
    assert!(named.len() >= 10, "{named:?}");
    for path in named {
        let file = get(&router, &path, &[]).await;
        assert_eq!(file.status, StatusCode::OK, "{path}");
        assert_eq!(file.headers[header::CACHE_CONTROL], "public, max-age=31536000, immutable");
    }
    assert_eq!(get(&router, "/assets/live-0.mjs", &[]).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_first_load_stays_within_its_budget() {
    let router = pages(Some("host"));
    let gzip = [("accept-encoding", "gzip")];
    let plain = get(&router, "/live/open", &[]).await;
    let mut bytes = sent(&router, "/live/open").await;
    let mut named = BTreeSet::new();
    for part in plain.text.split("\"/assets/").skip(1) {
        named.insert(format!("/assets/{}", part.split('"').next().unwrap()));
    }
    for path in named {
        let file = get(&router, &path, &gzip).await;
        assert_eq!(file.headers[header::CONTENT_ENCODING], "gzip");
        bytes += sent(&router, &path).await;
    }
    println!("{bytes} bytes");
    assert!(bytes <= FIRST_LOAD_BYTES_MAX, "{bytes} bytes");
}

async fn sent(router: &Router, path: &str) -> usize {
    let request = Request::get(path).header(header::ACCEPT_ENCODING, "gzip");
    let answer = router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let bytes = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    let mut text = Vec::new();
    GzDecoder::new(bytes.as_ref()).read_to_end(&mut text).unwrap();
    assert!(text.len() >= bytes.len() / 2);
    bytes.len()
}

#[tokio::test]
async fn nobody_sees_a_show_without_signing_in_and_comes_back_to_it() {
    let router = pages(None);
    for (path, to) in [
        ("/shows", "/sign-in?to=/shows"),
        ("/live/open", "/sign-in?to=/live/open"),
        ("/stage/open", "/sign-in?to=/stage/open"),
        ("/", "/sign-in"),
    ] {
        let page = get(&router, path, &[]).await;
        assert_eq!(page.status, StatusCode::SEE_OTHER, "{path}");
        assert_eq!(page.headers[header::LOCATION], to, "{path}");
    }
    let page = get(&router, "/sign-in?to=/live/open", &[]).await;
    assert!(page.text.contains("data-to=\"/live/open\""));
    let page = get(&router, "/sign-in?to=//evil.example", &[]).await;
    assert!(page.text.contains("data-to=\"/\""));
}

#[tokio::test]
async fn each_role_gets_the_commands_that_it_may_give() {
    for role in ROLES {
        let router = pages(Some(role));
        let page = get(&router, "/live/open", &[]).await;
        assert_eq!(page.status, StatusCode::OK, "{role}");
        let is_live = |command: &str| {
            let mark = format!("data-command=\"{command}\"");
            let button = page.text.split(&mark).nth(1).unwrap().split('>').next().unwrap();
            !button.contains("aria-disabled")
        };
        let found = ["stop", "restock", "wind_down", "close", "next"].map(is_live);
        let wanted = match role {
            "admin" | "host" | "merchant" => [true; 5],
            "creator" => [true, false, true, true, true],
            "ops" => [true, false, false, true, false],
            other => panic!("{other}"),
        };
        assert_eq!(found, wanted, "{role}");
    }
}

#[tokio::test]
async fn the_table_of_roles_is_the_engines() {
    use stampede_domain::Units;
    use stampede_engine::{DropAction, Role};

    let acts = [
        ("stop", DropAction::Pause),
        (
            "restock",
            DropAction::Restock { sku: "a".parse().unwrap(), units: Units::new(1).unwrap() },
        ),
        ("wind_down", DropAction::WindDown),
        ("close", DropAction::Close),
        ("next", DropAction::StartCountdown),
    ];
    for name in ROLES {
        let role = Role::from_name(name).unwrap();
        let page = get(&pages(Some(name)), "/live/open", &[]).await;
        for (command, action) in &acts {
            let mark = format!("data-command=\"{command}\"");
            let button = page.text.split(&mark).nth(1).unwrap().split('>').next().unwrap();
            assert_eq!(!button.contains("aria-disabled"), role.may_run(action), "{name} {command}");
        }
    }
}

#[tokio::test]
async fn the_platform_is_shown_no_money() {
    let router = pages(Some(PLATFORM));
    let page = get(&router, "/live/open", &[]).await;
    assert_eq!(page.status, StatusCode::SEE_OTHER);
    assert_eq!(page.headers[header::LOCATION], "/stage/open");
    for (role, is_told) in [(PLATFORM, false), ("admin", true)] {
        let shows = get(&pages(Some(role)), "/shows", &[]).await;
        assert_eq!(shows.status, StatusCode::OK);
        assert!(shows.text.contains("Scented candle, 200 g"));
        for figure in ["<div class=\"show-sum\"><b>", "1,200 of 1,200"] {
            assert_eq!(shows.text.contains(figure), is_told, "{role}: {figure}");
        }
    }
}

#[tokio::test]
async fn the_page_for_operations_is_for_whoever_reads_the_metrics() {
    for (role, wanted) in [
        ("admin", StatusCode::OK),
        ("ops", StatusCode::OK),
        ("merchant", StatusCode::FORBIDDEN),
        ("creator", StatusCode::FORBIDDEN),
    ] {
        let page = get(&pages(Some(role)), "/ops", &[]).await;
        assert_eq!(page.status, wanted, "{role}");
        assert!(!page.text.contains("<script>alert"));
    }
    let page = get(&pages(Some("ops")), "/ops", &[]).await;
    assert!(page.text.contains("Nothing is wrong.") && page.text.contains("20,000 a second"));
    assert_eq!(page.text.matches("<tr data-copy=").count(), 8);
    // Commands name what they were given for.
    for part in
        [">Restock</b>", ">Scented candle, 200 g</bdi>", "data-copy=\"stream-1\">open</bdi>"]
    {
        assert!(page.text.contains(part), "{part}");
    }
    assert!(!page.text.contains("data-keys"));
    let page = get(&pages(Some("ops")), "/ops", &[("cookie", "stampede_keys=off")]).await;
    assert!(page.text.contains("data-keys=\"off\""));
}

#[tokio::test]
async fn a_choice_is_kept_and_leads_only_back_here() {
    let router = pages(None);
    let page = get(&router, "/choose?language=zh-CN&theme=dark&to=/shows", &[]).await;
    assert_eq!(page.headers[header::LOCATION], "/shows");
    let kept: Vec<_> = page.headers.get_all(header::SET_COOKIE).iter().collect();
    assert_eq!(kept.len(), 2, "{kept:?}");
    let page = get(&router, "/choose?theme=pink&to=https://evil.example", &[]).await;
    assert_eq!(page.headers[header::LOCATION], "/");
    assert!(!page.headers.contains_key(header::SET_COOKIE));
    let cookie = [("cookie", "stampede_language=zh-CN; stampede_theme=light")];
    let page = get(&router, "/sign-in", &cookie).await;
    assert!(page.text.contains("<html lang=\"zh-CN\" data-theme=\"light\""), "{}", page.text);
}

#[tokio::test]
async fn an_invitation_is_shown_and_one_that_is_over_says_so() {
    let router = pages(None);
    let page = get(&router, "/join/sti_good", &[]).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains("Mara") && page.text.contains("data-to=\"/live/friday-show\""));
    assert!(!page.headers.contains_key(header::SET_COOKIE));
    let page = get(&router, "/join/sti_over", &[]).await;
    assert_eq!(page.status, StatusCode::GONE);
    let page = get(&router, "/join/sti_till", &[]).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains("report payments with a tool"), "{}", page.text);
    assert!(!page.text.contains("open, pause, restock"), "{}", page.text);
}

#[tokio::test]
async fn what_is_no_page_goes_to_the_interface() {
    let router = pages(Some("host"));
    let answer = get(&router, "/v1/sessions/current", &[]).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.text.contains("\"csrf\""));
    // The token of a session stands in no page.
    for path in paths() {
        assert!(!get(&router, &path, &[]).await.text.contains("csrf"), "{path}");
    }
    let page = get(&router, "/live/foreign", &[]).await;
    assert_eq!(page.status, StatusCode::NOT_FOUND);
    assert!(page.text.contains("No such show"));
}

#[tokio::test]
async fn a_mistyped_show_says_so_and_names_those_that_the_reader_may_see() {
    let page = get(&pages(Some("host")), "/live/nobody", &[]).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains("Nothing is planned in"));
    assert!(page.text.contains("No drop that you may see is planned in a show of this name."));
    // The one that the session is bound to, then what the interface lists; never the same again.
    let named =
        page.text.split("data-el=\"yours\"").nth(1).unwrap().split("</nav>").next().unwrap();
    let links: Vec<_> = named.split("href=\"").skip(1).map(|link| link.split('"').next()).collect();
    let wanted = ["open", "late-show", "countdown", "show-3", "show-4", "show-5"];
    let wanted = wanted.map(|stream| format!("/live/{stream}"));
    let wanted: Vec<_> = wanted.iter().map(|link| Some(link.as_str())).collect();
    assert_eq!(links[..6], wanted);
    assert_eq!(links[6..], [Some("/shows")]);
    // A reader who may plan is told how; a show with drops names no other.
    let page = get(&pages(Some("merchant")), "/live/nobody", &[]).await;
    assert!(page.text.contains("or plan a drop: press Plan at the top"));
    let page = get(&pages(Some("host")), "/live/open", &[]).await;
    assert!(!page.text.contains("data-el=\"yours\""));
}

#[tokio::test]
async fn one_is_never_said_as_many() {
    let router = pages(Some("host"));
    for path in ["/live/single", "/live/single-taken", "/stage/single", "/stage/single-taken"] {
        let page = get(&router, path, &[]).await;
        for wrong in ["1 units", "1 are", "1 were", "all 1 ", "All 1 ", "1 kinds", "1 others"] {
            let mut found = page.text.match_indices(wrong);
            let of_one = found.find(|(at, _)| {
                let before = page.text[..*at].chars().next_back();
                !before.is_some_and(|c| c.is_ascii_digit() || c == ',')
            });
            assert_eq!(of_one, None, "{path}");
        }
    }
    let page = get(&router, "/live/single", &[]).await;
    for part in ["Of 3 units 1 is paid, 1 is held, 1 is left.", ">1 unit<", ">1 paid<"] {
        assert!(page.text.contains(part), "{part}");
    }
    let page = get(&router, "/stage/single-taken", &[]).await;
    assert!(page.text.contains("The only one taken"), "{}", page.text);
}

#[tokio::test]
async fn an_opening_can_be_undone_while_nothing_is_paid() {
    let undo = async |role, stream: &str| {
        let page = get(&pages(Some(role)), &format!("/live/{stream}"), &[]).await.text;
        let button = page.split("<button").find(|one| one.contains("data-command=\"undo\""));
        let button = button.expect("a button").split("</button>").next().unwrap().to_owned();
        let is_there = !button.contains(" gone\"");
        (is_there, is_there && !button.contains("aria-disabled"), button)
    };
    let marks = async |role, stream: &str| {
        let (is_there, is_enabled, _) = undo(role, stream).await;
        (is_there, is_enabled)
    };
    assert_eq!(marks("host", "unpaid").await, (true, true));
    assert_eq!(marks("creator", "unpaid").await, (true, true));
    assert_eq!(marks("ops", "unpaid").await, (false, false), "the server refuses it");
    assert_eq!(marks("host", "undone").await, (false, false));
    assert_eq!(marks("host", "open").await, (false, false), "long paid for");
    let (is_there, is_enabled, button) = undo("host", "paid-just").await;
    assert_eq!((is_there, is_enabled), (true, false));
    assert!(button.contains("6,746 are paid"), "{button}");
}

#[tokio::test]
async fn the_limit_that_is_told_is_the_one_that_binds() {
    let router = pages(Some("host"));
    let of = async |stream: &str| {
        let page = get(&router, &format!("/live/{stream}"), &[]).await.text;
        let facts = page.split("data-list=\"facts\"").nth(1).unwrap().split("</p>").next();
        ["at most 1 each", "at most 2 each"].map(|limit| facts.unwrap().contains(limit))
    };
    assert_eq!(of("open").await, [false, true]);
    assert_eq!(of("single").await, [true, false], "each SKU has a lower one than the drop");
}

#[tokio::test]
async fn hidden_money_is_hidden_from_the_first_paint_on() {
    let cookie = [("cookie", "stampede_money=hidden")];
    let page = get(&pages(Some("host")), "/live/open", &cookie).await;
    assert!(page.text.contains("data-money=\"hidden\""));
}

#[tokio::test]
async fn a_stage_sees_its_stage_alone() {
    let router = pages(Some(STAGE));
    let page = get(&router, "/stage/for-stage", &[]).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains("All taken for now") && page.text.contains("All 12,000 taken"));
    assert!(page.text.contains("last ends in 1:56"), "{}", page.text);
    let page = get(&router, "/stage/for-stage-out", &[]).await;
    assert!(page.text.contains("Sold out") && page.text.contains("nothing can come back"));
    let page = get(&router, "/live/open", &[]).await;
    assert_eq!(page.headers[header::LOCATION], "/stage/open");
    let page = get(&router, "/shows", &[]).await;
    assert_eq!(page.headers[header::LOCATION], "/stage/open");
    assert_eq!(get(&router, "/ops", &[]).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_countdown_says_when_to_speak() {
    let router = pages(Some("host"));
    for (stream, live, stage) in [
        ("cue-ahead", "Say GO in 3", "Say GO in"),
        ("cue-now", "Say GO now", ">GO<"),
        ("cue-under", "Viewers hear GO in 4", "Viewers hear GO in"),
        ("cue-heard", "Viewers hear you now", "Viewers hear you now"),
    ] {
        let page = get(&router, &format!("/live/{stream}"), &[]).await;
        assert!(page.text.contains(live), "{stream}");
        assert!(page.text.contains("Video 6\u{a0}s behind"), "{stream}");
        assert_eq!(page.text.contains("data-now=\"true\""), stream == "cue-now");
        let page = get(&router, &format!("/stage/{stream}"), &[]).await;
        assert!(page.text.contains(stage), "{stream}: {}", page.text);
        assert!(page.text.contains("Three sizes, the middle one first"));
        assert_eq!(page.text.contains("data-now=\"true\""), stream == "cue-now");
    }
    let page = get(&router, "/live/cue-ahead", &[]).await;
    assert_eq!(page.text.matches("<i class=\"way\">").count(), 6);
    assert_eq!(page.text.matches("<i class=\" passed\">").count(), 1);
    assert_eq!(page.text.matches("<i class=\"\">").count(), 3);
    assert!(page.text.contains("x=\"40.0%\""));
    // More than a minute stands in one line as well.
    let page = get(&router, "/live/countdown-long", &[]).await;
    assert!(page.text.contains("Opens in 1:00"));
    // The next one has a countdown in which there is time to speak.
    let page = get(&router, "/live/behind", &[]).await;
    assert!(page.text.contains("10\u{a0}s, so 4\u{a0}s to say GO"));
}
