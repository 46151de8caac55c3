//! The one thread that decides every change which is not a take.
//!
//! Requests, deadlines and timers are decided in one order; each decision pushes its records, and
//! what it promises happens once they are durable. What forbids (pause, close) acts first.

mod air;
mod book;
mod brake;
mod clocks;
mod commands;
mod deadlines;
mod effects;
mod heartbeat;
mod holds;
mod keys;
mod memory;
mod moved;
mod phases;
mod retire;
mod rooms;
mod streams;
mod suspension;
mod thread;
mod timers;
mod times;
mod video;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc, OnceLock,
        mpsc::{self, Receiver, SyncSender, TrySendError},
    },
    thread::Thread,
};

use stampede_domain::{
    DropId, DurationMs, HoldId, Incarnation, Money, RepeatedWarning, ViewerNumber,
};
use stampede_ledger::{Position, Producer, Record};
use tokio::sync::oneshot;

use crate::{
    command::{CommandOutcome, StaffCommand, Unavailable},
    fresh_takes::DurableTake,
    hold_channels::Tag,
    on_air::OnAir,
    rooms::Rooms,
    shared::Shared,
};
use deadlines::Deadlines;
use effects::Effect;
use memory::MemoryNeeds;
use moved::Moved;
use timers::Timers;

pub(crate) use book::{Book, Counting};
pub(crate) use brake::BrakeBook;
pub(crate) use clocks::ClockWatch;
pub(crate) use heartbeat::Pulse;
pub(crate) use keys::CommandKeys;
pub(crate) use retire::Retiring;
pub(crate) use thread::{Recovery, Started, stock_config};

/// Decides, records, and acts on what is durable.
pub(crate) struct Steward {
    shared: Arc<Shared>,
    ring: Producer<Tag>,
    books: BTreeMap<DropId, Book>,
    keys: CommandKeys,
    brake: BrakeBook,
    deadlines: Deadlines,
    moved: Moved,
    timers: Timers,
    retiring: Retiring,
    waiting: VecDeque<(Position, Effect)>,
    fresh_takes: Vec<DurableTake>,
    next_drop: DropId,
    requests: Requests,
    incarnation: Incarnation,
    recoveries: Vec<Recovery>,
    clocks: ClockWatch,
    pulse: Pulse,
    /// How long the machine had slept when that was last looked at.
    asleep: DurationMs,
    on_air: OnAir,
    rooms: Rooms,
    to_record: Vec<Record>,
    memory: MemoryNeeds,
    /// Starts that began late, one for each drop that somebody plans.
    late_starts: RepeatedWarning,
    missed_starts: RepeatedWarning,
    pushed: Position,
    stopping: bool,
}

/// Something that the steward is asked to decide.
pub(crate) enum Request {
    Command(Box<StaffCommand>, oneshot::Sender<CommandOutcome>),
    Release(ReleaseRequest),
    Confirm(HoldId, oneshot::Sender<ConfirmOutcome>),
    Fail(HoldId, oneshot::Sender<FailOutcome>),
    Stop,
}

/// A viewer gives a hold back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReleaseRequest {
    pub(crate) viewer: ViewerNumber,
    pub(crate) hold: HoldId,
    pub(crate) core: usize,
    pub(crate) token: u64,
}

/// What became of a confirm; durable when it arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum ConfirmOutcome {
    /// The hold is an order now.
    Ordered {
        /// What the order costs.
        amount: Money,
    },
    /// The hold was an order already.
    AlreadyOrdered,
    /// The deadline had passed.
    Expired {
        /// By how many milliseconds.
        late_ms: u64,
    },
    /// The hold had ended before.
    Ended,
    /// No such hold.
    Unknown,
    /// Its drop has left memory: what became of the hold is final, the ledger tells it.
    DropOver,
}

/// What became of a hold whose payment failed for good; durable when it arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum FailOutcome {
    /// The hold has ended now.
    Ended,
    /// The hold had ended before, or there is none.
    AlreadyEnded,
    /// The hold is an order.
    AlreadyOrdered,
    /// Its drop has left memory: what became of the hold is final, the ledger tells it.
    DropOver,
}

/// Staff commands that may wait for the steward. When full: `busy`.
const COMMANDS_MAX: usize = 1_024;

/// What the steward reads from: staff first, so that no flood of viewers' requests keeps a host
/// from pausing.
pub(crate) struct Requests {
    staff: Receiver<Request>,
    others: Receiver<Request>,
}

impl Requests {
    /// The next request, if one waits.
    pub(crate) fn next(&self) -> Option<Request> {
        self.staff.try_recv().or_else(|_| self.others.try_recv()).ok()
    }
}

/// Sends requests to the steward from any thread.
#[derive(Clone)]
pub(crate) struct StewardHandle {
    staff: SyncSender<Request>,
    others: SyncSender<Request>,
    others_max: usize,
    /// Known once the thread runs; until then nothing sleeps that would need waking.
    thread: Arc<OnceLock<Thread>>,
}

impl StewardHandle {
    /// A handle with the steward's end; `others_max` requests that are no commands may wait.
    pub(crate) fn new(others_max: usize) -> (Self, Requests) {
        let (staff, staff_inbox) = mpsc::sync_channel(COMMANDS_MAX);
        let (others, others_inbox) = mpsc::sync_channel(others_max);
        let handle = Self { staff, others, others_max, thread: Arc::new(OnceLock::new()) };
        (handle, Requests { staff: staff_inbox, others: others_inbox })
    }

    /// Hands a request over.
    ///
    /// # Errors
    /// [`Unavailable::Busy`] if too many wait, [`Unavailable::Stopping`] once the steward is gone.
    pub(crate) fn send(&self, request: Request) -> Result<(), Unavailable> {
        let (queue, max) = match request {
            Request::Command(..) | Request::Stop => (&self.staff, COMMANDS_MAX),
            _ => (&self.others, self.others_max),
        };
        queue.try_send(request).map_err(|refused| match refused {
            TrySendError::Full(_) => Unavailable::Busy { waiting: max },
            TrySendError::Disconnected(_) => Unavailable::Stopping,
        })?;
        self.wake();
        Ok(())
    }

    /// Makes the steward look around; cheap while it is awake.
    pub(crate) fn wake(&self) {
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }

    pub(crate) fn set_thread(&self, thread: Thread) {
        self.thread.set(thread).expect("the steward is started once");
    }
}
