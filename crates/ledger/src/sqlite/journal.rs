//! Read-only access to a ledger, also while its server runs in another process.

use std::{
    borrow::Borrow,
    collections::VecDeque,
    iter,
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, Transaction};
use stampede_domain::{DropId, HoldId, KeyFingerprint, NodeEpoch, UnixMillis, ViewerNumber};

use super::{
    columns::{Columns, all, channel, incarnation, node, pool, seq, sku},
    command_keys,
    failure::in_table,
    links, rows, schema, seals,
};
use crate::{
    CommandKey, CommitKey, IncarnationRow, Journal, JournalSource, LEDGER_FILE, LinkRow, Mark,
    NodeRow, OrderRow, Projection, ReadError, Row, RowKey, RowSpan, Seal, Snapshot, SupplyRow,
    journal::RowCursor,
};

/// How long a reader waits for a writer that restores the log, at most.
const BUSY_WAIT: Duration = Duration::from_secs(5);

/// The ledger of a data directory, to be opened for reading.
#[derive(Clone, Debug)]
pub struct SqliteSource {
    data_dir: PathBuf,
}

impl SqliteSource {
    /// Opens nothing yet.
    pub const fn new(data_dir: PathBuf) -> Self {
        Self { data_dir }
    }
}

impl JournalSource for SqliteSource {
    fn open(&self) -> Result<Box<dyn Journal + Send>, ReadError> {
        Ok(Box::new(SqliteJournal::open(&self.data_dir)?))
    }
}

/// A read-only connection, or the use of another's for reading.
#[derive(Debug)]
pub struct SqliteJournal<C = Connection> {
    connection: C,
}

impl SqliteJournal {
    /// Opens the ledger of a data directory.
    ///
    /// # Errors
    /// [`ReadError::Missing`], [`ReadError::Newer`], [`ReadError::Foreign`] or `SQLite`'s report.
    pub fn open(data_dir: &Path) -> Result<Self, ReadError> {
        Self::open_with_vfs(data_dir, None)
    }

    pub(super) fn open_with_vfs(data_dir: &Path, vfs: Option<&str>) -> Result<Self, ReadError> {
        let path = data_dir.join(LEDGER_FILE);
        if !path.exists() {
            return Err(ReadError::Missing { path: data_dir.display().to_string() });
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opened = match vfs {
            Some(vfs) => Connection::open_with_flags_and_vfs(&path, flags, vfs),
            None => Connection::open_with_flags(&path, flags),
        };
        let prepare = |connection: Connection| {
            connection.busy_timeout(BUSY_WAIT)?;
            let marks = schema::marks(&connection)?;
            Ok((connection, marks))
        };
        let (connection, (application, version)) =
            opened.and_then(prepare).map_err(in_table("ledger"))?;
        schema::check_marks(application, version)?;
        Ok(Self { connection })
    }

    /// The rows behind a key as [`crate::Rows`] gives them, with the connection.
    pub fn into_rows(self, after: RowKey) -> impl Iterator<Item = Result<Row, ReadError>> + Send {
        let mut cursor = RowCursor::new(after);
        iter::from_fn(move || cursor.next(&self))
    }
}

impl<'a> SqliteJournal<&'a Connection> {
    /// Reads by the writer's connection.
    pub(super) const fn by(connection: &'a Connection) -> Self {
        Self { connection }
    }
}

impl<C: Borrow<Connection>> SqliteJournal<C> {
    pub(super) fn connection(&self) -> &Connection {
        self.connection.borrow()
    }
}

impl Snapshot for Transaction<'_> {}

impl<C: Borrow<Connection>> Journal for SqliteJournal<C> {
    fn fetch(&self, span: &RowSpan, rows: &mut VecDeque<Row>) -> Result<(), ReadError> {
        rows::fetch(self.connection(), span, rows)
    }

    fn nodes(&self) -> Result<Vec<NodeRow>, ReadError> {
        let sql = "SELECT node, incarnation, epoch, last_seq FROM node ORDER BY node";
        all(self.connection(), "node", sql, |row| {
            Ok(NodeRow {
                node: node(row, 0)?,
                incarnation: incarnation(row, 1)?,
                epoch: row
                    .number(2, "epoch")
                    .and_then(|n| NodeEpoch::new(n).ok_or_else(|| row.range("epoch")))?,
                last_seq: seq(row, 3)?,
            })
        })
    }

    fn incarnations(&self) -> Result<Vec<IncarnationRow>, ReadError> {
        let sql = "SELECT incarnation, node, last_seq FROM incarnations ORDER BY incarnation";
        all(self.connection(), "incarnations", sql, |row| {
            Ok(IncarnationRow {
                incarnation: incarnation(row, 0)?,
                node: node(row, 1)?,
                last_seq: seq(row, 2)?,
            })
        })
    }

    fn supply(&self) -> Result<Vec<SupplyRow>, ReadError> {
        let sql = "SELECT drop_id, pool, sku, supplied, taken FROM supply ORDER BY drop_id, pool";
        all(self.connection(), "supply", sql, |row| {
            Ok(SupplyRow {
                drop: DropId::new(row.number(0, "drop_id")?),
                pool: pool(row, 1)?,
                sku: sku(row, 2)?,
                supplied: row.number(3, "supplied")?,
                taken: row.number(4, "taken")?,
            })
        })
    }

    fn links(&self) -> Result<Vec<LinkRow>, ReadError> {
        links::from(self.connection(), CommitKey::default())
    }

    fn fetch_links(&self, from: CommitKey, limit: u32) -> Result<Vec<LinkRow>, ReadError> {
        links::some_from(self.connection(), from, limit)
    }

    fn orders(&self, after_place: u64, limit: u32) -> Result<Vec<OrderRow>, ReadError> {
        // A place is a signed number there: nothing stands behind the largest.
        let after = after_place.min(i64::MAX.unsigned_abs());
        orders(self.connection(), &format!("place > {after} ORDER BY place LIMIT {limit}"))
    }

    fn orders_before(&self, place: u64, limit: u32) -> Result<Vec<OrderRow>, ReadError> {
        let before = place.min(i64::MAX.unsigned_abs());
        orders(self.connection(), &format!("place < {before} ORDER BY place DESC LIMIT {limit}"))
    }

    fn mark(&self, projection: Projection) -> Result<Mark, ReadError> {
        mark(self.connection(), projection)
    }

    fn command_key(
        &self,
        actor: &str,
        key: KeyFingerprint,
    ) -> Result<Option<CommandKey>, ReadError> {
        if version(self.connection())? < 2 {
            return Ok(None);
        }
        command_keys::one(self.connection(), actor, key)
    }

    fn command_keys(&self) -> Result<Option<Vec<CommandKey>>, ReadError> {
        if version(self.connection())? < 2 {
            return Ok(None);
        }
        command_keys::all_keys(self.connection()).map(Some)
    }

    fn seals(&self) -> Result<Option<Vec<Seal>>, ReadError> {
        if version(self.connection())? < 2 {
            return Ok(None);
        }
        seals::all_seals(self.connection()).map(Some)
    }

    fn seal(&self, drop: DropId) -> Result<Option<Seal>, ReadError> {
        if version(self.connection())? < 2 {
            return Ok(None);
        }
        seals::one(self.connection(), drop)
    }

    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>, ReadError> {
        let transaction = self.connection().unchecked_transaction().map_err(in_table("ledger"))?;
        Ok(Box::new(transaction))
    }

    fn inspect(&self, max: usize) -> Result<Vec<String>, ReadError> {
        let sound = "ok";
        let sql = format!("PRAGMA integrity_check({max})");
        let reports: Vec<String> = all(self.connection(), "ledger", &sql, |row| row.value(0))?;
        Ok(reports.into_iter().filter(|report| report != sound).collect())
    }
}

/// The version of the tables. Asked each time: the server may bring the ledger to a newer one meanwhile.
fn version(connection: &Connection) -> Result<i64, ReadError> {
    let (_, version) = schema::marks(connection).map_err(in_table("ledger"))?;
    Ok(version)
}

pub(super) fn mark(connection: &Connection, projection: Projection) -> Result<Mark, ReadError> {
    let name = projection.name();
    let sql =
        format!("SELECT incarnation, seq, drop_id, record FROM projection WHERE name = '{name}'");
    let found = all(connection, "projection", &sql, |row| {
        Ok(Mark {
            row: RowKey {
                incarnation: row.number(0, "incarnation")?,
                seq: row.number(1, "seq")?,
                drop: row.number(2, "drop_id")?,
            },
            record: row.number(3, "record")?,
        })
    })?;
    found.first().copied().ok_or(ReadError::Column {
        table: "projection",
        row: name.into(),
        column: "name",
    })
}

/// Orders that stand where the rest of a query says.
fn orders(connection: &Connection, rest: &str) -> Result<Vec<OrderRow>, ReadError> {
    let channel = if version(connection)? < 2 { "NULL" } else { "channel" };
    let sql = format!(
        "SELECT place, hold, drop_id, pool, sku, viewer, units, amount_minor, currency, at_ms,
                incarnation, seq, {channel}
         FROM orders WHERE {rest}"
    );
    all(connection, "orders", &sql, order)
}

fn order(row: &Columns<'_>) -> Result<OrderRow, ReadError> {
    let hold: Vec<u8> = row.value(1)?;
    let hold = <[u8; 16]>::try_from(hold).map_err(|_| row.range("hold"))?;
    Ok(OrderRow {
        place: row.number(0, "place")?,
        hold: HoldId::from_bytes(hold),
        drop: DropId::new(row.number(2, "drop_id")?),
        pool: pool(row, 3)?,
        sku: sku(row, 4)?,
        viewer: ViewerNumber::new(row.value::<i64>(5)?.cast_unsigned())
            .ok_or_else(|| row.range("viewer"))?,
        units: row.number(6, "units")?,
        amount_minor: row.number(7, "amount_minor")?,
        currency: row.value(8)?,
        at: UnixMillis::new(row.number(9, "at_ms")?),
        incarnation: incarnation(row, 10)?,
        seq: seq(row, 11)?,
        channel: channel(row, 12)?,
    })
}
