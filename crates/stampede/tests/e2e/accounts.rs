//! Accounts: an admin sees who may come in, lets people in, takes it back; shows have owners and guests.

use serde_json::{Value, json};

use crate::harness::{Browser, Drop, Look, Server, Tab};

const STREAM: &str = "friday-show";
const WIDTHS: [u32; 3] = [390, 834, 1_280];

fn row(section: &str, name: &str) -> String {
    format!("section[aria-labelledby={section}] tr:has(th bdi):has([aria-label$=\"{name}\"])")
}

/// Opens what can be done in a row, and does it.
fn take_back(tab: &Tab, section: &str, name: &str) {
    let row = row(section, name);
    tab.press(&format!("{row} summary"));
    tab.value("globalThis.isOld = true");
    tab.press(&format!("{row} form button"));
}

/// Waits until the page is one that was loaded after the last deed.
fn is_new(tab: &Tab) {
    tab.until("loaded again", "!globalThis.isOld && document.readyState === 'complete'");
}

#[test]
fn an_admin_lets_people_in_and_takes_it_back() {
    let server = Server::start();
    server.plan(&Drop::new(STREAM, 1, "Grey mug", 40));
    let host = server.staff("jonas", "host");
    let browser = Browser::start();
    let tab =
        browser.visitor(Look::LAPTOP).sign_in(&server.page("/sign-in?to=/accounts"), &server.token);
    tab.see(".nav", "Accounts");
    tab.see(&row("staff", "jonas"), "host");
    tab.see(&row("staff", "jonas"), "every merchant, every show");
    tab.see("section[aria-labelledby=settings]", "connections_max");

    // The form names what is missing, keeps what was typed, then shows the link once.
    tab.until("read to its end", "document.readyState === 'complete'");
    tab.press("[data-do=invite]");
    tab.see("#invite-error", "Say who is invited.");
    tab.put("#invite-name", "nina");
    tab.put("#invite-streams", STREAM);
    tab.press("[data-do=invite]");
    tab.see("[data-el=invited]", "It is shown only now");
    let link = tab.value("document.querySelector('[data-el=invite-link]').value");
    // The list has it at once. What is typed next is no longer what the link is for.
    tab.see(&row("invitations", "nina"), "first admin");
    tab.value("document.querySelector('#invite-role').value = 'admin', document.querySelector('#invite-role').dispatchEvent(new Event('input', { bubbles: true }))");
    let is_gone = "(({ hidden }) => hidden)(document.querySelector('[data-el=invited]')) && document.querySelector('[data-el=invite-link]').value === ''";
    assert_eq!(tab.value(is_gone), true);
    let nina = browser.visitor(Look::LAPTOP).tab();
    nina.go(link.as_str().unwrap());
    nina.see("h1", STREAM);
    nina.press("[type=submit]");
    nina.see("[data-s=next-title]", "Grey mug");
    tab.value("globalThis.isOld = true");
    tab.go(&server.page("/accounts"));
    is_new(&tab);
    tab.see(&row("invitations", "nina"), "first admin");
    tab.see(&row("browsers", "nina"), STREAM);

    // A browser is signed out; so is everybody who came by an invitation that is withdrawn.
    take_back(&tab, "browsers", "nina");
    is_new(&tab);
    let is_gone = |section: &str, name: &str| {
        let gone = format!("!document.querySelector({})", json!(row(section, name)));
        tab.until(&format!("without {name} among {section}"), &gone);
    };
    is_gone("browsers", "nina");
    take_back(&tab, "invitations", "nina");
    is_new(&tab);
    is_gone("invitations", "nina");

    // A token is worthless at once; the last one of an admin stays.
    take_back(&tab, "staff", "jonas");
    is_new(&tab);
    is_gone("staff", "jonas");
    assert_eq!(server.ask_as(&host, "GET", "/v1/drops", &Value::Null).status, 401);
    take_back(&tab, "staff", "first admin");
    tab.see(&row("staff", "first admin"), "the last token of an admin");
    assert_eq!(server.ask("GET", "/v1/tokens", &Value::Null).status, 200);
}

#[test]
fn an_admin_admits_a_merchant_to_a_show_and_dismisses_it() {
    let server = Server::start();
    server.plan(&Drop::new(STREAM, 1, "Grey mug", 40));
    let tab = Browser::start()
        .visitor(Look::LAPTOP)
        .sign_in(&server.page("/sign-in?to=/accounts"), &server.token);
    let row = "section[aria-labelledby=rooms] tr:has(form)";
    tab.see(row, "potter");
    tab.see(row, "nobody");
    tab.until("read to its end", "document.readyState === 'complete'");
    tab.press(&format!("{row} summary"));
    tab.press(&format!("{row} form button"));
    tab.see(row, "Say which merchant.");
    tab.put(&format!("{row} [name=merchant]"), "weaver");
    tab.value("globalThis.isOld = true");
    tab.press(&format!("{row} form button"));
    is_new(&tab);
    tab.see(&format!("{row} .guests"), "weaver");
    let room =
        || server.ask("GET", &format!("/v1/rooms/{STREAM}"), &Value::Null).body["admitted"].clone();
    assert_eq!(room(), json!(["weaver"]));
    tab.value("globalThis.isOld = true");
    tab.press("[data-do=dismiss-merchant]");
    is_new(&tab);
    tab.see(row, "nobody");
    assert_eq!(room(), json!([]));
}

#[test]
fn accounts_fit_every_width_and_are_for_admins_alone() {
    let server = Server::start();
    server.plan(&Drop::new(STREAM, 1, "Grey mug", 40));
    let browser = Browser::start();
    let ops = server.staff("ilse", "ops");
    let tab =
        browser.visitor(Look::LAPTOP).sign_in(&server.page("/sign-in?to=/accounts"), &server.token);
    tab.see(".nav", "Accounts");
    for width in WIDTHS {
        tab.look(Look { size: (width, 900), ..Look::LAPTOP });
        let wide = tab.value("document.documentElement.scrollWidth").as_u64().unwrap();
        assert!(wide <= u64::from(width), "{wide} wide at {width} pixels");
    }
    let tab = browser.visitor(Look::LAPTOP).sign_in(&server.page("/sign-in?to=/accounts"), &ops);
    tab.see("h1", "");
    assert_eq!(tab.value("document.querySelector('.accounts-page')"), Value::Null);
    assert_eq!(tab.value("document.querySelector('.nav a[href=\"/accounts\"]')"), Value::Null);
}
