//! The data directory of one running server.

use std::{
    fs::{DirBuilder, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use parking_lot::Mutex;
use rustix::fs::{FlockOperation, flock};

/// The database.
pub const LEDGER_FILE: &str = "ledger.db";
const LOCK_FILE: &str = "ledger.lock";
const HEALTH_FILE: &str = "ledger.health";

const SOUND: u8 = b'0';
const SUSPECT: u8 = b'1';

/// A data directory that this process alone uses until the last clone is dropped.
#[derive(Clone, Debug)]
pub struct DataDir(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    /// Kept open: the lock lives as long as the descriptor.
    _lock: File,
    health: Mutex<File>,
}

/// Why a data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process uses it.
    #[error(
        "data directory {} is in use by {}; stop it or choose another directory",
        path.display(),
        pid.map_or_else(|| "another process".into(), |pid| format!("process {pid}"))
    )]
    Held {
        /// The directory.
        path: PathBuf,
        /// The other process, where it has told.
        pid: Option<u32>,
    },
    /// The directory, or a file in it, cannot be made or opened.
    #[error("cannot use data directory: {}: {source}", path.display())]
    Io {
        /// The path.
        path: PathBuf,
        /// The system's report.
        source: io::Error,
    },
}

impl DataDir {
    /// Makes the directory if it is missing, then claims it for this process.
    ///
    /// The lock is an advisory one on a file of its own, so it ends with the process however that
    /// ends, and never touches the database's own locks.
    ///
    /// # Errors
    /// [`LockError::Held`] if another process has it, [`LockError::Io`] otherwise.
    pub fn lock(path: &Path) -> Result<Self, LockError> {
        let io_at = |path: &Path| {
            let path = path.to_owned();
            move |source| LockError::Io { path, source }
        };
        // The ledger names viewers: nobody but the server's user may look.
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(io_at(path))?;
        let lock_path = path.join(LOCK_FILE);
        let mut lock = open_or_create(&lock_path).map_err(io_at(&lock_path))?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let mut text = String::new();
                // The other process may not have written its number yet.
                let pid =
                    lock.read_to_string(&mut text).ok().and_then(|_| text.trim().parse().ok());
                return Err(LockError::Held { path: path.to_owned(), pid });
            }
            Err(errno) => return Err(io_at(&lock_path)(errno.into())),
        }
        overwrite(&mut lock, format!("{:<10}\n", std::process::id()).as_bytes())
            .map_err(io_at(&lock_path))?;
        let health_path = path.join(HEALTH_FILE);
        let health = open_health(&health_path).map_err(io_at(&health_path))?;
        sync_dir(path).map_err(io_at(path))?;
        Ok(Self(Arc::new(Inner { path: path.to_owned(), _lock: lock, health: Mutex::new(health) })))
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// Where the database is.
    pub fn ledger_path(&self) -> PathBuf {
        self.0.path.join(LEDGER_FILE)
    }

    /// Whether the previous run saw its disk fail.
    pub(crate) fn is_suspect(&self) -> io::Result<bool> {
        let mut health = self.0.health.lock();
        let mut byte = [SOUND];
        health.seek(SeekFrom::Start(0))?;
        health.read_exact(&mut byte)?;
        Ok(byte != [SOUND])
    }

    /// Notes that the disk failed. The byte stands in the file already, so that a full disk has
    /// room for it.
    pub(crate) fn mark_suspect(&self) -> io::Result<()> {
        overwrite(&mut self.0.health.lock(), &[SUSPECT])
    }

    /// Notes that the ledger has been copied to sound blocks.
    pub(crate) fn mark_sound(&self) -> io::Result<()> {
        overwrite(&mut self.0.health.lock(), &[SOUND])
    }
}

/// Makes names in a directory durable.
pub(crate) fn sync_dir(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

fn open_or_create(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}

fn open_health(path: &Path) -> io::Result<File> {
    let mut file = open_or_create(path)?;
    if file.metadata()?.len() == 0 {
        overwrite(&mut file, &[SOUND])?;
    }
    Ok(file)
}

fn overwrite(file: &mut File, bytes: &[u8]) -> io::Result<()> {
    file.seek(SeekFrom::Start(0))?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_survives_the_process() {
        let dir = tempfile::tempdir().unwrap();
        let data = DataDir::lock(dir.path()).unwrap();
        assert!(!data.is_suspect().unwrap());
        data.mark_suspect().unwrap();
        drop(data);
        let data = DataDir::lock(dir.path()).unwrap();
        assert!(data.is_suspect().unwrap());
        data.mark_sound().unwrap();
        assert!(!data.is_suspect().unwrap());
    }
}
