//! The idempotency key of a staff command, with the request that it is bound to.

use stampede_domain::{DropId, KeyFingerprint};

use crate::{Record, RecordedOutcome};

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
    /// The drop, never [`DropId::HOUSE`]: the house's latest keys are read from its chain.
    pub drop: DropId,
    /// Number of the lot that a restock added.
    pub lot: Option<u32>,
}

impl CommandKey {
    /// The key that a record of a drop's chain binds, if any; `latest_lot` is the number of the drop's
    /// latest lot. A restock's lot stands before its command, in the same commit.
    pub fn of(drop: DropId, record: &Record, latest_lot: Option<u32>) -> Option<Self> {
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
            lot: latest_lot.filter(|_| command.action.as_str() == "restock"),
        })
    }
}
