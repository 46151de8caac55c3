//! Mistakes that a host mends on air: the wrong drop, too much stock, too little of it, an end too early, a limit too tight.

use serde_json::{Value, json};

use crate::{
    harness::{Browser, Crowd, Drop, Goods, Look, Server, Tab},
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

/// Opens Take back by its keys.
fn ask_back(tab: &Tab) {
    tab.see("[data-command=more]:not([aria-disabled])", "More");
    tab.key("m");
    tab.see("[data-s=more-title]", "Grey mug");
    tab.key("1");
    tab.until("asked", "document.querySelector('[data-el=back-dialog]').open");
}

#[test]
fn too_much_stock_is_taken_back_while_the_sale_goes_on() {
    let server = Server::start();
    let drop = opened(&server, &mugs(5_000, 0));
    let browser = Browser::start();
    let tab = host(&browser, &server);
    let crowd = Crowd { never_pay_share: 0.0, ..Crowd::new(STREAM, &drop, 20) }.come(&server);
    tab.see("[data-s=bar-paid]", "20");
    ask_back(&tab);
    amount(&tab, "4480");
    tab.see("[data-s=back-then]", "4,480 go into the reserve, 500 stay on sale.");
    tab.see("[data-s=back-confirm]", "Take back 4,480");
    tab.key("Enter");
    tab.see("[data-s=result]", "are in the reserve again");
    tab.see("[data-s=hero]", "500");
    tab.see("[data-s=under-left]", "left of 520");
    tab.see("[data-command=restock]", "4,480 in reserve");
    assert_eq!(units(&server, &drop), [520, 500, 4_480]);
    crowd.go();
    // Whoever else is there is told by name.
    let other = browser.visitor(Look::LAPTOP).tab();
    join(&other, &server, &server.invite("jonas", "host", &[STREAM], VALID_MS));
    other.see("[data-s=hero]", "500");
    ask_back(&tab);
    amount(&tab, "80");
    // For good this time.
    tab.press("[data-form=back] [name=reserve]");
    tab.see("[data-s=back-then]", "80 are gone for good, 420 stay on sale.");
    tab.press("[data-form=back] [type=submit]");
    tab.see("[data-s=result]", "are off sale");
    other.see("[data-s=result]", "nina");
    other.see("[data-s=result]", "80");
    assert_eq!(units(&server, &drop), [440, 420, 4_480]);
}

#[test]
fn too_little_stock_is_mended_out_of_the_reserve() {
    let server = Server::start();
    let drop = opened(&server, &mugs(50, 30));
    let browser = Browser::start();
    let tab = host(&browser, &server);
    let crowd = Crowd { never_pay_share: 1.0, ..Crowd::new(STREAM, &drop, 50) }.come(&server);
    // It is not sold out, and nothing says so.
    tab.see("[data-s=hero]", "All taken for now");
    tab.see("[data-s=under-left]", "30 in reserve");
    tab.see("[data-s=state]", "Open, all taken for now");
    tab.see("[data-command=restock]", "30 in reserve");
    tab.key("r");
    tab.see("[data-list=restock-skus]", "0 left, 30 in reserve");
    amount(&tab, "20");
    tab.see("[data-s=restock-then]", "20 from the reserve; 10 stay there.");
    tab.key("Enter");
    tab.see("[data-s=result]", "by 20");
    tab.see("[data-s=hero]", "20");
    assert_eq!(units(&server, &drop), [70, 20, 10]);
    tab.key("r");
    amount(&tab, "40");
    tab.see("[data-s=restock-then]", "10 from the reserve, 30 beyond it.");
    tab.key("Enter");
    tab.see("[data-s=result]", "by 40");
    tab.see("[data-s=hero]", "60");
    assert_eq!(units(&server, &drop), [110, 60, 0]);
    tab.key("r");
    tab.see("[data-list=restock-skus]", "60 left, no reserve");
    tab.see("[data-s=restock-then]", "No reserve: 250 beyond the plan.");
    crowd.go();
}

#[test]
fn what_cannot_be_taken_back_is_said_at_the_field() {
    let server = Server::start();
    let drop = opened(&server, &mugs(500, 0));
    let browser = Browser::start();
    let tab = host(&browser, &server);
    ask_back(&tab);
    for (typed, why) in [
        ("", "Type a whole number from 1 to 500."),
        ("501", "Only 500 are left. Type 500 or less."),
        ("-5", "Type a whole number"),
        ("12.5", "Type a whole number"),
        ("0", "Type a whole number"),
    ] {
        tab.put("[data-form=back] [name=other]", typed);
        tab.key("Enter");
        tab.see("#back-error", why);
        let state = "[document.activeElement.name, document.activeElement.getAttribute('aria-invalid'), document.activeElement.value]";
        assert_eq!(tab.value(state), json!(["other", "true", typed]), "what was typed stays");
    }
    assert_eq!(units(&server, &drop), [500, 500, 0]);
    tab.press("[data-form=back] label:has([value=all])");
    tab.see("[data-s=back-confirm]", "Take back all");
    tab.see("[data-s=back-then]", "500 are left now. What is left at that moment goes into");
    tab.press("[data-form=back] [type=submit]");
    tab.see("[data-s=result]", "500");
    assert_eq!(units(&server, &drop), [0, 0, 500]);
    // Nothing is left to take: the row says so.
    tab.key("m");
    tab.see("[data-command=take_back][aria-disabled]", "nothing is left");
}

/// Holds every command to take back until `release()` is called.
const LATE: &str = "{ const ask = globalThis.fetch; const held = new Promise((done) => { globalThis.release = done; });
  globalThis.fetch = async (...what) => { if (/take-back/.test(what[0])) { globalThis.asked = true; await held; } return ask(...what); }; true }";

#[test]
fn units_that_were_taken_meanwhile_are_not_taken_back() {
    let server = Server::start();
    let drop = opened(&server, &mugs(500, 0));
    let browser = Browser::start();
    let tab = host(&browser, &server);
    tab.value(LATE);
    ask_back(&tab);
    amount(&tab, "300");
    tab.key("Enter");
    tab.until("sent", "globalThis.asked");
    let body = json!({ "sku": "mug", "units": 400 });
    server.command(&format!("drops/{drop}/take-back"), &body);
    tab.value("release()");
    tab.see("[data-s=result]", "Only 100 are left by now. Nothing was taken back.");
    assert_eq!(units(&server, &drop), [100, 100, 0]);
}

/// Takes all that is left back by the page, after the server took `first` units back.
fn all_back(first: u32) -> (Server, String, String) {
    let server = Server::start();
    let drop = opened(&server, &mugs(500, 0));
    let browser = Browser::start();
    let tab = host(&browser, &server);
    tab.value(LATE);
    ask_back(&tab);
    tab.press("[data-form=back] label:has([value=all])");
    tab.press("[data-form=back] [type=submit]");
    tab.until("sent", "globalThis.asked");
    let body = json!({ "sku": "mug", "units": first });
    server.command(&format!("drops/{drop}/take-back"), &body);
    tab.value("release()");
    tab.until(
        "answered",
        "/reserve|left/.test(document.querySelector('[data-s=result]').textContent)",
    );
    let said = tab.text("[data-s=result]");
    (server, drop, said)
}

#[test]
fn all_that_is_left_is_what_is_left_by_then() {
    let (server, drop, said) = all_back(120);
    assert!(said.starts_with("380 of"), "{said}");
    assert_eq!(units(&server, &drop), [0, 0, 380]);
    let (server, drop, said) = all_back(500);
    assert_eq!(said, "Nothing is left by now. Nothing was taken back.");
    assert_eq!(units(&server, &drop), [0, 0, 0]);
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
    let drop = opened(&server, &mugs(50, 0));
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

/// Opens Wind down by its keys.
fn ask_wind_down(tab: &Tab) {
    tab.see("[data-command=more]:not([aria-disabled])", "More");
    tab.key("m");
    tab.see("[data-command=wind_down]:not([aria-disabled])", "Wind down");
    tab.key("3");
    tab.until("asked", "document.querySelector('[data-el=wind-dialog]').open");
}

#[test]
fn a_drop_winds_down_and_says_until_when() {
    let server = Server::start();
    let blue = opened(&server, &Drop { title: "Blue mug".to_owned(), place: 2, ..mugs(30, 0) });
    let grey = opened(&server, &mugs(40, 5));
    let browser = Browser::start();
    let tab = host(&browser, &server);
    let other = browser.visitor(Look::LAPTOP).tab();
    join(&other, &server, &server.invite("jonas", "host", &[STREAM], VALID_MS));
    let crowd = Crowd { never_pay_share: 1.0, ..Crowd::new(STREAM, &grey, 10) }.come(&server);
    tab.see("[data-s=bar-held]", "10");
    // A paused one sells nothing that comes back.
    tab.key("p");
    tab.see("[data-s=state]", "Paused");
    tab.key("m");
    tab.see("[data-command=wind_down][aria-disabled]", "resume it first");
    tab.key("Escape");
    resume(&tab);
    server.until(&grey, "open", |state| state["phase"] == "open");
    tab.see("[data-s=state]", "Open");
    ask_wind_down(&tab);
    tab.see("[data-s=wind-sells]", "30 are left, 10 held");
    tab.see("[data-s=wind-ends]", "in 4\u{a0}min at most");
    tab.see("[data-s=wind-unsold]", "5 units in reserve are part of it");
    // The safe answer has the focus.
    tab.key("Enter");
    tab.until("asked no more", "!document.querySelector('[data-el=wind-dialog]').open");
    assert_eq!(server.drop_state(&grey).get("winds_down_in_ms"), None);
    ask_wind_down(&tab);
    tab.press("[data-do=wind-down]");
    tab.see("[data-s=result]", "Grey mug\u{2069} winds down");
    other.see("[data-s=result]", "nina");
    other.see("[data-s=result]", "wind down");
    server.until(&grey, "winding down", |state| state["winds_down_in_ms"].is_u64());
    // It gave up the air, and sells on.
    assert_eq!(server.drop_state(&blue)["featured"], true);
    tab.see("[data-s=title]", "Blue mug");
    tab.see("[data-list=order]", "winds down, 30 left");
    tab.key("m");
    tab.see("[data-list=airs]", "Grey mug");
    tab.key("4");
    tab.see("[data-s=title]", "Grey mug");
    tab.see("[data-s=state]", "Winds down until ");
    tab.see("[data-list=facts]", "ends ");
    tab.see("[data-s=result]", "is on air");
    tab.key("m");
    tab.see("[data-command=wind_down][aria-disabled]", "it winds down");
    tab.see("[data-command=extend][aria-disabled]", "it winds down");
    crowd.go();
}

#[test]
fn what_stays_unsold_when_a_drop_has_wound_down_is_told() {
    let server = Server::start();
    let drop = opened(&server, &Drop { hold_ttl_ms: 1_000, ..mugs(40, 0) });
    let browser = Browser::start();
    let tab = host(&browser, &server);
    ask_wind_down(&tab);
    tab.press("[data-do=wind-down]");
    tab.see("[data-s=result]", "has wound down: 40 stay unsold");
    tab.see("[data-s=hero]", "Closed");
    tab.see("[data-s=under-left]", "40 not sold");
    server.until(&drop, "settled", |state| state["phase"] == "settled");
}

/// Chooses what becomes of the units left.
fn choose(tab: &Tab, what: &str) {
    tab.see("[data-el=left-over]", "Units left");
    tab.value(&format!(
        "(() => {{ const choice = document.getElementById('left-over'); choice.value = '{what}';
          choice.dispatchEvent(new Event('change', {{ bubbles: true }})); return true; }})()"
    ));
}

/// What is chosen by now.
fn chosen(tab: &Tab) -> Value {
    tab.value("document.getElementById('left-over').value")
}

/// A running show: a drop that is open, with two to come.
fn two_to_come(server: &Server) -> [String; 3] {
    let blue = Drop::new(STREAM, 2, "Blue mug", 50);
    let green = Drop { countdown_ms: 600_000, ..Drop::new(STREAM, 3, "Green mug", 60) };
    let grey = opened(server, &mugs(40, 0));
    [grey, server.plan(&blue), server.plan(&green)]
}

#[test]
fn units_left_sell_on_unless_the_host_chose_otherwise() {
    let server = Server::start();
    let [grey, blue, _] = two_to_come(&server);
    let browser = Browser::start();
    let tab = host(&browser, &server);
    // One press, as if there were no choice.
    tab.see("[data-command=next]:not([aria-disabled])", "Blue mug");
    tab.key("n");
    server.until(&blue, "open", |state| state["phase"] == "open");
    tab.see("[data-s=title]", "Blue mug");
    tab.see("[data-list=order]", "off air, 40 left");
    assert_eq!(units(&server, &grey), [40, 40, 0]);
    assert_eq!(server.drop_state(&grey).get("winds_down_in_ms"), None);
    // A countdown that is cancelled leaves the drop as it was, and the choice for this start stands.
    tab.see("[data-command=next]:not([aria-disabled])", "Green mug");
    choose(&tab, "back");
    tab.see("[data-command=next]", "rest into the reserve; ");
    tab.key("n");
    tab.see("[data-s=title]", "Green mug");
    tab.see("[data-command=stop][data-act=cancel-countdown]", "Cancel");
    tab.key("Escape");
    tab.see("[data-s=title]", "Blue mug");
    tab.see("[data-command=next]:not([aria-disabled])", "rest into the reserve; ");
    assert_eq!(chosen(&tab), "back");
    assert_eq!(units(&server, &blue), [50, 50, 0]);
    // With another drop on air it stands where it always begins.
    server.command(&format!("drops/{grey}/feature"), &Value::Null);
    tab.see("[data-s=title]", "Grey mug");
    assert_eq!(chosen(&tab), "keep");
}

#[test]
fn units_left_wind_down_when_the_next_drop_opens() {
    let server = Server::start();
    let [grey, blue, _] = two_to_come(&server);
    let browser = Browser::start();
    let tab = host(&browser, &server);
    tab.see("[data-command=next]:not([aria-disabled])", "Blue mug");
    choose(&tab, "wind-down");
    tab.see("[data-command=next]", "rest winds down; ");
    tab.key("n");
    server.until(&blue, "open", |state| state["phase"] == "open");
    tab.see("[data-s=result]", "Grey mug\u{2069} winds down");
    tab.see("[data-list=order]", "winds down, 40 left");
    server.until(&grey, "winding down", |state| state["winds_down_in_ms"].is_u64());
    tab.see("[data-command=next]:not([aria-disabled])", "Green mug");
    assert_eq!(chosen(&tab), "keep", "it was for that start alone");
}

#[test]
fn units_left_go_into_the_reserve_when_the_next_drop_opens() {
    let server = Server::start();
    let of = |id: &str, supply| {
        let (id, option) = (id.to_owned(), id.to_owned());
        Goods { id, option, supply, reserve: 3, price: 1_500 }
    };
    let drop = Drop { goods: vec![of("mug", 20), of("jug", 30), of("cup", 0)], ..mugs(1, 0) };
    let grey = opened(&server, &drop);
    let blue = server.plan(&Drop::new(STREAM, 2, "Blue mug", 50));
    let browser = Browser::start();
    let tab = host(&browser, &server);
    tab.see("[data-command=next]:not([aria-disabled])", "Blue mug");
    choose(&tab, "back");
    tab.key("n");
    server.until(&blue, "open", |state| state["phase"] == "open");
    tab.see("[data-s=result]", "50 of \u{2068}Grey mug\u{2069} are in the reserve again");
    let state = server.drop_state(&grey);
    let skus = state["skus"].as_array().unwrap().iter();
    let figures: Vec<_> = skus.map(|sku| [&sku["available"], &sku["reserve"]]).collect();
    assert_eq!(figures, [[0, 23], [0, 33], [0, 3]]);
    assert_eq!(state["phase"], "open", "what is held can still come back");
}

#[test]
fn a_choice_outlives_a_reload_but_no_cancelled_countdown() {
    let server = Server::start();
    let grey = opened(&server, &mugs(40, 0));
    let blue = Drop { countdown_ms: 600_000, ..Drop::new(STREAM, 2, "Blue mug", 50) };
    let blue = server.plan(&blue);
    let browser = Browser::start();
    let tab = host(&browser, &server);
    tab.see("[data-command=next]:not([aria-disabled])", "Blue mug");
    choose(&tab, "back");
    tab.key("n");
    let kept = "sessionStorage.getItem('stampede_left_over') !== null";
    tab.until("waiting for the opening", kept);
    tab.go(&server.page("/live/friday-show"));
    tab.see("[data-s=age]", "old");
    tab.see("[data-command=stop][data-act=cancel-countdown]", "Cancel");
    tab.until("still waiting", kept);
    tab.key("Escape");
    server.until(&blue, "planned", |state| state["phase"] == "scheduled");
    tab.until("waiting no more", &format!("!({kept})"));
    assert_eq!(units(&server, &grey), [40, 40, 0]);
}

/// Offers an undo for `ms` in the place of 15 s.
fn undo_for(tab: &Tab, ms: u32) {
    tab.value(&format!(
        "{{ const later = globalThis.setTimeout;
           globalThis.setTimeout = (act, ms, ...more) => later(act, ms === 15000 ? {ms} : ms, ...more); true }}"
    ));
}

/// Restocks by its keys.
fn restock(tab: &Tab, digits: &str) {
    tab.see("[data-command=restock]:not([aria-disabled])", "Restock");
    tab.key("r");
    tab.until("asked", "document.querySelector('[data-el=restock-dialog]').open");
    amount(tab, digits);
    tab.key("Enter");
    tab.see("[data-s=result]", &format!("by {digits}"));
}

const NO_UNDO: &str = "document.querySelector('[data-command=undo]').dataset.act !== 'take-back'";
const LONG_MS: u32 = 600_000;

#[test]
fn a_restock_is_undone_to_where_it_came_from() {
    let server = Server::start();
    let drop = opened(&server, &mugs(50, 30));
    let browser = Browser::start();
    let tab = host(&browser, &server);
    undo_for(&tab, LONG_MS);
    restock(&tab, "40");
    assert_eq!(units(&server, &drop), [90, 90, 0]);
    tab.see("[data-command=undo]", "the restock");
    tab.key("u");
    tab.see("[data-s=result]", "Undone: 40 of");
    assert_eq!(units(&server, &drop), [50, 50, 30]);
    // By its button; it is offered once.
    tab.see("[data-s=hero]", "50");
    restock(&tab, "20");
    tab.see("[data-command=undo]", "the restock");
    tab.press("[data-command=undo]");
    tab.see("[data-s=result]", "Undone: 20 of");
    assert_eq!(units(&server, &drop), [50, 50, 30]);
    tab.until("offered no more", NO_UNDO);
    // Once the line tells of something else there is nothing to undo, nor after a while.
    tab.see("[data-s=hero]", "50");
    restock(&tab, "10");
    tab.key("p");
    tab.see("[data-s=result]", "Paused");
    tab.see("[data-s=state]", "Paused");
    tab.until("offered no more", NO_UNDO);
    undo_for(&tab, 0);
    restock(&tab, "15");
    tab.until("offered no more", NO_UNDO);
    assert_eq!(units(&server, &drop), [75, 75, 5]);
}

#[test]
fn a_restock_of_which_less_is_left_is_undone_no_further() {
    for (viewers, free, said, left) in [
        // 20 units were beyond the reserve, 10 out of it.
        (75, 5, "Only 5 are left by now. Nothing was taken back.", [80, 5, 0]),
        (55, 25, "20 are off sale; of the other 10 only 5 are left", [60, 5, 0]),
    ] {
        let server = Server::start();
        let drop = opened(&server, &mugs(50, 10));
        let browser = Browser::start();
        let tab = host(&browser, &server);
        undo_for(&tab, LONG_MS);
        let crowd =
            Crowd { never_pay_share: 1.0, ..Crowd::new(STREAM, &drop, viewers) }.come(&server);
        tab.see("[data-s=hero]", "All taken for now");
        restock(&tab, "30");
        server.until(&drop, "bought", |state| state["skus"][0]["available"] == free);
        tab.key("u");
        tab.see("[data-s=result]", said);
        assert_eq!(units(&server, &drop), left);
        crowd.go();
    }
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
    tab.press("[data-do=undo]");
    tab.see("[data-el=result][data-kind=refused]", "paid already");
    assert_eq!(server.drop_state(&drop)["phase"], "open");
    crowd.go();
}
