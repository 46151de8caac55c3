//! Copies a ledger whose disk has failed to new, synced blocks.
//!
//! After a failed sync the system may show pages that never reached the disk and forget them
//! later. So the next start reads the ledger once, through `SQLite`, into a new file, syncs that,
//! then puts it in the old one's place.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use rusqlite::{Connection, OptionalExtension, params};

use super::{failure::opening, home::Home, schema};
use crate::{DataDir, OpenError, data_dir::sync_dir};

/// The copy while it is being made; worthless after a crash.
const PARTIAL_FILE: &str = "ledger.rescue-partial";
/// The copy once it is whole and synced; a start that finds it goes on with the swap.
const WHOLE_FILE: &str = "ledger.rescue";

/// Finishes or begins a rescue, if one is due. No connection to the ledger is open yet, so plain
/// file calls cannot take `SQLite`'s locks away.
pub(super) fn rescue_if_suspect(data: &DataDir) -> Result<(), OpenError> {
    let fail = |path: &Path| {
        let path = path.to_owned();
        move |source| OpenError::Rescue { path, source }
    };
    let ledger = data.ledger_path();
    let whole = data.path().join(WHOLE_FILE);
    let suspect = data.is_suspect().map_err(fail(data.path()))?;
    if !whole.exists() {
        if !suspect {
            return Ok(());
        }
        if ledger.exists() {
            copy(data, &ledger, &whole)?;
        }
    }
    if whole.exists() {
        swap(data.path(), &ledger, &whole).map_err(fail(&ledger))?;
        tracing::warn!(path = %ledger.display(), "the ledger now stands in a new, synced file");
    }
    data.mark_sound().map_err(fail(data.path()))
}

fn copy(data: &DataDir, ledger: &Path, whole: &Path) -> Result<(), OpenError> {
    tracing::warn!(path = %ledger.display(), "the disk failed in the last run: copying the ledger");
    let partial = data.path().join(PARTIAL_FILE);
    let fail = |source| OpenError::Rescue { path: partial.clone(), source };
    remove_if_there(&partial).map_err(fail)?;
    let connection = Connection::open(ledger).map_err(opening("open for rescue"))?;
    let target = partial.to_string_lossy();
    connection.execute("VACUUM INTO ?1", [target.as_ref()]).map_err(opening("copy for rescue"))?;
    connection.close().map_err(|(_, e)| opening("close after rescue")(e))?;
    keep_home(ledger, &partial).map_err(opening("mark the copy"))?;
    File::open(&partial).and_then(|file| file.sync_all()).map_err(fail)?;
    fs::rename(&partial, whole).and_then(|()| sync_dir(data.path())).map_err(fail)
}

/// The copy takes the original's place, so it is at home where that was. Ledgers from before there were
/// marks have none.
fn keep_home(ledger: &Path, partial: &Path) -> rusqlite::Result<()> {
    let connection = Connection::open(partial)?;
    let (_, version) = schema::marks(&connection)?;
    if version >= schema::SCHEMA_VERSION {
        let sql = "SELECT node, home FROM node WHERE home IS NOT NULL";
        let found = connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)));
        let found: Option<(String, String)> = found.optional()?;
        if let Some((node, found)) = found
            && let Some(home) = Home::moved(ledger, partial, &found)
        {
            let sql = "UPDATE node SET home = ?2 WHERE node = ?1";
            connection.execute(sql, params![node, home.text()])?;
        }
    }
    connection.close().map_err(|(_, error)| error)
}

/// Replaces the ledger. The old log goes first: it must never meet the new file.
fn swap(dir: &Path, ledger: &Path, whole: &Path) -> io::Result<()> {
    for suffix in ["-wal", "-shm"] {
        let mut name = ledger.as_os_str().to_owned();
        name.push(suffix);
        remove_if_there(&PathBuf::from(name))?;
    }
    sync_dir(dir)?;
    fs::rename(whole, ledger)?;
    sync_dir(dir)
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
