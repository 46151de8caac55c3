//! The facts of a sale, as they stand in the journal, with their bytes.

mod answer_times;
mod brake;
pub(crate) mod bytes;
pub mod codec;
mod correction;
mod error;
mod hold;
mod house;
mod ordinal;
mod payment;
mod phase;
mod request;
mod stream;
mod tally;
mod text;

use std::sync::Arc;

use stampede_domain::{
    DropPlan, DurationMs, KeyFingerprint, PoolIndex, TakeNumber, Units, UnixMillis,
};

pub use self::{
    answer_times::AnswerTimes,
    brake::{BanRecord, BanScope, BrakeOrder, BrakePart, BrakeRecord, RatesSet},
    correction::{Amended, CorrectionRecord},
    error::RecordError,
    hold::HoldRecord,
    house::{BootId, Heartbeat, Room, RoomChange, RoomOwner},
    payment::{
        Cancelled, DeadlineRecord, PaymentChange, PaymentRecord, ProviderRequest, UnmatchedDone,
        UnmatchedEnd, UnmatchedPayment, UnmatchedRecord,
    },
    phase::{NoCopy, PhaseRecord, PlannedCopy},
    request::{RequestAsked, RequestEnd, RequestEnded, RequestRecord, Signature},
    stream::StreamRecord,
    tally::{ChannelClicks, RefusalCounts, Tally, TallySources},
    text::Text,
};

/// One fact about one drop, in the order in which it became durable.
///
/// Facts of one kind are a family with a type of its own. A reader matches every family and, within the
/// ones that concern it, every fact, so that the compiler leads to all places that a new fact needs.
///
/// The drop is the journal row's; the time is the row's too, where a record has none of its own.
/// The bytes are described in [`codec`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    /// A plan was made (revision 1) or edited (the next revision). The plan is a valid one.
    Planned {
        /// The plan.
        plan: Arc<DropPlan>,
        /// Counted from 1.
        revision: u32,
    },
    /// The drop entered a phase.
    Phase(PhaseRecord),
    /// Units were added to a pool.
    Lot {
        /// Where they went.
        pool: PoolIndex,
        /// How many.
        units: Units,
        /// Number of the lot within the drop, from 1.
        lot: u32,
    },
    /// A hold began or ended.
    Hold(HoldRecord),
    /// Something about the money for a hold.
    Payment(Box<PaymentRecord>),
    /// Deadlines moved for the sake of payments.
    Deadline(DeadlineRecord),
    /// Staff put something right about the sale.
    Correction(CorrectionRecord),
    /// Somebody asked for more units than are in reserve, or that ended.
    Request(RequestRecord),
    /// The drop's stream went, came back or was away for too long.
    Stream(StreamRecord),
    /// Staff put the drop on air.
    Featured,
    /// The node ran, yet nobody was served for a while: the machine slept, or another program kept the
    /// ledger locked. The deadline of each hold taken before `until` moved by `span`, as did the time
    /// that the stream may be offline.
    Suspended {
        /// How long that was.
        span: DurationMs,
        /// Holds taken from here on had all of their time.
        until: UnixMillis,
    },
    /// The drop came back after a restart.
    Recovered(Box<RecoveredDrop>),
    /// What happened since the last tally without being written one by one.
    Tally(Box<Tally>),
    /// Staff asked for something, refused requests included.
    Command(Box<Command>),
    /// The node works; in the house's chain.
    Heartbeat(Box<Heartbeat>),
    /// Who may sell in a stream changed; in the house's chain.
    Room(Box<Room>),
    /// Money that nobody can say what it was for, or what became of it; in the house's chain.
    Unmatched(UnmatchedRecord),
    /// Something about the brake was set or ended; in the house's chain.
    Brake(BrakeRecord),
}

// Rings hold many records, so the families cost no bytes: a take fills the largest.
const _: () = assert!(size_of::<Record>() == size_of::<HoldRecord>());

impl From<PhaseRecord> for Record {
    fn from(record: PhaseRecord) -> Self {
        Self::Phase(record)
    }
}

impl From<HoldRecord> for Record {
    fn from(record: HoldRecord) -> Self {
        Self::Hold(record)
    }
}

impl From<PaymentRecord> for Record {
    fn from(record: PaymentRecord) -> Self {
        Self::Payment(Box::new(record))
    }
}

impl From<DeadlineRecord> for Record {
    fn from(record: DeadlineRecord) -> Self {
        Self::Deadline(record)
    }
}

impl From<CorrectionRecord> for Record {
    fn from(record: CorrectionRecord) -> Self {
        Self::Correction(record)
    }
}

impl From<RequestAsked> for Record {
    fn from(asked: RequestAsked) -> Self {
        Self::Request(RequestRecord::Asked(Box::new(asked)))
    }
}

impl From<RequestEnded> for Record {
    fn from(ended: RequestEnded) -> Self {
        Self::Request(RequestRecord::Ended(Box::new(ended)))
    }
}

impl From<UnmatchedPayment> for Record {
    fn from(found: UnmatchedPayment) -> Self {
        Self::Unmatched(UnmatchedRecord::Found(Box::new(found)))
    }
}

impl From<UnmatchedDone> for Record {
    fn from(done: UnmatchedDone) -> Self {
        Self::Unmatched(UnmatchedRecord::Done(Box::new(done)))
    }
}

impl From<StreamRecord> for Record {
    fn from(record: StreamRecord) -> Self {
        Self::Stream(record)
    }
}

impl From<BrakeRecord> for Record {
    fn from(record: BrakeRecord) -> Self {
        Self::Brake(record)
    }
}

/// A staff command with its outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Who asked.
    pub actor: Text,
    /// In which role.
    pub role: Text,
    /// For what, by its name on the control interface.
    pub action: Text,
    /// Fingerprint of the idempotency key.
    pub key: KeyFingerprint,
    /// Fingerprint of the whole request.
    pub request: KeyFingerprint,
    /// Why, in the actor's words; may be empty.
    pub reason: Text,
    /// What came of it.
    pub outcome: RecordedOutcome,
}

/// What came of a staff command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordedOutcome {
    /// It was carried out; the records that did so stand beside this one.
    Accepted,
    /// It was not carried out.
    Refused {
        /// The refusal's name on the control interface.
        code: Text,
        /// The sentence that went with it.
        text: Text,
    },
}

/// What a restart found, for one drop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecoveredDrop {
    /// How long the node was away; every live deadline moved by this much.
    pub outage: DurationMs,
    /// One entry for each pool, in the order of the pools.
    pub pools: Vec<RecoveredPool>,
}

/// What a restart found in one pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecoveredPool {
    /// The pool.
    pub pool: PoolIndex,
    /// The highest take number that is durable.
    pub last_take: TakeNumber,
    /// Numbers below it that never became durable, ascending.
    pub lost: Vec<TakeNumber>,
}
