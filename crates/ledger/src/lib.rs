//! The journal of a sale: record bytes, hash chain, writer, `SQLite` backend, recovery.
//!
//! Producers push records into rings; one thread drains them, writes one row for each drop in one
//! transaction, then publishes for each ring how far it is durable. `docs/ledger.md` describes
//! the format from the outside.

mod batch;
mod command_key;
mod data_dir;
pub mod fake;
pub mod links;
pub mod metrics;
mod opened;
mod record;
mod reviewer;
mod ring;
mod row;
mod seal;
mod sqlite;
mod store;
mod writer;

pub use batch::{Batch, BatchRow, Chains, NewOrder, SupplyDelta};
pub use command_key::CommandKey;
pub use data_dir::{DataDir, LEDGER_FILE, LockError};
pub use links::{AddressLink, Link, ViewerLink};
pub use opened::{History, OpenLedger, Sealed};
pub use record::{
    AnswerTimes, BanScope, Banned, BootId, BrakeOrder, BrakePart, Command, Heartbeat, Outcome,
    RatesSet, Record, RecordError, Recovered, RecoveredPool, RefusalCounts, Room, RoomChange,
    RoomOwner, Tally, Text,
    codec::{self, BodyHeader, records},
};
pub use reviewer::Reviewer;
pub use ring::{Entry, Position, Producer, RingConfig, Wake};
pub use row::{Row, RowHash};
pub use seal::{ChainSums, CommitKey, Seal, SealSummary, SealedSku};
pub use sqlite::{
    Damage, IncarnationRow, JournalReader, LinkRow, NodeRow, OpenError, OrderRow, Projection,
    ReadError, Review, ReviewFault, Reviewed, RowKey, Rows, Snapshot, SqliteLedger, SqliteOptions,
    SupplyRow, Synchronous, Wrong,
};
pub use store::{BackendError, Idle, Store, StoreError};
pub use writer::{Applier, Now, Writer, WriterHandle};
