//! The tables.

use rusqlite::Connection;

/// Marks the file as ours: `STMP`.
pub(super) const APPLICATION_ID: i64 = 0x5354_4d50;
/// Version of the tables.
pub(super) const SCHEMA_VERSION: i64 = 1;

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

/// Makes the tables in one transaction.
pub(super) fn create(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(&format!(
        "BEGIN IMMEDIATE; {TABLES}
         PRAGMA application_id = {APPLICATION_ID};
         PRAGMA user_version = {SCHEMA_VERSION};
         COMMIT;"
    ))
}

/// The mark with the version: (0, 0) in a new file.
pub(super) fn marks(connection: &Connection) -> rusqlite::Result<(i64, i64)> {
    let application = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let version = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    Ok((application, version))
}
