//! A run by keyboard alone, with what a screen reader would read of the control room.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::{
    harness::{Browser, Crowd, Drop, Look, Server, Tab},
    show::{VALID_MS, join, resume},
};

const STREAM: &str = "friday-show";
/// More than a page has places to go to.
const STOPS_MAX: usize = 60;

/// Where the focus is: a name, how far down and right, what is wrong with how it shows.
const FOCUS: &str = "(() => {
  const at = document.activeElement;
  if (!at || at === document.body) return null;
  const name = at.dataset.command || at.dataset.do || at.dataset.list || at.id || at.getAttribute('name')
    || at.getAttribute('href')?.replace(/[?].*/, '') || at.className || at.localName;
  const box = at.getBoundingClientRect();
  const rings = [at, at.nextElementSibling].filter(Boolean).flatMap((one) => [getComputedStyle(one), getComputedStyle(one, '::after')]);
  const wrong = [];
  if (!rings.some((ring) => ring.outlineStyle !== 'none' && parseFloat(ring.outlineWidth) >= 2)) wrong.push('shows no focus');
  const seen = at.matches('input') ? at.closest('label') ?? at : at;
  const where = seen.getBoundingClientRect();
  const top = document.elementFromPoint(where.x + where.width / 2, where.y + Math.min(where.height / 2, 10));
  if (!top || !(seen.contains(top) || top.contains(seen))) wrong.push(`lies under ${top?.className} at ${where.x} ${where.y} ${where.width} ${where.height}, window ${innerWidth} ${innerHeight} ${scrollY}`);
  const region = at.closest('header, .alarm, .program, .side, footer, dialog');
  const place = region ? region.localName === 'header' ? 'top' : region.className || region.localName : 'none';
  return { name: `${place}: ${name}`, y: Math.round(box.y), x: Math.round(box.x), wrong }; })()";

/// Goes once around the page by Tab; the names of its stops.
fn around(tab: &Tab) -> Vec<String> {
    tab.value("document.activeElement?.blur()");
    tab.value("(document.body.tabIndex = -1, document.body.focus(), document.body.removeAttribute('tabindex'))");
    let mut names: Vec<String> = Vec::new();
    for _ in 0..STOPS_MAX {
        tab.key("Tab");
        let stop = tab.value(FOCUS);
        let Some(name) = stop["name"].as_str() else { break };
        if names.first().is_some_and(|first| first == name) {
            break;
        }
        assert_eq!(stop["wrong"], json!([]), "{name}");
        names.push(name.to_owned());
    }
    names
}

/// Goes to an element by Tab.
fn reach(tab: &Tab, css: &str) {
    let there = format!("document.activeElement?.matches({})", json!(css));
    for _ in 0..STOPS_MAX {
        if tab.value(&there) == true {
            return;
        }
        tab.key("Tab");
    }
    panic!("Tab does not lead to {css}");
}

/// Keys by their names are switched off: Tab, Enter, Space do everything.
#[test]
fn a_host_runs_a_show_by_keyboard_alone() {
    let server = Server::start();
    let drop = server.plan(&Drop::new(STREAM, 1, "Grey mug", 500).reserving(250));
    let browser = Browser::start();
    let host = browser.visitor(Look::LAPTOP);
    let tab = host.open(&server.page(&server.invite("nina", "host", &[STREAM], VALID_MS)));
    reach(&tab, "[data-form=invitation] [type=submit]:enabled");
    tab.key("Enter");
    tab.see("[data-s=next-title]", "Grey mug");
    tab.see("[data-s=age]", "old");
    reach(&tab, "[data-do=help]");
    tab.key("Enter");
    reach(&tab, "[data-do=keys]");
    tab.key("Space");
    tab.key("Escape");
    tab.until("without keys", "document.body.dataset.keys === 'off'");

    reach(&tab, "[data-command=next]");
    tab.key("Enter");
    tab.see("[data-s=state]", "Open");
    // A key that is switched off does nothing; the button does.
    tab.key("p");
    reach(&tab, "[data-command=stop]");
    assert_eq!(server.drop_state(&drop)["phase"], "open");
    tab.key("Enter");
    tab.see("[data-s=state]", "Paused");
    tab.until("no longer deaf", "globalThis.since ? performance.now() - since > 1200 : (globalThis.since = performance.now(), false)");
    tab.key("Enter");
    server.until(&drop, "open", |state| state["phase"] == "open");
    tab.see("[data-command=stop][data-act=pause]", "Pause");
    reach(&tab, "[data-command=restock]");
    tab.key("Enter");
    for digit in ["2", "5", "0"] {
        tab.key(digit);
    }
    reach(&tab, "[data-s=restock-confirm], [type=submit]:has([data-s=restock-confirm])");
    tab.key("Enter");
    tab.see("[data-s=hero]", "750");
    reach(&tab, "[data-command=more]");
    tab.key("Enter");
    reach(&tab, "[data-command=close]");
    tab.key_down("Enter");
    tab.see("[data-s=hero]", "Closed");
    tab.key_up("Enter");
}

#[test]
fn tab_goes_in_reading_order() {
    let server = Server::start();
    server.plan(&Drop::new(STREAM, 1, "Grey mug", 500));
    server.plan(&Drop::new(STREAM, 2, "Blue mug", 500));
    let browser = Browser::start();
    let host = browser.visitor(Look::LAPTOP);
    let tab = host.tab();
    join(&tab, &server, &server.invite("nina", "host", &[STREAM], VALID_MS));
    tab.key("n");
    tab.see("[data-s=state]", "Open");
    let mut all = String::new();
    for (width, height) in [(1440, 900), (834, 1112), (390, 844)] {
        tab.look(Look { size: (width, height), ..Look::LAPTOP });
        let names = around(&tab);
        writeln!(all, "{width} wide").unwrap();
        for name in &names {
            writeln!(all, "  {name}").unwrap();
        }
    }
    insta::assert_snapshot!("tab_order", all);
}

/// One line for each thing that is read, deeper ones indented; figures are left out.
fn outline(nodes: &[Value], id: &Value, depth: usize, out: &mut String) {
    let Some(node) = nodes.iter().find(|node| node["nodeId"] == *id) else { return };
    let role = node["role"]["value"].as_str().unwrap_or_default();
    let name = node["name"]["value"].as_str().unwrap_or_default();
    let is_read = node["ignored"] == false
        && !matches!(role, "none" | "generic" | "InlineTextBox" | "StaticText" if name.trim().is_empty())
        && !matches!(role, "InlineTextBox" | "none" | "generic");
    let deeper = if is_read {
        let told = without_figures(name);
        let states = states(node);
        writeln!(out, "{:1$}{role} {told:?}{states}", "", depth * 2).unwrap();
        depth + 1
    } else {
        depth
    };
    for child in node["childIds"].as_array().into_iter().flatten() {
        outline(nodes, child, deeper, out);
    }
}

fn states(node: &Value) -> String {
    let told = ["disabled", "checked", "expanded", "live", "description"];
    let of = |name: &str| {
        let found = node["properties"].as_array()?.iter().find(|one| one["name"] == *name)?;
        let value = found["value"]["value"].to_string();
        (value != "false").then(|| format!(" {name}={value}"))
    };
    told.iter().filter_map(|name| of(name)).collect()
}

/// Each number as one sign, so that an outline stays as it is while a sale runs.
fn without_figures(text: &str) -> String {
    let mut out = String::new();
    let mut in_number = false;
    for sign in text.chars() {
        let is_part = sign.is_ascii_digit() || in_number && matches!(sign, '.' | ',' | ':');
        if is_part && !in_number {
            out.push('#');
        }
        if !is_part {
            out.push(sign);
        }
        in_number = is_part;
    }
    out
}

/// Keeps what every live region of the page comes to say.
const HEAR: &str = "(() => { globalThis.heard = []; new MutationObserver((changes) => {
    const regions = new Set(changes.map(({ target }) => (target.closest ? target : target.parentElement)?.closest('[role=status], [role=alert], [aria-live]')));
    for (const region of regions) if (region?.textContent.trim()) heard.push(region.textContent.trim()); })
  .observe(document.body, { childList: true, characterData: true, subtree: true }); return true; })()";

#[test]
fn an_event_is_announced_once() {
    let server = Server::start();
    let drop = server
        .plan(&Drop { countdown_ms: 0, ..Drop::new(STREAM, 1, "Grey mug", 500).reserving(250) });
    server.command(&format!("drops/{drop}/open"), &json!({}));
    let browser = Browser::start();
    let tab = browser.visitor(Look::LAPTOP).tab();
    join(&tab, &server, &server.invite("nina", "host", &[STREAM], VALID_MS));
    tab.see("[data-s=state]", "Open");
    tab.value(HEAR);
    let heard =
        |words: &str| tab.until(words, &format!("heard.some((one) => /{words}/.test(one))"));
    // One's own command, one of somebody else, one that says a figure.
    tab.key("p");
    heard("Paused");
    server.command(&format!("drops/{drop}/resume"), &json!({}));
    heard("resumed");
    tab.see("[data-command=restock]:not([aria-disabled])", "Restock");
    tab.key("r");
    for digit in ["2", "5", "0"] {
        tab.key(digit);
    }
    tab.see("[data-s=restock-confirm]", "250");
    tab.key("Enter");
    heard("Restocked");
    let all = tab.value("heard");
    let of = |word: &str| {
        let said = all.as_array().unwrap().iter().filter_map(Value::as_str);
        said.filter(|one| one.to_lowercase().contains(word)).count()
    };
    assert_eq!(["paused", "resumed", ": open", "restocked"].map(of), [1, 1, 0, 1], "{all}");
}

#[test]
fn a_screen_reader_reads_the_control_room_in_order() {
    let server = Server::start();
    let grey = server.plan(&Drop::new(STREAM, 1, "Grey mug", 500));
    server.plan(&Drop::new(STREAM, 2, "Blue mug", 500));
    let browser = Browser::start();
    let host = browser.visitor(Look::LAPTOP);
    let tab = host.tab();
    join(&tab, &server, &server.invite("nina", "host", &[STREAM], VALID_MS));
    let crowd = Crowd { never_pay_share: 0.0, ..Crowd::new(STREAM, &grey, 20) }.come(&server);
    tab.key("n");
    tab.see("[data-s=hero]", "480");
    tab.see("[data-s=bar-paid]", "20");
    tab.key("p");
    tab.see("[data-s=state]", "Paused");
    resume(&tab);
    tab.see("[data-s=result]", "Resumed");
    tab.see("[data-command=stop]", "Pause");
    tab.see("[data-tile=clicks] .second", "none refused");
    // What was said last is spoken in the end, however much came at once before it.
    tab.until(
        "spoken to",
        "/Open|Resumed/.test(document.querySelector('[data-s=spoken]').textContent)",
    );
    tab.value("document.querySelector('[data-s=spoken]').textContent = '(the last change)'");
    // Whether a click came before the opening is a matter of the crowd.
    tab.value("document.querySelector('[data-s=why]').style.display = 'none'");
    tab.call("Accessibility.enable", &json!({}));
    let tree = tab.call("Accessibility.getFullAXTree", &json!({}));
    let nodes = tree["nodes"].as_array().unwrap();
    let mut out = String::new();
    outline(nodes, &nodes[0]["nodeId"], 0, &mut out);
    insta::assert_snapshot!("control_room_outline", out);
    crowd.go();
}
