//! A host asks for more than the reserve, and is answered.

use serde_json::json;

use super::{amount, host, mugs, opened, owner, units};
use crate::harness::{Browser, Look, Server, Tab};

/// Asks for so many by the keys.
fn ask(tab: &Tab, digits: &str, then: &str) {
    tab.see("[data-command=restock]:not([aria-disabled])", "Restock");
    tab.key("r");
    tab.until("asked", "document.querySelector('[data-el=restock-dialog]').open");
    amount(tab, digits);
    tab.see("[data-s=restock-confirm]", &format!("Ask for {digits}"));
    tab.see("[data-s=restock-then]", then);
    tab.key("Enter");
    tab.see("[data-s=result]", &format!("Asked for {digits}"));
}

/// Gives an answer that the alarm line offers; its buttons are deaf for the first second that they offer it.
fn answer(tab: &Tab, key: &str, said: &str) {
    for _ in 0..2_000 {
        tab.key(key);
        if tab.text("[data-s=result]").contains(said) {
            return;
        }
    }
    tab.see("[data-s=result]", said);
}

#[test]
fn a_host_asks_for_more_and_the_merchant_adds_it_by_one_press() {
    let server = Server::start();
    let drop = opened(&server, &mugs(50, 30));
    let browser = Browser::start();
    let (tab, merchant) = (host(&browser, &server), owner(&browser, &server));
    merchant.see("[data-s=alarm]", "Nothing needs you");
    ask(&tab, "40", "30 from the reserve can go on sale now.");
    assert_eq!(units(&server, &drop), [50, 50, 30], "nothing moves");
    tab.see("[data-s=alarm]", "40 more");
    tab.see("[data-do=alarm]", "Withdraw");
    tab.see("[data-command=restock]", "40 asked for");
    merchant.see("[data-s=alarm]", "asks for 40 more");
    merchant.see("[data-do=alarm]", "Add 40");
    merchant.see("[data-do=alarm-also]", "Decline");
    answer(&merchant, "1", "Added 40");
    tab.see("[data-s=result]", "ilse");
    tab.see("[data-s=result]", "granted 40 more");
    tab.see("[data-s=hero]", "90");
    assert_eq!(units(&server, &drop), [90, 90, 0]);
    merchant.see("[data-s=alarm]", "Nothing needs you");
    // What was added goes back to where it came from.
    merchant.see("[data-command=undo]", "the restock");
    merchant.key("u");
    merchant.see("[data-s=result]", "Undone: 40 of");
    assert_eq!(units(&server, &drop), [50, 50, 30]);
    let (score, what) = merchant.layout_shift();
    assert!(score < 0.002, "{score} by {what}");
}

#[test]
fn a_request_is_declined_or_withdrawn_and_outlives_a_kill() {
    let mut server = Server::start();
    let drop = opened(&server, &mugs(50, 0));
    let browser = Browser::start();
    let (tab, merchant) = (host(&browser, &server), owner(&browser, &server));
    ask(&tab, "40", "Nothing is in reserve");
    merchant.see("[data-do=alarm-also]", "Decline");
    answer(&merchant, "2", "Declined 40");
    tab.see("[data-s=result]", "declined 40 more");
    ask(&tab, "7", "Nothing is in reserve");
    tab.see("[data-do=alarm]", "Withdraw");
    answer(&tab, "1", "No longer asked for: 7");
    merchant.see("[data-s=result]", "asks no more for 7");
    assert_eq!(units(&server, &drop), [50, 50, 0]);
    ask(&tab, "9", "Nothing is in reserve");
    server.kill();
    server.restart();
    server.until(&drop, "open", |state| state["phase"] == "open");
    merchant.see("[data-s=alarm]", "asks for 9 more");
    tab.see("[data-do=alarm]", "Withdraw");
    answer(&merchant, "1", "Added 9");
    server.until(&drop, "more", |state| state["skus"][0]["supplied"] == 59);
}

#[test]
fn the_end_of_a_drop_ends_its_requests_and_a_late_answer_is_told() {
    let server = Server::start();
    let drop = opened(&server, &mugs(50, 0));
    let browser = Browser::start();
    let (tab, merchant) = (host(&browser, &server), owner(&browser, &server));
    ask(&tab, "40", "Nothing is in reserve");
    merchant.see("[data-do=alarm]", "Add 40");
    server.command(&format!("drops/{drop}/close"), &json!({}));
    // What is left of the drop is what the line is about by then.
    for tab in [&merchant, &tab] {
        tab.see("[data-s=alarm]", "50 units stay unsold");
    }
    let path = "/v1/requests/q1-1/grant";
    let late = server.ask("POST", path, &json!({}));
    assert_eq!((late.status, &late.body["code"]), (409, &json!("request_over")));
}

#[test]
fn shows_lists_requests_with_both_answers() {
    let server = Server::start();
    let drop = opened(&server, &mugs(50, 0));
    let browser = Browser::start();
    let tab = host(&browser, &server);
    ask(&tab, "40", "Nothing is in reserve");
    ask(&tab, "41", "Nothing is in reserve");
    let door = server.page("/sign-in?to=/shows");
    let phone = Look { size: (390, 844), ..Look::LAPTOP };
    for look in [Look::LAPTOP, phone] {
        let merchant = browser.visitor(look).sign_in(&door, &server.token);
        merchant.see("#asked-title", "request");
        merchant.see(".asked-tag", "request");
        let (left, press) = (
            "document.querySelectorAll('[data-request]').length",
            "document.querySelector('[data-request] [data-do=grant]')?.click()",
        );
        if look.size == Look::LAPTOP.size {
            // As soon as the next one has come under the finger, it is pressed: that is not about it.
            merchant.value(&format!(
                "new MutationObserver(() => {{ if ({left} === 1) {press}; }})
                    .observe(document.body, {{ childList: true, subtree: true }}), true"
            ));
            merchant.until("one left", &format!("{left} === 1 || ({press}, false)"));
        } else {
            merchant.until("none left", &format!("{left} === 0 || ({press}, false)"));
        }
        server.until(&drop, "more", |state| state["skus"][0]["supplied"].as_u64() > Some(50));
        merchant.see("[data-s=asked-said]", "Added");
        merchant.close();
    }
    tab.until("answered", "document.querySelector('[data-do=alarm]').hidden");
    assert_eq!(units(&server, &drop), [131, 131, 0]);
    // One that comes while the page is open is there by itself.
    let merchant = browser.visitor(Look::LAPTOP).sign_in(&door, &server.token);
    merchant.see("h1", "Shows");
    ask(&tab, "5", "Nothing is in reserve");
    merchant.see("[data-s=asked-said]", "asks for 5 more");
    // It has just come there: its buttons are deaf for a moment.
    merchant.until(
        "declined",
        "document.querySelector('[data-request] [data-do=decline]')?.click(), document.querySelector('[data-s=asked-said]').textContent.includes('Declined 5')",
    );
    tab.see("[data-s=result]", "declined 5 more");
}
