//! Who else is at a stream, with what they do there, as JSON.

use serde::Serialize;
use stampede_domain::Units;
use stampede_engine::{Action, Done, DropAction, StaffCommand, TakeBack};
use utoipa::ToSchema;

/// Who is present at a stream: sent again whenever somebody comes or goes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PeopleState {
    /// Each name once, the caller included.
    pub(crate) people: Vec<PersonState>,
}

/// Somebody who follows the stream and may stop its sale.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PersonState {
    /// The name of the token or the session.
    #[schema(example = "jonas")]
    name: String,
    /// Its role.
    #[schema(example = "host")]
    role: &'static str,
}

impl PersonState {
    pub(crate) fn new(name: &str, role: &'static str) -> Self {
        Self { name: name.to_owned(), role }
    }
}

/// A command that somebody gave and that was carried out; retries are not told.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CommandGiven {
    /// The drop's id.
    #[schema(example = "d17")]
    drop: String,
    /// The command.
    #[schema(example = "pause")]
    action: &'static str,
    /// Who gave it.
    #[schema(example = "jonas")]
    actor: String,
    /// The actor's role.
    #[schema(example = "host")]
    role: &'static str,
    /// When it was carried out, in milliseconds since 1970-01-01 UTC.
    at_ms: u64,
    /// The SKU of units that were put on sale or taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    sku: Option<String>,
    /// How many units.
    #[serde(skip_serializing_if = "Option::is_none")]
    units: Option<u32>,
}

impl CommandGiven {
    pub(crate) fn new(command: &StaffCommand, done: &Done, at_ms: u64) -> Self {
        let (sku, units) = match &command.action {
            Action::Drop { action: DropAction::Restock { sku, units }, .. } => {
                (Some(sku.to_string()), Some(*units))
            }
            Action::Drop { action: DropAction::TakeBack(TakeBack { sku, .. }), .. } => {
                (Some(sku.to_string()), done.units)
            }
            _ => (None, None),
        };
        Self {
            drop: done.drop.to_string(),
            action: command.action.name(),
            actor: command.actor.clone(),
            role: command.role.name(),
            at_ms,
            sku,
            units: units.map(Units::get),
        }
    }
}
