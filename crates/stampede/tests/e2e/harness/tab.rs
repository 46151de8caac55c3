//! One page: what it shows is waited for, what is pressed is pressed as a hand would.

use std::{path::Path, rc::Rc};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use super::{engine::Engine, keys};

/// How long a page may take to show what it is waited for.
const PATIENCE_MS: u32 = 20_000;
/// A wait begins again when the page goes elsewhere meanwhile, so often at most.
const PAGES_MAX: u32 = 20;

/// Until what was changed is drawn.
const DRAWN: &str =
    "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(1))))";

/// Adds up by how much the layout moves without the reader's doing.
const SHIFTS: &str = "globalThis.shifted = { score: 0, what: [] };
  new PerformanceObserver((list) => { for (const entry of list.getEntries()) if (!entry.hadRecentInput) {
    shifted.score += entry.value;
    if (entry.value > 0.00005) shifted.what.push(`${entry.value.toFixed(4)} at ${Math.round(entry.startTime)}: ${entry.sources.map(({ node, previousRect: a, currentRect: b }) => `${node?.className?.baseVal ?? node?.className ?? node?.textContent} ${a.x},${a.y} to ${b.x},${b.y}`)}`);
  } }).observe({ type: 'layout-shift', buffered: true });";

/// How a page is looked at.
#[derive(Clone, Copy)]
pub(crate) struct Look {
    /// Width and height of the window, in CSS pixels.
    pub(crate) size: (u32, u32),
    /// `light` or `dark`, as the system would say it.
    pub(crate) theme: &'static str,
    /// The browser's language, like `en` or `zh-CN`.
    pub(crate) language: &'static str,
}

impl Look {
    /// A laptop in English by day.
    pub(crate) const LAPTOP: Self = Self { size: (1440, 900), theme: "light", language: "en" };
}

/// A tab; complaints of its pages fail the run when it is closed.
pub(crate) struct Tab {
    engine: Rc<Engine>,
    target: String,
    session: String,
}

impl Tab {
    pub(super) fn new(engine: Rc<Engine>, target: String, session: String, look: Look) -> Self {
        let tab = Self { engine, target, session };
        for domain in ["Page", "Runtime", "Log", "Performance"] {
            tab.call(&format!("{domain}.enable"), &json!({}));
        }
        tab.call("Page.addScriptToEvaluateOnNewDocument", &json!({ "source": SHIFTS }));
        // Keys reach the tab whichever is in front.
        tab.call("Emulation.setFocusEmulationEnabled", &json!({ "enabled": true }));
        tab.look(look);
        tab
    }

    /// Calls a method of the `DevTools` protocol for this tab.
    pub(crate) fn call(&self, method: &str, params: &Value) -> Value {
        match self.engine.call(Some(&self.session), method, params) {
            Ok(result) => result,
            Err(refused) => panic!("{method}: {}", refused.why),
        }
    }

    /// Sets size, theme, language.
    pub(crate) fn look(&self, look: Look) {
        let (width, height) = look.size;
        let phone = width < 640;
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1,
            "mobile": phone });
        self.call("Emulation.setDeviceMetricsOverride", &metrics);
        let features = json!([{ "name": "prefers-color-scheme", "value": look.theme },
            { "name": "prefers-reduced-motion", "value": "reduce" }]);
        self.call("Emulation.setEmulatedMedia", &json!({ "features": features }));
        let agent = self.value("navigator.userAgent");
        let wanted = json!({ "userAgent": agent, "acceptLanguage": look.language });
        self.call("Emulation.setUserAgentOverride", &wanted);
        // Times are shown in the reader's zone: pictures are taken in one zone everywhere.
        self.call("Emulation.setTimezoneOverride", &json!({ "timezoneId": "Europe/Berlin" }));
        // Pages that are dark unless their reader chose otherwise.
        let theme = json!(look.theme);
        self.value(&format!("void (document.documentElement.dataset.theme &&= {theme})"));
        self.value(DRAWN);
    }

    /// Goes to an address, waits until its page is loaded.
    pub(crate) fn go(&self, url: &str) {
        let gone = self.call("Page.navigate", &json!({ "url": url }));
        assert!(gone["errorText"].is_null(), "{url}: {gone}");
        self.until("loaded", "document.readyState === 'complete'");
    }

    /// What an expression is, awaited.
    pub(crate) fn value(&self, expression: &str) -> Value {
        match self.try_value(expression) {
            Ok(value) => value,
            Err(why) => panic!("{expression}: {why}"),
        }
    }

    fn try_value(&self, expression: &str) -> Result<Value, String> {
        let wanted = json!({ "expression": expression, "awaitPromise": true,
            "returnByValue": true, "userGesture": true });
        let mut done = self
            .engine
            .call(Some(&self.session), "Runtime.evaluate", &wanted)
            .map_err(|refused| refused.why)?;
        if let Some(thrown) = done.get("exceptionDetails") {
            return Err(thrown["exception"]["description"].to_string());
        }
        Ok(done["result"]["value"].take())
    }

    /// Waits until an expression is true, also over pages that come and go; its value.
    pub(crate) fn until(&self, what: &str, expression: &str) -> Value {
        let waiting = format!(
            "new Promise((done, failed) => {{ const end = performance.now() + {PATIENCE_MS};
              const look = () => {{ let is = false; try {{ is = ({expression}); }} catch {{}}
                if (is) done(is); else if (performance.now() > end) done(null);
                else setTimeout(look, 15); }}; look(); }})"
        );
        for _ in 0..PAGES_MAX {
            match self.try_value(&waiting) {
                Ok(Value::Null) => break,
                Ok(value) => return value,
                // The page went elsewhere: the next one may show it.
                Err(why) if why.contains("navigated") || why.contains("context") => {}
                Err(why) => panic!("{what}: {why}"),
            }
        }
        let shown = self.value("`${location.href}\n${document.body.innerText}`");
        panic!("the page is not {what}: {expression}\n{}", shown.as_str().unwrap_or_default());
    }

    /// Waits until an element that can be seen has a text.
    pub(crate) fn see(&self, css: &str, text: &str) {
        let expression = format!(
            "[...document.querySelectorAll({})].some((one) => one.checkVisibility() && \
             one.textContent.includes({}))",
            json!(css),
            json!(text)
        );
        self.until(&format!("showing {text:?} in {css}"), &expression);
    }

    /// The text of an element.
    pub(crate) fn text(&self, css: &str) -> String {
        let text = self.value(&format!("document.querySelector({})?.textContent", json!(css)));
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Presses an element with the pointer, once it stands there in reach.
    pub(crate) fn press(&self, css: &str) {
        let (x, y) = self.point(css);
        self.pointer("mousePressed", x, y);
        self.pointer("mouseReleased", x, y);
    }

    /// Holds an element down until the page is as wanted.
    pub(crate) fn hold_until(&self, css: &str, what: &str, expression: &str) {
        let (x, y) = self.point(css);
        self.pointer("mousePressed", x, y);
        self.until(what, expression);
        self.pointer("mouseReleased", x, y);
    }

    fn pointer(&self, kind: &str, x: f64, y: f64) {
        let event = json!({ "type": kind, "x": x, "y": y, "button": "left", "buttons": 1,
            "clickCount": 1 });
        self.call("Input.dispatchMouseEvent", &event);
    }

    /// The middle of an element that nothing covers.
    fn point(&self, css: &str) -> (f64, f64) {
        let expression = format!(
            "(() => {{ const one = [...document.querySelectorAll({})].find((node) => node.checkVisibility() && !node.disabled);
              one?.scrollIntoView({{ block: 'nearest', inline: 'nearest' }});
              const box = one?.getBoundingClientRect(); if (!box) return false;
              const at = [box.x + box.width / 2, box.y + box.height / 2];
              const top = document.elementFromPoint(...at);
              return top && (one.contains(top) || top.contains(one)) ? at : false; }})()",
            json!(css)
        );
        let at = self.until(&format!("within reach: {css}"), &expression);
        (at[0].as_f64().unwrap(), at[1].as_f64().unwrap())
    }

    /// Presses a key and lets it go.
    pub(crate) fn key(&self, name: &str) {
        self.key_down(name);
        self.key_up(name);
    }

    /// Presses a key.
    pub(crate) fn key_down(&self, name: &str) {
        let kind = if keys::key(name).text.is_empty() { "rawKeyDown" } else { "keyDown" };
        self.key_event(kind, name);
    }

    /// Lets a key go.
    pub(crate) fn key_up(&self, name: &str) {
        self.key_event("keyUp", name);
    }

    fn key_event(&self, kind: &str, name: &str) {
        let key = keys::key(name);
        let mut event = json!({ "type": kind, "key": key.name, "code": key.code,
            "windowsVirtualKeyCode": key.number });
        if kind == "keyDown" {
            event["text"] = key.text.into();
        }
        self.call("Input.dispatchKeyEvent", &event);
    }

    /// Puts a text into a field, as pasting does.
    pub(crate) fn put(&self, css: &str, text: &str) {
        self.until(css, &format!("(document.querySelector({0}).value = '', document.querySelector({0}).focus(), true)", json!(css)));
        self.call("Input.insertText", &json!({ "text": text }));
    }

    /// A picture of what the window shows, as PNG.
    pub(crate) fn picture(&self) -> Vec<u8> {
        let taken = self.call("Page.captureScreenshot", &json!({ "format": "png" }));
        BASE64_STANDARD.decode(taken["data"].as_str().unwrap()).unwrap()
    }

    /// The page as it is printed, as PDF.
    pub(crate) fn printed(&self) -> Vec<u8> {
        let wanted = json!({ "preferCSSPageSize": true, "printBackground": true });
        let made = self.call("Page.printToPDF", &wanted);
        BASE64_STANDARD.decode(made["data"].as_str().unwrap()).unwrap()
    }

    /// Writes a picture of what the window shows.
    pub(crate) fn picture_to(&self, file: &Path) {
        std::fs::write(file, self.picture()).unwrap();
    }

    /// What its pages complained about so far: exceptions, breaches of their policy.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let taken = |method| self.engine.take_events(&self.session, method).into_iter();
        let thrown = taken("Runtime.exceptionThrown")
            .map(|event| event["params"]["exceptionDetails"].to_string());
        let logged = taken("Log.entryAdded").filter_map(|event| {
            let entry = &event["params"]["entry"];
            // A request that fails is what many runs are about.
            let is_own = entry["level"] == "error" && entry["source"] != "network";
            is_own.then(|| entry["text"].to_string())
        });
        thrown.chain(logged).collect()
    }

    /// How much the layout of its present page moved by itself so far, as browsers score it, with the
    /// elements that moved.
    pub(crate) fn layout_shift(&self) -> (f64, String) {
        let told = self.value("[globalThis.shifted.score, globalThis.shifted.what.join('\\n')]");
        (told[0].as_f64().unwrap(), told[1].as_str().unwrap_or_default().to_owned())
    }

    /// Ends the tab.
    pub(crate) fn close(self) {
        drop(self);
    }
}

impl Drop for Tab {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let complaints = self.complaints();
        let wanted = json!({ "targetId": self.target });
        // The browser may be gone already.
        let _closed = self.engine.call(None, "Target.closeTarget", &wanted);
        assert_eq!(complaints, [""; 0], "a page complained");
    }
}
