//! The port through which a start reads a journal, in addition to every reader's port.

use std::collections::VecDeque;

use stampede_domain::{DropId, Incarnation};

use super::range::StartRange;
use crate::{CommitKey, Journal, LinkRow, ReadError, Row, RowHash, RowKey};

/// What the journal has at one key.
#[derive(Debug)]
pub(crate) enum KeyEntry {
    /// A row that is read.
    Row(Box<Row>),
    /// The key of one that is left alone.
    Key(RowKey),
}

/// A part of the journal that a start goes through.
pub(crate) enum Part<'a> {
    /// The rows of the house and of adjustments before the range begins.
    Apart(&'a StartRange),
    /// Every key from where it begins.
    All(&'a StartRange),
}

impl Part<'_> {
    /// Whether the rows of this drop are read, rather than their keys alone.
    pub(crate) fn reads(&self, drop: DropId) -> bool {
        let (Self::Apart(range) | Self::All(range)) = self;
        range.reads(drop)
    }
}

/// A journal at its start.
pub(crate) trait StartSource: Journal {
    /// Appends the next of what a part of the journal has behind a key, in commit order, a bounded piece of
    /// it; nothing once there is no more. What stands before damage is appended first.
    fn find(
        &self,
        after: RowKey,
        part: &Part<'_>,
        found: &mut VecDeque<KeyEntry>,
    ) -> Result<(), ReadError>;

    /// One row by its key.
    fn row_at(&self, key: RowKey) -> Result<Option<Row>, ReadError>;

    /// The previous hash of a row, without its body; `None` also where it is no hash.
    fn prev_hash(&self, key: RowKey) -> Result<Option<RowHash>, ReadError>;

    /// The first bytes of a body of a commit, as many as a header has; `None` if the commit is not there.
    fn header(&self, commit: CommitKey) -> Result<Option<Vec<u8>>, ReadError>;

    /// The journal's last row.
    fn last_row(&self) -> Result<Option<Row>, ReadError>;

    /// The first start of those without a gap up to `last`, the ledger's latest, that wrote links by the rule:
    /// takes and bans carry the links that they need. `None` if the latest did not: a program from before the
    /// rule leaves out links that stand in any earlier commit.
    fn links_rule(&self, last: Option<Incarnation>) -> Result<Option<Incarnation>, ReadError>;

    /// The links of this commit and all later ones.
    fn links_from(&self, commit: CommitKey) -> Result<Vec<LinkRow>, ReadError>;

    /// The links of one commit.
    fn links_at(&self, commit: CommitKey) -> Result<Option<LinkRow>, ReadError>;
}
