//! Operations: the page that says whether anything is wrong, with the brake.

use crate::harness::{Browser, Crowd, Drop, Look, Server};

const STREAM: &str = "friday-show";

#[test]
fn ops_stop_all_takes_then_let_them_go() {
    let server = Server::start();
    let drop = server.plan(&Drop::new(STREAM, 1, "Grey mug", 100_000));
    let crowd = Crowd::new(STREAM, &drop, 40).come(&server);
    server.command(&format!("drops/{drop}/open"), &serde_json::json!({}));
    let browser = Browser::start();
    let ops = browser.visitor(Look::LAPTOP);
    let tab = ops.sign_in(&server.page("/sign-in?to=/ops"), &server.token);
    // A busy machine may well find something to look at.
    tab.see(".checks", "Connections");
    tab.see("[data-live=clock]", ":");
    let [live, stage] = ["live", "stage"].map(|page| {
        let tab = ops.open(&server.page(&format!("/{page}/{STREAM}")));
        tab.see("[data-s=title]", "Grey mug");
        tab
    });
    crowd.until("served", |progress| progress.counts.clicks > 0);
    // A key that is switched off does nothing.
    let holds = "document.querySelector('[data-brake]').classList.contains('holding')";
    tab.press("details.who summary");
    for (switch, wanted) in [("off", false), ("on", true)] {
        tab.press("[data-do=keys]");
        tab.until(switch, &format!("document.body.dataset.keys === '{switch}'"));
        tab.key_down("s");
        assert_eq!(tab.value(holds), wanted, "keys {switch}");
        tab.key_up("s");
    }
    tab.key("Escape");
    // Held by the key.
    tab.key_down("s");
    tab.see("[data-copy=verdict]", "All takes are stopped");
    tab.see("[data-brake=go]", "Let");
    tab.key_up("s");
    let stopped = server.ask("GET", "/v1/brake", &serde_json::Value::Null).body;
    assert_eq!(stopped["stopped"]["actor"], "first admin", "{stopped}");
    tab.see(".log", "first admin");
    tab.see(".log", "Stop all takes");
    // What was done to a drop names it with its show.
    tab.see(".log", "Open Grey mug");
    tab.see(".log .where", STREAM);
    // The host and the person on camera read it as well.
    live.see("[data-el=alarm][data-level=alarm]", "stopped all takes");
    stage.see("[data-s=hero]", "Stopped");
    // Held by the pointer.
    tab.hold_until("[data-brake=go]", "let go", "document.querySelector('[data-brake=stop]')");
    let gone = server.ask("GET", "/v1/brake", &serde_json::Value::Null).body;
    assert!(gone["stopped"].is_null(), "{gone}");
    live.until("calm", "document.querySelector('[data-el=alarm]').dataset.level !== 'alarm'");
    stage.until("going on", "document.querySelector('[data-s=hero]').textContent !== 'Stopped'");
    crowd.go();
}
