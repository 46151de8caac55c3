//! The state of a demo as JSON.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How the demo stands that runs this server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DemoState {
    /// What it does.
    pub stage: DemoStage,
    /// Viewers of its crowd.
    pub viewers: u64,
    /// Viewers of the crowd that are connected.
    pub connected: u64,
    /// Promises that the crowd has received so far: each hold, each order, each end of a hold, once.
    pub promises: u64,
    /// How often it has killed the server.
    pub kills: u64,
    /// The last time; absent before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_kill: Option<DemoKill>,
}

/// What a demo does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum DemoStage {
    /// The crowd comes in.
    #[default]
    Gathering,
    /// The show can be run, the server can be killed.
    Running,
    /// After a kill, promises are held against the ledger.
    Checking,
}

/// A kill of the server, with what came of the promises that the crowd had received until then.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DemoKill {
    /// When: milliseconds since 1970-01-01 UTC.
    pub at_ms: u64,
    /// From the kill until the server answered again, in milliseconds.
    pub down_ms: u64,
    /// Promises that the crowd had received when the last connection was gone.
    pub given: u64,
    /// Promises that the ledger still has after the restart; absent until they are checked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<u64>,
    /// Whether the verifier finds nothing wrong with the ledger; absent until it has looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified: Option<bool>,
}
