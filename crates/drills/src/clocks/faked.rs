//! The wall clock that a server is shown.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use crate::error::DrillError;

/// A file that tells libfaketime by how much its clock is ahead of the machine's.
#[derive(Debug)]
pub(super) struct FakedClock {
    folder: tempfile::TempDir,
}

impl FakedClock {
    /// A clock that is ahead by so many seconds; behind if negative.
    pub(super) fn new(ahead_s: i64) -> Result<Self, DrillError> {
        let folder = tempfile::tempdir().map_err(failed)?;
        let mut clock = Self { folder };
        clock.set(ahead_s)?;
        Ok(clock)
    }

    /// Sets it, for servers that run too.
    pub(super) fn set(&mut self, ahead_s: i64) -> Result<(), DrillError> {
        // The server may read at any moment: it finds the old text or the new one.
        let next = self.folder.path().join("next");
        fs::write(&next, format!("{ahead_s:+}\n")).map_err(failed)?;
        fs::rename(&next, self.file()).map_err(failed)
    }

    /// The environment of a server that is shown this clock by `library`.
    pub(super) fn environment(&self, library: &Path) -> Vec<(&'static str, PathBuf)> {
        vec![
            ("LD_PRELOAD", library.to_owned()),
            ("FAKETIME_TIMESTAMP_FILE", self.file()),
            ("FAKETIME_NO_CACHE", "1".into()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".into()),
        ]
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("faketime")
    }
}

fn failed(source: io::Error) -> DrillError {
    DrillError::System { what: "write the file of the clock", source }
}
