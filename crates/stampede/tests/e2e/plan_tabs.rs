//! Planning where something else goes on meanwhile: another tab, another planner, answers and connections that are lost.

use serde_json::{Value, json};

use crate::{
    harness::{Browser, Drop, Look, Server, Tab},
    plan::{STREAM, clock_changes, edit, in_order, planner, set, titles},
    plan_table::TABLE,
};

/// Has every page of the tab run a script before its own.
fn prepare(tab: &Tab, script: &str) {
    tab.call("Page.addScriptToEvaluateOnNewDocument", &json!({ "source": script }));
}

/// Fills the form of a new drop.
fn fill(tab: &Tab, title: &str) {
    for (name, value) in [("title", title), ("goods.1.price", "12.50"), ("goods.1.supply", "40")] {
        set(tab, name, value);
    }
    tab.see("[data-s=kept]", "Draft, kept in this browser");
}

#[test]
fn drafts_are_planned_once_from_two_tabs() {
    let server = Server::start();
    let browser = Browser::start();
    let visitor = browser.visitor(Look::LAPTOP);
    let tab = planner(&visitor, &server, "paste");
    // The first tab has sent nothing yet when the second is asked to plan the same.
    prepare(
        &tab,
        "{ const ask = fetch; globalThis.fetch = async (url, options) => {
          while (options?.method === 'POST' && !globalThis.mayPost) await new Promise((done) => setTimeout(done, 50));
          return ask(url, options); }; }",
    );
    tab.put("#table", TABLE);
    tab.see("[data-s=plan]", "Plan 5 drops");
    tab.press("[data-do=plan]");
    tab.see("[data-s=progress]", "0 of 5 planned");
    let other = visitor.tab();
    other.go(&server.page(&format!("/plan/{STREAM}")));
    other.see("[data-s=plan-all]", "Go on planning, 5 left");
    other.press("[data-do=plan-all]");
    other.see("[data-s=line]", "Another tab of this browser is planning them.");
    tab.value("globalThis.mayPost = true");
    tab.see("[data-s=line]", "5 drops are planned.");
    assert_eq!(titles(&server).len(), 5);
    other.until("no draft is left", "document.querySelector('[data-el=drafts]').hidden");
}

#[test]
fn a_draft_that_another_tab_has_planned_is_not_planned_again() {
    let server = Server::start();
    let browser = Browser::start();
    let visitor = browser.visitor(Look::LAPTOP);
    let tab = planner(&visitor, &server, "new");
    fill(&tab, "Grey mug");
    let address = tab.value("location.href");
    let other = visitor.tab();
    other.go(address.as_str().unwrap());
    other.until("the same", "document.querySelector('#f-title')?.value === 'Grey mug'");
    // What is typed in one is in the other.
    set(&tab, "title", "Blue mug");
    other.until("typed", "document.querySelector('#f-title').value === 'Blue mug'");
    tab.press("[data-do=plan]");
    tab.see("[data-s=line]", "Planned Blue mug.");
    other.see("[data-s=line]", "Another tab has planned or discarded this draft.");
    other.until("no button", "document.querySelector('[data-do=plan]').hidden");
    other.go(&server.page(&format!("/plan/{STREAM}")));
    other.until("no draft", "document.querySelector('[data-el=drafts]').hidden");
    assert_eq!(titles(&server), ["Blue mug"]);
}

#[test]
fn what_is_wrong_with_a_draft_is_said_again_when_it_is_opened_again() {
    let server = Server::start();
    let browser = Browser::start();
    let tab = planner(&browser.visitor(Look::LAPTOP), &server, "new");
    fill(&tab, "Grey mug");
    tab.value(
        "{ const field = document.querySelector('#f-pauseAfter'); field.focus(); field.value = 'soon';
          field.dispatchEvent(new Event('input', { bubbles: true })); }",
    );
    tab.see("[data-list=line]", "pause after.");
    tab.until("kept", "Object.values(localStorage).some((kept) => kept.includes('soon'))");
    let address = tab.value("location.href");
    tab.go(address.as_str().unwrap());
    tab.see("#f-pauseAfter-error", "soon is no number of seconds");
    tab.see("[data-s=line]", "1 field needs you:");
}

#[test]
fn an_edit_whose_answer_is_lost_is_nobody_elses() {
    let server = Server::start();
    let drop = server.plan(&Drop::new(STREAM, 1, "Mug", 500));
    let browser = Browser::start();
    let tab = planner(&browser.visitor(Look::LAPTOP), &server, &drop);
    set(&tab, "title", "Grey mug");
    // It is carried out, its answer is lost, and so is the session for the next try.
    tab.value(
        "{ const ask = fetch; globalThis.edits = 0; globalThis.fetch = async (url, options) => {
          if (options?.method !== 'PATCH' || ++globalThis.edits > 2) return ask(url, options);
          if (globalThis.edits === 2) return new Response('{\"code\":\"session_expired\"}', { status: 401 });
          await ask(url, options); throw new TypeError('lost'); }; }",
    );
    tab.value("document.querySelector('#f-limit').focus()");
    tab.call(
        "Input.dispatchKeyEvent",
        &json!({ "type": "keyDown", "modifiers": 2, "key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13 }),
    );
    tab.see("[data-s=plan]", "Ask again");
    // The focus is where there is something to do.
    tab.until("at the button", "document.activeElement.matches('[data-do=plan]')");
    assert_eq!(server.drop_state(&drop)["revision"], 2);
    // The page hears of its own edit, among others', and takes it for nobody's.
    server.plan(&Drop::new(STREAM, 2, "Other", 5));
    tab.see("[data-s=place-of]", "of 2");
    tab.until("no clash", "document.querySelector('[data-el=clash]').hidden");
    tab.press("[data-do=plan]");
    tab.see("[data-s=line]", "Changed Grey mug.");
    assert_eq!(server.drop_state(&drop)["revision"], 2);
}

#[test]
fn what_is_typed_and_chosen_beside_a_clash_stands() {
    let server = Server::start();
    let drop = server.plan(&Drop::new(STREAM, 1, "Mug", 500));
    let browser = Browser::start();
    let tab = planner(&browser.visitor(Look::LAPTOP), &server, &drop);
    set(&tab, "title", "Grey mug");
    let change = |field: &str, value: Value| {
        let mut plan = server.drop_state(&drop)["plan"].clone();
        plan[field] = value;
        edit(&server, &drop, &plan);
    };
    change("title", "Blue mug".into());
    change("hold_ttl_ms", 300_000.into());
    tab.see("[data-list=clash] [data-field=hold]", "taken over");
    tab.press("[data-field=title] [value=theirs]");
    // A field that was to be taken over is typed into: now both have changed it.
    set(&tab, "hold", "4:00");
    let both =
        "!document.querySelector('[data-list=clash] [data-field=hold] [data-el=mine]').hidden";
    tab.until("both have changed it", both);
    // Another change resets no choice.
    change("host", "jonas".into());
    tab.see("[data-list=clash] [data-field=host]", "jonas");
    tab.press("[data-do=merge]");
    tab.until("merged", "document.querySelector('[data-el=clash]').hidden");
    tab.press("[data-do=plan]");
    tab.see("[data-s=line]", "Changed Blue mug.");
    let plan = server.drop_state(&drop)["plan"].clone();
    assert_eq!((&plan["title"], &plan["host"]), (&json!("Blue mug"), &json!("jonas")));
    assert_eq!(plan["hold_ttl_ms"], 240_000);
}

#[test]
fn drafts_go_to_the_places_that_were_typed() {
    let server = Server::start();
    server.plan(&Drop::new(STREAM, 10, "Old mug", 5));
    let browser = Browser::start();
    let tab = planner(&browser.visitor(Look::LAPTOP), &server, "new");
    fill(&tab, "First");
    set(&tab, "place", "1");
    tab.see("#f-place-hint", "First of all");
    tab.go(&server.page(&format!("/plan/{STREAM}/new")));
    fill(&tab, "Last");
    tab.go(&server.page(&format!("/plan/{STREAM}")));
    tab.see("[data-list=drafts]", "kept in this browser, for place 1");
    // The focus stays in the list of drafts while the running order changes.
    tab.value("document.querySelector('[data-list=drafts] [data-do=discard]').focus()");
    server.plan(&Drop::new(STREAM, 20, "New mug", 5));
    in_order(&tab, "Old mug,New mug");
    tab.until("there", "document.activeElement.matches('[data-list=drafts] [data-do=discard]')");
    tab.press("[data-do=plan-all]");
    tab.see("[data-s=line]", "2 drops are planned.");
    in_order(&tab, "First,Old mug,New mug,Last");
}

#[test]
fn a_planned_start_is_told_by_the_clock_of_its_day() {
    let server = Server::start();
    let drop = server.plan(&Drop::new(STREAM, 1, "Mug", 5));
    let browser = Browser::start();
    let visitor = browser.visitor(Look::LAPTOP);
    planner(&visitor, &server, "").see("h1", "Plan");
    let tab = visitor.tab();
    tab.call("Emulation.setTimezoneOverride", &json!({ "timezoneId": "Europe/Berlin" }));
    tab.go(&server.page(&format!("/plan/{STREAM}")));
    // On the day of the next change the clock is an hour from where it is now.
    let (forward, back) = clock_changes(&tab);
    let at = tab.value(&format!("new Date('{}T20:00').getTime()", forward.min(back)));
    let mut plan = server.drop_state(&drop)["plan"].clone();
    plan["starts_at_ms"] = at;
    edit(&server, &drop, &plan);
    tab.see("[data-list=order] [data-t=starts]", "20:00");
}

#[test]
fn nothing_is_lost_where_the_browser_has_no_room() {
    let server = Server::start();
    let browser = Browser::start();
    let tab = planner(&browser.visitor(Look::LAPTOP), &server, "paste");
    tab.put("#table", TABLE);
    tab.see("[data-s=plan]", "Plan 5 drops");
    tab.value(
        "{ const keep = Storage.prototype.setItem; let room = 3; Storage.prototype.setItem = function (key, text) {
          if (key.startsWith('stampede_plan/') && room-- <= 0) throw new DOMException('full', 'QuotaExceededError');
          keep.call(this, key, text); }; }",
    );
    tab.press("[data-do=plan]");
    tab.see("#table-error", "This browser has no room for more drafts.");
    tab.go(&server.page(&format!("/plan/{STREAM}")));
    tab.see(".plan-show", "Nothing is planned yet");
    tab.until("no draft", "document.querySelector('[data-el=drafts]').hidden");
    tab.go(&server.page(&format!("/plan/{STREAM}/paste")));
    tab.see("[data-s=found]", "7 rows, 5 drops");
    assert_eq!(titles(&server), [""; 0]);
}

#[test]
fn a_lost_connection_is_told_on_a_phone_too_and_the_page_recovers() {
    let mut server = Server::start();
    server.plan(&Drop::new(STREAM, 1, "Mug", 5));
    let browser = Browser::start();
    let visitor = browser.visitor(Look::LAPTOP);
    let token = server.staff_of("mara", "merchant", "potter");
    let door = server.page(&format!("/sign-in?to=/plan/{STREAM}"));
    let tab = visitor.sign_in(&door, &token);
    tab.look(Look { size: (390, 844), ..Look::LAPTOP });
    in_order(&tab, "Mug");
    server.kill();
    tab.see(".line [data-s=lost]", "No connection: as of");
    let is_seen = "document.querySelector('[data-s=lost]').getBoundingClientRect().height > 0";
    assert_eq!(tab.value(is_seen), true);
    server.restart();
    tab.until("heard again", "document.querySelector('[data-s=lost]').textContent === ''");
    // Whoever was signed out is in again once that was done in another tab.
    let all = server.ask("GET", "/v1/sessions", &Value::Null).body;
    for session in all["sessions"].as_array().unwrap() {
        let path = format!("/v1/sessions/{}", session["session"].as_str().unwrap());
        server.ask("DELETE", &path, &Value::Null);
    }
    tab.see("[data-s=line]", "Your session has ended.");
    visitor.sign_in(&door, &token);
    tab.value("document.dispatchEvent(new Event('visibilitychange'))");
    tab.see("[data-s=line]", "1 drop");
    tab.until("signed in", "document.querySelector('[data-el=sign-in]').hidden");
}

#[test]
fn viewers_who_know_a_drop_see_every_edit_of_it() {
    let server = Server::start();
    let mut plan = Drop::new(STREAM, 1, "Mug", 5);
    (plan.hidden, plan.countdown_ms) = (true, 600_000);
    let drop = server.plan(&plan);
    let browser = Browser::start();
    let tab = planner(&browser.visitor(Look::LAPTOP), &server, &drop);
    tab.see("[data-s=plan-effect]", "viewers see none of it yet");
    server.command(&format!("drops/{drop}/open"), &json!({}));
    tab.see("[data-s=line]", "It has begun");
    server.command(&format!("drops/{drop}/cancel-countdown"), &json!({}));
    tab.see("[data-s=plan-effect]", "viewers see them at once");
    tab.see("[data-s=see-when]", "As soon as it is planned.");
}
