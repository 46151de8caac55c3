//! The idempotency key of a staff command, with the request that it is bound to.

use stampede_domain::{DropId, KeyFingerprint, Units};

use crate::{CorrectionRecord, PaymentChange, Record, RecordedOutcome, RequestRecord};

/// What an accepted command bound its idempotency key to, so that a retry is answered the same even
/// when the drop has left memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandKey {
    /// Who asked.
    pub actor: String,
    /// Fingerprint of the key.
    pub key: KeyFingerprint,
    /// Fingerprint of the whole request.
    pub request: KeyFingerprint,
    /// The command's name on the control interface.
    pub action: String,
    /// The chain: a drop's or that of its adjustments, never [`DropId::HOUSE`]: the house's latest keys are read
    /// from its chain.
    pub drop: DropId,
    /// What its answer says beside the drop.
    pub result: CommandResult,
}

/// What the answer to a command says beside its drop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CommandResult {
    /// Number of the lot that was added by it.
    pub lot: Option<u32>,
    /// Units that were taken off the sale by it.
    pub units: Option<Units>,
}

const TAKE_BACK: &str = "take_back";

impl CommandResult {
    /// The number that it comes to; the action tells which.
    pub(crate) fn number(self) -> Option<u32> {
        self.lot.or(self.units.map(Units::get))
    }

    /// What this number says of a command of this name; `None` if it is out of range.
    pub(crate) fn of_number(action: &str, number: Option<u32>) -> Option<Self> {
        let Some(number) = number else { return Some(Self::default()) };
        Some(if action == TAKE_BACK {
            Self { lot: None, units: Some(Units::new(number)?) }
        } else {
            Self { lot: Some(number), units: None }
        })
    }
}

/// What the latest records of a chain did, for the command whose record stands behind them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LatestResult(CommandResult);

impl LatestResult {
    /// Follows the next record of the chain.
    pub fn follow(&mut self, record: &Record) {
        match record {
            Record::Lot { lot, .. } => self.0.lot = Some(*lot),
            // A restock that became a request has added none.
            Record::Request(RequestRecord::Asked(_)) => self.0.lot = None,
            Record::Correction(CorrectionRecord::Withdrawn { units, .. }) => {
                self.0.units = Some(*units);
            }
            // Says itself whether units came back by it.
            Record::Payment(payment) => {
                if let PaymentChange::Cancelled(cancelled) = &payment.change {
                    self.0.lot = cancelled.lot;
                }
            }
            Record::Planned { .. }
            | Record::Phase(_)
            | Record::Hold(_)
            | Record::Deadline(_)
            | Record::Stream(_)
            | Record::Featured
            | Record::Correction(
                CorrectionRecord::Reserved { .. }
                | CorrectionRecord::Amended(_)
                | CorrectionRecord::WindsDown { .. },
            )
            | Record::Request(RequestRecord::Ended(_))
            | Record::Suspended { .. }
            | Record::Recovered(_)
            | Record::Tally(_)
            | Record::Command(_)
            | Record::Heartbeat(_)
            | Record::Room(_)
            | Record::Unmatched(_)
            | Record::Brake(_) => {}
        }
    }

    /// What an accepted command of this name did.
    pub fn of(self, action: &str) -> CommandResult {
        CommandResult {
            lot: self
                .0
                .lot
                .filter(|_| matches!(action, "restock" | "cancel_order" | "grant_request")),
            units: self.0.units.filter(|_| action == TAKE_BACK),
        }
    }
}

impl CommandKey {
    /// The key that a record of a drop's chain binds, if any. What it did stands before its command, in the
    /// same commit.
    pub fn of(drop: DropId, record: &Record, latest: LatestResult) -> Option<Self> {
        let Record::Command(command) = record else { return None };
        if drop == DropId::HOUSE || command.outcome != RecordedOutcome::Accepted {
            return None;
        }
        Some(Self {
            actor: command.actor.as_str().to_owned(),
            key: command.key,
            request: command.request,
            action: command.action.as_str().to_owned(),
            drop,
            result: latest.of(command.action.as_str()),
        })
    }
}
