//! Where pages lead, what they read for it, what they say where something is refused.

use axum::http::header;

use crate::{get, pages, paths};

/// The links of a page.
fn links(html: &str) -> Vec<String> {
    let attributes = ["href=\"", "action=\""].into_iter().flat_map(|name| html.split(name).skip(1));
    attributes.map(|rest| rest.split('"').next().unwrap().replace("&#38;", "&")).collect()
}

#[tokio::test]
async fn the_secret_of_an_invitation_stands_in_no_query() {
    let router = pages(None);
    for path in ["/join/sti_good", "/join/sti_over", "/join/sti_good?theme=neon"] {
        let page = get(&router, path, &[]).await;
        let all = links(&page.text);
        for link in &all {
            let query = link.split_once('?').map_or("", |(_, query)| query);
            assert!(!query.contains("sti_"), "{path}: {link}");
        }
        if page.status.is_redirection() {
            continue;
        }
        // What can be chosen still leads back.
        let chosen = all.iter().find(|link| link.contains("language=zh-CN")).unwrap();
        let answer = get(&router, chosen, &[]).await;
        assert!(answer.status.is_redirection(), "{chosen}: {}", answer.status);
        assert_eq!(answer.headers[header::LOCATION], path.split('?').next().unwrap());
        let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap();
        assert!(cookie.starts_with("stampede_language=zh-CN;"), "{cookie}");
    }
}

#[tokio::test]
async fn no_link_leads_away_from_this_server() {
    for role in [None, Some("host")] {
        let router = pages(role);
        let elsewhere =
            ["https://evil.example/", "//evil.example", "/%5Cevil.example", "%09//evil.example"];
        for to in elsewhere {
            let answer = get(&router, &format!("/choose?theme=dark&to={to}"), &[]).await;
            assert_eq!(answer.headers[header::LOCATION], "/", "{to}");
            let page = get(&router, &format!("/sign-in?to={to}"), &[]).await;
            assert!(page.text.contains("data-to=\"/\""), "{to}");
        }
        for path in paths() {
            for link in links(&get(&router, &path, &[]).await.text) {
                assert!(link.starts_with('/') || link.starts_with('#'), "{path}: {link}");
                assert!(!link.starts_with("//") && !link.contains('\\'), "{path}: {link}");
            }
        }
    }
}

#[tokio::test]
async fn lists_of_any_length_are_read_a_page_at_a_time() {
    let router = pages(Some("host"));
    let page = get(&router, "/shows?shows=2&past=100", &[]).await;
    assert!(page.text.contains("show-50") && page.text.contains("show-99"), "{}", page.text);
    assert!(!page.text.contains("show-49") && !page.text.contains("show-100"));
    assert!(page.text.contains("Past 4950") && page.text.contains("Past 4999"));
    assert!(page.text.contains("4,951 to 5,000 of 5,000"), "{}", page.text);
    assert!(page.text.len() < 256 << 10, "{} bytes", page.text.len());
    // A page that there is not is the last one.
    let beyond = get(&router, "/shows?shows=99999999999999999&past=101", &[]).await;
    assert!(beyond.text.contains("show-499") && beyond.text.contains("Past 4999"));
}

#[test]
fn every_problem_of_the_interface_has_words_in_both_languages() {
    // The guide has a row for each code: a test of the interface holds that.
    let guide = include_str!("../../../../docs/control.md");
    let code = |line: &'static str| {
        let (code, rest) = line.strip_prefix("| `")?.split_once("` | ")?;
        rest.split(" | ").next()?.parse::<u16>().is_ok().then_some(code)
    };
    let codes: Vec<&str> = guide.lines().filter_map(code).collect();
    assert!(codes.len() > 60 && codes.contains(&"wrong_phase"), "{codes:?}");
    let languages =
        [include_str!("../../messages/en.txt"), include_str!("../../messages/zh-CN.txt")];
    for messages in languages {
        let said = |key: &str| {
            let key = format!("problem_{key} = ");
            messages.lines().find_map(|line| line.strip_prefix(&key))
        };
        assert!(said("other").is_some_and(|text| text.contains("{code}")));
        for code in &codes {
            assert!(said(code).is_some_and(|text| text.len() > 5), "no words for {code}");
        }
    }
}
