//! One headless Chromium with any number of people at it.

use std::rc::Rc;

use serde_json::json;
use tempfile::TempDir;

use super::{
    engine::Engine,
    tab::{Look, Tab},
};

/// A headless Chromium; ends with its last visitor and tab.
pub(crate) struct Browser(Rc<Engine>);

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
        Self(Rc::new(Engine::start(profile)))
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
