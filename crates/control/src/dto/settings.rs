//! The settings in force, as JSON.

use serde::Serialize;
use utoipa::ToSchema;

/// The settings that the server runs with.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Settings)]
pub(crate) struct SettingsInForce {
    /// Each table of the file of settings with its values, defaults included. Secrets are no settings: a setting names the
    /// file that they stand in.
    #[schema(value_type = Object, example = json!({ "viewers": { "listen": "127.0.0.1:7700", "connections_max": 18_000 } }))]
    pub(crate) settings: serde_json::Value,
}
