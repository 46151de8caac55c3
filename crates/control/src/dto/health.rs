//! Health, as JSON.

use serde::Serialize;
use utoipa::ToSchema;

/// The process answers.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Alive {
    /// Always `alive`.
    #[schema(example = "alive")]
    pub(crate) status: &'static str,
    /// This server's name.
    #[schema(example = "node-1")]
    pub(crate) node: String,
    /// How often the server has started on its ledger.
    #[schema(example = 3)]
    pub(crate) incarnation: u32,
}

/// The engine sells.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Ready {
    /// Always `ready`.
    #[schema(example = "ready")]
    pub(crate) status: &'static str,
    /// The server's time, in milliseconds since 1970-01-01 UTC.
    pub(crate) server_time_ms: u64,
    /// By how many milliseconds the clock of order and deadlines is ahead of the server's time;
    /// negative if it is behind. Beyond a second the machine's clock was or is wrong.
    #[schema(example = 0)]
    pub(crate) clock_ahead_ms: i64,
}
