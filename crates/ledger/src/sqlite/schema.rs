//! The tables.

use rusqlite::{Connection, Transaction, TransactionBehavior};
use stampede_domain::DropId;

use super::{command_keys, seals};
use crate::{CommandKey, ReadError, Seal};

/// Marks the file as ours: `STMP`.
pub(super) const APPLICATION_ID: i64 = 0x5354_4d50;
/// Version of the tables.
pub(super) const SCHEMA_VERSION: i64 = 2;
/// The oldest version that is read, and migrated when it is opened for writing.
pub(super) const SCHEMA_VERSION_MIN: i64 = 1;

const TABLES: &str = "
CREATE TABLE node (
    node        TEXT    NOT NULL PRIMARY KEY,
    incarnation INTEGER NOT NULL,
    epoch       INTEGER NOT NULL,
    last_seq    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE incarnations (
    incarnation INTEGER NOT NULL PRIMARY KEY,
    node        TEXT    NOT NULL,
    last_seq    INTEGER NOT NULL
) STRICT;

CREATE TABLE journal (
    incarnation INTEGER NOT NULL,
    seq         INTEGER NOT NULL,
    drop_id     INTEGER NOT NULL,
    node        TEXT    NOT NULL,
    records     INTEGER NOT NULL,
    prev_hash   BLOB    NOT NULL,
    hash        BLOB    NOT NULL,
    body        BLOB    NOT NULL,
    PRIMARY KEY (incarnation, seq, drop_id)
) STRICT;

CREATE TABLE supply (
    drop_id  INTEGER NOT NULL,
    pool     INTEGER NOT NULL,
    sku      INTEGER NOT NULL,
    supplied INTEGER NOT NULL,
    taken    INTEGER NOT NULL,
    PRIMARY KEY (drop_id, pool),
    CHECK (taken <= supplied),
    CHECK (taken >= 0)
) STRICT, WITHOUT ROWID;

CREATE TABLE viewers (
    incarnation INTEGER NOT NULL,
    seq         INTEGER NOT NULL,
    pairs       BLOB    NOT NULL,
    PRIMARY KEY (incarnation, seq)
) STRICT;

CREATE TABLE orders (
    place        INTEGER NOT NULL PRIMARY KEY,
    hold         BLOB    NOT NULL UNIQUE,
    drop_id      INTEGER NOT NULL,
    pool         INTEGER NOT NULL,
    sku          INTEGER NOT NULL,
    viewer       INTEGER NOT NULL,
    units        INTEGER NOT NULL,
    amount_minor INTEGER NOT NULL,
    currency     TEXT    NOT NULL,
    at_ms        INTEGER NOT NULL,
    incarnation  INTEGER NOT NULL,
    seq          INTEGER NOT NULL
) STRICT;

CREATE TABLE projection (
    name        TEXT    NOT NULL PRIMARY KEY,
    incarnation INTEGER NOT NULL,
    seq         INTEGER NOT NULL,
    drop_id     INTEGER NOT NULL,
    record      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO projection VALUES ('orders', 0, 0, 0, 0);
";

/// What version 2 adds to version 1.
const ADDED_IN_2: &str = "
ALTER TABLE orders ADD COLUMN channel TEXT;
ALTER TABLE node ADD COLUMN home TEXT;

CREATE TABLE seals (
    drop_id           INTEGER NOT NULL PRIMARY KEY,
    first_incarnation INTEGER NOT NULL,
    first_seq         INTEGER NOT NULL,
    incarnation       INTEGER NOT NULL,
    seq               INTEGER NOT NULL,
    rows              INTEGER NOT NULL,
    records           INTEGER NOT NULL,
    head_hash         BLOB    NOT NULL,
    units_supplied    INTEGER NOT NULL,
    units_sold        INTEGER NOT NULL,
    orders            INTEGER NOT NULL,
    amount_minor      INTEGER NOT NULL,
    settled_at_ms     INTEGER NOT NULL,
    summary           BLOB    NOT NULL
) STRICT;

CREATE TABLE command_keys (
    actor   TEXT    NOT NULL,
    key     BLOB    NOT NULL,
    request BLOB    NOT NULL,
    action  TEXT    NOT NULL,
    drop_id INTEGER NOT NULL,
    lot     INTEGER,
    PRIMARY KEY (actor, key)
) STRICT, WITHOUT ROWID;
";

/// Makes the tables in one transaction.
pub(super) fn create(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(&format!(
        "BEGIN IMMEDIATE; {TABLES} {ADDED_IN_2}
         PRAGMA application_id = {APPLICATION_ID};
         PRAGMA user_version = {SCHEMA_VERSION};
         COMMIT;"
    ))
}

/// Brings the tables of an older version to the present one, in one transaction. The ledger has been
/// checked by then; `keys` are those that the commands of its drops have bound, `ended` the seals of its
/// chains that have ended. `false` if the version was the present one already.
pub(super) fn migrate(
    connection: &Connection,
    keys: &[CommandKey],
    ended: &[Seal],
) -> rusqlite::Result<bool> {
    let (_, version) = marks(connection)?;
    if version == SCHEMA_VERSION {
        return Ok(false);
    }
    tracing::info!(from = version, to = SCHEMA_VERSION, "bringing the ledger to a newer version");
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    transaction.execute_batch(ADDED_IN_2)?;
    command_keys::fill(&transaction, keys)?;
    seals::fill(&transaction, ended)?;
    transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
    transaction.commit()?;
    Ok(true)
}

const _: () = assert!(DropId::ADJUSTMENTS_FROM == 2_147_483_648, "as the index below has it");

/// Makes the index by which a start finds the rows of the house and of adjustments without those of drops, if it is
/// not there; older versions had one of the house alone.
pub(super) fn index_apart(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(
        "CREATE INDEX IF NOT EXISTS journal_apart ON journal (incarnation, seq, drop_id)
         WHERE (drop_id = 0 OR drop_id >= 2147483648);
         DROP INDEX IF EXISTS journal_house",
    )
}

/// Whether this program knows the file's mark and version.
///
/// # Errors
/// [`ReadError::Newer`] or [`ReadError::Foreign`].
pub(super) fn check_marks(application: i64, version: i64) -> Result<(), ReadError> {
    match (application, version) {
        (APPLICATION_ID, SCHEMA_VERSION_MIN..=SCHEMA_VERSION) => Ok(()),
        (APPLICATION_ID, version) if version > SCHEMA_VERSION => {
            Err(ReadError::Newer { version, known: SCHEMA_VERSION })
        }
        (application, version) => {
            let (known_min, known) = (SCHEMA_VERSION_MIN, SCHEMA_VERSION);
            Err(ReadError::Foreign { known_min, known, application, version })
        }
    }
}

/// The mark with the version: (0, 0) in a new file.
pub(super) fn marks(connection: &Connection) -> rusqlite::Result<(i64, i64)> {
    let application = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let version = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    Ok((application, version))
}
