//! The process of a headless Chromium.

use serde_json::Value;
use tempfile::TempDir;

use super::pipe::{Pipe, Refused};

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

/// The process with its folder, shared by all who need it to live.
pub(super) struct Engine {
    pipe: Pipe,
    _profile: TempDir,
}

impl Engine {
    /// Starts one on this folder.
    pub(super) fn start(profile: TempDir) -> Self {
        let pipe = Pipe::start(profile.path(), &FLAGS);
        Self { pipe, _profile: profile }
    }

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
