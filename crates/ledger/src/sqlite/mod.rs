//! The ledger in one `SQLite` file.

mod columns;
mod command_keys;
mod failure;
mod home;
mod journal;
mod links;
mod open;
mod projections;
mod rescue;
mod rows;
mod schema;
mod seals;
mod start;
mod store;

pub use journal::{SqliteJournal, SqliteSource};
pub use open::{SqliteLedger, SqliteOptions, Synchronous};
