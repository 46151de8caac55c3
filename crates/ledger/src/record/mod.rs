//! The facts of a sale, as they stand in the journal, with their bytes.

mod answer_times;
mod brake;
pub(crate) mod bytes;
pub mod codec;
mod error;
mod house;
mod ordinal;
mod tally;
mod text;

use std::sync::Arc;

use stampede_domain::{
    ChannelId, DropPlan, DurationMs, HoldId, KeyFingerprint, Money, PoolIndex, TakeNumber, Units,
    UnixMillis, ViewerNumber,
};

pub use self::{
    answer_times::AnswerTimes,
    brake::{BanScope, Banned, BrakeOrder, BrakePart, RatesSet},
    error::RecordError,
    house::{BootId, Heartbeat, Room, RoomChange, RoomOwner},
    tally::{RefusalCounts, Tally},
    text::Text,
};

/// One fact about one drop, in the order in which it became durable.
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
    /// The countdown to opening began.
    Countdown {
        /// When the drop opens.
        opens_at: UnixMillis,
    },
    /// The countdown was called off.
    CountdownCancelled,
    /// Takes began.
    Opened,
    /// Takes stopped for now.
    Paused,
    /// Takes went on.
    Resumed,
    /// Takes ended for good.
    Closed,
    /// The last hold had ended; the figures are final.
    Settled,
    /// The drop was called off before it began.
    Cancelled,
    /// Units were added to a pool.
    Lot {
        /// Where they went.
        pool: PoolIndex,
        /// How many.
        units: Units,
        /// Number of the lot within the drop, from 1.
        lot: u32,
    },
    /// A viewer took units.
    Taken {
        /// The claim that resulted; names drop, pool and take number.
        hold: HoldId,
        /// Who took.
        viewer: ViewerNumber,
        /// Fingerprint of the request's idempotency key.
        key: KeyFingerprint,
        /// How many.
        units: Units,
        /// When the stock word moved.
        taken_at: UnixMillis,
        /// When the hold ends by itself.
        deadline: UnixMillis,
        /// The channel that the viewer's ticket named: who gets the credit.
        channel: Option<ChannelId>,
    },
    /// A hold became an order.
    Confirmed {
        /// The hold, whose id is the order's id.
        hold: HoldId,
        /// The hold's viewer.
        viewer: ViewerNumber,
        /// The hold's units.
        units: Units,
        /// Price of all units.
        amount: Money,
        /// The channel of the hold's take.
        channel: Option<ChannelId>,
    },
    /// A hold was given back by its viewer.
    Released {
        /// The hold.
        hold: HoldId,
        /// The hold's units.
        units: Units,
    },
    /// A hold's deadline passed.
    Expired {
        /// The hold.
        hold: HoldId,
        /// The hold's units.
        units: Units,
    },
    /// The platform reported that the drop's stream is offline, or the drop was planned meanwhile.
    StreamOffline {
        /// When it was reported; the time that the plan allows counts from here.
        at: UnixMillis,
    },
    /// The platform reported that the drop's stream is back. A drop that is paused because of
    /// [`Record::OfflineLapsed`] goes on if its plan says so.
    StreamOnline,
    /// The stream has been offline for as long as the plan allows: an open drop pauses, a countdown
    /// is called off, in any other phase nothing happens.
    OfflineLapsed,
    /// Staff asked for something, refused requests included.
    Command(Box<Command>),
    /// The drop came back after a restart.
    Recovered(Box<Recovered>),
    /// What happened since the last tally without being written one by one.
    Tally(Box<Tally>),
    /// The node ran, yet nobody was served for a while: the machine slept, or another program kept the
    /// ledger locked. The deadline of each hold taken before `until` moved by `span`, as did the time
    /// that the stream may be offline.
    Suspended {
        /// How long that was.
        span: DurationMs,
        /// Holds taken from here on had all of their time.
        until: UnixMillis,
    },
    /// Staff put the drop on air.
    Featured,
    /// The node works; in the house's chain.
    Heartbeat(Box<Heartbeat>),
    /// Who may sell in a stream changed; in the house's chain.
    Room(Box<Room>),
    /// Every take was stopped; in the house's chain, like the three below.
    Halted(Box<BrakeOrder>),
    /// Limits were set in place of the configured ones, or of those set before.
    RatesSet(Box<RatesSet>),
    /// Somebody was kept out.
    Banned(Box<Banned>),
    /// What one of the three above had set ended.
    Lifted {
        /// Which.
        part: BrakePart,
        /// Whether its time was over, rather than that staff ended it.
        expired: bool,
    },
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
    pub outcome: Outcome,
}

/// What came of a staff command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
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
pub struct Recovered {
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
