//! What is behind More: another drop is put on air while both go on selling.

use serde_json::json;

use crate::{
    harness::{Browser, Drop, Look, Server},
    show::{VALID_MS, command, join},
};

const STREAM: &str = "friday-show";

#[test]
fn another_drop_is_put_on_air_and_both_go_on_selling() {
    let server = Server::start();
    let drops = [(1, "Grey mug"), (2, "Blue mug")].map(|(place, title)| {
        let drop = Drop { countdown_ms: 0, ..Drop::new(STREAM, place, title, 50) };
        let drop = server.plan(&drop);
        server.command(&format!("drops/{drop}/open"), &json!({}));
        server.until(&drop, "open", |state| state["phase"] == "open");
        drop
    });
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
    tab.key("1");
    tab.see("[data-s=result]", "is on air");
    tab.see("[data-s=title]", "Grey mug");
    for drop in &drops {
        assert_eq!(server.drop_state(drop)["phase"], "open");
    }
    assert_eq!(server.drop_state(&drops[0])["featured"], true);
}
