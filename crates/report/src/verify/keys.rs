//! The table of idempotency keys against the accepted commands of the journal.

use std::collections::HashMap;

use stampede_domain::{DropId, KeyFingerprint};
use stampede_ledger::{CommandKey, CommandResult, LatestResult, Record, RecordedOutcome, Row};

use super::{
    finding::{Findings, Place},
    tables::TableFault,
};

/// What a key must be bound to.
#[derive(Debug)]
struct Bound {
    place: Place,
    request: KeyFingerprint,
    action: String,
    result: CommandResult,
}

/// Follows the commands alongside the journal.
#[derive(Debug, Default)]
pub(super) struct KeyCheck {
    bound: HashMap<(String, KeyFingerprint), Bound>,
    latest_results: HashMap<DropId, LatestResult>,
}

impl KeyCheck {
    /// Sees the records of one row other than takes.
    pub(super) fn row(&mut self, row: &Row, records: &[(u32, Record)]) {
        if row.drop == DropId::HOUSE {
            return;
        }
        let latest_result = self.latest_results.entry(row.drop).or_default();
        for (number, record) in records {
            latest_result.follow(record);
            match record {
                Record::Command(command) if command.outcome == RecordedOutcome::Accepted => {
                    let action = command.action.as_str().to_owned();
                    let result = latest_result.of(&action);
                    let place = Place::row(row.drop, row.incarnation, row.seq).record(*number);
                    let owned = (command.actor.as_str().to_owned(), command.key);
                    let bound = Bound { place, request: command.request, action, result };
                    self.bound.entry(owned).or_insert(bound);
                }
                Record::Phase(_)
                | Record::Lot { .. }
                | Record::Hold(_)
                | Record::Stream(_)
                | Record::Featured
                | Record::Correction(_)
                | Record::Request(_)
                | Record::Payment(_)
                | Record::Deadline(_)
                | Record::Unmatched(_)
                | Record::Suspended { .. }
                | Record::Recovered(_)
                | Record::Tally(_)
                | Record::Heartbeat(_)
                | Record::Brake(_)
                | Record::Planned { .. }
                | Record::Command(_)
                | Record::Room(_) => {}
            }
        }
    }

    /// Compares the table with what was seen; a ledger of version 1 has none.
    pub(super) fn finish(mut self, stored: Option<Vec<CommandKey>>, findings: &mut Findings) {
        let Some(stored) = stored else { return };
        for row in stored {
            let key = row.key;
            match self.bound.remove(&(row.actor.clone(), key)) {
                None => findings.add(Place::drop(row.drop), TableFault::KeyUnfounded { key }),
                Some(bound) => {
                    let is_same = bound.place.drop == Some(row.drop)
                        && bound.request == row.request
                        && bound.action == row.action
                        && bound.result == row.result;
                    if !is_same {
                        findings.add(bound.place, TableFault::KeyDiffers { key });
                    }
                }
            }
        }
        let mut missing: Vec<_> = self.bound.into_iter().collect();
        missing.sort_unstable_by_key(|((_, key), bound)| {
            (bound.place.drop, bound.place.incarnation, bound.place.seq, *key)
        });
        for ((_, key), bound) in missing {
            findings.add(bound.place, TableFault::KeyMissing { key });
        }
    }
}
