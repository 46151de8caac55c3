//! One headless Chromium with any number of people at it.

use std::rc::Rc;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{
    pipe::{Pipe, Refused},
    tab::Tab,
};

/// How Chromium is started: nothing of its own on the network, the same pixels everywhere.
const FLAGS: [&str; 15] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
    "--disable-backgrounding-occluded-windows",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
];

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

/// A headless Chromium; ends with its last visitor and tab.
pub(crate) struct Browser(Rc<Engine>);

/// The process with its folder, shared by all who need it to live.
pub(super) struct Engine {
    pipe: Pipe,
    _profile: TempDir,
}

impl Engine {
    pub(super) fn call(
        &self,
        session: Option<&str>,
        method: &str,
        params: &Value,
    ) -> Result<Value, Refused> {
        self.pipe.call(session, method, params)
    }

    pub(super) fn take_events(&self, session: &str, method: &str) -> Vec<Value> {
        self.pipe.take_events(session, method)
    }
}

impl Browser {
    /// Starts one on an empty profile.
    pub(crate) fn start() -> Self {
        Self::on(tempfile::tempdir().unwrap())
    }

    /// One whose owner has forbidden cookies; it has one visitor, [`Browser::own`].
    pub(crate) fn without_cookies() -> Self {
        let profile = tempfile::tempdir().unwrap();
        let settings = profile.path().join("Default");
        std::fs::create_dir(&settings).unwrap();
        let forbidden =
            json!({ "profile": { "default_content_setting_values": { "cookies": 2 } } });
        std::fs::write(settings.join("Preferences"), forbidden.to_string()).unwrap();
        Self::on(profile)
    }

    fn on(profile: TempDir) -> Self {
        let pipe = Pipe::start(profile.path(), &FLAGS);
        Self(Rc::new(Engine { pipe, _profile: profile }))
    }

    /// Somebody with cookies and storage of their own.
    pub(crate) fn visitor(&self, look: Look) -> Visitor {
        let made = self.0.call(None, "Target.createBrowserContext", &json!({})).unwrap();
        let context = made["browserContextId"].as_str().map(str::to_owned);
        Visitor { engine: Rc::clone(&self.0), context, look }
    }

    /// The owner of the browser's own profile.
    pub(crate) fn own(&self) -> Visitor {
        Visitor { engine: Rc::clone(&self.0), context: None, look: Look::LAPTOP }
    }
}

/// A person at a browser.
pub(crate) struct Visitor {
    engine: Rc<Engine>,
    /// `None` is the browser's own profile.
    context: Option<String>,
    look: Look,
}

impl Visitor {
    /// Opens a page in a tab of its own.
    pub(crate) fn open(&self, url: &str) -> Tab {
        let tab = self.tab();
        tab.go(url);
        tab
    }

    /// An empty tab.
    pub(crate) fn tab(&self) -> Tab {
        let mut wanted = json!({ "url": "about:blank", "newWindow": true });
        if let Some(context) = &self.context {
            wanted["browserContextId"] = context.as_str().into();
        }
        let made = self.engine.call(None, "Target.createTarget", &wanted).unwrap();
        let target = made["targetId"].as_str().unwrap().to_owned();
        let wanted = json!({ "targetId": target, "flatten": true });
        let attached = self.engine.call(None, "Target.attachToTarget", &wanted).unwrap();
        let session = attached["sessionId"].as_str().unwrap().to_owned();
        Tab::new(Rc::clone(&self.engine), target, session, self.look)
    }

    /// Signs in with a token at the door, then is where it leads.
    pub(crate) fn sign_in(&self, door: &str, token: &str) -> Tab {
        let tab = self.open(door);
        tab.until("ready", "document.querySelector('[type=submit]:enabled')");
        tab.put("#token", token);
        tab.key("Enter");
        tab.until("signed in", "!document.body.classList.contains('sign-in')");
        tab
    }
}
