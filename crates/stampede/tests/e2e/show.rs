//! A host runs a show from an invitation on, before a crowd.

use serde_json::{Value, json};

use crate::harness::{Browser, Crowd, Drop, Look, Server, Tab};

const STREAM: &str = "friday-show";
/// Movement that tools show as 0.00: a pill of the running order whose word is another one.
const SHIFT_MAX: f64 = 0.002;
/// Presses within the first second after a pause.
const PRESSES_MAX: u32 = 2_000;
/// How long an invitation is good, in milliseconds.
pub(crate) const VALID_MS: u64 = 3_600_000;

/// Comes in by an invitation.
pub(crate) fn join(tab: &Tab, server: &Server, path: &str) {
    tab.go(&server.page(path));
    tab.press("[data-form=invitation] [type=submit]");
    tab.until("at the control room", "location.pathname.startsWith('/live/')");
    tab.see("[data-s=age]", "old");
}

/// Presses a command's button, once it can be pressed and says so.
pub(crate) fn command(tab: &Tab, name: &str, label: &str) {
    let css = format!("[data-command={name}]:not([aria-disabled])");
    tab.see(&css, label);
    tab.press(&css);
}

/// Resumes by key; the key is deaf at first, so that a double press of Pause does not resume.
pub(crate) fn resume(tab: &Tab) {
    tab.see("[data-command=stop][data-act=resume]", "Resume");
    let resumed = "!document.querySelector('[data-command=stop][data-act=resume]')";
    for _ in 0..PRESSES_MAX {
        tab.key("o");
        if tab.value(resumed) == true {
            return;
        }
    }
    tab.until("selling again", resumed);
}

fn sum(state: &Value, of: &str) -> u64 {
    state["skus"].as_array().unwrap().iter().filter_map(|sku| sku[of].as_u64()).sum()
}

#[test]
fn a_host_runs_a_show_before_a_crowd() {
    let server = Server::start();
    let grey = server.plan(&Drop::new(STREAM, 1, "Grey mug", 40).reserving(250));
    let blue = Drop { countdown_ms: 600_000, ..Drop::new(STREAM, 2, "Blue mug", 30) };
    let blue = server.plan(&blue);
    let browser = Browser::start();
    let host = browser.visitor(Look::LAPTOP);
    let tab = host.tab();
    join(&tab, &server, &server.invite("nina", "host", &[STREAM], VALID_MS));
    let stage = host.open(&server.page("/stage/friday-show"));
    stage.see("[data-s=title]", "Grey mug");
    // Somebody who only watches: nothing on that screen moves by a hand.
    let watching = host.open(&server.page("/live/friday-show"));
    let crowd = Crowd::new(STREAM, &grey, 60).come(&server);

    tab.see("[data-s=next-title]", "Grey mug");
    command(&tab, "next", "Start next drop");
    tab.see("[data-s=hero]", "All taken for now");
    stage.see("[data-s=hero]", "All taken for now");

    command(&tab, "stop", "Pause");
    tab.see("[data-s=result]", "Paused");
    tab.see("[data-s=state]", "Paused");
    server.until(&grey, "paused", |state| state["phase"] == "paused");
    resume(&tab);
    server.until(&grey, "open", |state| state["phase"] == "open");

    command(&tab, "restock", "Restock");
    tab.press("[data-form=restock] label:has([value='250'])");
    tab.see("[data-s=restock-confirm]", "250");
    tab.press("[data-s=restock-confirm]");
    tab.see("[data-s=result]", "by 250");
    // Everybody of the crowd may have one.
    server.until(&grey, "sold on", |state| sum(state, "available") == 230);
    tab.see("[data-s=hero]", "230");
    stage.see("[data-s=hero]", "230");

    next_is_cancelled(&tab, &server, &blue);
    closes(&tab);
    stage.see("[data-s=hero]", "Closed");
    watching.see("[data-s=hero]", "Closed");
    let (score, what) = watching.layout_shift();
    println!("layout shift of the control room over a whole sale: {score} {what}");
    assert!(score < SHIFT_MAX, "{score} by {what}");
    // What the stage says in one large word is laid out for each kind of word: it is told, not held to.
    println!("layout shift of the stage over a whole sale: {}", stage.layout_shift().0);
    let seen = crowd.go();
    assert_eq!(seen.troubles.len(), 0, "{:?}", seen.troubles);
}

/// The drop before goes on selling off air; cancelling puts it back on air.
fn next_is_cancelled(tab: &Tab, server: &Server, blue: &str) {
    command(tab, "next", "Start next drop");
    tab.see("[data-s=hero]", "Opens in");
    tab.see("[data-s=title]", "Blue mug");
    tab.see("[data-list=order]", "off air");
    command(tab, "stop", "Cancel countdown");
    tab.see("[data-s=result]", "Countdown cancelled");
    server.until(blue, "planned", |state| state["phase"] == "scheduled");
    tab.see("[data-s=title]", "Grey mug");
    tab.see("[data-s=state]", "Open");
}

fn closes(tab: &Tab) {
    // A short press says what it means.
    command(tab, "more", "More");
    command(tab, "close", "Close");
    tab.see("[data-s=close-question]", "Grey mug");
    tab.press("[data-el=close-dialog] [data-do=dismiss]");
    command(tab, "more", "More");
    tab.hold_until(
        "[data-command=close]",
        "closed",
        "document.querySelector('[data-s=result]').textContent.includes('Closed')",
    );
    tab.see("[data-s=hero]", "Closed");
}

/// Puts a copy of the hero in its place, where nothing else draws, and walks each kind of it through
/// counts. How far the page moved by itself within each kind, and what stood beside words that reach it.
const WALK: &str = "(async () => {
  const drawn = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 50)));
  const hero = document.querySelector('[data-el=hero]').cloneNode(true);
  document.querySelector('[data-el=hero]').replaceWith(hero);
  const [words, count, note] = ['hero', 'beside', 'under-right-note'].map((name) => hero.querySelector(`[data-s=${name}]`));
  const box = (node) => { const range = document.createRange(); range.selectNodeContents(node); return range.getBoundingClientRect(); };
  const walked = [];
  for (const [kind, text, ...counts] of [
    ['long', 'All taken for now', '40', '12', '7', '240'], ['words', 'Sold out', '40', '7', '240'],
    ['cue', 'Say GO in 120', '2:09', '59\u{a0}s', '9\u{a0}s'], ['hear', 'Viewers hear you now', '12\u{a0}s', '9\u{a0}s', 'Open']]) {
    hero.dataset.kind = kind;
    [words.textContent, count.textContent, note.textContent] = [text, counts[0], ''];
    await drawn();
    await drawn();
    const before = shifted.score;
    const reached = [];
    for (const next of counts) {
      count.firstChild.data = next;
      await drawn();
      if (box(words).right > box(count).left) reached.push(next);
    }
    walked.push([kind, shifted.score - before, reached]);
  }
  return walked; })()";

#[test]
fn a_count_with_a_digit_less_moves_nothing_and_words_do_not_reach_it() {
    let server = Server::start();
    server.plan(&Drop { countdown_ms: 0, ..Drop::new(STREAM, 1, "Grey mug", 500) });
    let browser = Browser::start();
    let tab = browser.visitor(Look::LAPTOP).tab();
    join(&tab, &server, &server.invite("nina", "host", &[STREAM], VALID_MS));
    command(&tab, "next", "Start next drop");
    tab.see("[data-s=hero]", "500");
    for size in [(1_440, 900), (1_280, 720), (1_024, 768)] {
        tab.look(Look { size, ..Look::LAPTOP });
        let still = ["long", "words", "cue", "hear"].map(|kind| json!([kind, 0, []]));
        assert_eq!(tab.value(WALK), json!(still), "{size:?}");
    }
}
