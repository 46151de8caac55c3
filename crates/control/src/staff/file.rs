//! A JSON file of the data directory, shared by several processes.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use parking_lot::Mutex;
use serde::{Serialize, de::DeserializeOwned};

use super::StaffError;

/// What such a file holds.
pub(super) trait Content: Default {
    /// Its JSON form.
    type Document: Serialize + DeserializeOwned;
    /// The file's name within the directory.
    const FILE: &str;
    /// The name of the file whose lock keeps two writers apart.
    const LOCK: &str;

    /// What the JSON says, or what is wrong with it.
    fn read(document: Self::Document) -> Result<Self, String>;

    /// The JSON that says it.
    fn write(&self) -> Self::Document;
}

/// The file with its last known content, read again whenever it has changed.
///
/// Changes are made under a lock on a separate file, each replaces the file in one step, and readers
/// notice at their next look.
#[derive(Debug)]
pub(super) struct StaffFile<C> {
    path: PathBuf,
    lock_path: PathBuf,
    seen: Mutex<CachedFile<C>>,
    /// Held while a changed file is read, so that only one of those who look at it does.
    reading: Mutex<()>,
}

#[derive(Debug, Default)]
struct CachedFile<C> {
    stamp: Option<Stamp>,
    content: C,
}

/// Tells one state of the file from another: replaced files differ in their inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    inode: u64,
    bytes: u64,
    changed_s: i64,
    changed_ns: i64,
}

impl<C: Content> StaffFile<C> {
    /// Reads the file in `dir`, which may not exist yet.
    pub(super) fn open(dir: &Path) -> Result<Self, StaffError> {
        let file = Self::at(dir);
        file.look(|_| ())?;
        Ok(file)
    }

    /// The file in `dir`, not looked at yet.
    pub(super) fn at(dir: &Path) -> Self {
        Self {
            path: dir.join(C::FILE),
            lock_path: dir.join(C::LOCK),
            seen: Mutex::new(CachedFile::default()),
            reading: Mutex::new(()),
        }
    }

    /// Looks at the present content.
    pub(super) fn look<T>(&self, look: impl FnOnce(&C) -> T) -> Result<T, StaffError> {
        let stamp = stamp(&self.path).map_err(|source| self.io(source))?;
        {
            let seen = self.seen.lock();
            if stamp == seen.stamp {
                return Ok(look(&seen.content));
            }
        }
        // Whoever finds the known content good does not wait for the reading.
        let _reading = self.reading.lock();
        self.read_anew()?;
        Ok(look(&self.seen.lock().content))
    }

    /// Reads the file, unless somebody has done so meanwhile.
    fn read_anew(&self) -> Result<(), StaffError> {
        // The stamp is taken before the content: a change in between is read again next time.
        let stamp = stamp(&self.path).map_err(|source| self.io(source))?;
        if stamp == self.seen.lock().stamp {
            return Ok(());
        }
        let content = if stamp.is_none() { C::default() } else { self.read()? };
        *self.seen.lock() = CachedFile { stamp, content };
        Ok(())
    }

    /// Reads, changes and replaces the file while no other process does. A change that fails leaves it
    /// as it was.
    pub(super) fn change<T>(
        &self,
        change: impl FnOnce(&mut C) -> Result<T, StaffError>,
    ) -> Result<T, StaffError> {
        let lock = self.lock().map_err(|source| self.io(source))?;
        let mut content = self.read()?;
        let changed = change(&mut content)?;
        self.replace(&content).map_err(|source| self.io(source))?;
        // Nobody else changes the file while the lock is held, so this is the stamp of what was just written.
        let stamp = stamp(&self.path).map_err(|source| self.io(source))?;
        *self.seen.lock() = CachedFile { stamp, content };
        drop(lock);
        Ok(changed)
    }

    /// Reads the file, and keeps every other process from changing it meanwhile.
    pub(super) fn hold<T>(
        &self,
        work: impl FnOnce(&C) -> Result<T, StaffError>,
    ) -> Result<T, StaffError> {
        let lock = self.lock().map_err(|source| self.io(source))?;
        let done = work(&self.read()?);
        drop(lock);
        done
    }

    /// No file is no content.
    fn read(&self) -> Result<C, StaffError> {
        let bytes = match fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(C::default()),
            Err(source) => return Err(self.io(source)),
        };
        let document = serde_json::from_slice(&bytes).map_err(|error| error.to_string());
        let damaged = |what| StaffError::Damaged { path: self.path.clone(), what };
        document.and_then(C::read).map_err(damaged)
    }

    /// Replaces the file in one step: a reader sees the old content or the new one, also after a crash.
    fn replace(&self, content: &C) -> io::Result<()> {
        let mut bytes = serde_json::to_vec_pretty(&content.write())?;
        bytes.push(b'\n');
        let fresh = self.path.with_extension("json.new");
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = options.open(&fresh)?;
        file.write_all(&bytes)?;
        file.sync_all()?;
        fs::rename(&fresh, &self.path)?;
        match self.path.parent() {
            Some(dir) => File::open(dir)?.sync_all(),
            None => Ok(()),
        }
    }

    fn lock(&self) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false).mode(0o600);
        let file = options.open(&self.lock_path)?;
        file.lock()?;
        Ok(file)
    }

    fn io(&self, source: io::Error) -> StaffError {
        StaffError::Io { path: self.path.clone(), source }
    }
}

/// The file's stamp, or `None` while there is no file.
fn stamp(path: &Path) -> io::Result<Option<Stamp>> {
    match fs::metadata(path) {
        Ok(meta) => Ok(Some(Stamp {
            inode: meta.ino(),
            bytes: meta.size(),
            changed_s: meta.ctime(),
            changed_ns: meta.ctime_nsec(),
        })),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Times that a text was read from a file.
    static READS: AtomicUsize = AtomicUsize::new(0);
    static LOOKED_AT: Mutex<Option<&'static StaffFile<Note>>> = Mutex::new(None);

    #[derive(Debug, Default)]
    struct Note(String);

    impl Content for Note {
        type Document = String;
        const FILE: &str = "note.json";
        const LOCK: &str = "note.lock";

        fn read(document: String) -> Result<Self, String> {
            READS.fetch_add(1, Ordering::Relaxed);
            let file = LOOKED_AT.lock().unwrap();
            assert!(file.seen.try_lock().is_some(), "nobody waits for the reading");
            Ok(Self(document))
        }

        fn write(&self) -> String {
            self.0.clone()
        }
    }

    #[test]
    fn an_own_change_is_not_read_again_and_another_is_read_once_beside_those_who_look() {
        let dir = tempfile::tempdir().unwrap();
        let file: &StaffFile<Note> = Box::leak(Box::new(StaffFile::at(dir.path())));
        *LOOKED_AT.lock() = Some(file);
        let write = |file: &StaffFile<Note>, text: &str| {
            file.change(|note| {
                note.0 = text.to_owned();
                Ok(())
            })
            .unwrap();
        };
        let look = || file.look(|note| note.0.clone()).unwrap();
        assert_eq!(look(), "");
        write(file, "one");
        assert_eq!((look(), READS.load(Ordering::Relaxed)), ("one".to_owned(), 0));
        // Another process: it reads what it changes.
        write(&StaffFile::at(dir.path()), "two");
        assert_eq!(READS.load(Ordering::Relaxed), 1);
        for _ in 0..2 {
            assert_eq!((look(), READS.load(Ordering::Relaxed)), ("two".to_owned(), 2));
        }
        fs::remove_file(dir.path().join("note.json")).unwrap();
        assert_eq!(look(), "");
    }
}
