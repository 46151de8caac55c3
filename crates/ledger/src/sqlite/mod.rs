//! The ledger in one `SQLite` file.

mod columns;
mod command_keys;
mod commits;
mod damage;
mod failure;
mod home;
mod link_rows;
mod open;
mod open_error;
mod projector;
mod range;
mod reader;
mod recovery;
mod rescue;
mod review;
mod rows;
mod schema;
mod sealed;
mod seals;
mod store;

pub use damage::{Damage, Wrong};
pub use open::{SqliteLedger, SqliteOptions, Synchronous};
pub use open_error::OpenError;
pub use reader::{
    IncarnationRow, JournalReader, LinkRow, NodeRow, OrderRow, Projection, ReadError, Snapshot,
    SupplyRow,
};
pub use review::{Review, ReviewFault, Reviewed};
pub use rows::{RowKey, Rows};
