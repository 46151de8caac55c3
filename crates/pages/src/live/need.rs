//! What needs the reader, with the press that mends it.

use serde::Serialize;

/// Something that needs the reader.
pub(super) struct Need {
    pub(super) level: &'static str,
    pub(super) text: String,
    pub(super) act: Option<Act>,
    pub(super) also: Option<Act>,
}

impl From<(String, Option<Act>)> for Need {
    fn from((text, act): (String, Option<Act>)) -> Self {
        Self { level: "attention", text, act, also: None }
    }
}

/// What a press on the alarm line does.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Act {
    /// `restock`, `start`, `plan-rest`, `grant`, `decline` or `withdraw`.
    pub(crate) kind: &'static str,
    pub(crate) label: String,
    /// The SKU to restock, or the request that is answered; empty otherwise.
    pub(crate) sku: String,
}
