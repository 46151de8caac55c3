//! The journal of a sale: record bytes, hash chain, writer, ports, checks, `SQLite` backend.
//!
//! Producers push records into rings; one thread drains them, writes one row for each drop in one
//! transaction, then publishes for each ring how far it is durable. `docs/ledger.md` describes
//! the format from the outside.

mod batch;
mod check;
mod command_key;
mod data_dir;
mod drop_pools;
#[cfg(feature = "fake")]
pub mod fake;
mod journal;
pub mod links;
pub mod metrics;
mod opened;
mod projection;
mod projector;
mod record;
mod reviewer;
mod ring;
mod row;
mod seal;
mod sqlite;
mod store;
mod supply;
mod turn;
mod writer;

pub use batch::{Batch, BatchRow, Chains};
pub use check::{Damage, OpenError, Review, ReviewFault, ReviewStep, Wrong};
pub use command_key::{CommandKey, CommandResult, LatestResult};
pub use data_dir::{DataDir, LEDGER_FILE, LockError};
pub use journal::{
    IncarnationRow, Journal, JournalSource, LinkRow, Mark, NodeRow, OrderRow, ReadError, RowKey,
    RowSpan, Rows, Snapshot, SupplyRow,
};
pub use links::{AddressLink, Link, ViewerLink};
pub use opened::{History, OpenLedger, SealedDrop};
pub use projection::{NewOrder, Projection, ProjectionRow};
pub use record::{
    Amended, AnswerTimes, BanRecord, BanScope, BootId, BrakeOrder, BrakePart, BrakeRecord,
    Cancelled, ChannelClicks, Command, CorrectionRecord, DeadlineRecord, Heartbeat, HoldRecord,
    NoCopy, PaymentChange, PaymentRecord, PhaseRecord, PlannedCopy, ProviderRequest, RatesSet,
    Record, RecordError, RecordedOutcome, RecoveredDrop, RecoveredPool, RefusalCounts,
    RequestAsked, RequestEnd, RequestEnded, RequestRecord, Room, RoomChange, RoomOwner, Signature,
    StreamRecord, Tally, TallySources, Text, UnmatchedDone, UnmatchedEnd, UnmatchedPayment,
    UnmatchedRecord,
    codec::{self, BodyHeader, records},
};
pub use reviewer::Reviewer;
pub use ring::{Entry, Position, Producer, RingConfig, STAGED_MAX, Wake};
pub use row::{Row, RowHash};
pub use seal::{ChainSums, CommitKey, Seal, SealSummary, SealedSku};
pub use sqlite::{SqliteJournal, SqliteLedger, SqliteOptions, SqliteSource, Synchronous};
pub use store::{BackendError, Idle, Store, StoreError};
pub use supply::SupplyDelta;
pub use writer::{Applier, Now, Writer, WriterHandle, WriterTurn};
