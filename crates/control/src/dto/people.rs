//! Who else is at a stream, with what they do there, as JSON.

use serde::Serialize;
use stampede_domain::{DropId, RequestId, Units};
use stampede_engine::{Action, Done, DropAction, SaleDrop, StaffCommand, TakeBack};
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
    /// The SKU of units that were put on sale, asked for or taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    sku: Option<String>,
    /// How many units.
    #[serde(skip_serializing_if = "Option::is_none")]
    units: Option<u32>,
    /// The request that was made, granted, declined or withdrawn; a restock that has one put nothing on sale.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "q17-2")]
    request: Option<String>,
}

impl CommandGiven {
    pub(crate) fn new(command: &StaffCommand, done: &Done, of: &SaleDrop, at_ms: u64) -> Self {
        let (sku, units) = match &command.action {
            Action::Drop { action: DropAction::Restock { sku, units }, .. } => {
                (Some(sku.to_string()), Some(*units))
            }
            Action::Drop { action: DropAction::TakeBack(TakeBack { sku, .. }), .. } => {
                (Some(sku.to_string()), done.units)
            }
            Action::Drop { action, .. } => {
                let asked = action.request().and_then(|number| asked_for(of, number));
                asked.map_or((None, None), |(sku, units)| (Some(sku), Some(units)))
            }
            _ => (None, None),
        };
        let request = match &command.action {
            Action::Drop { drop, action, .. } => action.request().map(|number| (*drop, number)),
            _ => None,
        };
        let request = request.map(|(drop, number): (DropId, u32)| RequestId { drop, number });
        let request = request.or(done.asked.map(|asked| asked.request));
        Self {
            drop: done.drop.to_string(),
            action: command.action.name(),
            actor: command.actor.clone(),
            role: command.role.name(),
            at_ms,
            sku,
            units: units.map(Units::get),
            request: request.map(|request| request.to_string()),
        }
    }
}

/// What a request of the drop has asked for.
fn asked_for(of: &SaleDrop, number: u32) -> Option<(String, Units)> {
    let requests = of.asked().shown();
    let request = requests.iter().find(|request| request.number == number)?;
    let sku = of.plan().sku(of.sku_of(request.pool)?)?;
    Some((sku.id.to_string(), request.units))
}
