//! Planning by page: one drop by its form, two planners, what was typed after the session's end, the running order.

use serde_json::{Value, json};

use crate::harness::{Browser, Drop, Look, Server, Tab, Visitor};

pub(crate) const STREAM: &str = "friday-show";

/// A planner of the potter's at a page of the show.
pub(crate) fn planner(visitor: &Visitor, server: &Server, page: &str) -> Tab {
    planner_as(visitor, server, &server.staff_of("mara", "merchant", "potter"), page)
}

fn planner_as(visitor: &Visitor, server: &Server, token: &str, page: &str) -> Tab {
    let path =
        if page.is_empty() { format!("/plan/{STREAM}") } else { format!("/plan/{STREAM}/{page}") };
    visitor.sign_in(&server.page(&format!("/sign-in?to={path}")), token)
}

/// A field of the form.
fn field(name: &str) -> String {
    format!("[id=\"f-{name}\"]")
}

/// Types into a field, then leaves it; also into those whose parts are typed one by one.
pub(crate) fn set(tab: &Tab, name: &str, value: &str) {
    let set = format!(
        "(() => {{ const field = document.querySelector({0} + ':enabled'); if (!field) return false; field.focus(); field.value = {1};
          field.dispatchEvent(new Event('input', {{ bubbles: true }})); field.blur(); return true; }})()",
        json!(field(name)),
        json!(value)
    );
    tab.until(&format!("set {name}"), &set);
}

/// What is said to be wrong with a field.
fn wrong(tab: &Tab, name: &str, text: &str) {
    tab.see(&format!("[id=\"f-{name}-error\"]"), text);
    let told = format!(
        "document.querySelector({}).getAttribute('aria-invalid') === 'true'",
        json!(field(name))
    );
    assert_eq!(tab.value(&told), true, "{name}");
}

/// The titles of every drop, in the order in which they were planned.
pub(crate) fn titles(server: &Server) -> Vec<String> {
    let told = server.ask("GET", "/v1/drops?limit=100", &Value::Null).body;
    let all = told["drops"].as_array().unwrap();
    all.iter().map(|drop| drop["title"].as_str().unwrap().to_owned()).collect()
}

/// Waits until the running order on the page has these titles.
pub(crate) fn in_order(tab: &Tab, wanted: &str) {
    let all = "[...document.querySelectorAll('[data-list=order] [data-t=title]')].map((one) => one.textContent).join()";
    tab.until(wanted, &format!("{all} === {}", json!(wanted)));
}

#[test]
fn a_drop_is_planned_by_its_form_and_edited() {
    let server = Server::start();
    let browser = Browser::start();
    let tab = planner(&browser.visitor(Look::LAPTOP), &server, "new");
    tab.see("[data-s=line]", "Still missing:");
    tab.see("[data-list=line]", "title for viewers, price, supply.");
    // A press says what is missing at the fields; a link leads to each.
    tab.press("[data-do=plan]");
    tab.see("[data-s=line-kind]", "Not planned");
    wrong(&tab, "title", "Title for viewers is missing");
    tab.until("at the first", "document.activeElement.id === 'f-title'");
    tab.press("[data-list=line] [data-field=\"goods.1.supply\"]");
    tab.until("at the field", "document.activeElement.id === 'f-goods.1.supply'");
    set(&tab, "title", "Grey mug");
    tab.see("#f-title-hint", "8 of 80 characters");
    set(&tab, "goods.1.price", "12.50");
    set(&tab, "goods.1.supply", "1,000");
    set(&tab, "goods.1.size", "Small");
    tab.press("[data-do=add-size]");
    for (name, value) in [
        ("size", "Large"),
        ("code", "M-L"),
        ("price", "15"),
        ("supply", "500"),
        ("reserve", "50"),
        ("limit", "1"),
    ] {
        set(&tab, &format!("goods.2.{name}"), value);
    }
    tab.see("[data-el=in-all]", "In all 1,500 units, 50 in reserve, up to €20,000.00");
    tab.see("[data-list=short]", "At most 2 for each viewer, 1 of Large");
    tab.see("[data-s=see-title]", "Grey mug");
    tab.see("[data-s=line]", "All is there.");
    tab.press("[data-do=plan]");
    tab.see("[data-s=line]", "Planned Grey mug.");
    let planned = server.drop_state("d1")["plan"].clone();
    assert_eq!(planned["skus"][1]["limit_per_viewer"], 1);
    assert_eq!(planned["skus"][1]["price"]["minor"], 1_500);
    assert_eq!(
        planned["when_offline"],
        json!({ "pause_after_ms": 30_000, "resume_when_online": true })
    );

    tab.press("[data-list=order] [data-el=open]");
    tab.see("h1", "Edit a drop");
    set(&tab, "goods.M-L.price", "16.50");
    set(&tab, "hold", "10:00");
    tab.see("#f-hold-hint", "leads to a bank");
    tab.press("[data-do=plan]");
    tab.see("[data-s=line]", "Changed Grey mug.");
    let edited = server.drop_state("d1");
    assert_eq!(edited["revision"], 2);
    let mut wanted = planned;
    wanted["hold_ttl_ms"] = 600_000.into();
    wanted["skus"][1]["price"]["minor"] = 1_650.into();
    assert_eq!(edited["plan"], wanted, "an edit changes what was changed, and nothing else");
    // A drop that has begun is read.
    server.command("drops/d1/open", &json!({}));
    tab.go(&server.page(&format!("/plan/{STREAM}/d1")));
    tab.see("[data-s=line]", "It has begun, so its terms stay");
    tab.until("fixed", "document.querySelector('#f-title').matches(':disabled') && document.querySelector('[data-do=plan]').hidden");
}

/// The next days on which the page's clock is put forward and back, by the zone's own rules.
pub(crate) fn clock_changes(tab: &Tab) -> (String, String) {
    let days = tab.value(
        "(() => { const ahead = (day) => -day.getTimezoneOffset(); const noon = new Date(); noon.setHours(12, 0, 0, 0);
          const found = {}; for (let n = 1; n < 372; n += 1) {
            const [eve, day] = [n - 1, n].map((more) => { const at = new Date(noon); at.setDate(at.getDate() + more); return at; });
            const text = `${day.getFullYear()}-${String(day.getMonth() + 1).padStart(2, '0')}-${String(day.getDate()).padStart(2, '0')}`;
            if (ahead(day) > ahead(eve)) found.forward ??= text; else if (ahead(day) < ahead(eve)) found.back ??= text; }
          return found; })()",
    );
    let day = |change: &str| days[change].as_str().expect("the zone has summer time").to_owned();
    (day("forward"), day("back"))
}

#[test]
fn each_bad_input_is_told_at_its_field() {
    let server = Server::start();
    server.plan(&Drop::new(STREAM, 1, "Old mug", 5));
    server.command(&format!("rooms/{STREAM}/video-delay"), &json!({ "video_delay_ms": 6_000 }));
    let browser = Browser::start();
    let visitor = browser.visitor(Look::LAPTOP);
    planner(&visitor, &server, "new").see("h1", "Plan a drop");
    let tab = visitor.tab();
    tab.call("Emulation.setTimezoneOverride", &json!({ "timezoneId": "Europe/Berlin" }));
    tab.go(&server.page(&format!("/plan/{STREAM}/new")));
    for (name, value, said) in [
        ("goods.1.price", "-4.90", "-4.90 is below 0"),
        ("goods.1.price", "49,90", "49,90 has a comma. Type 49.90"),
        ("goods.1.price", "49.905", "too many digits behind the point. EUR has 2"),
        ("goods.1.supply", "16,777,216", "is more than a size can have. At most 16,777,215"),
        ("goods.1.supply", "2.5", "is no whole number"),
        ("goods.1.limit", "0", "At least 1"),
        ("hold", "2", "Type minutes and seconds, as 2:00"),
        ("countdown", "8", "viewers see you 6\u{a0}s late. Type 9 or more"),
        ("picture", "http://shop.example/mug.png", "It begins with https://"),
        ("host", "Nina Berg", "is no name that the server knows"),
        ("place", "7", "7 is no place. Type 1 to 2."),
    ] {
        set(&tab, name, value);
        wrong(&tab, name, said);
        let kept = tab.value(&format!("document.querySelector({}).value", json!(field(name))));
        assert_eq!(kept, value, "what was typed stays");
    }
    set(&tab, "title", &"x".repeat(83));
    wrong(&tab, "title", "Too long by 3 characters");
    // Times: passed, skipped by the clock, shown twice by it.
    tab.press("[name=start][value=time]");
    let (forward, back) = clock_changes(&tab);
    for (date, time, said) in [
        ("2026-03-27", "20:00", "20:00 has passed"),
        (&forward, "02:30", "skips 02:30. Type another time, such as 03:30"),
        (&back, "02:30", "shows 02:30 twice. Choose UTC+2 or UTC+1"),
    ] {
        set(&tab, "startDate", date);
        set(&tab, "startTime", time);
        wrong(&tab, "startTime", said);
    }
    tab.see("#f-startTime-hint", "Europe/Berlin, UTC+");
    tab.see("[data-s=start-second]", "the second, UTC+1");
    tab.press("[name=startFold][value=\"1\"]");
    tab.until(
        "decided",
        "!document.querySelector('#f-startTime-error').textContent.includes('twice')",
    );
    // A picture that is not there is told, and stops nothing.
    set(&tab, "picture", &format!("https://{}/no.png", server.address()));
    tab.see("#f-picture-hint", "It does not load.");
    assert_eq!(titles(&server), ["Old mug"]);
}

#[test]
fn what_the_server_refuses_stands_at_its_field() {
    let server = Server::start();
    let browser = Browser::start();
    let tab = planner(&browser.visitor(Look::LAPTOP), &server, "new");
    for (name, value) in
        [("title", "Gold"), ("goods.1.price", "12"), ("goods.1.supply", "3"), ("currency", "XAU")]
    {
        set(&tab, name, value);
    }
    tab.press("[data-do=plan]");
    wrong(&tab, "currency", "XAU");
    tab.see("[data-s=line-kind]", "Not planned");
    set(&tab, "currency", "EUR");
    tab.press("[data-do=plan]");
    tab.see("[data-s=line]", "Planned Gold.");
    // In another language the page says it in its own words, the server below them.
    let chinese = browser.visitor(Look { language: "zh-CN", ..Look::LAPTOP });
    let tab = planner(&chinese, &server, "new");
    for (name, value) in
        [("title", "金"), ("goods.1.price", "12"), ("goods.1.supply", "3"), ("currency", "XAU")]
    {
        set(&tab, name, value);
    }
    tab.press("[data-do=plan]");
    wrong(&tab, "currency", "XAU");
    tab.see("#f-currency-error small[lang=en]", "XAU");
    let own = "/^[^a-z]+$/.test(document.querySelector('#f-currency-error span').firstChild.data)";
    assert_eq!(tab.value(own), true, "{}", tab.text("#f-currency-error"));
}

#[test]
fn of_two_planners_the_second_is_told_what_the_first_changed() {
    let server = Server::start();
    let drop = server.plan(&Drop::new(STREAM, 1, "Mug", 500));
    let browser = Browser::start();
    let tab = planner(&browser.visitor(Look::LAPTOP), &server, &drop);
    tab.see("h1", "Edit a drop");
    set(&tab, "title", "Grey mug");
    set(&tab, "limit", "3");
    // Somebody else is faster: the page hears of it before it is pressed.
    let mut changed = server.drop_state(&drop)["plan"].clone();
    changed["title"] = "Blue mug".into();
    changed["hold_ttl_ms"] = 300_000.into();
    edit(&server, &drop, &changed);
    tab.see("#clash-title", "Somebody else has changed this drop");
    tab.see("[data-list=clash] [data-field=title]", "Blue mug");
    tab.see("[data-list=clash] [data-field=title]", "Grey mug");
    tab.see("[data-list=clash] [data-field=hold]", "5:00");
    assert_eq!(server.drop_state(&drop)["plan"]["title"], "Blue mug");
    tab.press("[data-field=title] [value=theirs]");
    tab.press("[data-do=merge]");
    tab.until("theirs", "document.querySelector('#f-title').value === 'Blue mug'");
    tab.press("[data-do=plan]");
    tab.see("[data-s=line]", "Changed Blue mug.");
    let plan = server.drop_state(&drop)["plan"].clone();
    assert_eq!(
        (&plan["title"], &plan["limit_per_viewer"], &plan["hold_ttl_ms"]),
        (&json!("Blue mug"), &json!(3), &json!(300_000))
    );
}

/// Replaces the terms as another planner's tool does.
pub(crate) fn edit(server: &Server, drop: &str, plan: &Value) {
    assert_eq!(server.ask("PUT", &format!("/v1/drops/{drop}"), plan).status, 200);
}

/// Has another planner be faster than the next edit that the page sends: the server tells which of them is late.
fn overtake(tab: &Tab, server: &Server, drop: &str) {
    let mut plan = server.drop_state(drop)["plan"].clone();
    plan["host"] = "jonas".into();
    let script = format!(
        "{{ const ask = fetch; globalThis.fetch = async (url, options) => {{
          if (options?.method === 'PATCH' && !globalThis.isOvertaken) {{
            globalThis.isOvertaken = true;
            await ask('/v1/drops/{drop}', {{ method: 'PUT', body: {}, headers: {{ authorization: 'Bearer {}',
              'content-type': 'application/json', 'idempotency-key': 'faster', 'if-match': '*' }} }});
          }}
          return ask(url, options); }}; }}",
        json!(plan.to_string()),
        server.token
    );
    tab.value(&script);
}

#[test]
fn a_late_edit_loses_nothing_and_overwrites_nothing() {
    let server = Server::start();
    let drop = server.plan(&Drop::new(STREAM, 1, "Mug", 500));
    let browser = Browser::start();
    let tab = planner(&browser.visitor(Look::LAPTOP), &server, &drop);
    set(&tab, "title", "Grey mug");
    overtake(&tab, &server, &drop);
    tab.press("[data-do=plan]");
    tab.see("[data-list=clash] [data-field=host]", "jonas");
    tab.see("[data-list=clash] [data-field=host]", "taken over, for you have not changed it");
    assert_eq!(server.drop_state(&drop)["plan"]["title"], "Mug");
    tab.press("[data-do=merge]");
    tab.press("[data-do=plan]");
    tab.see("[data-s=line]", "Changed Grey mug.");
    let plan = server.drop_state(&drop)["plan"].clone();
    assert_eq!((&plan["title"], &plan["host"]), (&json!("Grey mug"), &json!("jonas")));
}

#[test]
fn a_planned_drop_is_called_off_after_it_was_asked() {
    let server = Server::start();
    let drop = server.plan(&Drop::new(STREAM, 1, "Mug", 500));
    let browser = Browser::start();
    let tab = planner(&browser.visitor(Look::LAPTOP), &server, &drop);
    tab.press("[data-do=call-off]");
    tab.see("#off-title", "Mug");
    tab.key("Escape");
    tab.until("kept", "!document.querySelector('dialog[open]')");
    assert_eq!(server.drop_state(&drop)["phase"], "scheduled");
    tab.press("[data-do=call-off]");
    tab.press("[data-do=call-off-now]");
    tab.see("[data-s=line]", "Called off Mug.");
    assert_eq!(server.drop_state(&drop)["phase"], "cancelled");
}

#[test]
fn a_draft_outlives_the_session() {
    let server = Server::start();
    let browser = Browser::start();
    let visitor = browser.visitor(Look::LAPTOP);
    let token = server.staff_of("mara", "merchant", "potter");
    let tab = planner_as(&visitor, &server, &token, "new");
    set(&tab, "title", "Grey mug");
    set(&tab, "goods.1.price", "12.50");
    set(&tab, "goods.1.supply", "40");
    tab.see("[data-s=kept]", "Draft, kept in this browser");
    let all = server.ask("GET", "/v1/sessions", &Value::Null).body;
    for session in all["sessions"].as_array().unwrap() {
        let path = format!("/v1/sessions/{}", session["session"].as_str().unwrap());
        server.ask("DELETE", &path, &Value::Null);
    }
    tab.press("[data-do=plan]");
    tab.see("[data-s=line]", "Your session has ended. What you typed is kept in this browser.");
    tab.press("[data-el=sign-in]");
    tab.until("ready", "document.querySelector('[type=submit]:enabled')");
    tab.put("#token", &token);
    tab.key("Enter");
    tab.until("as typed", "document.querySelector('#f-title')?.value === 'Grey mug' && document.querySelector('[id=\"f-goods.1.supply\"]').value === '40'");
    assert_eq!(titles(&server), [""; 0]);
    tab.press("[data-do=plan]");
    tab.see("[data-s=line]", "Planned Grey mug.");
    assert_eq!(titles(&server), ["Grey mug"]);
    tab.until("no draft is left", "document.querySelector('[data-el=drafts]').hidden");
}

#[test]
fn rows_are_moved_by_keys_and_by_dragging() {
    let server = Server::start();
    for (place, title) in [(10, "One"), (20, "Two"), (30, "Three")] {
        server.plan(&Drop::new(STREAM, place, title, 5));
    }
    let browser = Browser::start();
    let tab = planner(&browser.visitor(Look::LAPTOP), &server, "");
    tab.until("ready", "!document.querySelector('[data-do=copy-show]').hidden");
    in_order(&tab, "One,Two,Three");
    tab.value("document.querySelector('[data-key=d3] [data-do=up]').focus()");
    tab.key("Enter");
    in_order(&tab, "One,Three,Two");
    tab.see("[data-s=line]", "Moved. Three is number 2.");
    // The focus stays with the row; at the top there is only the other way.
    tab.until("at the button", "document.activeElement.matches('[data-key=d3] [data-do=up]')");
    tab.key("Enter");
    in_order(&tab, "Three,One,Two");
    tab.until("at the other", "document.activeElement.matches('[data-key=d3] [data-do=down]')");
    drag(&tab, "[data-key=d3] [data-do=grip]", "[data-key=d2]");
    in_order(&tab, "One,Two,Three");
    server.until_told(&format!("/v1/streams/{STREAM}"), "in the new order", |told| {
        let all = told["drops"].as_array().unwrap();
        all.iter().map(|drop| drop["drop"].as_str().unwrap()).eq(["d1", "d2", "d3"])
    });
    // One that has begun stays where it is.
    server.command("drops/d1/open", &json!({}));
    tab.until("fixed", "document.querySelector('[data-key=d1] [data-do=down]').disabled");
}

/// Drags an element below another.
fn drag(tab: &Tab, from: &str, to: &str) {
    let middle = |css: &str, share: f64| {
        let at = tab.value(&format!(
            "(() => {{ const box = document.querySelector({}).getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height * {share}]; }})()",
            json!(css)
        ));
        (at[0].as_f64().unwrap(), at[1].as_f64().unwrap())
    };
    let mouse = |kind: &str, (x, y): (f64, f64), buttons: u32| {
        let event = json!({ "type": kind, "x": x, "y": y, "button": "left", "buttons": buttons, "clickCount": 1 });
        tab.call("Input.dispatchMouseEvent", &event);
    };
    let (start, end) = (middle(from, 0.5), middle(to, 0.9));
    mouse("mousePressed", start, 1);
    mouse("mouseMoved", (start.0, f64::midpoint(start.1, end.1)), 1);
    mouse("mouseMoved", end, 1);
    mouse("mouseReleased", end, 0);
}

/// Everything that can be gone to by Tab, from where the focus is on; ends at the element.
fn reach(tab: &Tab, css: &str) {
    let there = format!("document.activeElement?.matches({})", json!(css));
    let seen = "(() => { const at = document.activeElement; const box = at.getBoundingClientRect();
      const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
      return !top || at === document.body || at.contains(top) || top.contains(at) || at.closest('label')?.contains(top) ? '' : `${at.outerHTML} lies under ${top.outerHTML}`; })()";
    for _ in 0..80 {
        assert_eq!(tab.value(seen), "", "on the way to {css}");
        if tab.value(&there) == true {
            return;
        }
        tab.key("Tab");
    }
    panic!("Tab does not lead to {css}");
}

fn type_text(tab: &Tab, text: &str) {
    tab.call("Input.insertText", &json!({ "text": text }));
}

#[test]
fn a_drop_is_planned_and_moved_by_keyboard_alone() {
    let server = Server::start();
    server.plan(&Drop::new(STREAM, 1, "Old mug", 5));
    let browser = Browser::start();
    let tab = planner(&browser.visitor(Look::LAPTOP), &server, "");
    tab.until("ready", "!document.querySelector('[data-do=copy-show]').hidden");
    reach(&tab, &format!("a[href=\"/plan/{STREAM}/new\"]"));
    tab.key("Enter");
    tab.until("ready", "document.querySelector('#f-title:enabled')");
    for (name, value) in
        [("title", "Grey mug"), ("goods.1.price", "12.50"), ("goods.1.supply", "100")]
    {
        reach(&tab, &field(name));
        type_text(&tab, value);
    }
    reach(&tab, "[data-do=add-size]");
    tab.key("Enter");
    tab.until("in the new size", "document.activeElement.id === 'f-goods.2.size'");
    reach(&tab, "[data-key=\"2\"] [data-do=remove-size]");
    tab.key("Enter");
    reach(&tab, "[name=end]");
    reach(&tab, "[data-do=plan]");
    tab.call(
        "Input.dispatchKeyEvent",
        &json!({ "type": "keyDown", "modifiers": 2, "key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13 }),
    );
    tab.see("[data-s=line]", "Planned Grey mug.");
    reach(&tab, "[data-key=d2] [data-do=up]");
    tab.key("Enter");
    in_order(&tab, "Grey mug,Old mug");
}
