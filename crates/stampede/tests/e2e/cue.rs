//! When a host is told to speak, so that viewers hear it as the drop opens.

use crate::{
    harness::{Browser, Drop, Look, Server, Tab},
    show::{VALID_MS, command, join},
};

/// Keeps every text that stands in the hero's place, in turn.
const NOTE: &str =
    "(() => { globalThis.said = []; const hero = document.querySelector('[data-s=hero]');
  new MutationObserver(() => said.push(hero.textContent))
    .observe(hero, { childList: true, characterData: true, subtree: true });
  new MutationObserver(() => document.querySelector('[data-now]') && said.push('inside out'))
    .observe(document.body, { attributeFilter: ['data-now'], subtree: true }); return true; })()";

/// That these words stood there, one after the other: a second is over before a busy machine looks.
fn said_in_turn(tab: &Tab, words: &[&str]) {
    let all = tab.value("said");
    let mut told = all.as_array().unwrap().iter().filter_map(|text| text.as_str());
    for word in words {
        assert!(told.any(|text| text.contains(word)), "{word:?} in {all}");
    }
}

const STREAM: &str = "friday-show";

#[test]
fn the_line_for_the_stage_says_how_much_room_is_left() {
    let server = Server::start();
    server.plan(&Drop::new(STREAM, 1, "Candle", 500));
    let browser = Browser::start();
    let tab = browser.visitor(Look::LAPTOP).tab();
    join(&tab, &server, &server.invite("nina", "host", &[STREAM], VALID_MS));
    tab.see("#line-room", "40 left");
    // A family is one sign.
    tab.put("#line", "\u{1f469}\u{200d}\u{1f469}\u{200d}\u{1f467}!");
    tab.see("#line-room", "38 left");
    tab.put("#line", &"m".repeat(42));
    tab.see("#line-room", "2 too many");
    tab.see("#line-error", "Type 40 characters or fewer");
    tab.key("Escape");
    tab.see("#line-room", "40 left");
}

#[test]
fn a_host_is_told_when_to_speak_and_the_stage_says_the_same() {
    let server = Server::start();
    let drop = Drop { countdown_ms: 0, ..Drop::new(STREAM, 1, "Candle", 500) };
    let drop = server.plan(&drop);
    let browser = Browser::start();
    let host = browser.visitor(Look::LAPTOP);
    let tab = host.tab();
    join(&tab, &server, &server.invite("nina", "host", &[STREAM], VALID_MS));
    tab.see("[data-s=video]", "Video in time");
    tab.press("[data-do=video]");
    tab.put("#video-delay", "1.5");
    tab.press("[data-form=video] [type=submit]");
    tab.see("[data-s=video-wrong]", "1.5 is no delay. Type 0, or 2 to 60.");
    tab.put("#video-delay", "2");
    tab.press("[data-form=video] [type=submit]");
    tab.see("[data-s=video]", "Video 2\u{a0}s behind");
    tab.see("[data-s=next-countdown]", "5\u{a0}s, so 3\u{a0}s to say GO");

    // The person on camera has a browser with a link of its own.
    let camera = browser.visitor(Look::LAPTOP);
    let stage = camera.tab();
    stage.go(&server.page(&server.invite("camera", "stage", &[STREAM], VALID_MS)));
    stage.press("[data-form=invitation] [type=submit]");
    stage.until("at the stage", "location.pathname.startsWith('/stage/')");
    tab.put("#line", "Three sizes, the middle one first");
    tab.value("document.querySelector('[data-form=line]').requestSubmit()");
    stage.see("[data-s=line]", "Three sizes, the middle one first");

    for page in [&tab, &stage] {
        page.value(NOTE);
    }
    command(&tab, "next", "Start next drop");
    server.until(&drop, "open", |state| state["phase"] == "open");
    for page in [&tab, &stage] {
        page.see("[data-s=hero]", "500");
    }
    for page in [&tab, &stage] {
        said_in_turn(page, &["inside out"]);
    }
    said_in_turn(
        &tab,
        &["Say GO in 3", "Say GO now", "Viewers hear GO in 1", "Viewers hear you now", "500"],
    );
    said_in_turn(&stage, &["GO", "Viewers hear you now", "500"]);
    assert_eq!(stage.complaints(), Vec::<String>::new());
    assert_eq!(tab.complaints(), Vec::<String>::new());
}
