//! The ledger in one `SQLite` file.

mod columns;
mod command_keys;
mod damage;
mod home;
mod open;
mod projector;
mod reader;
mod recovery;
mod rescue;
mod rows;
mod schema;
mod seals;
mod store;

pub use damage::{Damage, Wrong};
pub use open::{OpenError, SqliteLedger, SqliteOptions, Synchronous};
pub use reader::{
    IncarnationRow, JournalReader, LinkRow, NodeRow, OrderRow, Projection, ReadError, Snapshot,
    SupplyRow,
};
pub use rows::{RowKey, Rows};
