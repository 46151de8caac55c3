//! Measures the first load of a page.

use crate::{
    harness::{Browser, Drop, Look, Server},
    show::{VALID_MS, join},
};

const STREAM: &str = "friday-show";
/// Compressed bytes of a first load, page and headers included.
const BYTES_MAX: u64 = 80 * 1_024;

/// Bytes over the wire by the browser's own books; the worker's script is read once more to be counted.
const BYTES: &str = "(async () => { const { worker } = document.body.dataset;
  if (worker) await fetch(worker, { cache: 'reload' }).then((answer) => answer.text());
  const entries = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
    .filter((entry) => !entry.name.includes('/v1/'));
  return [entries.reduce((all, entry) => all + entry.transferSize, 0), entries.length]; })()";

#[test]
fn a_first_load_is_small() {
    let server = Server::start();
    server.plan(&Drop::new(STREAM, 1, "Grey mug", 500));
    let browser = Browser::start();
    let tab = browser.visitor(Look::LAPTOP).tab();
    join(&tab, &server, &server.invite("nina", "host", &[STREAM], VALID_MS));
    for page in ["/live/friday-show", "/stage/friday-show", "/shows"] {
        tab.go(&server.page(page));
        tab.call("Network.clearBrowserCache", &serde_json::json!({}));
        tab.go(&server.page(page));
        let told = tab.value(BYTES);
        let bytes = told[0].as_u64().unwrap();
        println!("first load of {page}: {bytes} bytes compressed in {} files", told[1]);
        assert!((1_000..=BYTES_MAX).contains(&bytes), "{page}: {bytes}");
    }
}
