//! Why a ledger cannot be opened.

use std::{io, path::PathBuf};

use stampede_domain::{DropId, Incarnation, NodeId, PoolIndex, Seq};

use super::damage::Damage;
use crate::{BackendError, ReadError, RecordError, StoreError};

/// Why a ledger cannot be opened. Nothing has been changed then.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A row is damaged or missing. Restore the directory from a copy; nothing is skipped.
    #[error("the ledger is damaged: {0}")]
    Damage(Damage),
    /// A pool's counters are not the sums of its records.
    #[error(
        "the ledger is damaged: supply of {drop} pool {pool} is {stored_supplied} with \
         {stored_taken} taken; the records give {counted_supplied} with {counted_taken} taken"
    )]
    Supply {
        /// The drop.
        drop: DropId,
        /// The pool.
        pool: PoolIndex,
        /// Units supplied by the records.
        counted_supplied: i64,
        /// Units held or sold by the records.
        counted_taken: i64,
        /// Units supplied by the table.
        stored_supplied: i64,
        /// Units held or sold by the table.
        stored_taken: i64,
    },
    /// A seal is not what the drop's chain gives.
    #[error("the ledger is damaged: seal of {drop}: the {field} is not what the journal gives")]
    Seal {
        /// The drop.
        drop: DropId,
        /// What differs.
        field: &'static str,
    },
    /// The counters of a drop that is over are not what its seal says.
    #[error(
        "the ledger is damaged: supply of {drop}: the {field} are {found}, the seal says {of_seal}"
    )]
    SealSupply {
        /// The drop.
        drop: DropId,
        /// What differs.
        field: &'static str,
        /// Units in the table of counters, over all pools.
        found: u64,
        /// Units in the seal.
        of_seal: u64,
    },
    /// A row of viewer links cannot be read.
    #[error("the ledger is damaged: viewer links of incarnation {incarnation} seq {seq}: {source}")]
    Links {
        /// The start.
        incarnation: Incarnation,
        /// The commit.
        seq: Seq,
        /// What is wrong.
        source: RecordError,
    },
    /// The ledger belongs to another node.
    #[error("the ledger is node {found}'s, this is node {given}; configure the name {found}")]
    OtherNode {
        /// The node in the ledger.
        found: NodeId,
        /// The node that wants to open it.
        given: NodeId,
    },
    /// The node has started 2^26 times.
    #[error("no incarnation follows {last}")]
    Incarnations {
        /// The last one.
        last: Incarnation,
    },
    /// A table cannot be read.
    #[error(transparent)]
    Read(ReadError),
    /// The database failed.
    #[error("{step}: {source}")]
    Backend {
        /// What was being done.
        step: &'static str,
        /// The database's report.
        source: BackendError,
    },
    /// The copy after a disk failure could not be made.
    #[error("copying the ledger after a disk failure: {}: {source}", path.display())]
    Rescue {
        /// The file.
        path: PathBuf,
        /// The system's report.
        source: io::Error,
    },
    /// The data directory could not be synced.
    #[error("syncing {}: {source}", path.display())]
    Sync {
        /// The directory.
        path: PathBuf,
        /// The system's report.
        source: io::Error,
    },
    /// Catching up after the start failed.
    #[error("catching up: {0}")]
    CatchUp(StoreError),
}

impl From<ReadError> for OpenError {
    fn from(error: ReadError) -> Self {
        Self::Read(error)
    }
}
