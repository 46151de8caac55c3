//! Measurements of the control room: printed with their conditions, never asserted.

use serde_json::json;

use crate::{
    harness::{Browser, Crowd, Drop, Look, Playing, Server, Tab},
    show::{VALID_MS, join},
};

const STREAM: &str = "friday-show";
/// How long the heap is watched, in minutes.
const MINUTES: &str = "STAMPEDE_E2E_MINUTES";
/// Updates between two looks at the heap: about ten seconds of a sale.
const UPDATES: u64 = 100;

/// Viewers before whom Pause and Resume are pressed, mean time between two clicks of one.
const CROWD: u32 = 5_000;
const CLICK_EVERY_MS: u64 = 180;
/// Units that they ask for: one, for whoever had it clicks no more. It comes back unpaid.
const UNITS: u32 = 1;
const HOLD_MS: u32 = 1_000;

/// Viewers that a small machine can connect.
const VIEWERS_MAX: u32 = 12_000;

/// Counts updates of what is left.
const COUNT: &str = "(globalThis.moved = 0, new MutationObserver(() => { moved += 1; })
  .observe(document.querySelector('[data-s=hero]'), { childList: true, characterData: true, subtree: true }), true)";

/// What the page's main thread spends its time on, all of it first.
const SPENT: [&str; 4] =
    ["TaskDuration", "ScriptDuration", "LayoutDuration", "RecalcStyleDuration"];

/// Notes the first moment at which a key does something, in milliseconds from the navigation's start.
const INTERACTIVE: &str = "globalThis.interactive = 0; (function look() {
  document.body?.dispatchEvent(new KeyboardEvent('keydown', { key: '?', bubbles: true }));
  const dialog = document.querySelector('[data-el=keys-dialog]');
  if (dialog?.open) { interactive = performance.now(); dialog.close(); } else setTimeout(look, 10); })();";

/// Notes how long each key takes until the page says that the server confirmed it, and when it said so.
const PRESSES: &str = "(() => { globalThis.took = { Paused: [], Resumed: [] }; globalThis.since = Infinity;
  let pressed = 0;
  addEventListener('keydown', (event) => { pressed = event.timeStamp; }, true);
  const result = document.querySelector('[data-el=result]');
  new MutationObserver(() => { for (const word of Object.keys(took))
      if (pressed > 0 && result.dataset.kind === 'done' && result.querySelector('[data-s=result]').textContent === word) {
        took[word].push(performance.now() - pressed); pressed = 0; since = performance.now(); } })
    .observe(result, { childList: true, characterData: true, subtree: true, attributes: true });
  return true; })()";

/// The number of the last take, as the server tells it.
fn last_take(server: &Server, drop: &str) -> u64 {
    server.drop_state(drop)["skus"][0]["last_take"].as_u64().unwrap()
}

fn percentiles(mut took: Vec<f64>) -> String {
    took.sort_by(f64::total_cmp);
    let at = |share: usize| took[(took.len() - 1) * share / 100];
    format!("{} presses, p50 {:.0}, p99 {:.0}, max {:.0} ms", took.len(), at(50), at(99), at(100))
}

#[test]
fn pause_and_resume_before_a_crowd() {
    let minutes: f64 = std::env::var(MINUTES).map_or(1.0, |minutes| minutes.parse().unwrap());
    let server = Server::start();
    let browser = Browser::start();
    let drop = Drop { hold_ttl_ms: HOLD_MS, ..Drop::new(STREAM, 1, "Grey mug", UNITS) };
    let drop = server.plan(&Drop { countdown_ms: 0, ..drop });
    let tab = browser.visitor(Look::LAPTOP).tab();
    join(&tab, &server, &server.invite("nina", "host", &[STREAM], VALID_MS));
    let sale_ms = 120_000 + format!("{:.0}", minutes * 60_000.0).parse::<u64>().unwrap();
    let crowd = Crowd {
        never_pay_share: 1.0,
        again_every_ms: CLICK_EVERY_MS,
        sale_ms,
        ..Crowd::new(STREAM, &drop, CROWD)
    };
    let crowd = crowd.come(&server);
    server.command(&format!("drops/{drop}/open"), &json!({}));
    tab.see("[data-s=state]", "Open");
    tab.value(PRESSES);
    let begun = metric(&tab, "Timestamp");
    let (mut pairs, mut takes) = (0, 0);
    while metric(&tab, "Timestamp") - begun < minutes * 60.0 {
        tab.key("p");
        tab.until("paused", &format!("took.Paused.length > {pairs}"));
        let last = last_take(&server, &drop);
        assert!(last > takes, "nothing was taken since the take {takes}");
        // The button is deaf for its first second.
        tab.until("no longer deaf", "performance.now() - since > 1200");
        let told = tab.text("[data-tile=clicks]");
        takes = last_take(&server, &drop);
        assert_eq!(takes, last, "taken between a confirmed pause and a resume");
        tab.key("o");
        tab.until("resumed", &format!("took.Resumed.length > {pairs}"));
        pairs += 1;
        server
            .until(&drop, "selling", |state| state["skus"][0]["last_take"].as_u64() > Some(takes));
        if pairs % 50 == 1 {
            println!("after {pairs} pairs: take {takes}, {told}");
        }
    }
    for word in ["Paused", "Resumed"] {
        let took: Vec<f64> = serde_json::from_value(tab.value(&format!("took.{word}"))).unwrap();
        println!("{word}: {}", percentiles(took));
    }
    let saw = crowd.go();
    println!("{} takes; the crowd saw {:?}", takes, saw.counts);
}

#[test]
fn time_to_interactive_on_a_slow_phone() {
    let server = Server::start();
    server.plan(&Drop::new(STREAM, 1, "Grey mug", 500));
    let browser = Browser::start();
    let tab = browser.visitor(Look { size: (390, 844), ..Look::LAPTOP }).tab();
    join(&tab, &server, &server.invite("nina", "host", &[STREAM], VALID_MS));
    tab.call("Network.enable", &json!({}));
    tab.call("Page.addScriptToEvaluateOnNewDocument", &json!({ "source": INTERACTIVE }));
    let lines = [
        ("no throttling", 0, 0, 1),
        ("4G: 9 Mbit/s, 170 ms", 9_000, 170, 4),
        ("slow 4G: 1.6 Mbit/s, 150 ms", 1_600, 150, 4),
    ];
    for (line, kbits, latency, slower) in lines {
        let bytes = if kbits == 0 { -1 } else { kbits * 125 };
        tab.call(
            "Network.emulateNetworkConditions",
            &json!({ "offline": false, "latency": latency,
            "downloadThroughput": bytes, "uploadThroughput": bytes }),
        );
        tab.call("Emulation.setCPUThrottlingRate", &json!({ "rate": slower }));
        for _ in 0..3 {
            tab.call("Network.clearBrowserCache", &json!({}));
            tab.go(&server.page("/live/friday-show"));
            let at = tab.until("interactive", "interactive > 0 && interactive");
            let paint = tab
                .value("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0");
            println!(
                "{line}, CPU {slower}x slower, cold cache: first paint after {:.0} ms, keys work after {:.0} ms",
                paint.as_f64().unwrap(),
                at.as_f64().unwrap()
            );
        }
    }
}

/// A control room before a sale in which somebody takes a unit each 50 ms, for this many seconds.
fn busy_room(server: &Server, browser: &Browser, seconds: u32) -> (Tab, Playing) {
    let drop = server.plan(&Drop::new(STREAM, 1, "Grey mug", 100_000));
    let tab = browser.visitor(Look::LAPTOP).tab();
    // As most people have it: with whatever moves.
    tab.call("Emulation.setEmulatedMedia", &json!({ "features": [] }));
    join(&tab, server, &server.invite("nina", "host", &[STREAM], VALID_MS));
    let rush_ms = 1_000 * u64::from(seconds);
    let viewers = (20 * seconds).min(VIEWERS_MAX);
    let crowd = Crowd { rush_ms, sale_ms: 2 * rush_ms, ..Crowd::new(STREAM, &drop, viewers) };
    let crowd = crowd.come(server);
    server.command(&format!("drops/{drop}/open"), &json!({}));
    tab.see("[data-s=state]", "Open");
    tab.value(COUNT);
    (tab, crowd)
}

/// Waits for this many updates without a look in between.
fn updates(wanted: u64) -> String {
    format!(
        "new Promise((done) => {{ const look = new MutationObserver(() => {{ if (moved >= {wanted}) {{ \
         look.disconnect(); done(true); }} }}); look.observe(document.querySelector('[data-s=hero]'), \
         {{ childList: true, characterData: true, subtree: true }}); }})"
    )
}

fn metric(tab: &Tab, name: &str) -> f64 {
    let told = tab.call("Performance.getMetrics", &json!({}));
    let found = told["metrics"].as_array().unwrap().iter().find(|one| one["name"] == name).cloned();
    found.and_then(|one| one["value"].as_f64()).unwrap()
}

#[test]
fn main_thread_during_a_sale() {
    let server = Server::start();
    let browser = Browser::start();
    let (tab, crowd) = busy_room(&server, &browser, 60);
    // Time on the processor: a busy machine does not count as a busy page.
    tab.call("Performance.disable", &json!({}));
    tab.call("Performance.enable", &json!({ "timeDomain": "threadTicks" }));
    for window in 1..=2 {
        let at = tab.value("performance.now()").as_f64().unwrap();
        let before = SPENT.map(|name| metric(&tab, name));
        let moved = tab.value("moved").as_u64().unwrap();
        tab.value(&updates(moved + UPDATES));
        let moved = tab.value("moved").as_u64().unwrap() - moved;
        let span = (tab.value("performance.now()").as_f64().unwrap() - at) / 1_000.0;
        let shares: Vec<String> = SPENT
            .iter()
            .zip(before)
            .map(|(name, before)| {
                format!("{name} {:.1} %", 100.0 * (metric(&tab, name) - before) / span)
            })
            .collect();
        println!(
            "window {window}: {moved} updates in {span:.1} s, of a core: {}",
            shares.join(", ")
        );
    }
    crowd.go();
}

#[test]
fn heap_over_a_long_sale() {
    let minutes: f64 = std::env::var(MINUTES).map_or(1.0, |minutes| minutes.parse().unwrap());
    let server = Server::start();
    let browser = Browser::start();
    let seconds = (minutes * 60.0).ceil();
    let (tab, crowd) = busy_room(&server, &browser, format!("{seconds:.0}").parse().unwrap());
    let begun = metric(&tab, "Timestamp");
    let mut since = 0.0;
    while since < seconds - 20.0 {
        tab.call("HeapProfiler.collectGarbage", &json!({}));
        let used = tab.call("Runtime.getHeapUsage", &json!({}))["usedSize"].as_f64().unwrap();
        println!(
            "after {since:.0} s: {:.0} KiB of heap, {} nodes, {} listeners",
            used / 1024.0,
            metric(&tab, "Nodes"),
            metric(&tab, "JSEventListeners")
        );
        let before = tab.value("moved").as_u64().unwrap();
        tab.value(&updates(before + UPDATES));
        since = metric(&tab, "Timestamp") - begun;
    }
    crowd.go();
}
