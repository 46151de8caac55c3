//! Too much stock, and too little of it.

use serde_json::json;

use super::{STREAM, amount, host, mugs, opened, owner, units};
use crate::{
    harness::{Browser, Crowd, Drop, Goods, Look, Server, Tab},
    show::{VALID_MS, join},
};

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
    let tab = owner(&browser, &server);
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
    tab.until(
        "nothing is offered",
        "document.querySelector('[data-form=restock] [name=other]').value === ''",
    );
    tab.key("7");
    tab.see("[data-s=restock-then]", "No reserve: 7 beyond the plan.");
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
    let tab = owner(&browser, &server);
    undo_for(&tab, LONG_MS);
    restock(&tab, "40");
    assert_eq!(units(&server, &drop), [90, 90, 0]);
    tab.see("[data-command=undo]", "the restock");
    tab.key("u");
    tab.see("[data-s=result]", "Undone: 40 of");
    assert_eq!(units(&server, &drop), [50, 50, 30]);
    // By its button; it is offered once.
    tab.see("[data-command=restock]", "30 in reserve");
    restock(&tab, "20");
    tab.see("[data-command=undo]", "the restock");
    tab.press("[data-command=undo]");
    tab.see("[data-s=result]", "Undone: 20 of");
    assert_eq!(units(&server, &drop), [50, 50, 30]);
    tab.until("offered no more", NO_UNDO);
    // Once the line tells of something else there is nothing to undo, nor after a while.
    tab.see("[data-command=restock]", "30 in reserve");
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
        let tab = owner(&browser, &server);
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
fn restock_offers_what_is_in_reserve_first() {
    let server = Server::start();
    let drop = mugs(20, 30);
    let goods = ["small", "large"].map(|size| Goods {
        id: size.to_owned(),
        option: size.to_owned(),
        reserve: if size == "large" { 30 } else { 0 },
        ..drop.goods[0].clone()
    });
    opened(&server, &Drop { goods: goods.into(), ..drop });
    let browser = Browser::start();
    let tab = host(&browser, &server);
    tab.see("[data-command=restock]", "30 in reserve");
    tab.key("r");
    tab.until(
        "at the goods in reserve",
        "document.querySelector('[data-form=restock] [name=sku]:checked').value === 'large'",
    );
}
