//! Places in the journal.

use stampede_domain::DropId;

use crate::{CommitKey, Row};

/// Key of a journal row; the order of keys is the order of commits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowKey {
    /// The start.
    pub incarnation: u32,
    /// The commit.
    pub seq: u64,
    /// The drop.
    pub drop: u32,
}

impl RowKey {
    /// Behind every row.
    pub const END: Self =
        Self { incarnation: u32::MAX, seq: i64::MAX.cast_unsigned(), drop: u32::MAX };

    /// The key of a row.
    pub const fn of(row: &Row) -> Self {
        Self { incarnation: row.incarnation.get(), seq: row.seq.get(), drop: row.drop.get() }
    }

    /// The key of a drop's row in a commit.
    pub(crate) const fn in_commit((incarnation, seq): CommitKey, drop: DropId) -> Self {
        Self { incarnation: incarnation.get(), seq: seq.get(), drop: drop.get() }
    }

    /// A key behind all rows of earlier commits, and before those of this one.
    pub const fn before((incarnation, seq): CommitKey) -> Self {
        let seq = seq.get().saturating_sub(1);
        Self { incarnation: incarnation.get(), seq, drop: u32::MAX }
    }
}

/// How far a projection is: whatever it makes of a record up to here stands in its table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark {
    /// The journal row; all zero before the first.
    pub row: RowKey,
    /// Place of the record in the row, from 0.
    pub record: u32,
}
