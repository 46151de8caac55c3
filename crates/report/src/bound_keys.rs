//! The idempotency keys of accepted commands, each with the request that the ledger's table binds it to.

use std::{fmt, sync::Arc};

use parking_lot::Mutex;
use stampede_domain::KeyFingerprint;
use stampede_ledger::{CommandKey, Journal, JournalSource, PlannedCopy, RequestAsked};

use crate::{
    ReportError,
    read::{asked_for, planned_copy},
};

/// The name of the command that plans a copy.
const UNDO: &str = "undo";
/// The name of the command that may become a request.
const RESTOCK: &str = "restock";

/// What a key is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoundCommand {
    /// The request, as the table has it.
    pub key: CommandKey,
    /// What became of the copy, where an opening was undone.
    pub copy: Option<PlannedCopy>,
    /// What was asked for, where a restock went beyond the reserve.
    pub asked: Option<RequestAsked>,
}

/// Looks up keys in a ledger that it opens for itself: no report that reads the whole ledger stands in front
/// of it.
pub struct BoundKeys {
    source: Arc<dyn JournalSource>,
    /// Opened by the first look-up, and anew after one that failed.
    journal: Mutex<Option<Box<dyn Journal + Send>>>,
}

impl fmt::Debug for BoundKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoundKeys").field("source", &self.source).finish_non_exhaustive()
    }
}

impl BoundKeys {
    /// Opens nothing yet.
    pub const fn new(source: Arc<dyn JournalSource>) -> Self {
        Self { source, journal: Mutex::new(None) }
    }

    /// What the actor's key is bound to by an accepted command of a drop. Reads the disk: one row by its
    /// key; of an undo, and of a restock that added no lot, the drop's rows as well, for the table has no copy and no request.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub fn find(
        &self,
        actor: &str,
        key: KeyFingerprint,
    ) -> Result<Option<BoundCommand>, ReportError> {
        let mut journal = self.journal.lock();
        let open = match journal.take() {
            Some(open) => open,
            None => self.source.open()?,
        };
        let found = open.command_key(actor, key)?;
        let bound = found.map(|bound| {
            let is_undo = bound.action == UNDO;
            let copy = if is_undo { planned_copy(&*open, bound.drop)? } else { None };
            let has_asked = bound.action == RESTOCK && bound.result.lot.is_none();
            let asked = if has_asked { asked_for(&*open, bound.drop, (actor, key))? } else { None };
            Ok::<_, ReportError>(BoundCommand { key: bound, copy, asked })
        });
        let bound = bound.transpose()?;
        *journal = Some(open);
        Ok(bound)
    }
}
