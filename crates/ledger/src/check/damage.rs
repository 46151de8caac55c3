//! Faults in the rows of a journal.

use std::fmt;

use stampede_domain::{DropId, HoldId, Incarnation, NodeId, Seq, UnixMillis};

use crate::{RecordError, RowHash};

/// A journal row that is not what was written, or is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// The row's drop; for a missing row, the drop of the row found in its place, if any.
    pub drop: Option<DropId>,
    /// The row's start.
    pub incarnation: Incarnation,
    /// The row's commit.
    pub seq: Seq,
    /// What is wrong.
    pub wrong: Wrong,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.drop {
            Some(drop) => write!(f, "journal row {drop}")?,
            None => write!(f, "journal commit")?,
        }
        write!(f, " incarnation {} seq {}: {}", self.incarnation, self.seq, self.wrong)
    }
}

/// What is wrong with a journal row.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// The row does not follow on the last one that was read.
    #[error("found where incarnation {incarnation} seq {seq} must follow")]
    Gap {
        /// Start of the missing commit.
        incarnation: Incarnation,
        /// The missing commit.
        seq: Seq,
    },
    /// The journal ends before the last commit that the node or incarnation table names.
    #[error("missing: the incarnation's last commit is {last_seq}")]
    Tail {
        /// The last commit.
        last_seq: Seq,
    },
    /// The start is not in the tables of starts.
    #[error("the incarnation has never been started")]
    UnknownIncarnation,
    /// A commit has fewer or more rows than its header says.
    #[error("the commit has {found} rows, its header says {expected}")]
    Rows {
        /// Rows found.
        found: u16,
        /// Rows that were written.
        expected: u16,
    },
    /// Another node's name.
    #[error("written by node {found}, the incarnation is {expected}'s")]
    Node {
        /// The name found.
        found: NodeId,
        /// The name of the incarnation's node.
        expected: NodeId,
    },
    /// The row does not continue the drop's previous row.
    #[error("previous hash is {found}, the chain's head is {expected}")]
    PrevHash {
        /// The hash found.
        found: RowHash,
        /// The hash of the previous row.
        expected: RowHash,
    },
    /// The row's hash is not the hash of its content.
    #[error("hash is {found}, the content gives {computed}")]
    Hash {
        /// The hash found.
        found: RowHash,
        /// The hash of the content.
        computed: RowHash,
    },
    /// The body cannot be read.
    #[error("body: {0}")]
    Body(RecordError),
    /// The body has another number of records.
    #[error("the body has {found} records, the row says {expected}")]
    Records {
        /// Records in the body.
        found: u32,
        /// Records that the column names.
        expected: u32,
    },
    /// A hold of another drop, or a take of another start.
    #[error("hold {hold} does not belong here")]
    Hold {
        /// The hold.
        hold: HoldId,
    },
    /// The row's time, or that of another row of the commit, runs backwards.
    #[error("time {at} is before {before}")]
    Time {
        /// The row's time.
        at: UnixMillis,
        /// The time of the row before.
        before: UnixMillis,
    },
}
