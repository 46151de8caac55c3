//! The journal of a sale: record bytes, hash chain, writer, `SQLite` backend, recovery.
//!
//! Producers push records into rings; one thread drains them, writes one row for each drop in one
//! transaction, then publishes for each ring how far it is durable. `docs/ledger.md` describes
//! the format from the outside.

mod answer_times;
mod batch;
mod brake_codec;
mod bytes;
pub mod codec;
mod command_key;
mod data_dir;
pub mod fake;
mod house;
mod house_codec;
pub mod links;
pub mod metrics;
mod opened;
mod plan_codec;
mod record;
mod record_error;
mod reviewer;
mod ring;
mod row;
mod seal;
mod sqlite;
mod store;
mod take_codec;
mod tally;
mod tally_codec;
mod writer;

pub use answer_times::AnswerTimes;
pub use batch::{Batch, BatchRow, Chains, NewOrder, SupplyDelta};
pub use codec::{BodyHeader, RecordError, records};
pub use command_key::CommandKey;
pub use data_dir::{DataDir, LEDGER_FILE, LockError};
pub use house::{BootId, Heartbeat, Room, RoomChange, RoomOwner};
pub use opened::{History, OpenLedger, Sealed};
pub use record::{
    AddressLink, BanScope, Banned, BrakeOrder, BrakePart, Command, Entry, Link, Outcome, RatesSet,
    Record, Recovered, RecoveredPool, Text, ViewerLink,
};
pub use reviewer::Reviewer;
pub use ring::{Position, Producer, RingConfig, Wake};
pub use row::{Row, RowHash};
pub use seal::{ChainSums, CommitKey, Seal, SealSummary, SealedSku};
pub use sqlite::{
    Damage, IncarnationRow, JournalReader, LinkRow, NodeRow, OpenError, OrderRow, Projection,
    ReadError, Review, ReviewFault, Reviewed, RowKey, Rows, Snapshot, SqliteLedger, SqliteOptions,
    SupplyRow, Synchronous, Wrong,
};
pub use store::{Idle, Store, StoreError};
pub use tally::{RefusalCounts, Tally};
pub use writer::{Applier, Now, Writer, WriterHandle};
