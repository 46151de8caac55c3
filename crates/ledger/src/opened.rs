//! The values that an opened ledger hands over.

use stampede_domain::{Incarnation, UnixMillis};

use crate::{Chains, ReadError, Row, Seal, SealSummary, Store, links::Links};

/// The rows of a journal in commit order: by incarnation, seq, drop.
pub type History = Box<dyn Iterator<Item = Result<Row, ReadError>> + Send>;

/// A drop that is over, of which the history has no rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedDrop {
    /// Its seal, whose last row has been checked.
    pub seal: Seal,
    /// The seal's summary.
    pub summary: SealSummary,
}

/// An opened ledger whose journal has been checked and whose incarnation has been raised.
pub struct OpenLedger {
    /// Takes the next commits.
    pub store: Box<dyn Store>,
    /// Where the chains stand, with the node's new incarnation and the last journaled time.
    pub chains: Chains,
    /// What is personal about the records, in the order of the commits.
    pub links: Links,
    /// The rows to be folded: all but those of [`Self::sealed`].
    pub history: History,
    /// Drops that are over, by drop.
    pub sealed: Vec<SealedDrop>,
    /// Time of the last commit of the latest start that had written a heartbeat; `None` where the history
    /// has every row, which tells as much.
    pub worked_until: Option<UnixMillis>,
    /// The start that found the file to be a copy of another ledger, this one or an earlier: what was
    /// sold after the copy was made is not in it.
    pub copied_in: Option<Incarnation>,
}
