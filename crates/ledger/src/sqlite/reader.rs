//! Read-only access to a ledger, also while its server runs in another process.

use std::{path::Path, time::Duration};

use rusqlite::{Connection, OpenFlags, Transaction};
use stampede_domain::{
    ChannelId, DropId, HoldId, Incarnation, NodeEpoch, NodeId, PoolIndex, Seq, SkuIndex,
    UnixMillis, ViewerNumber,
};

use super::{
    columns::{Columns, all, channel, incarnation, node, pool, seq, sku},
    failure::in_table,
    rows::{RowKey, Rows},
    schema,
};
use crate::{BackendError, LEDGER_FILE};

/// How long a reader waits for a writer that restores the log, at most.
const BUSY_WAIT: Duration = Duration::from_secs(5);

/// Why a ledger cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The directory has no ledger.
    #[error("no ledger in {path}")]
    Missing {
        /// The directory.
        path: String,
    },
    /// The ledger was written by a newer program.
    #[error(
        "the ledger is of the newer version {version}; this program knows up to {known}: use a \
         newer program"
    )]
    Newer {
        /// The ledger's version.
        version: i64,
        /// The newest version that this program knows.
        known: i64,
    },
    /// The file is another program's.
    #[error(
        "not a ledger of version {known_min} to {known}: application {application:#x}, version \
         {version}"
    )]
    Foreign {
        /// The oldest version that this program knows.
        known_min: i64,
        /// The newest version that this program knows.
        known: i64,
        /// The file's application id.
        application: i64,
        /// The file's version.
        version: i64,
    },
    /// A column holds what its type cannot be.
    #[error("{table} row {row}: {column} is out of range")]
    Column {
        /// The table.
        table: &'static str,
        /// The row's key, as far as it could be read.
        row: String,
        /// The column.
        column: &'static str,
    },
    /// The database failed.
    #[error("reading {table}: {source}")]
    Backend {
        /// The table.
        table: &'static str,
        /// The database's report.
        source: BackendError,
        /// Whether the database is not what was written, rather than out of reach.
        is_damage: bool,
    },
}

impl ReadError {
    /// Whether the ledger is not what was written, so that trying again is of no use.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Missing { .. } | Self::Foreign { .. } | Self::Column { .. } => true,
            Self::Newer { .. } => false,
            Self::Backend { is_damage, .. } => *is_damage,
        }
    }
}

/// The fence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeRow {
    /// The node.
    pub node: NodeId,
    /// Its latest start.
    pub incarnation: Incarnation,
    /// Its fencing token.
    pub epoch: NodeEpoch,
    /// Its latest commit in that start.
    pub last_seq: Seq,
}

/// A start that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncarnationRow {
    /// The start.
    pub incarnation: Incarnation,
    /// The node.
    pub node: NodeId,
    /// Its last commit.
    pub last_seq: Seq,
}

/// Counters of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SupplyRow {
    /// The drop.
    pub drop: DropId,
    /// The pool.
    pub pool: PoolIndex,
    /// The SKU whose units the pool holds.
    pub sku: SkuIndex,
    /// Units of all lots.
    pub supplied: u64,
    /// Units held or sold.
    pub taken: u64,
}

/// The links of one commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkRow {
    /// The start.
    pub incarnation: Incarnation,
    /// The commit.
    pub seq: Seq,
    /// The blob; see [`crate::links`].
    pub pairs: Vec<u8>,
}

/// An order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderRow {
    /// Place in the table, ascending.
    pub place: u64,
    /// The hold, whose id is the order's id.
    pub hold: HoldId,
    /// The drop.
    pub drop: DropId,
    /// The pool.
    pub pool: PoolIndex,
    /// The SKU.
    pub sku: SkuIndex,
    /// The buyer.
    pub viewer: ViewerNumber,
    /// Units bought.
    pub units: u64,
    /// Price of all units, in minor units.
    pub amount_minor: u64,
    /// The currency's three letters.
    pub currency: String,
    /// Time of the confirming commit.
    pub at: UnixMillis,
    /// Start of the confirming commit.
    pub incarnation: Incarnation,
    /// The confirming commit.
    pub seq: Seq,
    /// The channel that gets the credit.
    pub channel: Option<ChannelId>,
}

/// How far the orders table is: every `Confirmed` record up to here has its order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Projection {
    /// The journal row; all zero before the first.
    pub row: RowKey,
    /// Place of the record in the row, from 0.
    pub record: u32,
}

/// A read-only connection. Every call is a short read of its own, except within a [`Snapshot`].
#[derive(Debug)]
pub struct JournalReader {
    pub(super) connection: Connection,
}

impl JournalReader {
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

    /// Holds one state of the ledger for all reads until dropped. Keep it short: the log cannot
    /// be reset while a snapshot stands.
    ///
    /// # Errors
    /// `SQLite`'s report.
    pub fn snapshot(&self) -> Result<Snapshot<'_>, ReadError> {
        let transaction = self.connection.unchecked_transaction().map_err(in_table("ledger"))?;
        Ok(Snapshot { reader: self, _transaction: transaction })
    }

    /// The rows behind a key, in commit order, as far as the journal reaches when the iterator
    /// gets there. `RowKey::default()` stands before the first row.
    pub fn rows(&self, after: RowKey) -> Rows<&Self> {
        Rows::new(self, after)
    }

    /// The same, owning the connection.
    pub fn into_rows(self, after: RowKey) -> Rows<Self> {
        Rows::new(self, after)
    }

    /// The fence's rows.
    ///
    /// # Errors
    /// As for every read: a column out of range, or `SQLite`'s report.
    pub fn nodes(&self) -> Result<Vec<NodeRow>, ReadError> {
        let sql = "SELECT node, incarnation, epoch, last_seq FROM node ORDER BY node";
        all(&self.connection, "node", sql, |row| {
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

    /// The starts that are over.
    ///
    /// # Errors
    /// As for every read.
    pub fn incarnations(&self) -> Result<Vec<IncarnationRow>, ReadError> {
        let sql = "SELECT incarnation, node, last_seq FROM incarnations ORDER BY incarnation";
        all(&self.connection, "incarnations", sql, |row| {
            Ok(IncarnationRow {
                incarnation: incarnation(row, 0)?,
                node: node(row, 1)?,
                last_seq: seq(row, 2)?,
            })
        })
    }

    /// The counters of all pools.
    ///
    /// # Errors
    /// As for every read.
    pub fn supply(&self) -> Result<Vec<SupplyRow>, ReadError> {
        let sql = "SELECT drop_id, pool, sku, supplied, taken FROM supply ORDER BY drop_id, pool";
        all(&self.connection, "supply", sql, |row| {
            Ok(SupplyRow {
                drop: DropId::new(row.number(0, "drop_id")?),
                pool: pool(row, 1)?,
                sku: sku(row, 2)?,
                supplied: row.number(3, "supplied")?,
                taken: row.number(4, "taken")?,
            })
        })
    }

    /// The orders behind a place, at most `limit` of them; 0 stands before the first.
    ///
    /// # Errors
    /// As for every read.
    pub fn orders(&self, after_place: u64, limit: u32) -> Result<Vec<OrderRow>, ReadError> {
        // Asked each time: the server may bring the ledger to a newer version meanwhile.
        let (_, version) = schema::marks(&self.connection).map_err(in_table("ledger"))?;
        let channel = if version < 2 { "NULL" } else { "channel" };
        let sql = format!(
            "SELECT place, hold, drop_id, pool, sku, viewer, units, amount_minor, currency, at_ms,
                    incarnation, seq, {channel}
             FROM orders WHERE place > {after_place} ORDER BY place LIMIT {limit}"
        );
        all(&self.connection, "orders", &sql, order)
    }

    /// How far the orders table is.
    ///
    /// # Errors
    /// As for every read.
    pub fn projection(&self) -> Result<Projection, ReadError> {
        projection(&self.connection)
    }
}

/// One state of the ledger, for reads that must agree with each other.
pub struct Snapshot<'a> {
    reader: &'a JournalReader,
    _transaction: Transaction<'a>,
}

impl Snapshot<'_> {
    /// The reader, all of whose calls now see the same state.
    pub const fn reader(&self) -> &JournalReader {
        self.reader
    }
}

pub(super) fn projection(connection: &Connection) -> Result<Projection, ReadError> {
    let sql = "SELECT incarnation, seq, drop_id, record FROM projection WHERE name = 'orders'";
    let found = all(connection, "projection", sql, |row| {
        Ok(Projection {
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
        row: "orders".into(),
        column: "name",
    })
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
