//! Mistakes that a host mends on air: the wrong drop, too much stock, too little of it, an end too early, a limit too tight.

mod requests;
mod stock;
mod units_left;

use serde_json::{Value, json};

use crate::{
    harness::{Browser, Crowd, Drop, Goods, Look, Server, Tab},
    plan::edit,
    show::{VALID_MS, command, join, resume},
};

const STREAM: &str = "friday-show";

/// A drop of one SKU with units in reserve.
fn mugs(supply: u32, reserve: u32) -> Drop {
    let drop = Drop { countdown_ms: 0, ..Drop::new(STREAM, 1, "Grey mug", supply) };
    let goods = drop.goods.iter().cloned().map(|goods| Goods { reserve, ..goods }).collect();
    Drop { goods, ..drop }
}

fn opened(server: &Server, drop: &Drop) -> String {
    let drop = server.plan(drop);
    server.command(&format!("drops/{drop}/open"), &json!({}));
    server.until(&drop, "open", |state| state["phase"] == "open");
    drop
}

fn host(browser: &Browser, server: &Server) -> Tab {
    let tab = browser.visitor(Look::LAPTOP).tab();
    join(&tab, server, &server.invite("nina", "host", &[STREAM], VALID_MS));
    tab
}

/// Somebody who puts more on sale than the reserve without asking.
fn owner(browser: &Browser, server: &Server) -> Tab {
    let tab = browser.visitor(Look::LAPTOP).tab();
    join(&tab, server, &server.invite("ilse", "admin", &[STREAM], VALID_MS));
    tab
}

/// Units of the first SKU: supplied, available, in reserve.
fn units(server: &Server, drop: &str) -> [u64; 3] {
    let state = server.drop_state(drop);
    ["supplied", "available", "reserve"].map(|of| state["skus"][0][of].as_u64().unwrap())
}

/// Types an amount in the dialog that is open.
fn amount(tab: &Tab, digits: &str) {
    for digit in digits.chars() {
        tab.key(&digit.to_string());
    }
}

#[test]
fn a_hidden_drop_is_marked_until_its_countdown_begins() {
    let server = Server::start();
    let first = server.plan(&Drop { hidden: true, ..Drop::new(STREAM, 1, "Grey mug", 50) });
    server.plan(&Drop { hidden: true, ..Drop::new(STREAM, 2, "Blue mug", 50) });
    let browser = Browser::start();
    let tab = host(&browser, &server);
    tab.see("[data-s=next-title]", "Grey mug");
    let marks = |of: &Tab| -> Value {
        of.value("[document.querySelector('[data-el=next-hidden]').hidden, [...document.querySelectorAll('[data-list=order] [data-t=hidden]')].map((tag) => tag.textContent)]")
    };
    assert_eq!(marks(&tab), json!([false, ["Hidden", "Hidden"]]));
    command(&tab, "next", "Start next drop");
    tab.see("[data-s=title]", "Grey mug");
    tab.see("[data-s=next-title]", "Blue mug");
    assert_eq!(marks(&tab), json!([false, ["", "Hidden"]]));
    // What viewers know stays known.
    server.until(&first, "open", |state| state["phase"] == "open");
    server.command(&format!("drops/{first}/close"), &json!({}));
    tab.go(&server.page("/live/friday-show"));
    tab.see("[data-s=next-title]", "Blue mug");
    assert_eq!(marks(&tab), json!([false, ["", "Hidden"]]));
}

#[test]
fn an_end_that_comes_too_early_is_moved() {
    let server = Server::start();
    let drop = opened(&server, &mugs(50, 0));
    let browser = Browser::start();
    let tab = host(&browser, &server);
    tab.see("[data-command=more]:not([aria-disabled])", "More");
    tab.key("m");
    tab.see("[data-command=extend][aria-disabled]", "it has no end");
    tab.key("Escape");
    let state = server.drop_state(&drop);
    let end = state["server_time_ms"].as_u64().unwrap() + 600_000;
    server.command(&format!("drops/{drop}/amend"), &json!({ "ends_at_ms": end }));
    tab.see("[data-list=facts]", "ends ");
    tab.key("m");
    tab.see("[data-command=extend]:not([aria-disabled])", "Ends ");
    tab.key("2");
    tab.see("[data-s=extend-lead]", "It ends at ");
    let facts = json!(tab.text("[data-list=facts]"));
    tab.press("[data-do=extend][value='900000']");
    tab.see("[data-s=result]", "ends at ");
    assert_eq!(server.drop_state(&drop)["plan"]["ends_at_ms"], end + 900_000);
    // A second one goes on from there, once the page knows of the first: what was seen before is refused.
    tab.see("[data-command=more]:not([aria-disabled])", "More");
    tab.until(
        "telling the new end",
        &format!("document.querySelector('[data-list=facts]').textContent !== {facts}"),
    );
    tab.key("m");
    tab.key("2");
    tab.see("[data-s=extend-lead]", "It ends at ");
    tab.press("[data-do=extend][value='300000']");
    server.until(&drop, "amended", |state| state["plan"]["ends_at_ms"] == end + 1_200_000);
}

#[test]
fn a_limit_that_is_too_tight_is_changed_while_paused() {
    let server = Server::start();
    let drop = server.plan(&Drop { limit: 2, ..mugs(50, 0) });
    let mut plan = server.drop_state(&drop)["plan"].clone();
    // Its only goods have a lower limit of their own, which is the one that binds.
    plan["skus"][0]["limit_per_viewer"] = 1.into();
    edit(&server, &drop, &plan);
    server.command(&format!("drops/{drop}/open"), &json!({}));
    server.until(&drop, "open", |state| state["phase"] == "open");
    let browser = Browser::start();
    let tab = host(&browser, &server);
    tab.see("[data-list=facts]", "at most 1 each");
    tab.see("[data-command=more]:not([aria-disabled])", "More");
    tab.key("m");
    tab.see("[data-command=limits][aria-disabled]", "pause it first");
    tab.key("Escape");
    tab.key("p");
    tab.see("[data-s=state]", "Paused");
    tab.see("[data-s=result]", "Paused");
    tab.key("m");
    tab.see("[data-command=limits]:not([aria-disabled])", "At most 1 each");
    tab.key("l");
    let asked = "[document.querySelector('[data-form=limits] [name=limit]').value, document.querySelector('[data-form=limits] fieldset').hidden]";
    assert_eq!(tab.value(asked), json!(["1", true]), "one limit is asked for, the one that binds");
    tab.put("[data-form=limits] [name=limit]", "none");
    tab.key("Enter");
    tab.see("#limits-error", "none is no amount");
    tab.put("[data-form=limits] [name=limit]", "4");
    tab.key("Enter");
    tab.see("[data-s=result]", "At most 4 each from now on");
    tab.see("[data-list=facts]", "at most 4 each");
    let plan = &server.drop_state(&drop)["plan"];
    assert_eq!([&plan["limit_per_viewer"], &plan["skus"][0]["limit_per_viewer"]], [4, 4]);
    resume(&tab);
    server.until(&drop, "open", |state| state["phase"] == "open");
}

#[test]
fn an_end_that_counts_from_the_opening_is_shown_and_moved() {
    let server = Server::start();
    let ends_after_opening_ms = Some(600_000);
    let drop = Drop { countdown_ms: 60_000, ends_after_opening_ms, ..mugs(50, 0) };
    let drop = server.plan(&drop);
    let browser = Browser::start();
    let tab = host(&browser, &server);
    command(&tab, "next", "Start next drop");
    tab.see("[data-list=facts]", "ends 10\u{a0}min after it opens");
    tab.see("[data-command=stop][data-act=cancel-countdown]", "Cancel");
    tab.key("Escape");
    server.until(&drop, "planned", |state| state["phase"] == "scheduled");
    server.command(&format!("drops/{drop}/open"), &json!({ "countdown_ms": 0 }));
    let state = server.until(&drop, "open", |state| state["phase"] == "open");
    let time = |of: &str| state[of].as_u64().unwrap();
    let end = time("server_time_ms") + time("closes_in_ms");
    tab.until(
        "telling a time",
        "/ends \\d\\d:\\d\\d$/.test(document.querySelector('[data-list=facts]').textContent)",
    );
    tab.see("[data-command=more]:not([aria-disabled])", "More");
    tab.key("m");
    tab.see("[data-command=extend]:not([aria-disabled])", "Ends ");
    tab.key("2");
    tab.see("[data-s=extend-lead]", "It ends at ");
    tab.press("[data-do=extend][value='300000']");
    let amended = |state: &Value| state["plan"]["ends_at_ms"].is_u64();
    let plan = &server.until(&drop, "amended", amended)["plan"];
    // The two clocks of a server may differ by their rounding.
    let moved = plan["ends_at_ms"].as_u64().unwrap().abs_diff(end + 300_000);
    assert!(moved <= 2, "{moved} ms beside it");
    assert_eq!(plan.get("ends_after_opening_ms"), None, "one end takes the place of the other");
}

#[test]
fn the_wrong_drop_is_called_off_and_planned_again() {
    let server = Server::start();
    let wrong = opened(&server, &mugs(50, 10));
    let browser = Browser::start();
    let tab = host(&browser, &server);
    let crowd = Crowd { never_pay_share: 1.0, ..Crowd::new(STREAM, &wrong, 20) }.come(&server);
    tab.see("[data-s=bar-held]", "20");
    tab.see("[data-command=undo]", "nothing is paid");
    tab.key("u");
    tab.see("[data-s=undo-question]", "Grey mug");
    tab.see("[data-s=undo-held]", "20 held units go back.");
    // What is safe has the focus: Enter goes on selling.
    tab.key("Enter");
    tab.until("closed", "!document.querySelector('dialog[open]')");
    assert_eq!(server.drop_state(&wrong)["phase"], "open");
    tab.press("[data-command=undo]");
    tab.press("[data-do=undo]");
    tab.see("[data-s=result]", "Opening undone; the drop is planned again");
    server.until(&wrong, "voided", |state| state["phase"] == "voided");
    tab.see("[data-s=hero]", "Called off");
    tab.see("[data-s=next-title]", "Grey mug");
    tab.see("[data-s=next-stock]", "50 units, 10 in reserve");
    tab.until("gone", "!document.querySelector('[data-command=undo]').checkVisibility()");
    crowd.go();
}

#[test]
fn what_is_paid_is_not_undone() {
    let server = Server::start();
    let drop = Drop { countdown_ms: 1_000, ..mugs(50, 0) };
    let drop = opened(&server, &drop);
    let browser = Browser::start();
    let tab = host(&browser, &server);
    tab.see("[data-command=undo]:not([aria-disabled])", "nothing is paid");
    tab.key("u");
    tab.see("[data-s=undo-question]", "Grey mug");
    // Somebody pays while the question stands there.
    let crowd = Crowd { never_pay_share: 0.0, ..Crowd::new(STREAM, &drop, 1) }.come(&server);
    tab.see("[data-command=undo][aria-disabled]", "1 is paid");
    tab.see("[data-do=undo][aria-disabled]", "1 is paid");
    tab.press("[data-do=undo]");
    tab.until("it is asked still", "document.querySelector('[data-el=undo-dialog]').open");
    assert_eq!(server.drop_state(&drop)["phase"], "open");
    crowd.go();
}

#[test]
fn the_countdown_of_the_wrong_drop_is_cancelled_and_another_drop_is_made_next() {
    let server = Server::start();
    let planned = |place, title| {
        server.plan(&Drop { countdown_ms: 60_000, ..Drop::new(STREAM, place, title, 50) })
    };
    let wrong = planned(1, "Grey mug");
    planned(2, "Blue mug");
    let right = server.plan(&Drop { countdown_ms: 0, ..Drop::new(STREAM, 3, "Red mug", 50) });
    let browser = Browser::start();
    let [tab, other] = ["nina", "jonas"].map(|name| {
        let tab = browser.visitor(Look::LAPTOP).tab();
        join(&tab, &server, &server.invite(name, "host", &[STREAM], VALID_MS));
        tab.see("[data-s=next-title]", "Grey mug");
        tab
    });
    tab.see("[data-command=next]:not([aria-disabled])", "Start next drop");
    tab.key("n");
    server.until(&wrong, "counting down", |state| state["phase"] == "countdown");
    tab.see("[data-command=stop]", "Cancel countdown");
    tab.key("Escape");
    server.until(&wrong, "planned again", |state| state["phase"] == "scheduled");
    tab.see("[data-s=next-title]", "Grey mug");
    tab.see("[data-s=result]", "Countdown cancelled");
    // By keys alone: to the first drop that can be next, then to the second one.
    tab.key("j");
    tab.key("ArrowDown");
    tab.until(
        "on the row of the red mug",
        "document.activeElement.getAttribute('aria-label').includes('Red mug')",
    );
    tab.key("Enter");
    tab.see("[data-s=result]", " is next");
    for tab in [&tab, &other] {
        tab.see("[data-s=next-title]", "Red mug");
    }
    other.see("[data-s=result]", " in the running order");
    tab.until("in the list still", "document.activeElement.closest('[data-list=order]') !== null");
    tab.key("n");
    server.until(&right, "open", |state| state["phase"] == "open");
    // The others stand in the order that they had, and a button does what the keys do.
    other.see("[data-s=next-title]", "Grey mug");
    other.press("li:nth-of-type(3) [data-do=make-next]:not([hidden])");
    other.see("[data-s=next-title]", "Blue mug");
}

#[test]
fn a_show_whose_drops_are_all_over_says_what_it_came_to() {
    let server = Server::start();
    let drop = opened(&server, &mugs(50, 0));
    let browser = Browser::start();
    let tab = host(&browser, &server);
    tab.see("[data-s=state]", "Open");
    server.command(&format!("drops/{drop}/close"), &json!({}));
    tab.see("[data-el=ended] h2", "The show is over");
    tab.see("[data-s=ended-totals]", "0 of 50 units paid");
    let report = tab.value("document.querySelector('[data-el=ended-report]').getAttribute('href')");
    assert_eq!(report, format!("/reports/shows/{drop}"));
    // The server draws the same.
    tab.go(&server.page(&format!("/live/{STREAM}")));
    tab.see("[data-s=ended-totals]", "0 of 50 units paid");
    tab.go(&server.page("/shows"));
    tab.see(".shows-ended", "0 of 50 units paid");
    // What is planned next goes on.
    server.plan(&Drop::new(STREAM, 2, "Blue mug", 50));
    tab.go(&server.page(&format!("/live/{STREAM}")));
    tab.see("[data-s=next-title]", "Blue mug");
}
