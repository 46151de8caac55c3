//! Requests for more units than are in reserve, as the interface tells them.

use serde::Deserialize;

/// A request for more units than are in reserve.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Request {
    #[serde(rename = "request")]
    pub(crate) id: String,
    pub(crate) sku: String,
    pub(crate) units: u64,
    state: String,
    pub(crate) asked_by: String,
    pub(crate) asked_at_ms: u64,
}

impl Request {
    /// Whether nobody has answered it.
    pub(crate) fn is_open(&self) -> bool {
        self.state == "open"
    }
}

/// Requests for more units, as they are listed.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Requests {
    pub(crate) requests: Vec<ListedRequest>,
}

/// A request with the drop that it is about.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct ListedRequest {
    pub(crate) stream: String,
    pub(crate) title: String,
    /// What the SKU is called.
    pub(crate) goods: String,
    #[serde(default)]
    pub(crate) reason: Option<String>,
    #[serde(flatten)]
    pub(crate) request: Request,
}
