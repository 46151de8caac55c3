//! Links to reports: made, opened by somebody who is nobody here, cut to a channel, taken back.

use serde_json::{Value, json};

use crate::{
    harness::{Browser, Look, Server, Tab},
    past::Past,
    reports::sell_out,
};

/// Makes a link by the page's dialog; the link.
fn make(tab: &Tab, channel: Option<&str>, label: &str) -> String {
    tab.until("read to its end", "document.readyState === 'complete'");
    tab.press("[data-do=share]");
    tab.until("asked", "document.querySelector('[data-el=share]').open");
    if let Some(channel) = channel {
        tab.press("[name=what][value=channel]");
        // Nothing is sent before a channel is named.
        tab.press("[data-do=share-make]");
        tab.see("#share-channel-error", "");
        tab.put("#share-channel", channel);
    }
    tab.put("#share-label", label);
    tab.press("[data-do=share-make]");
    tab.see("[data-el=share-made]", "");
    let link = tab.value("document.querySelector('[data-el=share-link]').value");
    tab.key("Escape");
    tab.until("closed", "!document.querySelector('dialog[open]')");
    link.as_str().unwrap().to_owned()
}

fn merchant_at(browser: &Browser, server: &Server, drop: &str) -> Tab {
    let merchant = server.staff_of("mara", "merchant", "potter");
    let reader = browser.visitor(Look::LAPTOP);
    let tab = reader.sign_in(&server.page(&format!("/sign-in?to=/reports/{drop}")), &merchant);
    tab.see("h1.story", "");
    tab
}

#[test]
fn a_link_is_read_by_anybody_until_it_is_taken_back() {
    let server = Server::start();
    let drop = sell_out(&server, 1, "Scented candle, 200 g", 20);
    let browser = Browser::start();
    let tab = merchant_at(&browser, &server, &drop);
    let link = make(&tab, None, "For the boss");
    // A browser that has never been here: no cookie, no session.
    let boss = browser.visitor(Look::LAPTOP).tab();
    boss.go(&link);
    boss.see("h1.story", "All 60 taken in");
    boss.see(".sizes", "Sea salt");
    for gone in [".nav", "a[href*=orders]", "[data-do=share]", "a[href='/reports']"] {
        assert_eq!(
            boss.value(&format!("document.querySelector({})", json!(gone))),
            Value::Null,
            "{gone}"
        );
    }
    // Nobody's name but the host's: neither those who bought nor the staff.
    let told = boss.value("document.documentElement.innerHTML").to_string();
    for name in ["mara", "v1000"] {
        assert!(!told.contains(name), "{name}");
    }
    let robots = boss.value(
        "fetch(location.href).then((told) => [told.headers.get('x-robots-tag'), told.headers.get('cache-control')].join())",
    );
    let robots = robots.as_str().unwrap();
    assert!(robots.contains("noindex") && robots.contains("no-store"), "{robots}");
    // Altered and guessed.
    let last = link.chars().last().unwrap();
    let altered = format!("{}{}", &link[..link.len() - 1], if last == '0' { '1' } else { '0' });
    for wrong in [altered, server.page("/shared/shr_0123456789abcdef")] {
        let stranger = browser.visitor(Look::LAPTOP).tab();
        stranger.go(&wrong);
        stranger.see("h1", "");
        assert!(!stranger.text("main").contains("Scented candle"), "{wrong}");
    }

    tab.go(&server.page(&format!("/reports/{drop}")));
    tab.until("read to its end", "document.readyState === 'complete'");
    tab.press("[data-do=share]");
    tab.see("[data-el=share]", "For the boss");
    tab.press("[data-do=share-revoke]");
    tab.until("taken back", "!document.querySelector('[data-do=share-revoke]')");
    boss.go(&link);
    boss.see("h1", "");
    assert!(!boss.text("body").contains("Sea salt"), "it is dead");
}

#[test]
fn a_creator_sees_their_own_channel_alone() {
    let past = Past::start();
    let server = &past.server;
    let drop = past.drop("64 sizes, 20,000 channels");
    let browser = Browser::start();
    let tab = merchant_at(&browser, server, drop);
    let link = make(&tab, Some("creator-00007"), "");
    let creator = browser.visitor(Look { size: (390, 844), ..Look::LAPTOP }).tab();
    creator.go(&link);
    creator.see("h1", "creator-00007");
    let told = creator.value("document.documentElement.innerHTML").to_string();
    for others in ["creator-00008", "25,600", "20,000", "25600", "20000", "EU 1"] {
        assert!(!told.contains(others), "{others}");
    }
    let secret = link.split_once("/shared/").unwrap().1;
    for file in ["sizes.csv", "channels.csv", "report.xlsx", "orders.csv"] {
        let path = format!("/shared/{secret}/{file}");
        let status = creator.value(&format!("fetch({}).then((told) => told.status)", json!(path)));
        assert_eq!(status, 404, "{file}");
    }
    let whole = creator.value(&format!(
        "fetch({}).then((told) => told.text())",
        json!(format!("/shared/{secret}/report.json"))
    ));
    let whole = whole.as_str().unwrap();
    assert!(whole.contains("creator-00007") && !whole.contains("creator-00008"), "{whole}");
    assert!(!whole.contains("25600") && !whole.contains("20000"), "{whole}");
}
