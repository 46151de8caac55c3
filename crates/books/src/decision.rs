//! A decision: acts, records, effects.

use std::sync::Arc;

use stampede_domain::{
    DropId, DropPlan, DurationMs, HoldId, Phase, PoolIndex, Rates, Units, UnixMillis, ViewerNumber,
};
use stampede_ledger::{BrakePart, Link, Record, Room};

use crate::{
    brake::{Ban, BrakeEntry},
    drop::{MissedWhy, RestockRequest},
    hold::HoldStatus,
    payment::Attempt,
    totals::Totals,
};

/// What was decided. The shell does what stands in `at_once`, then hands over the records, which become
/// durable together, then does what stands in `when_durable`.
#[derive(Debug, Default)]
pub struct Decision {
    /// What forbids, or shows to staff what no promise depends on.
    pub at_once: Vec<Act>,
    /// The records, in their order.
    pub records: Vec<NewRecord>,
    /// What permits, in its order.
    pub when_durable: Vec<Effect>,
}

impl Decision {
    /// Makes room for the next decision.
    pub fn clear(&mut self) {
        self.at_once.clear();
        self.records.clear();
        self.when_durable.clear();
    }
}

/// A record of a decision with the chain that it belongs to.
#[derive(Clone, Debug)]
pub struct NewRecord {
    /// The drop, or the house.
    pub drop: DropId,
    /// The record.
    pub record: Record,
    /// What is personal about it, which stands beside the chain.
    pub link: Option<Link>,
}

/// How a hold ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HoldEnd {
    /// It has become an order.
    Ordered,
    /// It was given back.
    Released,
    /// Its deadline has passed.
    Expired,
    /// The opening of its drop is undone.
    CalledOff,
}

/// Something that acts before its records are durable.
#[derive(Clone, Debug)]
pub enum Act {
    /// A drop is made from these terms, unseen until [`Effect::Publish`].
    Make {
        /// The drop.
        drop: DropId,
        /// Counts the edits of the plan.
        revision: u32,
        /// The terms.
        plan: Arc<DropPlan>,
        /// Changes of phase so far.
        phase_changes: u64,
        /// Whether viewers hear nothing of it for now.
        hidden: bool,
    },
    /// Takes stop, for now or for good.
    StopTakes {
        /// The drop.
        drop: DropId,
        /// Where it stands from now on.
        phase: Phase,
        /// The number of this change of phase.
        changes: u64,
    },
    /// Staff see how the drop's stream is.
    ShowStream {
        /// The drop.
        drop: DropId,
        /// When the stream was reported offline, if it is.
        offline_since: Option<UnixMillis>,
    },
    /// More units show in reserve; [`Effect::Draw`] takes them out again.
    ShowReserved {
        /// The drop.
        drop: DropId,
        /// The pool that the SKU's lots go to.
        pool: PoolIndex,
        /// How many more.
        units: Units,
    },
    /// A start has passed while nothing could open the drop.
    MissStart {
        /// The drop.
        drop: DropId,
        /// When it would have opened, by the wall clock.
        at: UnixMillis,
        /// What was in the way.
        why: MissedWhy,
    },
    /// A planned start begins.
    BeginStart {
        /// The drop.
        drop: DropId,
        /// By how many milliseconds late.
        late_ms: u64,
    },
    /// A hold ends; a later request finds it ended.
    EndHold {
        /// The hold as it stood.
        held: HoldStatus,
        /// How.
        end: HoldEnd,
    },
    /// An order shows as what became of a hold that had expired.
    MoveOrder {
        /// The hold that its viewer knows.
        old: HoldId,
        /// The hold that took the units again, which becomes the order.
        new: HoldId,
    },
    /// A hold stays for longer; viewers are shown it by [`Effect::Stretched`].
    Stretch {
        /// The hold.
        hold: HoldId,
        /// By how much.
        span: DurationMs,
    },
    /// Holds of a drop stay for longer; viewers are shown it by [`Effect::Extended`].
    Extend {
        /// The drop.
        drop: DropId,
        /// By how much.
        span: DurationMs,
        /// Those that were taken before then.
        until: UnixMillis,
    },
    /// The drop's last minute gets what was counted.
    NoteCounted {
        /// The drop.
        drop: DropId,
        /// Since the last look.
        counted: Box<Totals>,
    },
    /// The next core that counts in the drop says so.
    ExpectCounts {
        /// The drop.
        drop: DropId,
    },
    /// What a tally counts was recorded.
    NoteTally {
        /// Since the last tally.
        counted: Box<Totals>,
    },
    /// Every take is refused.
    Halt(BrakeEntry),
    /// Limits hold that let less through than before; nobody is shown them yet.
    Limit(Rates),
    /// Somebody is kept out.
    KeepOut(Arc<Ban>),
    /// Nothing of this ban keeps the viewer in memory any more.
    LetGo(Arc<Ban>),
}

/// Something that waits until the decision's records are durable.
#[derive(Clone, Debug)]
pub enum Effect {
    /// A planned or edited drop becomes visible.
    Publish {
        /// The drop.
        drop: DropId,
        /// Which of its plans: a later one may be on its way.
        revision: u32,
    },
    /// Terms that were amended hold and become visible.
    Amend {
        /// The drop.
        drop: DropId,
        /// Counts the edits and amendments of the plan.
        revision: u32,
        /// All of them.
        plan: Arc<DropPlan>,
    },
    /// A drop is shown to wind down.
    WindDown {
        /// The drop.
        drop: DropId,
        /// When it closes at the latest, by the sale's clock.
        until: UnixMillis,
    },
    /// A phase becomes visible, unless a later decision has overtaken it.
    Enter {
        /// The drop.
        drop: DropId,
        /// The number of the change of phase.
        changes: u64,
        /// Where the drop stands by it.
        phase: Phase,
        /// When a countdown ends.
        opens_at: Option<UnixMillis>,
    },
    /// Staff see other requests for more units.
    Requests {
        /// The drop.
        drop: DropId,
        /// All that are shown from now on.
        requests: Arc<[Arc<RestockRequest>]>,
    },
    /// A drop goes on air in place of the one that was.
    Air(DropId),
    /// Who may sell in a stream shows.
    Room(Room),
    /// A lot goes on sale.
    Supply {
        /// The drop.
        drop: DropId,
        /// Where the units go.
        pool: PoolIndex,
        /// How many.
        units: Units,
    },
    /// Fewer units show in reserve, once those that were drawn are on sale.
    Draw {
        /// The drop.
        drop: DropId,
        /// The pool that the SKU's lots go to.
        pool: PoolIndex,
        /// How many fewer.
        units: Units,
    },
    /// A released or expired hold gives its units back, its viewer is told.
    Give {
        /// The hold.
        hold: HoldId,
        /// Whose it was.
        viewer: ViewerNumber,
        /// Its units.
        units: Units,
        /// How it ended.
        end: HoldEnd,
    },
    /// A hold is an order, its viewer is told.
    Order {
        /// The hold.
        hold: HoldId,
        /// Whose it is.
        viewer: ViewerNumber,
        /// Its units.
        units: Units,
    },
    /// A hold's deadline has moved: its viewer is told.
    Stretched {
        /// The hold.
        hold: HoldId,
        /// Whose it is.
        viewer: ViewerNumber,
    },
    /// The deadlines of a drop's holds have moved by the earliest extension that does not show yet: their viewers
    /// are told.
    Extended {
        /// The drop.
        drop: DropId,
        /// Those that were taken before then.
        until: UnixMillis,
    },
    /// The provider is asked for a payment.
    Attempt(Attempt),
    /// A viewer's attempt to pay came to nothing.
    PaymentFailed {
        /// The hold.
        hold: HoldId,
        /// Whose it is.
        viewer: ViewerNumber,
    },
    /// Something about the brake has ended, unless it was set again since.
    Lift {
        /// Which.
        part: BrakePart,
        /// The number of the decision.
        decision: u64,
    },
    /// Limits hold as they were set, unless they were set again since.
    SetRates {
        /// The number of the decision.
        decision: u64,
    },
}
