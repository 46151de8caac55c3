//! The port through which a ledger is read, also while its server runs.

mod error;
mod place;
mod rows;
mod tables;

use std::{collections::VecDeque, fmt};

use stampede_domain::{DropId, KeyFingerprint};

pub(crate) use self::rows::RowCursor;
pub use self::{
    error::ReadError,
    place::{Mark, RowKey},
    rows::{RowSpan, Rows},
    tables::{IncarnationRow, LinkRow, NodeRow, OrderRow, SupplyRow},
};
use crate::{CommandKey, CommitKey, Projection, Row, Seal};

/// A ledger, open for reading. Every call is a short read of its own, except while a [`Snapshot`] stands.
///
/// Every call fails with a column that is out of range, or with the database's report.
pub trait Journal {
    /// Appends the next rows of a span in commit order, a bounded piece of them; nothing once there are
    /// no more. [`Rows`] iterates by it.
    ///
    /// # Errors
    /// As for every read; rows before the damage are appended first.
    fn fetch(&self, span: &RowSpan, rows: &mut VecDeque<Row>) -> Result<(), ReadError>;

    /// The fence's rows, by node.
    ///
    /// # Errors
    /// As for every read.
    fn nodes(&self) -> Result<Vec<NodeRow>, ReadError>;

    /// The starts that are over, in their order.
    ///
    /// # Errors
    /// As for every read.
    fn incarnations(&self) -> Result<Vec<IncarnationRow>, ReadError>;

    /// The counters of all pools, by drop.
    ///
    /// # Errors
    /// As for every read.
    fn supply(&self) -> Result<Vec<SupplyRow>, ReadError>;

    /// The links, in commit order.
    ///
    /// # Errors
    /// As for every read.
    fn links(&self) -> Result<Vec<LinkRow>, ReadError>;

    /// The links of a commit and of later ones, in commit order, those of at most `limit` commits.
    ///
    /// # Errors
    /// As for every read.
    fn fetch_links(&self, from: CommitKey, limit: u32) -> Result<Vec<LinkRow>, ReadError>;

    /// The orders behind a place, at most `limit` of them; 0 stands before the first.
    ///
    /// # Errors
    /// As for every read.
    fn orders(&self, after_place: u64, limit: u32) -> Result<Vec<OrderRow>, ReadError>;

    /// The orders in front of a place, the last one first, at most `limit` of them; [`u64::MAX`] stands behind them
    /// all.
    ///
    /// # Errors
    /// As for every read.
    fn orders_before(&self, place: u64, limit: u32) -> Result<Vec<OrderRow>, ReadError>;

    /// How far a projection is.
    ///
    /// # Errors
    /// As for every read.
    fn mark(&self, projection: Projection) -> Result<Mark, ReadError>;

    /// What the actor's key was bound to by an accepted command of a drop; a ledger of version 1 has no
    /// table of keys.
    ///
    /// # Errors
    /// As for every read.
    fn command_key(
        &self,
        actor: &str,
        key: KeyFingerprint,
    ) -> Result<Option<CommandKey>, ReadError>;

    /// All such keys; `None` in a ledger of version 1.
    ///
    /// # Errors
    /// As for every read.
    fn command_keys(&self) -> Result<Option<Vec<CommandKey>>, ReadError>;

    /// The seals by drop; `None` in a ledger of version 1, which has no table of them.
    ///
    /// # Errors
    /// As for every read.
    fn seals(&self) -> Result<Option<Vec<Seal>>, ReadError>;

    /// The seal of one drop, if it has one.
    ///
    /// # Errors
    /// As for every read.
    fn seal(&self, drop: DropId) -> Result<Option<Seal>, ReadError>;

    /// Holds one state of the ledger for all reads until dropped. Keep it short: the database cannot clean
    /// up behind it meanwhile.
    ///
    /// # Errors
    /// As for every read.
    fn snapshot(&self) -> Result<Box<dyn Snapshot + '_>, ReadError>;

    /// Lets the database look at all that it has stored: at most `max` sentences, each of which says what is
    /// wrong with it. Nothing is wrong without any.
    ///
    /// # Errors
    /// As for every read.
    fn inspect(&self, max: usize) -> Result<Vec<String>, ReadError>;
}

/// One state of the ledger, which all reads of its journal see while this stands.
pub trait Snapshot {}

/// Where a ledger is opened for reading, as often as wanted.
pub trait JournalSource: fmt::Debug + Send + Sync {
    /// Opens the ledger.
    ///
    /// # Errors
    /// [`ReadError::Missing`], [`ReadError::Newer`], [`ReadError::Foreign`] or the database's report.
    fn open(&self) -> Result<Box<dyn Journal + Send>, ReadError>;
}
