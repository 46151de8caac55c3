//! What the idempotency keys of accepted commands are bound to, as the ledger's table has it.

use std::path::PathBuf;

use parking_lot::Mutex;
use stampede_domain::KeyFingerprint;
use stampede_ledger::{CommandKey, JournalReader, ReadError};

/// Looks up keys in the ledger of one data directory, with a connection of its own: no report that reads
/// the whole ledger stands in front of it.
#[derive(Debug)]
pub struct BoundKeys {
    data_dir: PathBuf,
    /// Opened by the first look-up, and anew after one that failed.
    reader: Mutex<Option<JournalReader>>,
}

impl BoundKeys {
    /// Opens nothing yet.
    pub const fn new(data_dir: PathBuf) -> Self {
        Self { data_dir, reader: Mutex::new(None) }
    }

    /// What the actor's key is bound to by an accepted command of a drop. Reads the disk: one row by its
    /// key.
    ///
    /// # Errors
    /// The ledger cannot be read.
    pub fn find(&self, actor: &str, key: KeyFingerprint) -> Result<Option<CommandKey>, ReadError> {
        let mut reader = self.reader.lock();
        let open = match reader.take() {
            Some(open) => open,
            None => JournalReader::open(&self.data_dir)?,
        };
        let found = open.command_key(actor, key)?;
        *reader = Some(open);
        Ok(found)
    }
}
