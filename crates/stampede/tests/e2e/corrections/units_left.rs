//! Units that nobody has taken yet: a drop that winds down, and what the next one leaves of it.

use serde_json::Value;

use super::{STREAM, host, mugs, opened, units};
use crate::{
    harness::{Browser, Crowd, Drop, Goods, Look, Server, Tab},
    show::{VALID_MS, join, resume},
};

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
    tab.see("[data-s=under-left]", "40 were not sold");
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
    tab.see("[data-command=stop]:not([aria-disabled])", "Cancel");
    tab.key("Escape");
    server.until(&blue, "planned", |state| state["phase"] == "scheduled");
    tab.until("waiting no more", &format!("!({kept})"));
    assert_eq!(units(&server, &grey), [40, 40, 0]);
}
