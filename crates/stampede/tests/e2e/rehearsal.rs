//! A host rehearses a show by one press, before the crowd that the server brings.

use serde_json::{Value, json};

use crate::{
    harness::{Browser, Drop, Look, Server, pictures},
    show::{VALID_MS, command, join},
};

const STREAM: &str = "friday-show";
const REHEARSAL: &str = "/v1/streams/friday-show/rehearsal";

fn rehearsed(server: &Server) -> Value {
    server.ask("GET", REHEARSAL, &Value::Null).body
}

/// Nothing is left, and all of it is paid for or some is held.
const ALL_TAKEN: &str =
    "/Sold out|All taken/.test(document.querySelector('[data-s=hero]').textContent)";

/// The copy in this place of the running order.
fn copy(server: &Server, place: usize) -> String {
    rehearsed(server)["drops"][place]["drop"].as_str().unwrap().to_owned()
}

/// A rehearsal looks like one on a phone, and in Chinese.
fn others_see_it(browser: &Browser, server: &Server) {
    for (look, file) in [
        (Look { size: (390, 844), ..Look::LAPTOP }, "rehearsal-phone.png"),
        (Look { language: "zh-CN", ..Look::LAPTOP }, "rehearsal-chinese.png"),
    ] {
        let other = browser.visitor(look);
        let tab = other.tab();
        tab.go(&server.page(&server.invite("nina", "host", &[STREAM], VALID_MS)));
        tab.press("[data-form=invitation] [type=submit]");
        tab.until("at the control room", "location.pathname.startsWith('/live/')");
        tab.until("marked", "document.querySelector('[data-el=rehearsing]').hidden === false");
        tab.picture_to(&pictures().join(file));
    }
}

#[test]
fn a_host_rehearses_the_show_and_nothing_is_left_of_it() {
    let server = Server::start();
    let grey = server.plan(&Drop::new(STREAM, 1, "Grey mug", 12));
    let blue = server.plan(&Drop::new(STREAM, 2, "Blue mug", 400));
    let browser = Browser::start();
    let host = browser.visitor(Look::LAPTOP);
    let tab = host.tab();
    join(&tab, &server, &server.invite("nina", "host", &[STREAM], VALID_MS));
    let stage = host.open(&server.page("/stage/friday-show"));
    stage.see("[data-s=title]", "Grey mug");

    tab.see("[data-do=rehearse]", "Rehearse this show");
    tab.picture_to(&pictures().join("rehearsal-offered.png"));
    tab.press("[data-do=rehearse]");
    tab.see("[data-s=result]", "200 viewers come in");
    let first = copy(&server, 0);
    assert_eq!(rehearsed(&server)["drops"][0]["rehearses"], json!(grey));
    for shown in [&tab, &stage] {
        shown.until("marked", "document.querySelector('[data-el=rehearsing]').hidden === false");
    }
    tab.picture_to(&pictures().join("rehearsal-begun.png"));
    // What the room starts is the copy.
    tab.until(
        "the copy is next",
        &format!("document.querySelector('[data-command=next]').dataset.drop === '{first}'"),
    );
    server.until_told(REHEARSAL, "everybody is in", |state| state["connected"] == 200);
    command(&tab, "next", "Start next drop");
    // Some of the crowd never pay: what they hold comes back later than a test waits.
    server.until(&first, "taken by the crowd, and paid for", |state| {
        let mug = &state["skus"][0];
        mug["available"] == 0 && mug["sold"].as_u64() > Some(0)
    });
    for shown in [&tab, &stage] {
        shown.until("without units", ALL_TAKEN);
    }
    tab.picture_to(&pictures().join("rehearsal-sold-out.png"));
    let shows = host.open(&server.page("/shows"));
    shows.see(".show .tag.off", "Rehearsal");
    shows.close();
    others_see_it(&browser, &server);

    // By keys alone.
    tab.value("(document.querySelector('[data-do=end-rehearsal]').focus(), true)");
    tab.key("Enter");
    tab.see("[data-s=result]", "The rehearsal is over");
    for shown in [&tab, &stage] {
        shown.until("no mark", "document.querySelector('[data-el=rehearsing]').hidden");
    }
    tab.until(
        "the live drop is next",
        &format!("document.querySelector('[data-command=next]').dataset.drop === '{grey}'"),
    );
    let state = server.drop_state(&grey);
    let figures = ["supplied", "sold"].map(|name| state["skus"][0][name].clone());
    assert_eq!((figures, &state["phase"]), ([json!(12), json!(0)], &json!("scheduled")));
    let viewers = |state: &Value| state["viewers_connected"] == 0;
    server.until(&blue, "the crowd has left", viewers);
    let listed = server.ask("GET", "/v1/drops", &Value::Null).body;
    assert_eq!(listed["total"], 2, "{listed}");
    assert_eq!(server.ask("GET", "/v1/shows", &Value::Null).body["total"], 0);
    assert_eq!(server.ask("GET", "/v1/orders", &Value::Null).body["orders"], json!([]));
    server.until(&first, "settled", |state| state["phase"] == "settled");
}

#[test]
fn a_kill_in_the_middle_leaves_nothing_open_and_a_live_start_ends_a_rehearsal() {
    let mut server = Server::start();
    let grey = server.plan(&Drop::new(STREAM, 1, "Grey mug", 40));
    server.plan(&Drop::new(STREAM, 2, "Blue mug", 40));
    let begin =
        |server: &Server| server.command("streams/friday-show/rehearsal", &json!({"viewers": 30}));
    begin(&server);
    let copies = [copy(&server, 0), copy(&server, 1)];
    server.command(&format!("drops/{}/open", copies[0]), &json!({}));
    server.until(&copies[0], "some is taken", |state| state["skus"][0]["held"].as_u64() > Some(0));
    server.kill();
    server.restart();
    assert_eq!(rehearsed(&server)["running"], false);
    assert_eq!(server.drop_state(&copies[1])["phase"], "cancelled");
    let phase = server.drop_state(&copies[0])["phase"].clone();
    assert!(phase == "closed" || phase == "settled", "{phase}");

    begin(&server);
    let copy = copy(&server, 0);
    server.until_told(REHEARSAL, "everybody is in", |state| state["connected"] == 30);
    server.command(&format!("drops/{copy}/open"), &json!({}));
    server.until(&copy, "open", |state| state["phase"] == "open");
    server.command(&format!("drops/{grey}/open"), &json!({}));
    let phase = server.drop_state(&copy)["phase"].clone();
    assert!(phase == "closed" || phase == "settled", "it is over before the countdown: {phase}");
    server.until(&grey, "the crowd has left", |state| state["viewers_connected"] == 0);
}
