//! Pages for planning: for whom they are, what they are sent with, what they show before a script runs.

use axum::http::{StatusCode, header};

use crate::{check_nothing_inline, get, pages};

/// The pages of a show.
fn paths() -> Vec<String> {
    let shows = ["open", "nothing", "before", "hostile", "rehearsal", "cancelled"];
    let parts = ["", "/new", "/paste", "/n1abc", "/d4"];
    let all = shows.into_iter().flat_map(|show| parts.map(|part| format!("/plan/{show}{part}")));
    let all = all.filter(|path| path != "/plan/nothing/d4");
    all.chain(["/plan".to_owned(), "/plan?stream=a+b".to_owned()]).collect()
}

#[tokio::test]
async fn planning_is_for_those_who_may_plan() {
    for (role, wanted) in [
        ("admin", StatusCode::OK),
        ("merchant", StatusCode::OK),
        ("host", StatusCode::OK),
        ("ops", StatusCode::FORBIDDEN),
        ("creator", StatusCode::FORBIDDEN),
        ("platform", StatusCode::FORBIDDEN),
    ] {
        let router = pages(Some(role));
        for path in ["/plan", "/plan/open", "/plan/open/new", "/plan/open/paste", "/plan/open/d4"] {
            let page = get(&router, path, &[]).await;
            assert_eq!(page.status, wanted, "{role}: {path}");
        }
        let shows = get(&router, "/shows", &[]).await.text;
        assert_eq!(shows.contains("href=\"/plan\""), wanted == StatusCode::OK, "{role}");
    }
    let page = get(&pages(None), "/plan/open/n1abc", &[]).await;
    assert_eq!(page.headers[header::LOCATION], "/sign-in?to=/plan/open/n1abc");
}

/// Whether what is marked so is there and shown.
fn is_shown(page: &str, mark: &str) -> bool {
    let tag = page.split('<').find(|tag| tag.contains(mark));
    tag.is_some_and(|tag| !tag.split('>').next().unwrap().contains(" hidden"))
}

#[tokio::test]
async fn a_host_reads_a_plan_and_changes_it_where_the_merchant_lets_hosts() {
    let host = pages(Some("host"));
    for (show, may) in [("open", true), ("paused", false)] {
        let page = get(&host, &format!("/plan/{show}"), &[]).await.text;
        for act in [format!("href=\"/plan/{show}/new\""), format!("href=\"/plan/{show}/paste\"")] {
            assert_eq!(is_shown(&page, &act), may, "{show}: {act}");
        }
        assert_eq!(is_shown(&page, "data-el=\"not-allowed\""), !may, "{show}");
        assert!(!page.contains("data-do=\"hosts\""), "a host lets nobody plan");
        let plans = if may { "maison-nord" } else { "" };
        assert!(page.contains(&format!("data-plans=\"{plans}\"")), "{show}");
    }
    let paste = get(&host, "/plan/paused/paste", &[]).await;
    assert_eq!(paste.headers[header::LOCATION], "/plan/paused");
    // The only merchant is chosen already.
    let form = get(&host, "/plan/open/new", &[]).await.text;
    assert!(form.contains("data-merchant=\"maison-nord\""));
}

#[tokio::test]
async fn a_merchant_says_on_the_page_whether_hosts_may_plan() {
    let merchant = pages(Some("merchant"));
    for (show, lets) in [("open", true), ("paused", false)] {
        let page = get(&merchant, &format!("/plan/{show}"), &[]).await.text;
        let switch = page.split("data-do=\"hosts\"").nth(1).unwrap().split('>').next().unwrap();
        assert_eq!(switch.contains(" checked"), lets, "{show}");
        assert!(!page.contains("data-el=\"not-allowed\""));
    }
    let admin = get(&pages(Some("admin")), "/plan/open", &[]).await.text;
    assert!(!admin.contains("data-do=\"hosts\""), "an admin does it with the accounts");
}

#[tokio::test]
async fn only_pages_for_planning_show_pictures_from_elsewhere() {
    let router = pages(Some("admin"));
    for path in paths() {
        for language in ["en", "zh-CN"] {
            let page = get(&router, &path, &[("accept-language", language)]).await;
            assert_eq!(page.status, StatusCode::OK, "{path}");
            check_nothing_inline(&path, &page.text);
            let policy = page.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
            let shows_pictures = policy.contains("img-src 'self' data: https:;");
            assert_eq!(shows_pictures, path.starts_with("/plan/"), "{path}: {policy}");
            // Apart from pictures it is the policy of every page.
            let shows = get(&router, "/shows", &[]).await;
            let other = shows.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
            let plain = |policy: &str| {
                policy.replace(" https:", "").split_whitespace().collect::<Vec<_>>().join(" ")
            };
            assert_eq!(plain(policy), plain(other), "{path}");
            assert!(!other.contains("https:"));
            assert_eq!(page.headers[header::REFERRER_POLICY], "no-referrer", "{path}");
            assert!(!page.text.contains("csrf"), "{path}");
            assert!(!page.text.contains("<script>alert"), "{path}");
            for part in page.text.split("\"/assets/").skip(1) {
                let file = format!("/assets/{}", part.split('"').next().unwrap());
                assert_eq!(get(&router, &file, &[]).await.status, StatusCode::OK, "{path}: {file}");
            }
        }
    }
}

#[tokio::test]
async fn a_show_is_there_before_a_script_runs() {
    let router = pages(Some("merchant"));
    let page = get(&router, "/plan/open", &[]).await.text;
    let places: Vec<_> = page.match_indices("class=\"plan-row\" data-key=\"d").collect();
    assert_eq!(places.len(), 6);
    for part in [
        "Scented candle, 200 g",
        "12,000 units, €24.90",
        ">Open<",
        "by hand",
        "href=\"/plan/open/d4\"",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
    let hostile = get(&router, "/plan/hostile", &[]).await.text;
    assert!(hostile.contains("&#60;script&#62;alert(1)"));
    let empty = get(&router, "/plan/nothing", &[]).await.text;
    assert!(empty.contains("Nothing is planned yet"));
}

#[tokio::test]
async fn copies_for_a_rehearsal_are_no_part_of_the_plan() {
    let page = get(&pages(Some("merchant")), "/plan/rehearsed", &[]).await.text;
    assert_eq!(page.matches("class=\"plan-row\" data-key=\"d").count(), 6);
    assert!(page.contains("d900") && !page.contains("data-key=\"d900\""), "{page}");
}

#[tokio::test]
async fn a_table_has_a_merchant_for_whoever_plans_for_several() {
    let all = get(&pages(Some("admin")), "/plan/open/paste", &[]).await.text;
    let bound = get(&pages(Some("merchant")), "/plan/open/paste", &[]).await.text;
    for part in ["id=\"paste-merchant\"", "data-t=\"merchant\"", "host, merchant, picture"] {
        assert!(all.contains(part) && !bound.contains(part), "{part}");
    }
    assert!(bound.contains("data-t=\"currency\""));
}

#[tokio::test]
async fn a_drop_says_whether_it_is_planned_or_has_begun() {
    let router = pages(Some("admin"));
    for (path, heading) in [
        ("/plan/open/new", ">Plan a drop</h1>"),
        ("/plan/open/n1abc", ">Plan a drop</h1>"),
        ("/plan/open/d4", ">Edit a drop</h1>"),
        ("/plan/open/d3", ">A planned drop</h1>"),
    ] {
        let page = get(&router, path, &[]).await.text;
        assert!(page.contains(heading), "{path}");
    }
    // What is neither a drop of the show nor a draft is no page.
    for path in ["/plan/open/x1", "/plan/open/%3Cb%3E", "/plan/a%20b", "/plan/a%20b/new"] {
        assert_eq!(get(&router, path, &[]).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn a_show_is_chosen_or_named() {
    let router = pages(Some("admin"));
    let page = get(&router, "/plan", &[]).await.text;
    assert!(
        page.contains("href=\"/plan/open\"") && page.contains("href=\"/plan/late-show\""),
        "{page}"
    );
    let named = get(&router, "/plan?stream=monday-show", &[]).await;
    assert_eq!(named.headers[header::LOCATION], "/plan/monday-show");
    let wrong = get(&router, "/plan?stream=monday+show", &[]).await;
    assert_eq!(wrong.status, StatusCode::OK);
    assert!(
        wrong.text.contains("is no name for a show")
            && wrong.text.contains("value=\"monday show\"")
    );
}
