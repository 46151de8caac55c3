//! Staff commands as the ledger holds them, as JSON.

use serde::{Deserialize, Serialize};
use stampede_domain::DropId;
use stampede_report::commands::{RecordedCommand, refusal};
use utoipa::{IntoParams, ToSchema};

use crate::extract::PageLimit;

/// Which part of the list of commands.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct CommandParams {
    /// List commands in front of this one: the `next` of the page before.
    #[serde(default)]
    #[param(example = 1200)]
    pub(crate) before: Option<u64>,
    /// Commands of one page.
    #[serde(default)]
    #[param(value_type = usize, default = 100, minimum = 1, maximum = 1000)]
    pub(crate) limit: PageLimit,
}

/// Commands of one page, newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CommandList {
    /// The commands that the token may see, refused ones included.
    pub(crate) commands: Vec<CommandLine>,
    /// What to send as `before` for the next page; left out on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<u64>,
}

/// A command with what came of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CommandLine {
    /// Counted from 1 over all commands of the ledger.
    pub(crate) number: u64,
    /// When it became durable, in milliseconds since 1970-01-01 UTC.
    at_ms: u64,
    /// Who asked, by the token's name.
    actor: String,
    /// In which role.
    role: String,
    /// For what.
    #[schema(example = "restock")]
    action: String,
    /// The drop; left out for what belongs to none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "d17")]
    drop: Option<String>,
    /// Why, in the actor's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Why it was refused; left out if it was carried out.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<RecordedRefusal>,
}

/// Why a command was refused.
#[derive(Debug, Serialize, ToSchema)]
struct RecordedRefusal {
    /// The code, as in problems.
    #[schema(example = "wrong_phase")]
    code: String,
    /// The sentence that went with it.
    detail: String,
}

impl CommandLine {
    pub(crate) fn new(recorded: &RecordedCommand) -> Self {
        let RecordedCommand { number, drop, at, command } = recorded;
        let reason = command.reason.as_str();
        Self {
            number: *number,
            at_ms: at.get(),
            actor: command.actor.as_str().to_owned(),
            role: command.role.as_str().to_owned(),
            action: command.action.as_str().to_owned(),
            drop: (*drop != DropId::HOUSE).then(|| drop.to_string()),
            reason: (!reason.is_empty()).then(|| reason.to_owned()),
            refused: refusal(command).map(|(code, detail)| RecordedRefusal {
                code: code.to_owned(),
                detail: detail.to_owned(),
            }),
        }
    }
}
