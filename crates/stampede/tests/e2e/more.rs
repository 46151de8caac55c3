//! Tests of More: another drop is put on air while both go on selling.

use serde_json::json;

use crate::{
    harness::{Browser, Drop, Look, Server},
    show::{VALID_MS, command, join},
};

const STREAM: &str = "friday-show";

/// Presses Close, then slides off it.
const SLIDE_OFF: &str = "(() => { const button = document.querySelector('[data-command=close]');
  for (const kind of ['pointerdown', 'pointerleave']) button.dispatchEvent(new PointerEvent(kind, { button: 0 }));
  return true; })()";

/// Plans a drop and opens it, which puts it on air.
fn opened(server: &Server, place: u16, title: &str) -> String {
    let drop = Drop { countdown_ms: 0, ..Drop::new(STREAM, place, title, 50) };
    let drop = server.plan(&drop);
    server.command(&format!("drops/{drop}/open"), &json!({}));
    server.until(&drop, "open", |state| state["phase"] == "open");
    drop
}

#[test]
fn another_drop_is_put_on_air_and_both_go_on_selling() {
    let server = Server::start();
    let drops =
        [(1, "Grey mug"), (2, "Blue mug")].map(|(place, title)| opened(&server, place, title));
    let browser = Browser::start();
    let tab = browser.visitor(Look::LAPTOP).tab();
    join(&tab, &server, &server.invite("nina", "host", &[STREAM], VALID_MS));
    tab.see("[data-s=title]", "Blue mug");
    command(&tab, "more", "More");
    tab.see("[data-list=airs]", "Grey mug");
    // Esc closes the sheet, and does nothing else.
    tab.key("Escape");
    tab.until("closed", "document.querySelector('[data-el=more]').hidden");
    tab.key("m");
    tab.key("4");
    tab.see("[data-s=result]", "is on air");
    tab.see("[data-s=title]", "Grey mug");
    for drop in &drops {
        assert_eq!(server.drop_state(drop)["phase"], "open");
    }
    assert_eq!(server.drop_state(&drops[0])["featured"], true);
}

#[test]
fn what_a_number_puts_on_air_stays_while_the_sheet_is_open() {
    let server = Server::start();
    let [grey, blue, _] = [(1, "Grey mug"), (2, "Blue mug"), (3, "Red mug")]
        .map(|(place, title)| opened(&server, place, title));
    let browser = Browser::start();
    let tab = browser.visitor(Look::LAPTOP).tab();
    join(&tab, &server, &server.invite("nina", "host", &[STREAM], VALID_MS));
    tab.see("[data-s=title]", "Red mug");
    command(&tab, "more", "More");
    tab.see("[data-list=airs] > :first-child", "Grey mug");
    server.command(&format!("drops/{grey}/close"), &json!({}));
    tab.see("[data-list=airs] > :first-child[aria-disabled]", "not any more");
    // What it was is dead; the one below has not come in its place.
    tab.key("4");
    tab.key("5");
    tab.see("[data-s=result]", "Blue mug");
    tab.see("[data-s=title]", "Blue mug");
    server.until(&blue, "on air", |state| state["featured"] == true);
}

#[test]
fn the_sheet_closes_the_drop_that_it_names() {
    let server = Server::start();
    let [grey, blue] = [(1, "Grey mug"), (2, "Blue mug")].map(|(place, title)| {
        server.plan(&Drop { countdown_ms: 0, ..Drop::new(STREAM, place, title, 50) })
    });
    server.command(&format!("drops/{grey}/open"), &json!({}));
    let browser = Browser::start();
    let tab = browser.visitor(Look::LAPTOP).tab();
    join(&tab, &server, &server.invite("nina", "host", &[STREAM], VALID_MS));
    tab.see("[data-s=title]", "Grey mug");
    command(&tab, "more", "More");
    tab.see("[data-s=more-title]", "Grey mug");
    // Somebody puts another one on air, while the sheet still names the first.
    server.command(&format!("drops/{blue}/open"), &json!({}));
    tab.see("[data-s=title]", "Blue mug");
    tab.see("[data-command=close][aria-disabled]", "not any more");
    tab.key("Escape");
    // Somebody thinks better of it: let go by sliding off, a hold is none.
    command(&tab, "more", "More");
    tab.see("[data-s=more-title]", "Blue mug");
    tab.value(SLIDE_OFF);
    assert_eq!(tab.value("document.querySelector('dialog[open]')"), json!(null));
    for drop in [&grey, &blue] {
        assert_eq!(server.drop_state(drop)["phase"], "open");
    }
}

#[test]
fn a_host_makes_a_link_for_the_stage() {
    let server = Server::start();
    server.plan(&Drop::new(STREAM, 1, "Grey mug", 50));
    let browser = Browser::start();
    let tab = browser.visitor(Look::LAPTOP).tab();
    join(&tab, &server, &server.invite("nina", "host", &[STREAM], VALID_MS));
    tab.press("details.who summary");
    tab.press("[data-do=stage-link]");
    tab.press("[data-do=make-link]");
    tab.see("[data-s=make-link]", "Copy");
    tab.see("[data-s=stage-link-hint]", "Good for");
    let link = tab.until("a link", "document.getElementById('stage-link').value");
    let stage = browser.visitor(Look::LAPTOP).open(link.as_str().unwrap());
    stage.see("h1", "nina");
    stage.press("[data-form=invitation] [type=submit]");
    stage.until("at the stage", "location.pathname === '/stage/friday-show'");
    stage.see("[data-s=title]", "Grey mug");
    // Each opening of the dialog makes a link of its own.
    tab.key("Escape");
    tab.press("details.who summary");
    tab.press("[data-do=stage-link]");
    tab.press("[data-do=make-link]");
    let other = tab.until("another link", "document.getElementById('stage-link').value");
    assert_ne!(link, other);
}

/// Keeps each share of the button that is filled while it is held, in tenths.
const HELD: &str =
    "(() => { globalThis.told = []; const button = document.querySelector('[data-command=close]');
  const fill = button.querySelector('.fill');
  const look = () => { const tenths = (10 * fill.getBoundingClientRect().width) / button.clientWidth;
    if (button.classList.contains('holding') && tenths !== told.at(-1)) told.push(tenths);
    requestAnimationFrame(look); };
  look(); return true; })()";

#[test]
fn without_motion_a_hold_fills_in_steps() {
    let server = Server::start();
    opened(&server, 1, "Grey mug");
    let browser = Browser::start();
    let tab = browser.visitor(Look::LAPTOP).tab();
    join(&tab, &server, &server.invite("nina", "host", &[STREAM], VALID_MS));
    tab.see("[data-s=state]", "Open");
    command(&tab, "more", "More");
    tab.value(HELD);
    tab.hold_until(
        "[data-command=close]",
        "closed",
        "document.querySelector('[data-s=hero]').textContent === 'Closed'",
    );
    let told: Vec<f64> = serde_json::from_value(tab.value("told")).unwrap();
    assert!(told.len() >= 4, "{told:?}");
    assert!(told.iter().all(|tenths| (tenths - tenths.round()).abs() < 0.01), "{told:?}");
    assert!(told.is_sorted(), "{told:?}");
}
