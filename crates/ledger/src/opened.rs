//! What a ledger hands over when it has been opened.

use stampede_domain::Incarnation;

use crate::{Chains, ReadError, Row, Store, links::Links};

/// The rows of a journal in commit order: by incarnation, seq, drop.
pub type History = Box<dyn Iterator<Item = Result<Row, ReadError>> + Send>;

/// An opened ledger whose journal has been checked and whose incarnation has been raised.
pub struct OpenLedger {
    /// Takes the next commits.
    pub store: Box<dyn Store>,
    /// Where the chains stand, with the node's new incarnation and the last journaled time.
    pub chains: Chains,
    /// What is personal about the records, in the order of the commits.
    pub links: Links,
    /// Every row, to be folded.
    pub history: History,
    /// The start that found the file to be a copy of another ledger, this one or an earlier: what was
    /// sold after the copy was made is not in it.
    pub copied_in: Option<Incarnation>,
}
