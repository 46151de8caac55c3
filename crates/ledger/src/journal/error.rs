//! Why a ledger cannot be read.

use crate::BackendError;

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
