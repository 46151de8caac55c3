//! The ledger in one `SQLite` file.

mod columns;
mod command_keys;
mod open;
mod projector;
mod reader;
mod recovery;
mod rescue;
mod rows;
mod schema;
mod store;

pub use open::{OpenError, SqliteLedger, SqliteOptions, Synchronous};
pub use reader::{
    IncarnationRow, JournalReader, LinkRow, NodeRow, OrderRow, Projection, ReadError, Snapshot,
    SupplyRow,
};
pub use recovery::{Damage, Wrong};
pub use rows::{RowKey, Rows};
