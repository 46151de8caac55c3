//! Opens a ledger for writing: checks what goes on, then begins a new incarnation.

use std::{collections::HashSet, path::Path, time::Duration};

use rusqlite::{Connection, OpenFlags, params};
use stampede_domain::{
    DropId, DurationMs, Incarnation, NodeEpoch, NodeId, PoolIndex, RepeatedWarning, Seq,
    UnixMillis, limits::SETTLED_KEPT_MS,
};

use super::{
    failure::opening,
    home::Home,
    journal::SqliteJournal,
    links, rescue, schema, seals,
    store::{LogPolicy, SqliteStore},
};
use crate::{
    Chains, DataDir, Idle, Journal, NodeRow, OpenError, OpenLedger, Seal, Store, SupplyRow,
    check::{
        Beside, StartRange, StartRows, check_all, compare_seals, own_row, read_links, start_range,
    },
    data_dir::sync_dir,
    metrics::{WAL_BYTES_MAX, gauge},
    projector::Marks,
};

/// How long a start waits for another process's lock, at most. Readers never take one that matters
/// here; a foreign writer does.
const BUSY_WAIT: Duration = Duration::from_secs(10);
/// How long one try of a commit waits for it; the writer tries again.
const COMMIT_BUSY_WAIT: Duration = Duration::from_millis(100);
/// Statements that stay prepared.
const STATEMENTS_MAX: usize = 32;
/// Bytes of a page in a new ledger.
const PAGE_BYTES: usize = 4096;

/// `SQLite`'s `synchronous` setting.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Synchronous {
    /// Every commit is synced.
    #[default]
    Full,
    /// Nothing is ever synced. For the drill that shows that the other one is needed.
    Off,
}

/// What can be chosen when a ledger is opened.
#[derive(Clone, Debug)]
pub struct SqliteOptions {
    /// Bytes of the write-ahead log after which a busy writer stops for a checkpoint.
    pub wal_bytes_max: usize,
    /// How long before the last row a drop may have been settled or cancelled whose orders are still read
    /// at the start.
    pub settled_kept: DurationMs,
    /// Name of the `SQLite` VFS; the platform's own by default.
    pub vfs: Option<String>,
    /// Pages that the database may have; a full disk for tests.
    #[doc(hidden)]
    pub pages_max: Option<u32>,
    /// Whether commits are synced; never anything but the default outside the drill.
    #[doc(hidden)]
    pub synchronous: Synchronous,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self {
            wal_bytes_max: 32 << 20,
            settled_kept: DurationMs::new(SETTLED_KEPT_MS),
            vfs: None,
            pages_max: None,
            synchronous: Synchronous::Full,
        }
    }
}

/// The default backend: one file in the data directory, one process at a time.
pub struct SqliteLedger;

impl SqliteLedger {
    /// Opens or makes the ledger of a locked data directory.
    ///
    /// # Errors
    /// See [`OpenError`]; damage names the row.
    pub fn open(data: &DataDir, node: &NodeId) -> Result<OpenLedger, OpenError> {
        Self::open_with(data, node, &SqliteOptions::default())
    }

    /// The same, with options.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open_with(
        data: &DataDir,
        node: &NodeId,
        options: &SqliteOptions,
    ) -> Result<OpenLedger, OpenError> {
        rescue::rescue_if_suspect(data)?;
        let connection = connect(data, options)?;
        let reader = SqliteJournal::open_with_vfs(data.path(), options.vfs.as_deref())?;
        let fence = own_row(&reader, node)?;
        let (supply, stored) = (reader.supply()?, reader.seals()?.unwrap_or_default());
        let journal = SqliteJournal::by(&connection);
        let marks = Marks::read(|projection| journal.mark(projection))?;
        let range = start_range(&journal, &stored, &marks, options.settled_kept)?;
        let (_, version) = schema::marks(&connection).map_err(opening("read version"))?;
        let beside = Beside {
            node: fence.as_ref(),
            ended: &reader.incarnations()?,
            supply: &supply,
            seals: &stored,
            marks: &marks,
            wants_keys: version < 2,
        };
        let (range, checked) = check_all(&journal, range, &beside)?;
        let read = stored.into_iter().filter(|seal| range.reads(seal.drop)).collect();
        let mut missing = compare_seals(read, checked.seals)?;
        let links = read_links(&reader, last_start(fence.as_ref()), range.from, &checked.bans)?;
        let migrated = schema::migrate(&connection, &checked.keys, &missing);
        if migrated.map_err(opening("migrate"))? {
            missing.clear();
        }
        // A file behind another VFS is not where its name says.
        let path = options.vfs.is_none().then(|| data.ledger_path());
        let (incarnation, epoch, copied_in) =
            begin_incarnation(&connection, node, fence.as_ref(), &missing, path.as_deref())?;
        gauge(WAL_BYTES_MAX, options.wal_bytes_max);
        let mut store = SqliteStore {
            connection,
            data: data.clone(),
            node: node.clone(),
            incarnation,
            epoch,
            last_seq: Seq::default(),
            projector: checked.projector,
            pools: pools(&supply, &range),
            log: log_policy(options, checked.last_at),
        };
        while store.idle().map_err(OpenError::CatchUp)? == Idle::More {}
        store.checkpoint().map_err(OpenError::CatchUp)?;
        store.connection.busy_timeout(COMMIT_BUSY_WAIT).map_err(opening("configure"))?;
        let chains = Chains {
            node: node.clone(),
            incarnation,
            epoch,
            last_seq: Seq::default(),
            last_at: checked.last_at,
            heads: checked.heads,
            sums: checked.sums,
        };
        let history = Box::new(StartRows::new(Box::new(reader), range));
        let (sealed, worked_until) = (checked.sealed, checked.worked_until);
        let store = Box::new(store);
        Ok(OpenLedger { store, chains, links, history, sealed, worked_until, copied_in })
    }
}

fn connect(data: &DataDir, options: &SqliteOptions) -> Result<Connection, OpenError> {
    let path = data.ledger_path();
    let is_new = !path.exists();
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = match options.vfs.as_deref() {
        Some(vfs) => Connection::open_with_flags_and_vfs(&path, flags, vfs),
        None => Connection::open_with_flags(&path, flags),
    };
    let connection = opened.map_err(opening("open"))?;
    configure(&connection, options).map_err(opening("configure"))?;
    let marks = schema::marks(&connection).map_err(opening("read version"))?;
    match marks {
        (0, 0) => schema::create(&connection).map_err(opening("create tables"))?,
        (application, version) => schema::check_marks(application, version)?,
    }
    if is_new {
        // SQLite syncs the names of its logs, not that of the database itself.
        sync_dir(data.path())
            .map_err(|source| OpenError::Sync { path: data.path().to_owned(), source })?;
    }
    Ok(connection)
}

fn configure(connection: &Connection, options: &SqliteOptions) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_WAIT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    connection.pragma_update(None, "page_size", i64::try_from(PAGE_BYTES).unwrap_or(4096))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(
        None,
        "synchronous",
        match options.synchronous {
            Synchronous::Full => "FULL",
            Synchronous::Off => "OFF",
        },
    )?;
    // Only Apple's systems know these; there a plain sync does not reach the medium.
    connection.pragma_update(None, "fullfsync", true)?;
    connection.pragma_update(None, "checkpoint_fullfsync", true)?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    // Checks the form of each cell that is read, so that damage in the file is seen at once.
    connection.pragma_update(None, "cell_size_check", true)?;
    if let Some(pages) = options.pages_max {
        connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))?;
    }
    Ok(())
}

/// The latest start that there was.
fn last_start(fence: Option<&NodeRow>) -> Option<Incarnation> {
    fence.map(|row| row.incarnation)
}

fn log_policy(options: &SqliteOptions, last_at: UnixMillis) -> LogPolicy {
    LogPolicy {
        bytes_max: options.wal_bytes_max,
        quiet_bytes_max: options.wal_bytes_max / 8,
        page_bytes: PAGE_BYTES,
        bytes: 0,
        held: RepeatedWarning::default(),
        at: last_at,
    }
}

/// Pools that may still move.
fn pools(supply: &[SupplyRow], range: &StartRange) -> HashSet<(DropId, PoolIndex)> {
    let moving = supply.iter().filter(|row| range.reads(row.drop));
    moving.map(|row| (row.drop, row.pool)).collect()
}

/// Raises the incarnation; the one before is closed with its last commit, so that a row that
/// gets lost at its end is missed later too. Chains that have ended without a seal get theirs.
fn begin_incarnation(
    connection: &Connection,
    node: &NodeId,
    fence: Option<&NodeRow>,
    missing: &[Seal],
    path: Option<&Path>,
) -> Result<(Incarnation, NodeEpoch, Option<Incarnation>), OpenError> {
    let last = fence.map(|row| row.incarnation).unwrap_or_default();
    let next = last.next().ok_or(OpenError::Incarnations { last })?;
    let epoch = fence.map(|row| row.epoch).unwrap_or_default();
    let begin = || {
        let transaction = connection.unchecked_transaction()?;
        seals::fill(&transaction, missing)?;
        schema::index_apart(&transaction)?;
        links::begin_rule(&transaction, last_start(fence), next)?;
        if let Some(row) = fence {
            transaction.execute(
                "INSERT INTO incarnations (incarnation, node, last_seq) VALUES (?1, ?2, ?3)",
                params![row.incarnation.get(), node.as_str(), row.last_seq.get().cast_signed()],
            )?;
        }
        transaction.execute(
            "INSERT INTO node (node, incarnation, epoch, last_seq) VALUES (?1, ?2, ?3, 0)
             ON CONFLICT (node) DO UPDATE SET incarnation = excluded.incarnation, last_seq = 0",
            params![node.as_str(), next.get(), epoch.get().cast_signed()],
        )?;
        // In the same transaction: a copy that was found stays one over a crash.
        let sql = "SELECT home FROM node WHERE node = ?1";
        let found: Option<String> =
            transaction.query_row(sql, [node.as_str()], |row| row.get(0))?;
        let home = path.and_then(|path| Home::next(path, found.as_deref(), next));
        if let Some(home) = &home {
            let sql = "UPDATE node SET home = ?2 WHERE node = ?1";
            transaction.execute(sql, params![node.as_str(), home.text()])?;
        }
        transaction.commit()?;
        Ok(home.and_then(|home| home.copied_in))
    };
    let copied_in = begin().map_err(opening("begin incarnation"))?;
    Ok((next, epoch, copied_in))
}
