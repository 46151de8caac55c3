//! Staff commands as the journal holds them, newest first.

mod did;

use std::collections::VecDeque;

use stampede_domain::{DropId, UnixMillis};
use stampede_ledger::{Command, Journal, Record, RecordedOutcome, RowKey, Rows};

pub use self::did::{AmendedTerms, CommandEffect};
use self::did::{LatestEffects, name_targets};
use crate::{FoldError, ReportError};
pub use stampede_ledger::{NoCopy, PlannedCopy, Room, RoomChange};

/// A command with its place among all commands of the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedCommand {
    /// Counted from 1 in the order of the journal.
    pub number: u64,
    /// The drop; [`DropId::HOUSE`] for what belongs to none.
    pub drop: DropId,
    /// Time of the commit.
    pub at: UnixMillis,
    /// Who asked for what, with what came of it.
    pub command: Command,
    /// What it did, as far as the records beside it tell.
    pub did: Option<CommandEffect>,
}

/// A page of commands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommandPage {
    /// Newest first.
    pub commands: Vec<RecordedCommand>,
    /// Whether there are older ones.
    pub more: bool,
}

/// The newest commands in front of a number, or of all, for whoever `sees` their drops. Reads the
/// journal from its beginning up to there, as a report does; keeps one page of it.
///
/// # Errors
/// [`ReportError`], except for a missing drop.
pub fn commands(
    journal: &dyn Journal,
    before: Option<u64>,
    limit: usize,
    sees: impl Fn(DropId) -> bool,
) -> Result<CommandPage, ReportError> {
    let mut page = newest(journal, before, limit, sees)?;
    name_targets(journal, &mut page.commands)?;
    Ok(page)
}

fn newest(
    journal: &dyn Journal,
    before: Option<u64>,
    limit: usize,
    sees: impl Fn(DropId) -> bool,
) -> Result<CommandPage, ReportError> {
    let mut newest = VecDeque::with_capacity(limit);
    let (mut number, mut more, mut doings) = (0, false, LatestEffects::default());
    for row in Rows::after(journal, RowKey::default()) {
        let row = row?;
        let (drop, incarnation, seq) = (row.drop, row.incarnation, row.seq);
        let damaged = |source| FoldError::Record { drop, incarnation, seq, source };
        let at = row.header().map_err(damaged)?.at;
        for record in row.decode() {
            let record = record.map_err(damaged)?;
            let Record::Command(command) = record else {
                doings.see(drop, record);
                continue;
            };
            number += 1;
            if before.is_some_and(|before| number >= before) {
                return Ok(CommandPage { commands: newest.into(), more });
            }
            // What was decided after a drop had ended stands in a chain of its own.
            let of = drop.sale();
            if sees(of) {
                if newest.len() == limit {
                    newest.pop_back();
                    more = true;
                }
                let did = doings.of(drop, &command);
                let command = *command;
                newest.push_front(RecordedCommand { number, drop: of, at, command, did });
            }
        }
    }
    Ok(CommandPage { commands: newest.into(), more })
}

/// The refusal's code with its sentence, if the command was refused.
pub fn refusal(command: &Command) -> Option<(&str, &str)> {
    match &command.outcome {
        RecordedOutcome::Accepted => None,
        RecordedOutcome::Refused { code, text } => Some((code.as_str(), text.as_str())),
    }
}
