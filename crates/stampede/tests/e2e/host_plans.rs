//! Hosts who plan where a merchant lets them, a rehearsal begun where a show is planned, the rest of a closed drop.

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
    mara.until("it hears", "document.querySelector('[data-do=hosts]').matches(':enabled')");
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
    nina.see("[data-s=result]", " is next");
    nina.key("n");
    server.until("d3", "open", |state| state["phase"] == "open");

    // Switched off while the form is open: what was typed stays, and the page says whom to ask.
    nina.go(&server.page(&format!("/plan/{STREAM}/new")));
    typed(&nina, "Green mug");
    mara.until("it hears", "document.querySelector('[data-do=hosts]').matches(':enabled')");
    mara.press(".hosts b");
    mara.see("[data-s=line]", "Hosts may not plan your drops in this show.");
    nina.press("[data-do=plan]");
    nina.see("[data-s=line]", "potter does not let hosts plan in stream friday-show");
    nina.until("typed still", "document.querySelector('#f-title').value === 'Green mug' && location.pathname.includes('/n')");
    nina.call("Page.reload", &json!({}));
    nina.see("[data-s=line]", "You can read this plan");
    nina.until("kept", "document.querySelector('#f-title').value === 'Green mug'");
    assert_eq!(titles(&server), ["Grey mug", "Red mug", "Blue mug"]);
    mara.until("it hears", "document.querySelector('[data-do=hosts]').matches(':enabled')");
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

#[test]
fn a_show_is_rehearsed_from_its_plan() {
    let server = Server::start();
    let live = server.plan(&mugs(10, "Grey mug"));
    let browser = Browser::start();
    let tab = planner(&browser.visitor(Look::LAPTOP), &server, "");
    tab.see("[data-s=line]", "1 drop");
    server.command(&format!("drops/{live}/open"), &json!({}));
    server.plan(&mugs(20, "Blue mug"));
    tab.see("[data-list=order]", "Blue mug");
    tab.press("[data-do=rehearse]");
    tab.see("[data-s=line]", "on air for real");
    server.command(&format!("drops/{live}/close"), &json!({}));
    tab.press("[data-do=rehearse]");
    tab.see("[data-el=rehearsing]", "Nothing is sold or counted");
    tab.see("[data-s=next-title]", "Blue mug");
}

#[test]
fn what_a_closed_drop_has_left_is_planned_anew() {
    let server = Server::start();
    let drop = server.plan(&mugs(10, "Grey mug"));
    server.command(&format!("drops/{drop}/open"), &json!({}));
    server.until(&drop, "open", |state| state["phase"] == "open");
    server.command(&format!("drops/{drop}/take-back"), &json!({ "sku": "mug", "units": 20 }));
    server.command(&format!("drops/{drop}/close"), &json!({}));
    let browser = Browser::start();
    let nina = host(&browser, &server, &format!("/live/{STREAM}"));
    nina.see("[data-s=alarm]", "30 units stay unsold of");
    nina.see("[data-s=alarm]", "A merchant or an admin can plan the rest");
    let mara = planner(&browser.visitor(Look::LAPTOP), &server, "");
    mara.see("[data-list=order] [data-el=rest]", "Plan the rest");
    let columns =
        "document.querySelector('[data-list=order] .row-text').getBoundingClientRect().width > 150";
    mara.until("a title with its width", columns);
    mara.go(&server.page(&format!("/live/{STREAM}")));
    // The button leads to the plan in a tab of its own: the control room stays.
    mara.see("[data-do=alarm]", "Plan the rest");
    mara.go(&server.page(&format!("/plan/{STREAM}")));
    mara.press("[data-list=order] [data-el=rest]:not([hidden])");
    mara.see("h1", "Plan a drop");
    mara.until("what is left", "document.querySelector('[name$=\".supply\"]')?.value === '30'");
    mara.press("[data-do=plan]");
    mara.see("[data-s=line]", "Planned Grey mug.");
    assert_eq!(server.drop_state("d2")["plan"]["skus"][0]["supply"], 30);
    // What is planned is not offered again.
    mara.see("[data-list=order]", "Grey mug");
    mara.until("no offer", "document.querySelectorAll('[data-list=order] > li').length === 2 && !document.querySelector('[data-list=order] [data-el=rest]:not([hidden])')");
}
