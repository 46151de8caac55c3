//! The port through which the writer reaches a database.

use std::fmt;

use stampede_domain::{DropId, Incarnation, NodeId, PoolIndex, Seq};

use crate::Batch;

/// A place where commits become durable.
///
/// One writer owns it. After any error but [`StoreError::Busy`] the caller stops: a failed commit is an
/// unknown commit.
pub trait Store: Send {
    /// Makes a batch durable as a whole, if this node is still the one that may write.
    ///
    /// # Errors
    /// Whatever kept the commit from being known as durable; the rows may be there or not.
    fn commit(&mut self, batch: &Batch) -> Result<(), StoreError>;

    /// Does the work that may not pile up, once the commit's promises are out.
    ///
    /// # Errors
    /// As for [`Store::commit`].
    fn tend(&mut self) -> Result<(), StoreError>;

    /// Does a bounded piece of the work that can wait for a quiet moment.
    ///
    /// # Errors
    /// As for [`Store::commit`].
    fn idle(&mut self) -> Result<Idle, StoreError>;

    /// Finishes everything that can wait, at the end.
    ///
    /// # Errors
    /// As for [`Store::commit`].
    fn close(&mut self) -> Result<(), StoreError>;
}

/// Whether a store has more to do in quiet moments.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idle {
    /// Call again when there is nothing better to do.
    More,
    /// Nothing is left until the next commit.
    Done,
}

/// Why a commit is not known to be durable.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another start of the node, or another node, has taken over; this one must not promise.
    #[error("node {node} incarnation {incarnation} is fenced: commit {seq} found another writer")]
    Fenced {
        /// This node.
        node: NodeId,
        /// Its start.
        incarnation: Incarnation,
        /// The commit that was refused.
        seq: Seq,
    },
    /// More units would be taken than supplied, or fewer than none.
    #[error(
        "commit {seq} would oversell {drop} pool {pool}: supplied {supplied:+}, taken {taken:+}"
    )]
    Oversold {
        /// The commit that was refused.
        seq: Seq,
        /// The drop.
        drop: DropId,
        /// The pool.
        pool: PoolIndex,
        /// Change of the supplied units.
        supplied: i64,
        /// Change of the taken units.
        taken: i64,
    },
    /// A statement changed another number of rows than it must.
    #[error("{step} changed {changed} rows, expected {expected}")]
    RowCount {
        /// The statement.
        step: &'static str,
        /// Rows changed.
        changed: usize,
        /// Rows that must change.
        expected: usize,
    },
    /// Another program holds the lock for writing. Nothing was begun, so the same work may be tried
    /// again.
    #[error("another program holds the ledger's lock for writing; end that program")]
    Busy,
    /// The database failed.
    #[error("{}", failure(.step, .source, *.disk_full))]
    Backend {
        /// The statement.
        step: &'static str,
        /// The database's report.
        source: BackendError,
        /// Whether all that is wrong is that no space is left on the disk.
        disk_full: bool,
    },
}

/// What a database reports, in its own words.
pub type BackendError = Box<dyn std::error::Error + Send + Sync>;

fn failure(step: &str, source: &dyn fmt::Display, disk_full: bool) -> String {
    if disk_full { format!("disk full at {step}") } else { format!("{step}: {source}") }
}
