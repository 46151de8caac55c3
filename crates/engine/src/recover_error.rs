//! Why a journal makes no state.

use stampede_domain::{DropId, HoldId, Incarnation, PoolIndex, Seq};
use stampede_ledger::RecordError;
use stampede_stock::{RestoreError, SupplyError};

/// Why a sound chain of rows still makes no state. Nothing is skipped: the ledger needs a look.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    /// A record cannot be read.
    #[error("{drop} incarnation {incarnation} commit {seq}: {source}")]
    Record {
        /// The drop.
        drop: DropId,
        /// The start of the node that wrote the row.
        incarnation: Incarnation,
        /// The commit.
        seq: Seq,
        /// What is wrong.
        source: RecordError,
    },
    /// A record about a drop that was never planned.
    #[error("{drop} commit {seq} has a record before any plan")]
    NoPlan {
        /// The drop.
        drop: DropId,
        /// The commit.
        seq: Seq,
    },
    /// The end of a hold that nobody made, or that had ended.
    #[error("{drop} commit {seq} ends hold {hold}, which is not live")]
    NotLive {
        /// The drop.
        drop: DropId,
        /// The commit.
        seq: Seq,
        /// The hold.
        hold: HoldId,
    },
    /// A lot or a take in a pool that the plan does not have.
    #[error("{drop} commit {seq} names pool {pool}, which the plan does not have")]
    UnknownPool {
        /// The drop.
        drop: DropId,
        /// The commit.
        seq: Seq,
        /// The pool.
        pool: PoolIndex,
    },
    /// Lots beyond what a pool can count.
    #[error("{drop}: {source}")]
    Supply {
        /// The drop.
        drop: DropId,
        /// What is wrong.
        source: SupplyError,
    },
    /// Holds that contradict each other.
    #[error("{drop}: {source}")]
    Hold {
        /// The drop.
        drop: DropId,
        /// What is wrong.
        source: RestoreError,
    },
}
