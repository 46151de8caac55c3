//! Faults at a host's screen: odd names, hurried hands, servers or sessions that end.

use serde_json::{Value, json};

use crate::{
    harness::{Browser, Crowd, Drop, Goods, Look, Server, Tab},
    show::{VALID_MS, command, join, resume},
};

const STREAM: &str = "friday-show";
/// Markup, quotes, a template, marks of direction, letters from right to left, a family in one sign.
const ODD: &str = "<script>globalThis.harmed=1</script><img src=x onerror=harmed=1>\"'&{{7*7}} evil \u{5e9}\u{5dc} \u{1f469}\u{200d}\u{1f469}\u{200d}\u{1f467}";

fn host(browser: &Browser, server: &Server) -> Tab {
    let tab = browser.visitor(Look::LAPTOP).tab();
    join(&tab, server, &server.invite("nina", "host", &[STREAM], VALID_MS));
    tab
}

fn supplied(server: &Server, drop: &str) -> u64 {
    server.drop_state(drop)["skus"][0]["supplied"].as_u64().unwrap()
}

fn nothing_runs_over(tab: &Tab, page: &str) {
    for width in [320, 390, 834, 1440] {
        tab.look(Look { size: (width, 900), ..Look::LAPTOP });
        let over = tab.value("document.documentElement.scrollWidth - innerWidth");
        assert_eq!(over, 0, "{page} is wider than its window of {width}");
    }
    tab.look(Look::LAPTOP);
}

#[test]
fn odd_names_stand_as_they_are() {
    let server = Server::start();
    let browser = Browser::start();
    let odd = server.plan(&Drop::new(STREAM, 1, ODD, 5));
    let long = "W".repeat(200);
    server.plan(&Drop::new(STREAM, 2, &long, 5));
    let tab = host(&browser, &server);
    server.command(&format!("drops/{odd}/open"), &json!({}));
    tab.see("[data-s=title]", ODD);
    tab.see("[data-s=next-title]", &long);
    tab.see("[data-list=order]", ODD);
    nothing_runs_over(&tab, "the control room");
    // The countdown that it has may not be over yet.
    tab.see("[data-command=restock]:not([aria-disabled])", "Restock");
    tab.key("r");
    tab.see("[data-s=restock-question]", ODD);
    tab.key("Escape");
    for page in ["/stage/friday-show", "/shows"] {
        tab.go(&server.page(page));
        tab.see("h1, .chips", if page == "/shows" { &long } else { ODD });
        nothing_runs_over(&tab, page);
        assert_eq!(tab.value("globalThis.harmed ?? 0"), 0, "{page} ran what a name says");
    }
}

/// Presses Pause, then what stands in its place as soon as it does.
const TWICE: &str = "new Promise((done) => { const stop = document.querySelector('[data-command=stop]');
  new MutationObserver((_, look) => { if (stop.dataset.act !== 'resume') return;
    look.disconnect(); stop.click(); done(true); }).observe(stop, { attributes: true }); stop.click(); })";

#[test]
fn a_double_press_does_it_once() {
    let server = Server::start();
    let browser = Browser::start();
    let drop = server
        .plan(&Drop { countdown_ms: 0, ..Drop::new(STREAM, 1, "Grey mug", 500).reserving(250) });
    let tab = host(&browser, &server);
    let twice = |css: &str| {
        tab.until(css, &format!("document.querySelector({})", json!(css)));
        tab.value(&format!(
            "(document.querySelector({0}).click(), document.querySelector({0}).click())",
            json!(css)
        ));
    };
    tab.see("[data-command=next]:not([aria-disabled])", "Start next drop");
    twice("[data-command=next]");
    tab.see("[data-s=state]", "Open");
    // The second press of Pause would be Resume: it is deaf at first.
    tab.value(TWICE);
    tab.see("[data-s=state]", "Paused");
    assert_eq!(server.drop_state(&drop)["phase"], "paused");
    resume(&tab);
    command(&tab, "restock", "Restock");
    tab.press("[data-form=restock] label:has([value='250'])");
    tab.see("[data-s=restock-confirm]", "250");
    twice("[data-form=restock] [type=submit]");
    tab.see("[data-s=result]", "by 250");
    tab.see("[data-s=hero]", "750");
    assert_eq!(supplied(&server, &drop), 750);
}

/// Holds the answer that a page needs before it can draw, until `release()` is called.
const LATE: &str = "{ const ask = globalThis.fetch; const held = new Promise((done) => { globalThis.release = done; });
  globalThis.fetch = async (...what) => { if (/streams.[^/]*$/.test(what[0])) await held; return ask(...what); }; }";

#[test]
fn a_press_before_the_first_figures_is_done_with_them() {
    let server = Server::start();
    let browser = Browser::start();
    let drop = server.plan(&Drop { countdown_ms: 0, ..Drop::new(STREAM, 1, "Grey mug", 500) });
    let tab = host(&browser, &server);
    tab.call("Page.addScriptToEvaluateOnNewDocument", &json!({ "source": LATE }));
    tab.go(&server.page("/live/friday-show"));
    tab.see("[data-s=age]", "old");
    tab.press("[data-command=next]");
    assert_eq!(server.drop_state(&drop)["phase"], "scheduled");
    tab.value("release()");
    tab.see("[data-s=state]", "Open");
}

/// Presses P at the moment at which the page says that it has resumed: it still shows the button of before.
const STOP_AGAIN: &str = "(() => { const result = document.querySelector('[data-s=result]');
  new MutationObserver((_, look) => { if (result.textContent !== 'Resumed') return; look.disconnect();
    document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'p', bubbles: true })); globalThis.stopped = true; })
    .observe(result, { childList: true, characterData: true, subtree: true }); return true; })()";

/// Presses Resume, which is deaf for its first second, until it was stopped again.
const RESUME: &str = "globalThis.stopped || (document.querySelector('[data-command=stop][data-act=resume]')?.click(), false)";

#[test]
fn a_sale_stops_also_where_the_page_still_shows_it_as_paused() {
    let server = Server::start();
    let browser = Browser::start();
    let drop = server.plan(&Drop { countdown_ms: 0, ..Drop::new(STREAM, 1, "Grey mug", 500) });
    server.command(&format!("drops/{drop}/open"), &json!({}));
    let tab = host(&browser, &server);
    tab.see("[data-s=state]", "Open");
    tab.key("p");
    tab.see("[data-command=stop][data-act=resume]", "Resume");
    // It is paused already: that is what was wanted.
    tab.key("p");
    tab.see("[data-s=result]", "Paused");
    let changes = server.drop_state(&drop)["phase_changes"].as_u64().unwrap();
    tab.value(STOP_AGAIN);
    tab.until("stopped again", RESUME);
    server.until(&drop, "paused again", |state| {
        state["phase"] == "paused" && state["phase_changes"].as_u64() == Some(changes + 2)
    });
}

/// Holds what resumes a drop until `release()` is called: before it is sent, or its answer.
const HELD_BACK: [&str; 2] = [
    "await before(); return ask(...what);",
    "const answer = await ask(...what); await before(); return answer;",
];

#[test]
fn a_resume_that_is_under_way_never_undoes_a_later_pause() {
    let server = Server::start();
    let browser = Browser::start();
    let drop = server.plan(&Drop { countdown_ms: 0, ..Drop::new(STREAM, 1, "Grey mug", 500) });
    server.command(&format!("drops/{drop}/open"), &json!({}));
    let tab = host(&browser, &server);
    for way in HELD_BACK {
        // A page of its own, that has pressed nothing yet.
        tab.go(&server.page("/live/friday-show"));
        tab.see("[data-s=age]", "old");
        tab.value(&format!(
            "(() => {{ const ask = globalThis.fetch; globalThis.waits = false;
               const released = new Promise((done) => {{ globalThis.release = () => (done(), true); }});
               const before = () => {{ waits = true; return released; }};
               globalThis.fetch = async (...what) => {{ if (!/resume$/.test(what[0])) return ask(...what); {way} }};
               return true; }})()"
        ));
        let phase = server.drop_state(&drop)["phase"].clone();
        if phase != "paused" {
            tab.see("[data-command=stop][data-act=pause]", "Pause");
            tab.key("p");
        }
        tab.see("[data-command=stop][data-act=resume]", "Resume");
        let changes = server.drop_state(&drop)["phase_changes"].as_u64().unwrap();
        let resume = "waits || (document.querySelector('[data-command=stop][data-act=resume]')?.click(), false)";
        tab.until("a resume under way", resume);
        tab.key("p");
        tab.value("release()");
        // The resume was carried out, before the pause or after it: in the end the sale is stopped.
        server.until(&drop, "paused again", |state| {
            state["phase"] == "paused" && state["phase_changes"].as_u64() == Some(changes + 2)
        });
        tab.see("[data-s=state]", "Paused");
    }
}

#[test]
fn digits_are_an_amount_and_p_stops_while_it_is_asked() {
    let server = Server::start();
    let browser = Browser::start();
    let drop = server
        .plan(&Drop { countdown_ms: 0, ..Drop::new(STREAM, 1, "Grey mug", 500).reserving(250) });
    server.command(&format!("drops/{drop}/open"), &json!({}));
    let tab = host(&browser, &server);
    tab.see("[data-command=restock]:not([aria-disabled])", "Restock");
    tab.key("r");
    tab.see("[data-s=restock-confirm]", "Add 250");
    // One stops the sale oneself: that is no surprise to what is confirmed after it.
    tab.key("p");
    tab.see("[data-s=state]", "Paused");
    // Until its answer is here, nothing else is sent.
    tab.see("[data-s=result]", "Paused");
    tab.key("4");
    tab.key("0");
    tab.see("[data-s=restock-confirm]", "Add 40");
    tab.key("Enter");
    tab.see("[data-s=result]", "40");
    assert_eq!(supplied(&server, &drop), 540);
}

#[test]
fn of_two_at_one_stale_page_the_later_is_told_what_changed() {
    let server = Server::start();
    let browser = Browser::start();
    let drop = server.plan(&Drop { countdown_ms: 0, ..Drop::new(STREAM, 1, "Grey mug", 500) });
    server.command(&format!("drops/{drop}/open"), &json!({}));
    let first = host(&browser, &server);
    first.key("r");
    first.press("[data-form=restock] label:has([value='250'])");
    first.see("[data-s=restock-confirm]", "250");
    server.command(&format!("drops/{drop}/pause"), &json!({}));
    first.see("[data-s=state]", "Paused");
    first.press("[data-form=restock] [type=submit]");
    first.see("[data-s=result]", "Grey mug");
    first.see("[data-el=result]", "aused");
    assert_eq!(supplied(&server, &drop), 500, "nothing was restocked");
}

#[test]
fn a_session_that_ends_in_mid_sale_offers_the_press_again() {
    let server = Server::start();
    let browser = Browser::start();
    let drop = server.plan(&Drop { countdown_ms: 0, ..Drop::new(STREAM, 1, "Grey mug", 500) });
    server.command(&format!("drops/{drop}/open"), &json!({}));
    let tab = browser
        .visitor(Look::LAPTOP)
        .sign_in(&server.page("/sign-in?to=/live/friday-show"), &server.token);
    tab.see("[data-s=state]", "Open");
    tab.see("[data-s=age]", "old");
    let sessions = server.ask("GET", "/v1/sessions", &Value::Null).body;
    let session = sessions["sessions"][0]["session"].as_str().unwrap().to_owned();
    server.ask("DELETE", &format!("/v1/sessions/{session}"), &Value::Null);
    tab.key("p");
    tab.see("[data-el=alarm]", "Sign in");
    tab.until("keeping the press", "sessionStorage.getItem('stampede_press')");
    assert_eq!(server.drop_state(&drop)["phase"], "open");
    tab.press("[data-do=alarm]");
    tab.see("h1", "Sign in");
    tab.until("ready", "document.querySelector('[type=submit]:enabled')");
    tab.put("#token", &server.token);
    tab.key("Enter");
    tab.see("[data-do=alarm]", "Pause");
    tab.key("1");
    tab.see("[data-s=state]", "Paused");
}

#[test]
fn what_is_confirmed_after_the_session_ended_is_offered_and_never_sent_by_itself() {
    let server = Server::start();
    let browser = Browser::start();
    let drop = server.plan(&Drop { countdown_ms: 0, ..Drop::new(STREAM, 1, "Grey mug", 500) });
    server.command(&format!("drops/{drop}/open"), &json!({}));
    let door = server.page("/sign-in?to=/live/friday-show");
    let tab = browser.visitor(Look::LAPTOP).sign_in(&door, &server.token);
    tab.see("[data-s=age]", "old");
    command(&tab, "restock", "Restock");
    tab.press("[data-form=restock] label:has([value='250'])");
    tab.see("[data-s=restock-confirm]", "250");
    server.ask("DELETE", "/v1/sessions", &Value::Null);
    tab.see("[data-s=alarm]", "Your session has ended");
    tab.press("[data-form=restock] [type=submit]");
    tab.see("[data-s=result]", "Not sent");
    tab.press("[data-do=alarm]");
    tab.until("ready", "document.querySelector('[type=submit]:enabled')");
    tab.put("#token", &server.token);
    tab.key("Enter");
    tab.see("[data-s=alarm]", "Restock was not carried out");
    assert_eq!(supplied(&server, &drop), 500);
    tab.press("[data-do=alarm]");
    tab.see("[data-s=result]", "by 250");
    assert_eq!(supplied(&server, &drop), 750);
}

#[test]
fn another_merchant_s_show_is_not_there() {
    let server = Server::start();
    let browser = Browser::start();
    let drop = server.plan(&Drop::new(STREAM, 1, "Grey mug", 500));
    let weaver =
        json!({ "name": "ida", "role": "merchant", "merchant": "weaver", "valid_ms": VALID_MS });
    let link = server.command("invitations", &weaver)["link"].as_str().unwrap().to_owned();
    let tab = browser.visitor(Look::LAPTOP).open(&link);
    tab.press("[data-form=invitation] [type=submit]");
    tab.until("at the shows", "location.pathname === '/shows'");
    for page in ["/live/friday-show", "/stage/friday-show", "/shows"] {
        tab.go(&server.page(page));
        let shown = tab.value("document.documentElement.textContent");
        assert!(!shown.as_str().unwrap().contains("Grey mug"), "{page} shows it");
    }
    // Nor is it told apart from one that there is not.
    let [there, nowhere] = ["friday-show", "friday-shwo"].map(|stream| {
        tab.go(&server.page(&format!("/live/{stream}")));
        tab.see(
            "[data-s=empty-lead]",
            "No drop that you may see is planned in a show of this name",
        );
        tab.text("[data-el=empty]").replace(stream, "it")
    });
    assert_eq!(there, nowhere);
    for act in ["open", "pause", "close", "lots"] {
        let answer = tab.value(&format!(
            "fetch('/v1/sessions/current').then((answer) => answer.json()).then(({{ csrf }}) =>
             fetch('/v1/drops/{drop}/{act}', {{ method: 'POST', body: JSON.stringify({{ sku: 'mug', units: 5 }}),
             headers: {{ 'content-type': 'application/json', 'x-csrf-token': csrf, 'idempotency-key': 'k{act}' }} }}))
             .then((answer) => answer.status)"
        ));
        assert!(matches!(answer.as_u64(), Some(403 | 404 | 422)), "{act}: {answer}");
    }
    assert_eq!(server.drop_state(&drop)["phase"], "scheduled");
    assert_eq!(supplied(&server, &drop), 500);
}

#[test]
fn a_server_that_is_gone_comes_back_to_the_page() {
    let mut server = Server::start();
    let browser = Browser::start();
    let drop = server.plan(&Drop { countdown_ms: 0, ..Drop::new(STREAM, 1, "Grey mug", 500) });
    let tab = host(&browser, &server);
    let crowd = Crowd { never_pay_share: 1.0, ..Crowd::new(STREAM, &drop, 20) }.come(&server);
    tab.key("n");
    tab.see("[data-s=hero]", "480");
    // What nobody was promised may be lost with the server.
    crowd.until("holding", |progress| progress.counts.held == 20);
    server.kill();
    tab.see("[data-el=alarm]", "No connection");
    tab.see("[data-s=as-of]", ":");
    // Nothing that is pressed now is kept for later, but for what stops a sale: that is tried.
    tab.until("restock off", "document.querySelector('[data-command=restock][aria-disabled]')");
    tab.key("r");
    assert_eq!(tab.value("document.querySelector('dialog[open]')"), Value::Null);
    tab.press("[data-command=stop]");
    server.restart();
    tab.see("[data-s=result]", "Paused");
    server.until(&drop, "paused", |state| state["phase"] == "paused");
    tab.until("healed", "document.querySelector('[data-el=alarm]').dataset.level === 'calm'");
    tab.see("[data-s=hero]", "480");
    // Asked to go in peace.
    server.drain();
    tab.see("[data-el=alarm]", "No connection");
    server.wait();
    server.restart();
    tab.until("healed", "document.querySelector('[data-el=alarm]').dataset.level === 'calm'");
    drop_crowd(crowd);
}

#[test]
fn a_server_whose_disk_fails_says_so_on_the_page() {
    let mut server = Server::start();
    let browser = Browser::start();
    let drop = server.plan(&Drop { countdown_ms: 0, ..Drop::new(STREAM, 1, "Grey mug", 500) });
    server.command(&format!("drops/{drop}/open"), &json!({}));
    let tab = host(&browser, &server);
    tab.see("[data-s=state]", "Open");
    tab.until("calm", "document.querySelector('[data-el=alarm]').dataset.level === 'calm'");
    server.fail_writes();
    tab.key("p");
    tab.see("[data-el=alarm][data-level=alarm]", "The ledger failed");
    tab.see("[data-el=result][data-kind=refused]", "The ledger failed");
    server.kill();
    server.restart();
    tab.until("healed", "document.querySelector('[data-el=alarm]').dataset.level === 'calm'");
    // Whether the pause was written is what the ledger says; it can be pressed in any case.
    tab.see("[data-command=stop]:not([aria-disabled])", "");
}

/// The crowd lost its server twice: what it saw is another test's matter.
fn drop_crowd<T>(crowd: T) {
    drop(crowd);
}

#[test]
fn lists_of_many_shows_open_page_by_page() {
    let server = Server::start();
    let browser = Browser::start();
    std::thread::scope(|all| {
        for part in 0..20_u16 {
            let server = &server;
            all.spawn(move || many(server, part));
        }
    });
    let tab =
        browser.visitor(Look::LAPTOP).sign_in(&server.page("/sign-in?to=/shows"), &server.token);
    tab.see(".shows", "show-");
    tab.until("read to its end", "document.readyState === 'complete'");
    let took = tab.value("performance.getEntriesByType('navigation')[0].responseEnd");
    println!("500 shows, 5,000 past drops: the list is there after {took} ms");
    let shows = tab.value("document.querySelectorAll('.show').length").as_u64().unwrap();
    let past = tab.value("document.querySelectorAll('.past tbody tr').length").as_u64().unwrap();
    assert!((10..=100).contains(&shows) && (10..=100).contains(&past), "{shows} {past}");
    nothing_runs_over(&tab, "the list of shows");
    let first = tab.text(".whole");
    tab.press("a[rel=next]");
    tab.until(
        "the next page",
        &format!("document.querySelector('.whole').textContent !== {}", json!(first)),
    );
}

/// A share of 500 shows with ten past drops each; one is still to come in every show. Nobody gives more
/// commands at once than a name may.
fn many(server: &Server, part: u16) {
    let token = server.staff(&format!("tool {part}"), "admin");
    for show in 0..25 {
        let stream = format!("show-{part}-{show}");
        let mug = |place| Drop::new(&stream, place, &format!("Mug {place}"), 1);
        for place in 0..10 {
            let drop = server.plan_as(&token, &mug(place));
            server.command_as(&token, &format!("drops/{drop}/cancel"), &json!({}));
        }
        server.plan_as(&token, &mug(10));
    }
}

#[test]
fn without_cookies_the_door_says_so() {
    let server = Server::start();
    let browser = Browser::without_cookies();
    let tab = browser.own().open(&server.page("/sign-in"));
    tab.until("ready", "document.querySelector('[type=submit]:enabled')");
    tab.put("#token", &server.token);
    tab.key("Enter");
    tab.see(".wrong", "keeps no cookies");
}

#[test]
fn without_its_script_the_door_carries_no_secret_into_the_address() {
    let server = Server::start();
    let browser = Browser::start();
    let tab = browser.visitor(Look::LAPTOP).tab();
    tab.call("Network.enable", &json!({}));
    tab.call("Network.setBlockedURLs", &json!({ "urls": ["*.mjs"] }));
    for page in ["/sign-in".to_owned(), server.invite("nina", "host", &[STREAM], VALID_MS)] {
        tab.go(&server.page(&page));
        if page == "/sign-in" {
            tab.put("#token", &server.token);
        }
        tab.key("Enter");
        tab.press("h1");
        assert_eq!(tab.value("location.href"), server.page(&page), "nothing was sent");
        assert_eq!(tab.value("document.forms[0].method"), "post");
    }
}

/// Whether what is written large comes over what stands beside it, or out of the panel.
const IS_COVERED: &str = "(() => {
  const box = (node) => { const range = document.createRange(); range.selectNodeContents(node); return range.getBoundingClientRect(); };
  const number = box(document.querySelector('[data-s=hero]'));
  const table = document.querySelector('.skus').getBoundingClientRect();
  const panel = document.querySelector('.program').getBoundingClientRect();
  const outside = [...document.querySelectorAll('.head .state, .skus table, .three, .tiles')]
    .some((node) => node.getBoundingClientRect().right > panel.right);
  return number.right > table.left || outside; })()";

#[test]
fn the_large_number_stands_clear_of_the_table_at_every_width() {
    let server = Server::start();
    let browser = Browser::start();
    // As wide as supplies are that a merchant may have at once.
    for (place, supply) in [(1, 15_000), (2, 150_000), (3, 1_500_000)] {
        let goods = ["red", "blue", "green"].map(|colour| Goods {
            id: colour.to_owned(),
            option: colour.to_owned(),
            supply: supply / 3,
            reserve: 0,
            price: 1_500,
        });
        let stream = format!("show-{place}");
        let planned =
            Drop { goods: goods.into(), countdown_ms: 0, ..Drop::new(&stream, 1, "Mug", 1) };
        let drop = server.plan(&planned);
        server.command(&format!("drops/{drop}/open"), &json!({}));
        let tab = browser.visitor(Look::LAPTOP).tab();
        join(&tab, &server, &server.invite(&format!("nina-{place}"), "host", &[&stream], VALID_MS));
        tab.see("[data-s=state]", "Open");
        for width in [900, 960, 1_024, 1_050, 1_111, 1_112, 1_199, 1_200, 1_400] {
            tab.look(Look { size: (width, 800), ..Look::LAPTOP });
            assert_eq!(tab.value(IS_COVERED), false, "{supply} units at {width} pixels");
        }
    }
}
