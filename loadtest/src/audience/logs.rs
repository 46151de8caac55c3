//! The promise logs of an audience: a file for each drop.

use std::{collections::BTreeMap, path::PathBuf};

use stampede_domain::DropId;

use crate::{
    PromiseLogError,
    recorder::{Promise, PromiseLog},
};

/// Writes each promise into its drop's file, which is made with the first one.
#[derive(Debug)]
pub(super) struct Logs {
    /// Nothing is written without one.
    folder: Option<PathBuf>,
    files: BTreeMap<DropId, PromiseLog>,
    failed: Option<PromiseLogError>,
}

impl Logs {
    pub(super) fn new(folder: Option<PathBuf>) -> Self {
        Self { folder, files: BTreeMap::new(), failed: None }
    }

    /// Writes a promise. A failure is kept for [`Logs::flush`].
    pub(super) fn write(&mut self, drop: DropId, promise: &Promise) {
        if let Some(file) = self.files.get_mut(&drop) {
            return file.write(promise);
        }
        let Some(folder) = &self.folder else { return };
        match PromiseLog::create(&folder.join(format!("{drop}.jsonl"))) {
            Ok(mut file) => {
                file.write(promise);
                self.files.insert(drop, file);
            }
            Err(why) => {
                self.failed.get_or_insert(why);
            }
        }
    }

    /// Hands everything to the system; reports the first failure.
    pub(super) fn flush(&mut self) -> Result<(), PromiseLogError> {
        self.failed.take().map_or(Ok(()), Err)?;
        self.files.values_mut().try_for_each(PromiseLog::flush)
    }
}
