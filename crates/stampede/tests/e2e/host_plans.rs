//! Hosts who plan where a merchant lets them.

use serde_json::json;

use crate::{
    harness::{Browser, Drop, Look, Server, Tab},
    plan::{STREAM, in_order, planner, set, titles},
};

fn mugs(place: u16, title: &str) -> Drop {
    Drop { countdown_ms: 0, ..Drop::new(STREAM, place, title, 50) }
}

fn host(browser: &Browser, server: &Server, path: &str) -> Tab {
    let token = server.staff("nina", "host");
    let page = server.page(&format!("/sign-in?to={path}"));
    browser.visitor(Look::LAPTOP).sign_in(&page, &token)
}

/// Types a whole drop.
fn typed(tab: &Tab, title: &str) {
    for (field, value) in [("title", title), ("goods.1.price", "12.50"), ("goods.1.supply", "40")] {
        set(tab, field, value);
    }
}

fn is_shown(tab: &Tab, css: &str) -> bool {
    tab.value(&format!("document.querySelector({}).offsetParent !== null", json!(css))) == true
}

#[test]
fn a_host_plans_by_page_where_the_merchant_lets_hosts_and_starts_the_drop() {
    let server = Server::start();
    let browser = Browser::start();
    for (place, title) in [(10, "Grey mug"), (20, "Red mug")] {
        server.plan(&mugs(place, title));
    }
    // Without the permission a plan is read, and its drops are moved.
    let nina = host(&browser, &server, &format!("/plan/{STREAM}"));
    nina.see("[data-el=not-allowed]", "Hosts plan where a merchant lets them");
    for act in [".plan-acts a", "[data-do=copy]"] {
        assert!(!is_shown(&nina, act), "{act}");
    }
    nina.see("[data-s=line]", "2 drops");
    nina.press("[data-list=order] > li:first-child [data-do=down]");
    in_order(&nina, "Red mug,Grey mug");
    nina.press("[data-list=order] > li:first-child [data-el=open]");
    nina.see("[data-s=line]", "You can read this plan");
    nina.until("fixed", "document.querySelector('#f-title').matches(':disabled') && document.querySelector('[data-do=plan]').hidden");

    // The merchant's staff switch it on; the host need not say whose goods they are.
    let mara = planner(&browser.visitor(Look::LAPTOP), &server, "");
    mara.see(".hosts", "Hosts may plan here");
    mara.see("[data-s=line]", "2 drops");
    mara.press(".hosts b");
    mara.see("[data-s=line]", "Hosts may plan your drops in this show.");
    nina.go(&server.page(&format!("/plan/{STREAM}")));
    nina.press(".plan-acts .go");
    nina.see("h1", "Plan a drop");
    assert!(!is_shown(&nina, "#f-merchant"));
    typed(&nina, "Blue mug");
    set(&nina, "countdown", "0");
    nina.press("[data-do=plan]");
    nina.see("[data-s=line]", "Planned Blue mug.");
    assert_eq!(server.drop_state("d3")["plan"]["merchant"], "potter");
    nina.go(&server.page(&format!("/live/{STREAM}")));
    nina.see("[data-s=next-title]", "Red mug");
    nina.see("[data-s=age]", "old");
    nina.press("[data-list=order] li:nth-child(3) [data-do=make-next]");
    nina.see("[data-s=next-title]", "Blue mug");
    nina.key("n");
    server.until("d3", "open", |state| state["phase"] == "open");

    // Switched off while the form is open: what was typed stays, and the page says whom to ask.
    nina.go(&server.page(&format!("/plan/{STREAM}/new")));
    typed(&nina, "Green mug");
    mara.press(".hosts b");
    mara.see("[data-s=line]", "Hosts may not plan your drops in this show.");
    nina.press("[data-do=plan]");
    nina.see("[data-s=line]", "potter does not let hosts plan in stream friday-show");
    nina.until("typed still", "document.querySelector('#f-title').value === 'Green mug' && location.pathname.includes('/n')");
    nina.call("Page.reload", &json!({}));
    nina.see("[data-s=line]", "You can read this plan");
    nina.until("kept", "document.querySelector('#f-title').value === 'Green mug'");
    assert_eq!(titles(&server), ["Grey mug", "Red mug", "Blue mug"]);
    mara.press(".hosts b");
    mara.see("[data-s=line]", "Hosts may plan your drops in this show.");
    nina.call("Page.reload", &json!({}));
    nina.see("[data-s=line]", "All is there");
    nina.press("[data-do=plan]");
    nina.see("[data-s=line]", "Planned Green mug.");
}

#[test]
fn an_admin_lets_hosts_plan_with_the_accounts() {
    let server = Server::start();
    server.plan(&mugs(10, "Grey mug"));
    let browser = Browser::start();
    let page = server.page("/sign-in?to=/accounts");
    let tab = browser.visitor(Look::LAPTOP).sign_in(&page, &server.token);
    let rooms = "section[aria-labelledby=rooms]";
    tab.see(rooms, ": no");
    tab.press(&format!("{rooms} [data-do=hosts]"));
    tab.see(rooms, ": yes");
    let room = server.ask("GET", &format!("/v1/rooms/{STREAM}"), &json!(null)).body;
    assert_eq!(room["hosts_plan_for"], json!(["potter"]));
    tab.press(&format!("{rooms} [data-do=hosts]"));
    tab.see(rooms, ": no");
}
