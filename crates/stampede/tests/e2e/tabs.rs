//! Eight tabs of one browser: more than it opens connections to a server.

use crate::{
    harness::{Browser, Drop, Look, Server},
    show::command,
};

const STREAM: &str = "friday-show";
const TABS: usize = 8;

/// Tabs share one stream of events, so that there is a connection left for a command.
#[test]
fn commands_pass_while_eight_tabs_follow() {
    let server = Server::start();
    server.plan(&Drop::new(STREAM, 1, "Grey mug", 50));
    let browser = Browser::start();
    let host = browser.visitor(Look::LAPTOP);
    let door = host.sign_in(&server.page("/sign-in?to=/live/friday-show"), &server.token);
    let mut tabs = vec![door];
    while tabs.len() < TABS {
        tabs.push(host.open(&server.page("/live/friday-show")));
    }
    for tab in &tabs {
        tab.see("[data-s=age]", "old");
    }
    command(&tabs[0], "next", "Start next drop");
    for tab in &tabs {
        tab.see("[data-s=state]", "Open");
    }
    // The last tab presses, the first one sees it.
    tabs[TABS - 1].key("p");
    tabs[TABS - 1].see("[data-s=result]", "Paused");
    tabs[0].see("[data-s=state]", "Paused");
}
