//! The ledger in one `SQLite` file.

mod open;
mod projector;
mod reader;
mod recovery;
mod rescue;
mod schema;
mod store;

pub use open::{OpenError, SqliteLedger, SqliteOptions, Synchronous};
pub use reader::{
    IncarnationRow, JournalReader, LinkRow, NodeRow, OrderRow, Projection, ReadError, RowKey, Rows,
    Snapshot, SupplyRow,
};
pub use recovery::{Damage, Wrong};
