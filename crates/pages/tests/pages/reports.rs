//! Reports, as a browser gets them.

use axum::http::{StatusCode, header};

use crate::{check_nothing_inline, fake, get, pages, sent};

/// Bytes of a first load of a report, compressed.
const FIRST_LOAD_BYTES_MAX: usize = 120 * 1024;

/// Every page of a report.
pub(crate) fn paths() -> Vec<String> {
    let mut paths = vec![
        "/reports".to_owned(),
        "/reports?q=nothing".to_owned(),
        "/reports?shows=2&drops=3".to_owned(),
    ];
    for (drop, _) in fake::told::DROPS {
        paths.extend([format!("/reports/{drop}"), format!("/reports/{drop}/print")]);
    }
    paths.extend(["/reports/shows/d42", "/reports/shows/d42/print"].map(str::to_owned));
    paths.extend(shared_paths());
    paths
}

/// Every page of a link.
fn shared_paths() -> Vec<String> {
    let secrets =
        fake::told_shows::SECRETS.into_iter().chain(["shr_over", "shr_wrong", "shr_busy"]);
    let printed = ["shr_drop", "shr_slow", "shr_show", "shr_over"];
    let pages = secrets.map(|secret| format!("/shared/{secret}"));
    pages.chain(printed.map(|secret| format!("/shared/{secret}/print"))).collect()
}

#[tokio::test]
async fn a_report_tells_its_story_with_its_figures() {
    let router = pages(Some("merchant"));
    let page = get(&router, "/reports/d42", &[]).await;
    assert_eq!(page.status, StatusCode::OK);
    for part in [
        "All 15,000 taken in 0.80\u{a0}s.",
        "184,609 clicks were refused for want of units.",
        "Settled, figures are final",
        ">€728,500.00<",
        "Most of the clicks refused for want of units asked for \u{2068}50 ml\u{2069}: 141,503 of 184,609",
        "\u{2068}newsletter\u{2069} pays best",
        "1 unit in 7 came back, and was taken again",
        "The sale was sound",
        "7f3a 91c4 0be2 5d68",
        "href=\"/reports/shows/d13\"",
    ] {
        assert!(page.text.contains(part), "{part} in {}", page.text);
    }
    // Both languages say it in full: no sentence of the other one is left.
    let chinese = get(&router, "/reports/d42", &[("accept-language", "zh-CN")]).await;
    for part in ["15,000 件在 0.80 秒内全部抢光。", "已结算，数字不再变动", "销售无误"]
    {
        assert!(chinese.text.contains(part), "{part}");
    }
    for part in ["taken in", "were refused", ">Downloads<"] {
        assert!(!chinese.text.contains(part), "{part}");
    }
}

#[tokio::test]
async fn every_drawing_is_a_picture_with_its_finding() {
    let router = pages(Some("host"));
    for (drop, about) in fake::told::DROPS {
        let page = get(&router, &format!("/reports/{drop}"), &[]).await;
        assert_eq!(page.status, StatusCode::OK, "{drop}: {about}");
        for svg in page.text.split("<svg class=\"draw ").skip(1) {
            let tag = svg.split('>').next().unwrap();
            assert!(
                tag.contains("role=\"img\" aria-label=\"") && !tag.contains("aria-label=\"\""),
                "{tag}"
            );
        }
        let drawn = page.text.matches("<svg class=\"draw draw-wide").count();
        assert_eq!(page.text.matches("<svg class=\"draw draw-narrow").count(), drawn, "{drop}");
        assert!(!page.text.contains("NaN"), "{drop}");
    }
}

#[tokio::test]
async fn a_report_without_new_figures_leaves_out_what_it_does_not_know() {
    let page = get(&pages(Some("host")), "/reports/d21", &[]).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(
        !page.text.contains("data-chart=\"paid\"") && !page.text.contains("data-chart=\"taken\"")
    );
    assert!(!page.text.contains("Closing hash"));
}

#[tokio::test]
async fn names_in_reports_stay_text_and_stay_within_their_bounds() {
    let router = pages(Some("merchant"));
    for path in ["/reports/d16", "/reports/d16/print"] {
        let page = get(&router, path, &[]).await;
        assert!(!page.text.contains("<script>alert"), "{path}");
        assert!(page.text.contains("&#60;script&#62;alert(1)"), "{path}");
        check_nothing_inline(path, &page.text);
        let row = page.text.split("W".repeat(200).as_str()).next().unwrap();
        assert!(
            row.ends_with("<bdi title=\"") || row.ends_with("<bdi>") || row.contains("<bdi"),
            "{path}"
        );
        assert!(page.text.contains("<bdi title=\"مرحبا\">مرحبا</bdi>"), "{path}");
    }
}

#[tokio::test]
async fn many_sizes_and_channels_fit_two_sheets() {
    let router = pages(Some("merchant"));
    let page = get(&router, "/reports/d15", &[]).await;
    assert!(
        page.text.contains("19,980 more channels") && page.text.contains("All channels as CSV")
    );
    assert!(page.text.contains("<bdi title=\"EU 64\">"));
    for (drop, _) in fake::told::DROPS {
        let print = get(&router, &format!("/reports/{drop}/print"), &[]).await;
        assert_eq!(print.text.matches("<section class=\"sheet").count(), 2, "{drop}");
        assert!(print.text.contains("Page 1 of 2") && print.text.contains("Page 2 of 2"));
        let rows = print.text.matches("<tr").count();
        assert!(rows <= 60, "{drop}: {rows} rows");
    }
    let print = get(&router, "/reports/d15/print", &[]).await;
    assert!(print.text.contains("44 more stand in the download."), "{}", print.text);
}

#[tokio::test]
async fn a_printed_rehearsal_says_so_on_both_sheets() {
    let router = pages(Some("merchant"));
    let tags = |page: crate::Page| page.text.matches("<span class=\"tag off\">Rehearsal").count();
    assert_eq!(tags(get(&router, "/reports/d24/print", &[]).await), 2);
    assert_eq!(tags(get(&router, "/reports/d24", &[]).await), 1);
    assert_eq!(tags(get(&router, "/reports/d42/print", &[]).await), 0);
}

#[tokio::test]
async fn what_is_so_now_stands_apart_from_frozen_figures() {
    let router = pages(Some("merchant"));
    let page = get(&router, "/reports/d22", &[]).await;
    let now = page.text.split("<h2 id=\"now\">Now</h2>").nth(1).unwrap();
    assert!(now.contains("€49.90 has still to go back."), "{}", page.text);
    let printed = get(&router, "/reports/d22/print", &[]).await;
    assert!(printed.text.contains("What is still to be done, as of"), "{}", printed.text);
}

#[tokio::test]
async fn a_running_sale_is_followed_and_one_that_is_over_is_not() {
    let router = pages(Some("host"));
    for (drop, is_running) in
        [("d10", true), ("d23", true), ("d42", false), ("d11", false), ("d19", false)]
    {
        let page = get(&router, &format!("/reports/{drop}"), &[]).await;
        assert_eq!(page.text.contains("data-running=\"true\""), is_running, "{drop}");
        // What is planned may open at any moment.
        assert_eq!(page.text.contains("data-running=\"planned\""), drop == "d11", "{drop}");
    }
    let page = get(&router, "/reports/d23", &[]).await;
    assert!(page.text.contains("Open, all taken for now, figures of"), "{}", page.text);
    assert!(page.text.contains("Nothing is paid yet.") && !page.text.contains("Closing hash"));
}

#[tokio::test]
async fn what_needs_somebody_is_said_and_a_sale_that_was_oversold_is_not_sound() {
    let page = get(&pages(Some("host")), "/reports/d22", &[]).await;
    for part in [
        "Oversold by 3 units: the sale was not sound.",
        "The sale was not sound",
        "€49.90 has still to go back.",
    ] {
        assert!(page.text.contains(part), "{part}");
    }
    assert!(!page.text.contains("The sale was sound"));
    let page = get(&pages(Some("host")), "/reports/d18", &[]).await;
    assert!(
        page.text.contains("Since it settled") && page.text.contains("3 orders were cancelled")
    );
    assert!(page.text.contains(">€728,500.00<"), "the figures stay");
}

#[tokio::test]
async fn each_role_gets_what_it_may_have() {
    for (role, shares, orders) in [
        ("admin", true, true),
        ("merchant", true, true),
        ("host", false, false),
        ("ops", false, true),
        ("creator", false, false),
    ] {
        let router = pages(Some(role));
        let page = get(&router, "/reports/d42", &[]).await;
        assert_eq!(page.status, StatusCode::OK, "{role}");
        assert_eq!(page.text.contains("data-do=\"share\""), shares, "{role}");
        assert_eq!(page.text.contains("data-el=\"share\""), shares, "{role}");
        assert_eq!(page.text.contains("/v1/orders?drop=d42"), orders, "{role}");
        assert!(get(&router, "/shows", &[]).await.text.contains("href=\"/reports\""), "{role}");
    }
    for role in ["platform", "stage", "payments"] {
        let router = pages(Some(role));
        for path in ["/reports", "/reports/d42", "/reports/d42/print", "/reports/shows/d42"] {
            assert_eq!(
                get(&router, path, &[]).await.status,
                StatusCode::FORBIDDEN,
                "{role} {path}"
            );
        }
        assert!(!get(&router, "/shows", &[]).await.text.contains("href=\"/reports\""), "{role}");
    }
    let page = get(&pages(None), "/reports/d42", &[]).await;
    assert_eq!(page.headers[header::LOCATION], "/sign-in?to=/reports/d42");
}

#[tokio::test]
async fn links_that_are_out_are_listed_without_their_secrets() {
    let page = get(&pages(Some("merchant")), "/reports/d42", &[]).await;
    for part in [
        "For the board",
        "last opened",
        "never opened",
        "Channel \u{2068}tom-reyes\u{2069} alone",
        "data-share=\"s2\"",
    ] {
        assert!(page.text.contains(part), "{part}");
    }
    assert!(!page.text.contains("shr_"));
    let router = pages(Some("merchant"));
    let unread = get(&router, "/reports/d31", &[]).await;
    assert!(unread.text.contains("The list could not be read"), "{}", unread.text);
    assert!(!unread.text.contains("No link is out."));
    let cut = get(&router, "/reports/d15", &[]).await;
    assert!(cut.text.contains("The newest 2 of 1,250"), "{}", cut.text);
}

#[tokio::test]
async fn what_there_is_no_report_of_says_so() {
    let router = pages(Some("host"));
    for path in [
        "/reports/d999",
        "/reports/x",
        "/reports/d42%2F..",
        "/reports/shows/d999",
        "/reports/d999/print",
    ] {
        let page = get(&router, path, &[]).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}");
        assert!(page.text.contains("No such report"), "{path}");
    }
    let page = get(&router, "/reports/d66", &[]).await;
    assert_eq!(page.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(page.text.contains("The ledger is damaged"));
    assert!(page.text.contains("row 17 of d66: the hash does not follow"), "{}", page.text);
}

#[tokio::test]
async fn the_list_is_read_a_page_at_a_time_and_searched() {
    let router = pages(Some("merchant"));
    let page = get(&router, "/reports?shows=2&drops=100", &[]).await;
    assert!(
        page.text.contains("evening-50")
            && page.text.contains("evening-99")
            && !page.text.contains("evening-100")
    );
    assert!(page.text.contains("Past 4950") && page.text.contains("51 to 100 of 5,000"));
    assert!(page.text.contains("href=\"/reports/shows/d42\""));
    let found = get(&router, "/reports?q=%22%3E%3Cscript%3E&shows=9", &[]).await;
    assert_eq!(found.status, StatusCode::OK);
    assert!(!found.text.contains("<script>\""), "{}", found.text);
    assert!(found.text.contains("value=\"&#34;&#62;&#60;script&#62;\""), "{}", found.text);
    // What was looked for goes with the pages.
    assert!(
        found.text.contains("href=\"/reports?q=%22%3E%3Cscript%3E&#38;drops=2\""),
        "{}",
        found.text
    );
    let none = get(&router, "/reports?q=nothing", &[]).await;
    assert!(
        none.text.contains("No show and no drop goes by “\u{2068}nothing\u{2069}”"),
        "{}",
        none.text
    );
    // Nobody knows when a show will begin whose drops are planned without a time.
    let first = get(&router, "/reports", &[]).await;
    assert!(first.text.contains("<td class=\"when\">–</td>"), "{}", first.text);
    // Past drops lead to their reports.
    assert!(get(&router, "/shows", &[]).await.text.contains("href=\"/reports/d1\""));
}

#[tokio::test]
async fn a_link_shows_a_report_to_whoever_has_it_and_nothing_else() {
    let router = stampede_pages::shared_router(fake::interface(None));
    for secret in fake::told_shows::SECRETS {
        let page = get(&router, &format!("/shared/{secret}"), &[]).await;
        assert_eq!(page.status, StatusCode::OK, "{secret}");
        assert_eq!(page.headers["x-robots-tag"], "noindex, nofollow");
        assert_eq!(page.headers[header::CACHE_CONTROL], "no-store");
        assert_eq!(page.headers[header::REFERRER_POLICY], "no-referrer");
        for other in [
            "/v1/",
            "/orders",
            "/shows",
            "/reports",
            "/live",
            "data-do=\"sign-out\"",
            "data-el=\"share\"",
        ] {
            assert!(!page.text.contains(other), "{secret} has {other}: {}", page.text);
        }
        assert!(!page.headers.contains_key(header::SET_COOKIE));
    }
    let whole = get(&router, "/shared/shr_drop", &[]).await;
    for part in [
        "<p class=\"of-what\"><bdi>Eau de parfum</bdi></p>",
        "/shared/shr_drop/sizes.csv",
        "/shared/shr_drop/report.xlsx",
        "/shared/shr_drop/print",
        "good until 27 December 2026",
    ] {
        assert!(whole.text.contains(part), "{part}");
    }
    let evening = get(&router, "/shared/shr_evening", &[]).await;
    assert!(evening.text.contains("data-running=\"true\""), "{}", evening.text);
    let rehearsal = get(&router, "/shared/shr_rehearsal", &[]).await;
    for part in ["<span class=\"tag off\">Rehearsal</span>", "nothing was sold for real"] {
        assert!(rehearsal.text.contains(part), "{part}");
    }
    // A creator sees what came by the one channel.
    let cut = get(&router, "/shared/shr_channel", &[]).await;
    assert!(
        cut.text
            .contains("1,604 units held through \u{2068}tom-reyes\u{2069}, 1,133 of them paid."),
        "{}",
        cut.text
    );
    for part in ["15,000", "friday-show</bdi>", "newsletter", "sizes.csv", "report.xlsx"] {
        assert!(!cut.text.contains(part), "{part}");
    }
    // What is no page of a link goes on to what is public.
    assert_eq!(
        get(&router, "/shared/shr_drop/report.json?seconds=false", &[]).await.status,
        StatusCode::OK
    );
    assert_eq!(get(&router, "/reports", &[]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(get(&router, "/shows", &[]).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_link_that_shows_nothing_says_why() {
    let router = stampede_pages::shared_router(fake::interface(None));
    let cases = [
        ("shr_over", StatusCode::GONE, "This link has ended"),
        ("shr_wrong", StatusCode::NOT_FOUND, "No such link"),
        ("%2e%2e%2fv1%2fdrops", StatusCode::NOT_FOUND, "No such link"),
        ("shr_busy", StatusCode::TOO_MANY_REQUESTS, "busy"),
        ("shr_full", StatusCode::SERVICE_UNAVAILABLE, "busy"),
    ];
    for (secret, status, said) in cases {
        for path in [format!("/shared/{secret}"), format!("/shared/{secret}/print")] {
            let page = get(&router, &path, &[]).await;
            assert_eq!(page.status, status, "{path}");
            assert!(page.text.contains(said), "{path}: {}", page.text);
            assert_eq!(page.headers["x-robots-tag"], "noindex, nofollow");
            assert!(!page.text.contains("href=\"/shows\""), "{path}");
            let is_full = status == StatusCode::SERVICE_UNAVAILABLE;
            assert_eq!(page.headers.contains_key(header::RETRY_AFTER), is_full, "{path}");
        }
    }
}

#[tokio::test]
async fn a_link_takes_language_and_colours_from_its_address() {
    let router = stampede_pages::shared_router(fake::interface(None));
    let page = get(&router, "/shared/shr_drop?language=zh-CN&theme=dark", &[]).await;
    assert!(page.text.contains("<html lang=\"zh-CN\" data-theme=\"dark\""));
    // Each choice keeps the other one, and the secret stands in no query.
    assert!(
        page.text.contains("href=\"/shared/shr_drop?theme=dark&#38;language=en\""),
        "{}",
        page.text
    );
    assert!(page.text.contains("/shared/shr_drop/print?language=zh-CN&#38;theme=dark"));
    let odd = get(&router, "/shared/shr_drop?language=x%22%3E&theme=pink&theme2=1", &[]).await;
    assert_eq!(odd.status, StatusCode::OK);
    assert!(odd.text.contains("<html lang=\"en\">"), "{}", odd.text);
    assert!(odd.text.contains("href=\"/shared/shr_drop?language=zh-CN\""), "{}", odd.text);
    let page = get(&router, "/shared/shr_drop", &[("accept-language", "zh-CN")]).await;
    assert!(page.text.contains("<html lang=\"zh-CN\""));
}

#[tokio::test]
async fn a_first_load_of_a_report_stays_within_its_budget() {
    let router = pages(Some("merchant"));
    for path in
        ["/reports/d42", "/reports/d15", "/reports/d17", "/reports/shows/d42", "/shared/shr_drop"]
    {
        let page = get(&router, path, &[]).await;
        let mut bytes = sent(&router, path).await;
        let named: std::collections::BTreeSet<&str> = page
            .text
            .split("\"/assets/")
            .skip(1)
            .map(|part| part.split('"').next().unwrap())
            .collect();
        for name in &named {
            bytes += sent(&router, &format!("/assets/{name}")).await;
        }
        println!("{path}: {bytes} bytes");
        assert!(bytes <= FIRST_LOAD_BYTES_MAX, "{path}: {bytes} bytes");
        assert!(named.iter().any(|name| name.starts_with("report-")), "{named:?}");
    }
    // Other pages do not load what reports are styled with.
    assert!(!get(&router, "/live/open", &[]).await.text.contains("/assets/report-"));
}

#[tokio::test]
async fn shows_that_go_on_are_listed_where_those_that_are_over_cannot_be_read() {
    let busy = axum::routing::get(|| async { StatusCode::SERVICE_UNAVAILABLE });
    let interface = axum::Router::new()
        .route("/v1/shows", busy)
        .fallback_service(fake::interface(Some("merchant")));
    let page = get(&stampede_pages::router(interface), "/shows", &[]).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text.contains("/live/late-show"));
}
