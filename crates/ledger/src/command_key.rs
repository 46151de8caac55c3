//! The idempotency key of a staff command, with the request that it is bound to.

use stampede_domain::{DropId, KeyFingerprint};

use crate::{PaymentChange, Record, RecordedOutcome};

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
    /// Number of the lot that was added by it.
    pub lot: Option<u32>,
}

/// The lot that the latest records of a chain have added, for the command whose record stands behind them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LatestLot(Option<u32>);

impl LatestLot {
    /// Follows the next record of the chain.
    pub fn follow(&mut self, record: &Record) {
        match record {
            Record::Lot { lot, .. } => self.0 = Some(*lot),
            // Says itself whether units came back by it.
            Record::Payment(payment) => {
                if let PaymentChange::Cancelled(cancelled) = &payment.change {
                    self.0 = cancelled.lot;
                }
            }
            Record::Planned { .. }
            | Record::Phase(_)
            | Record::Hold(_)
            | Record::Deadline(_)
            | Record::Stream(_)
            | Record::Featured
            | Record::Correction(_)
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

    /// The lot that an accepted command of this name has added.
    pub fn of(self, action: &str) -> Option<u32> {
        self.0.filter(|_| matches!(action, "restock" | "cancel_order"))
    }
}

impl CommandKey {
    /// The key that a record of a drop's chain binds, if any. A restock's lot stands before its command, in the
    /// same commit.
    pub fn of(drop: DropId, record: &Record, latest_lot: LatestLot) -> Option<Self> {
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
            lot: latest_lot.of(command.action.as_str()),
        })
    }
}
