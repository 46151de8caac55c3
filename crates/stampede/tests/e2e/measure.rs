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

/// Notes the first moment at which a key does something, in milliseconds from the navigation's start.
const INTERACTIVE: &str = "globalThis.interactive = 0; (function look() {
  document.body?.dispatchEvent(new KeyboardEvent('keydown', { key: '?', bubbles: true }));
  const dialog = document.querySelector('[data-el=keys-dialog]');
  if (dialog?.open) { interactive = performance.now(); dialog.close(); } else setTimeout(look, 10); })();";

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

/// A control room before a sale that changes with each update; the crowd clicks on after the last unit.
fn busy_room(server: &Server, browser: &Browser, spread_ms: u64) -> (Tab, Playing) {
    let drop = server.plan(&Drop::new(STREAM, 1, "Grey mug", 3_000));
    let tab = browser.visitor(Look::LAPTOP).tab();
    join(&tab, server, &server.invite("nina", "host", &[STREAM], VALID_MS));
    let crowd = Crowd {
        rush_ms: spread_ms,
        again_every_ms: 2_000,
        sale_ms: 10_000_000,
        ..Crowd::new(STREAM, &drop, 2_000)
    };
    let crowd = crowd.come(server);
    server.command(&format!("drops/{drop}/open"), &json!({}));
    tab.see("[data-s=state]", "Open");
    tab.value("(globalThis.moved = 0, new MutationObserver(() => { moved += 1; }).observe(document.querySelector('.program'), { subtree: true, childList: true, characterData: true, attributes: true }), true)");
    (tab, crowd)
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
    let (tab, crowd) = busy_room(&server, &browser, 60_000);
    for window in 1..=3 {
        let (at, busy) = (metric(&tab, "Timestamp"), metric(&tab, "TaskDuration"));
        let (script, layout, style) = (
            metric(&tab, "ScriptDuration"),
            metric(&tab, "LayoutDuration"),
            metric(&tab, "RecalcStyleDuration"),
        );
        let before = tab.value("moved").as_u64().unwrap();
        tab.until("updated", &format!("moved >= {}", before + UPDATES));
        let moved = tab.value("moved").as_u64().unwrap() - before;
        let span = metric(&tab, "Timestamp") - at;
        let share = |now: f64, then: f64| 100.0 * (now - then) / span;
        println!(
            "window {window}: {moved} updates in {span:.1} s, main thread {:.1} % of a core (script {:.1}, layout {:.1}, style {:.1})",
            share(metric(&tab, "TaskDuration"), busy),
            share(metric(&tab, "ScriptDuration"), script),
            share(metric(&tab, "LayoutDuration"), layout),
            share(metric(&tab, "RecalcStyleDuration"), style)
        );
    }
    crowd.go();
}

#[test]
fn heap_over_a_long_sale() {
    let minutes: f64 = std::env::var(MINUTES).map_or(1.0, |minutes| minutes.parse().unwrap());
    let server = Server::start();
    let browser = Browser::start();
    let (tab, crowd) = busy_room(&server, &browser, 20_000);
    let begun = metric(&tab, "Timestamp");
    let mut since = 0.0;
    while since < minutes * 60.0 {
        tab.call("HeapProfiler.collectGarbage", &json!({}));
        let used = tab.call("Runtime.getHeapUsage", &json!({}))["usedSize"].as_f64().unwrap();
        println!(
            "after {since:.0} s: {:.0} KiB of heap, {} nodes, {} listeners",
            used / 1024.0,
            metric(&tab, "Nodes"),
            metric(&tab, "JSEventListeners")
        );
        let before = tab.value("moved").as_u64().unwrap();
        tab.until("updated", &format!("moved >= {}", before + UPDATES));
        since = metric(&tab, "Timestamp") - begun;
    }
    crowd.go();
}
