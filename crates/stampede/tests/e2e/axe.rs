//! Accessibility by axe-core: every page, every state, both themes; WCAG 2.2 AA.

use serde_json::{Value, json};

use crate::{
    harness::{Browser, Crowd, Drop, Goods, Look, Server, Tab, build_folder},
    orders::{Sold, sell},
    past::Past,
    plan::set,
    show::{VALID_MS, command, join},
};

const STREAM: &str = "friday-show";

/// What axe cannot decide by itself, judged by a person. Whatever else it cannot decide fails the run.
struct Judged {
    /// The beginning of the state's name, "" for every state.
    state: &'static str,
    rule: &'static str,
    /// A part of the element's selector, or the beginning of the element itself.
    target: &'static str,
    /// Why it is no fault.
    why: &'static str,
}

const fn judged(state: &'static str, target: &'static str, why: &'static str) -> Judged {
    Judged { state, rule: "color-contrast", target, why }
}

const RAIL: &str = "the rail of a button that is held is 3 px high, below its words: these stand on the \
    button's own ground, where the same ink passes on every other button";
const DRAWN: &str = "a chart's words stand on the page's own ground, on grey areas or with a rim of the ground; \
    each pair of colours has its ratio in the design's table, and none is below 4.5";
const COVERED: &str =
    "the open menu or sheet covers it on purpose; closed, the same element passes";

const JUDGED: &[Judged] = &[
    judged("", ".close >", RAIL),
    judged("", ".danger >", RAIL),
    judged("close-dialog", "data-s=\"close-", RAIL),
    judged("cancel-dialog", "data-s=\"cancel-label", RAIL),
    judged("cancel-dialog", "small", RAIL),
    judged("ops", ".two > b", RAIL),
    judged("ops", ".two > small", RAIL),
    judged("ops", "kbd", RAIL),
    judged(
        "",
        "th[scope=\"col\"]",
        "the head of the table of goods stays while rows pass under it; its ground is opaque",
    ),
    judged("report", "<text ", DRAWN),
    judged("report", "<tspan ", DRAWN),
    judged("share", "<text ", DRAWN),
    judged("share", "<tspan ", DRAWN),
    Judged {
        state: "reports",
        rule: "link-in-text-block",
        target: "a[href=\"/reports/",
        why: "the link is the head of a table's row, in bold; the whole row is its target",
    },
    judged(
        "plan",
        "overlapped by another element",
        "the form's foot stays while the form passes under it, and a switch lies under its own words; on their own \
         grounds both pass in the other fields",
    ),
    judged("plan", "Element has no value", "an empty field: filled ones of the same kind pass"),
    judged("plan", "too short to determine", "the unit of a field, like the longer ones beside it"),
    judged("menu", "data-s=\"next-", COVERED),
    judged("menu", "#left-over", COVERED),
    judged("more", "", COVERED),
];

/// Runs axe on this document, in both themes.
fn check(tab: &Tab, state: &str, found: &mut Vec<String>) {
    for theme in ["light", "dark"] {
        tab.look(Look { theme, ..Look::LAPTOP });
        let run = tab.value(RUN);
        for (kind, entries) in
            [("violation", &run["violations"]), ("incomplete", &run["incomplete"])]
        {
            for entry in entries.as_array().unwrap() {
                let [rule, target, why] = ["rule", "target", "why"].map(|field| text(entry, field));
                let is_judged = |judged: &&Judged| {
                    state.starts_with(judged.state)
                        && judged.rule == rule
                        && (target.contains(judged.target) || why.contains(judged.target))
                };
                match JUDGED.iter().find(is_judged) {
                    Some(judged) if kind == "incomplete" => {
                        println!("{state}, {theme}: {rule} at {target}: {}", judged.why);
                    }
                    _ => {
                        let why = why.replace('\n', " ");
                        found.push(format!("{state}, {theme}: {kind} {rule} at {target}: {why}"));
                    }
                }
            }
        }
    }
}

fn text<'a>(entry: &'a Value, field: &str) -> &'a str {
    entry[field].as_str().unwrap_or_default()
}

/// Both lists, an entry for each element.
const RUN: &str = "axe.run(document, { runOnly: { type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a',
  'wcag21aa', 'wcag22aa'] }, resultTypes: ['violations', 'incomplete'] }).then((told) => {
    const flat = (rules) => rules.flatMap((rule) => rule.nodes.map((node) => ({ rule: rule.id,
      target: node.target.join(' '), why: `${rule.help}; ${node.failureSummary}; ${node.html.slice(0, 200)}` })));
    return { violations: flat(told.violations), incomplete: flat(told.incomplete) }; })";

/// A tab whose pages all carry axe.
fn carrying(tab: Tab) -> Tab {
    let file = build_folder().join("npm/node_modules/axe-core/axe.min.js");
    let source = std::fs::read_to_string(&file);
    let source =
        source.unwrap_or_else(|_| panic!("run `cargo xtask step tools` first: {}", file.display()));
    // Axe builds elements from text, which the pages' policy forbids to all scripts.
    tab.call("Page.setBypassCSP", &json!({ "enabled": true }));
    tab.call("Page.addScriptToEvaluateOnNewDocument", &json!({ "source": source }));
    tab
}

/// A drop with three colours, of which one is scarce.
fn candle(place: u16, title: &str, supply: u32) -> Drop {
    let goods = ["Cedar", "Fig", "Sea salt"].map(|option| Goods {
        id: option.to_lowercase().replace(' ', "-"),
        option: option.to_owned(),
        supply,
        reserve: 0,
        price: 2_490,
    });
    Drop { goods: goods.into(), ..Drop::new(STREAM, place, title, supply) }
}

#[test]
fn no_page_outside_the_show_breaks_a_rule() {
    let server = Server::start();
    let browser = Browser::start();
    let guest = browser.visitor(Look::LAPTOP);
    let tab = carrying(guest.tab());
    let mut found = Vec::new();
    tab.go(&server.page("/sign-in"));
    check(&tab, "sign in", &mut found);
    tab.until("ready", "document.querySelector('[type=submit]:enabled')");
    tab.put("#token", "stf_nobody");
    tab.key("Enter");
    tab.see(".wrong", "does not know");
    check(&tab, "sign in, wrong token", &mut found);
    let path = server.invite("nina", "host", &[STREAM], VALID_MS);
    tab.go(&server.page(&path));
    check(&tab, "invitation", &mut found);
    tab.go(&server.page("/join/sti_nothing"));
    check(&tab, "invitation that has ended", &mut found);

    tab.go(&server.page("/sign-in?to=/shows"));
    tab.until("ready", "document.querySelector('[type=submit]:enabled')");
    tab.put("#token", &server.token);
    tab.key("Enter");
    tab.see("h2", "");
    check(&tab, "no shows", &mut found);
    let over = server.plan(&candle(1, "Old candle", 5));
    server.command(&format!("drops/{over}/cancel"), &json!({}));
    server.plan(&candle(2, "Candle", 5));
    tab.go(&server.page("/shows"));
    check(&tab, "shows", &mut found);
    tab.go(&server.page("/ops"));
    check(&tab, "ops", &mut found);
    tab.go(&server.page("/accounts"));
    check(&tab, "accounts", &mut found);
    tab.value(
        "document.querySelectorAll('details.closing').forEach((one) => { one.open = true; })",
    );
    check(&tab, "accounts, about to revoke", &mut found);
    tab.go(&server.page("/live/nobody-knows"));
    check(&tab, "unknown show", &mut found);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn no_state_of_the_show_breaks_a_rule() {
    let mut server = Server::start();
    let browser = Browser::start();
    let host = browser.visitor(Look::LAPTOP);
    let first = server.plan(&candle(1, "Candle", 10));
    let long = server.plan(&Drop { countdown_ms: 600_000, ..candle(2, "Gift set", 10) });
    let tab = carrying(host.tab());
    join(&tab, &server, &server.invite("nina", "host", &[STREAM], VALID_MS));
    let stage = carrying(host.tab());
    stage.go(&server.page("/stage/friday-show"));
    let mut found = Vec::new();
    let mut both = |state: &str| {
        check(&tab, state, &mut found);
        check(&stage, &format!("stage, {state}"), &mut found);
    };
    both("empty");
    server.command("streams/friday-show/rehearsal", &json!({ "viewers": 10 }));
    tab.see("[data-el=rehearsing]", "Rehearsal");
    stage.see("[data-el=rehearsing]", "Rehearsal");
    both("rehearsal");
    tab.press("[data-do=end-rehearsal]");
    tab.see("[data-s=result]", "The rehearsal is over");
    server.command(&format!("drops/{long}/open"), &json!({}));
    tab.see("[data-s=hero]", "Opens in");
    both("countdown");
    server.command(&format!("drops/{long}/cancel-countdown"), &json!({}));
    command(&tab, "next", "Start next drop");
    tab.see("[data-s=state]", "Open");
    both("open");
    refused(&tab, ["m", "1"], "back", || both("take back"));
    tab.key("u");
    tab.until("asked", "document.querySelector('[data-el=undo-dialog]').open");
    both("undo");
    tab.key("Escape");
    tab.until("closed again", "!document.querySelector('dialog[open]')");
    tab.key("m");
    tab.key("3");
    tab.until("asked", "document.querySelector('[data-el=wind-dialog]').open");
    both("wind down");
    tab.key("Escape");
    tab.until("closed again", "!document.querySelector('dialog[open]')");
    tab.key("p");
    tab.see("[data-s=state]", "Paused");
    both("paused");
    refused(&tab, ["m", "l"], "limits", || both("limits"));
    server.command(&format!("drops/{first}/resume"), &json!({}));
    let crowds = ["cedar", "fig", "sea-salt"].map(|sku| {
        let crowd =
            Crowd { sku: sku.to_owned(), never_pay_share: 1.0, ..Crowd::new(STREAM, &first, 15) };
        let from = u32::try_from(sku.len()).unwrap() * 1_000;
        Crowd { from, ..crowd }.come(&server)
    });
    tab.see("[data-s=hero]", "All taken for now");
    both("all taken");
    dialogs(&tab, &mut found);
    drop(crowds);
    server.kill();
    tab.see("[data-el=alarm]", "No connection");
    check(&tab, "connection lost", &mut found);
    check(&stage, "stage, connection lost", &mut found);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Opens a dialog by its keys and sends what it does not take.
fn refused(tab: &Tab, keys: [&str; 2], name: &str, checked: impl FnOnce()) {
    for key in keys {
        tab.key(key);
    }
    tab.until("asked", &format!("document.querySelector('[data-el={name}-dialog]').open"));
    if name == "limits" {
        tab.put("[data-form=limits] [name=limit]", "-1");
    }
    tab.key("Enter");
    tab.see(&format!("#{name}-error"), "Type a whole number");
    checked();
    tab.key("Escape");
    tab.until("closed again", "!document.querySelector('dialog[open]')");
}

fn dialogs(tab: &Tab, found: &mut Vec<String>) {
    for (key, dialog) in [("r", "restock-dialog"), ("c", "close-dialog"), ("?", "keys-dialog")] {
        tab.key(key);
        tab.until(dialog, &format!("document.querySelector('[data-el={dialog}]').open"));
        check(tab, dialog, found);
        tab.key("Escape");
        tab.until("closed again", "!document.querySelector('dialog[open]')");
    }
    tab.key("m");
    tab.until("open", "!document.querySelector('[data-el=more]').hidden");
    check(tab, "more", found);
    tab.key("Escape");
    tab.press("details.who summary");
    check(tab, "menu", found);
    tab.press("[data-do=stage-link]");
    tab.until("asked", "document.querySelector('[data-el=stage-dialog]').open");
    check(tab, "stage link", found);
    tab.key("Escape");
    tab.until("closed again", "!document.querySelector('dialog[open]')");
}

#[test]
fn no_page_about_orders_breaks_a_rule() {
    let server = Server::start();
    let Sold { code, .. } = sell(&server);
    let browser = Browser::start();
    let support = browser.visitor(Look::LAPTOP);
    support.sign_in(&server.page("/sign-in?to=/orders"), &server.token).see(".orders", &code);
    let tab = carrying(support.tab());
    let mut found = Vec::new();
    for (state, path) in [
        ("orders", "/orders".to_owned()),
        ("orders, mistyped", "/orders?text=1-1-1".to_owned()),
        ("orders, nothing found", "/orders?text=nothing".to_owned()),
        ("attention", "/attention".to_owned()),
        ("attention, nothing", "/attention?kind=void".to_owned()),
        ("order", format!("/orders/{code}")),
    ] {
        tab.go(&server.page(&path));
        tab.see("h1", "");
        check(&tab, state, &mut found);
    }
    tab.press("[data-do=cancel]");
    tab.see("[data-s=cancel-what]", "cancelled");
    check(&tab, "cancel-dialog", &mut found);
    tab.hold_until(
        "[data-do=cancel-now]",
        "asking why",
        "document.querySelector('#cancel-reason').getAttribute('aria-invalid') === 'true'",
    );
    check(&tab, "cancel-dialog, without a reason", &mut found);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn no_page_for_planning_breaks_a_rule() {
    let server = Server::start();
    let drop = server.plan(&candle(1, "Candle", 5));
    let begun = server.plan(&candle(2, "Gift set", 5));
    server.command(&format!("rooms/{STREAM}/video-delay"), &json!({ "video_delay_ms": 6_000 }));
    server.command(&format!("drops/{begun}/open"), &json!({ "countdown_ms": 600_000 }));
    let browser = Browser::start();
    let planner = browser.visitor(Look::LAPTOP);
    planner.sign_in(&server.page("/sign-in?to=/plan"), &server.token).see(".plan-choose", STREAM);
    let tab = carrying(planner.tab());
    let mut found = Vec::new();
    let mut look = |state: &str, page: &str, seen: &str| {
        tab.go(&server.page(page));
        tab.see(seen, "");
        check(&tab, state, &mut found);
    };
    look("choose a show", "/plan", "h1");
    look("choose a show, mistyped", "/plan?stream=a+b", "#stream-error");
    look("plan of nothing", "/plan/monday-show", ".nothing");
    look("plan a drop", &format!("/plan/{STREAM}/new"), "#f-title:enabled");
    set(&tab, "title", "Mug");
    set(&tab, "goods.1.price", "49,90");
    set(&tab, "countdown", "8");
    tab.press("[name=start][value=time]");
    tab.press("[data-do=plan]");
    tab.see("#f-startDate-error", "");
    check(&tab, "plan a drop, with faults", &mut found);
    let mut look = |state: &str, page: &str, seen: &str| {
        tab.go(&server.page(page));
        tab.see(seen, "");
        check(&tab, state, &mut found);
    };
    look("plan of a show with a draft", &format!("/plan/{STREAM}"), "[data-list=drafts] li");
    look("plan, a drop that has begun", &format!("/plan/{STREAM}/{begun}"), "[data-s=line]");
    look("paste a table", &format!("/plan/{STREAM}/paste"), "#table");
    tab.put("#table", "Title\tPrice\tStock\nMug\t-1\t5\nCup\t2\t5");
    tab.see("[data-list=wrong]", "Row 2");
    check(&tab, "paste a table, with a bad row", &mut found);
    tab.go(&server.page(&format!("/plan/{STREAM}")));
    tab.press("[data-do=copy-show]");
    tab.key("Enter");
    tab.see("#copy-error", "");
    check(&tab, "copy-show dialog, without a name", &mut found);
    tab.go(&server.page(&format!("/plan/{STREAM}/{drop}")));
    set(&tab, "title", "Cup");
    let mut plan = server.drop_state(&drop)["plan"].clone();
    plan["title"] = "Bowl".into();
    server.ask("PUT", &format!("/v1/drops/{drop}"), &plan);
    tab.see("#clash-title", "");
    check(&tab, "plan, two planners", &mut found);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn no_report_breaks_a_rule() {
    let past = Past::start();
    let server = &past.server;
    let browser = Browser::start();
    let reader = browser.visitor(Look::LAPTOP);
    reader
        .sign_in(&server.page("/sign-in?to=/reports"), &server.token)
        .see(".report-list", "friday-show");
    let tab = carrying(reader.tab());
    let mut found = Vec::new();
    tab.go(&server.page("/reports"));
    check(&tab, "reports", &mut found);
    tab.go(&server.page("/reports?q=nothing"));
    check(&tab, "reports, nothing found", &mut found);
    for (what, drop) in past.drops() {
        tab.go(&server.page(&format!("/reports/{drop}")));
        tab.see("h1.story", "");
        check(&tab, &format!("report, {what}"), &mut found);
    }
    let drop = past.drop("an outage in the middle");
    for (state, path) in [
        ("report of a show", format!("/reports/shows/{drop}")),
        ("report on paper", format!("/reports/{drop}/print")),
        ("report of nothing", "/reports/d4000".to_owned()),
    ] {
        tab.go(&server.page(&path));
        tab.see("h1", "");
        check(&tab, state, &mut found);
    }
    tab.go(&server.page(&format!("/reports/{drop}")));
    tab.until("read to its end", "document.readyState === 'complete'");
    tab.press("[data-do=share]");
    tab.until("asked", "document.querySelector('[data-el=share]').open");
    check(&tab, "share-dialog", &mut found);
    tab.press("[name=what][value=channel]");
    tab.press("[data-do=share-make]");
    tab.see("#share-channel-error", "");
    check(&tab, "share-dialog, without a channel", &mut found);
    tab.put("#share-channel", "ben-tv");
    tab.press("[data-do=share-make]");
    tab.see("[data-el=share-made]", "");
    check(&tab, "share-dialog, made", &mut found);
    let link = tab.value("document.querySelector('[data-el=share-link]').value");
    tab.go(link.as_str().unwrap());
    tab.see("h1", "");
    check(&tab, "shared report of a channel", &mut found);
    tab.go(&server.page("/shared/shr_nothing"));
    tab.see("h1", "");
    check(&tab, "shared report that there is not", &mut found);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn sold_out_breaks_no_rule() {
    let server = Server::start();
    let browser = Browser::start();
    let host = browser.visitor(Look::LAPTOP);
    let drop = server.plan(&Drop::new(STREAM, 1, "Mug", 8));
    let tab = carrying(host.tab());
    join(&tab, &server, &server.invite("nina", "host", &[STREAM], VALID_MS));
    let stage = carrying(host.tab());
    stage.go(&server.page("/stage/friday-show"));
    let crowd = Crowd { never_pay_share: 0.0, ..Crowd::new(STREAM, &drop, 20) }.come(&server);
    command(&tab, "next", "Start next drop");
    tab.see("[data-s=hero]", "Sold out");
    let mut found = Vec::new();
    check(&tab, "sold out", &mut found);
    check(&stage, "stage, sold out", &mut found);
    server.command(&format!("drops/{drop}/close"), &json!({}));
    tab.until("closed", "document.querySelector('[data-command=close][aria-disabled]')");
    check(&tab, "closed", &mut found);
    crowd.go();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_request_breaks_no_rule() {
    let server = Server::start();
    let browser = Browser::start();
    let drop = server.plan(&Drop { countdown_ms: 0, ..candle(1, "Candle", 10) });
    server.command(&format!("drops/{drop}/open"), &json!({}));
    let nina = server.staff("nina", "host");
    let lot = json!({ "sku": "cedar", "units": 500, "reason": "they all want it" });
    server.ask_as(&nina, "POST", &format!("/v1/drops/{drop}/lots"), &lot);
    let mut found = Vec::new();
    for role in ["host", "admin"] {
        let tab = carrying(browser.visitor(Look::LAPTOP).tab());
        join(&tab, &server, &server.invite(&format!("ilse-{role}"), role, &[STREAM], VALID_MS));
        tab.see("[data-s=alarm]", "500 more");
        check(&tab, &format!("asked, {role}"), &mut found);
        tab.key("r");
        tab.until("asked", "document.querySelector('[data-el=restock-dialog]').open");
        tab.see("[data-list=restock-skus]", "500 asked for");
        check(&tab, &format!("asked, restock, {role}"), &mut found);
    }
    let shows = carrying(browser.visitor(Look::LAPTOP).tab());
    let shows = {
        let door = server.page("/sign-in?to=/shows");
        shows.go(&door);
        shows.until("ready", "document.querySelector('[type=submit]:enabled')");
        shows.put("#token", &server.token);
        shows.key("Enter");
        shows
    };
    shows.see("[data-request]", "Add 500");
    check(&shows, "asked, shows", &mut found);
    assert!(found.is_empty(), "{}", found.join("\n"));
}
