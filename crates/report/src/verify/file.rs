//! The database file, by `SQLite`'s own check.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};
use stampede_ledger::LEDGER_FILE;

use super::finding::{FINDINGS_MAX, Fault, Findings, Place};

/// The one sentence of a sound file.
const SOUND: &str = "ok";

/// Lets `SQLite` look at every page, index, constraint.
pub(super) fn check(data_dir: &Path, findings: &mut Findings) {
    match reports(data_dir) {
        Ok(reports) => {
            for report in reports.into_iter().filter(|report| report != SOUND) {
                findings.add(Place::LEDGER, Fault::File { report });
            }
        }
        Err(error) => findings.add(Place::LEDGER, Fault::File { report: error.to_string() }),
    }
}

fn reports(data_dir: &Path) -> rusqlite::Result<Vec<String>> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(data_dir.join(LEDGER_FILE), flags)?;
    let mut check = connection.prepare(&format!("PRAGMA integrity_check({FINDINGS_MAX})"))?;
    check.query_map((), |row| row.get(0))?.collect()
}
