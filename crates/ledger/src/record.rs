//! The facts of a sale, as they stand in the journal.

use std::{fmt, sync::Arc};

use stampede_domain::{
    AddressRange, BanId, ChannelId, DropId, DropPlan, DurationMs, HoldId, KeyFingerprint, Money,
    PoolIndex, Rates, StreamId, TakeNumber, Units, UnixMillis, ViewerId, ViewerNumber,
};

use crate::{Heartbeat, Room, Tally};

/// One fact about one drop, in the order in which it became durable.
///
/// The drop is the journal row's; the time is the row's too, where a record has none of its own.
/// The bytes are described in [`crate::codec`].
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

/// Who set something about the brake, why, until when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BrakeOrder {
    /// Who asked.
    pub actor: Text,
    /// Why, in the actor's words; may be empty.
    pub reason: Text,
    /// When it ends by itself.
    pub expires_at: Option<UnixMillis>,
}

/// Limits in place of the configured ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RatesSet {
    /// The limits; valid ones, at least one of them given.
    pub rates: Rates,
    /// Who, why, until when.
    pub order: BrakeOrder,
}

/// A ban, without what is personal about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Banned {
    /// The ban, counted from 1 without gaps.
    pub ban: BanId,
    /// Whom it keeps out.
    pub scope: BanScope,
    /// Whether the live holds of those kept out were released.
    pub releases_holds: bool,
    /// Who, why, until when.
    pub order: BrakeOrder,
}

/// Whom a ban keeps out, as the chain may tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BanScope {
    /// A viewer, by the number whose link stands outside the chain.
    Viewer(ViewerNumber),
    /// A range of addresses, which stands outside the chain in an [`AddressLink`].
    Addresses,
    /// A channel.
    Channel {
        /// The channel.
        channel: ChannelId,
        /// In this stream alone; `None` means every stream.
        stream: Option<StreamId>,
    },
}

/// What a [`Record::Lifted`] ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BrakePart {
    /// The halt of all takes.
    Halt,
    /// The limits set.
    Rates,
    /// A ban.
    Ban(BanId),
}

impl fmt::Display for BrakePart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Halt => f.write_str("the halt"),
            Self::Rates => f.write_str("the rates"),
            Self::Ban(ban) => write!(f, "ban {ban}"),
        }
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

/// Free text within a record: at most [`Text::BYTES_MAX`] bytes.
///
/// Longer text is cut at the last character that fits, because a record must never fail.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Text(Box<str>);

impl Text {
    /// Bytes that a text has at most.
    pub const BYTES_MAX: usize = 1024;

    /// Wraps a text, cut to [`Text::BYTES_MAX`].
    pub fn new(text: &str) -> Self {
        let cut = text.floor_char_boundary(Self::BYTES_MAX);
        Self(text[..cut].into())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What ties a viewer's number in records to the platform's id; kept outside the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViewerLink {
    /// The number in records.
    pub number: ViewerNumber,
    /// The platform's id.
    pub id: ViewerId,
}

/// What ties a ban to the addresses that it keeps out; kept outside the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressLink {
    /// The ban.
    pub ban: BanId,
    /// The addresses.
    pub range: AddressRange,
}

/// Something personal that belongs to a record and is written beside the chain, in the same commit.
#[derive(Clone, Debug)]
pub enum Link {
    /// A viewer's id.
    Viewer(Arc<ViewerLink>),
    /// A ban's addresses.
    Addresses(AddressLink),
}

/// A record on its way to the writer.
#[derive(Clone, Debug)]
pub struct Entry<T> {
    /// The drop that the record is about, or [`DropId::HOUSE`].
    pub drop: DropId,
    /// The fact.
    pub record: Record,
    /// What is personal about the record, where nothing durable tells it yet.
    pub link: Option<Link>,
    /// What the sender wants handed back after the commit.
    pub tag: T,
}
