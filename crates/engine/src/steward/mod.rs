//! The one thread that decides every change which is not a take.
//!
//! Requests, deadlines and timers are decided by the books in one order. The steward shows them what they
//! ask for, carries out what they decide: what acts at once, the records, what waits until they are durable.

mod acts;
mod air;
mod bans;
mod brake;
mod clocks;
mod commands;
mod deadlines;
mod effects;
mod heartbeat;
mod holds;
mod memory;
mod moved;
mod payments;
mod retakes;
mod retire;
mod suspension;
mod thread;
mod timers;
mod undo;

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{
        Arc, OnceLock,
        mpsc::{self, Receiver, SyncSender, TrySendError},
    },
    thread::Thread,
};

use stampede_books::{
    Books, CommandOutcome, Decision, FactRefusal, PaymentOutcome, ReopenedDrop, StaffCommand,
    UnmatchedAsk, UnmatchedPage,
};
use stampede_domain::{
    Charges, DropId, DurationMs, HoldId, Incarnation, PaymentFact, PaymentId, RepeatedWarning,
    StreamId, TestCard, ViewerNumber,
};
use stampede_ledger::{Position, Producer, Record, UnmatchedPayment};
use stampede_settlement::PaymentRefusal;
use tokio::sync::oneshot;

use crate::{
    fresh_takes::DurableTake,
    hold_channels::Tag,
    money::{HoldMoney, OpenMatters},
    sale::SaleDrop,
    shared::EngineState,
    unavailable::Unavailable,
};
use deadlines::Deadlines;
use effects::Promise;
use moved::MovedHolds;
use undo::CalledOff;

pub(crate) use air::Shows;
pub(crate) use bans::Releases;
pub(crate) use clocks::ClockWatch;
pub(crate) use heartbeat::Pulse;
pub(crate) use payments::MattersRequest;
pub(crate) use retakes::Retakes;
pub(crate) use retire::RetireQueue;
#[cfg(feature = "stepped")]
pub(crate) use thread::Turn;
pub(crate) use thread::{Recovery, StewardStart, stock_config};

/// Has decided, records, and acts on what is durable.
pub(crate) struct Steward {
    shared: Arc<EngineState>,
    ring: Producer<Tag>,
    books: Books,
    /// Drops in memory as they were decided last.
    sales: BTreeMap<DropId, Arc<SaleDrop>>,
    /// Those of plans that are not durable yet, by revision: nobody else knows them.
    made: BTreeMap<(DropId, u32), Arc<SaleDrop>>,
    /// The decision under way; its room is used again.
    decision: Decision,
    deadlines: Deadlines,
    moved: MovedHolds,
    shows: Shows,
    /// The drop of each stream that changed last, with its record.
    airing: HashMap<StreamId, (DropId, Position)>,
    releases: Releases,
    called_off: CalledOff,
    retiring: RetireQueue,
    retakes: Retakes,
    promises: VecDeque<(Position, Promise)>,
    fresh_takes: Vec<DurableTake>,
    requests: Requests,
    incarnation: Incarnation,
    recoveries: Vec<Recovery>,
    clocks: ClockWatch,
    pulse: Pulse,
    /// How long the machine had slept when that was last looked at.
    asleep: DurationMs,
    to_record: Vec<Record>,
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
    Pay(PayRequest),
    Payment(Box<PaymentFact>, oneshot::Sender<Result<PaymentOutcome, FactRefusal>>),
    Charge(HoldId, Charges, oneshot::Sender<Option<Result<(), PaymentRefusal>>>),
    Unmatched(Box<UnmatchedPayment>, oneshot::Sender<()>),
    UnmatchedMoney(Box<UnmatchedAsk>, oneshot::Sender<UnmatchedPage>),
    Money(HoldId, oneshot::Sender<HoldMoney>),
    Reopen(Box<ReopenedDrop>, oneshot::Sender<bool>),
    HoldsOf(Box<PaymentId>, oneshot::Sender<Vec<HoldId>>),
    Matters(Box<MattersRequest>, oneshot::Sender<OpenMatters>),
    Stop,
}

/// A viewer asks to pay.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PayRequest {
    pub(crate) viewer: ViewerNumber,
    pub(crate) hold: HoldId,
    /// What shall come of it, with the sandbox.
    pub(crate) card: Option<TestCard>,
    pub(crate) core: usize,
    pub(crate) token: u64,
}

/// A fact with whoever waits for its outcome.
pub(crate) struct WaitingFact {
    pub(crate) fact: Box<PaymentFact>,
    pub(crate) reply: oneshot::Sender<Result<PaymentOutcome, FactRefusal>>,
    /// Holds that took again what the named ones had.
    pub(crate) retaken: Vec<(HoldId, HoldId)>,
}

/// A viewer gives a hold back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReleaseRequest {
    pub(crate) viewer: ViewerNumber,
    pub(crate) hold: HoldId,
    pub(crate) core: usize,
    pub(crate) token: u64,
}

/// Staff commands that may wait for the steward. When full: `busy`.
const COMMANDS_MAX: usize = 1_024;

/// Facts about payments, and questions about them, that may wait for the steward. When full: `busy`.
const PAYMENTS_MAX: usize = 8_192;

/// What the steward reads from: staff first, so that no flood of requests keeps a host from pausing; then in
/// turn what viewers ask and what is said about payments, so that neither keeps the other waiting.
pub(crate) struct Requests {
    staff: Receiver<Request>,
    others: Receiver<Request>,
    payments: Receiver<Request>,
    /// Whether a payment's turn is next.
    payments_next: bool,
}

impl Requests {
    /// The next request, if one waits.
    pub(crate) fn next(&mut self) -> Option<Request> {
        if let Ok(staffs) = self.staff.try_recv() {
            return Some(staffs);
        }
        let mut in_turn = [&self.others, &self.payments];
        if self.payments_next {
            in_turn.reverse();
        }
        self.payments_next = !self.payments_next;
        in_turn.into_iter().find_map(|queue| queue.try_recv().ok())
    }
}

/// Sends requests to the steward from any thread.
#[derive(Clone)]
pub(crate) struct StewardHandle {
    staff: SyncSender<Request>,
    others: SyncSender<Request>,
    payments: SyncSender<Request>,
    others_max: usize,
    /// Known once the thread runs; until then nothing sleeps that would need waking.
    thread: Arc<OnceLock<Thread>>,
}

impl StewardHandle {
    /// A handle with the steward's end; `others_max` requests that are no commands may wait.
    pub(crate) fn new(others_max: usize) -> (Self, Requests) {
        let (staff, staff_inbox) = mpsc::sync_channel(COMMANDS_MAX);
        let (others, others_inbox) = mpsc::sync_channel(others_max);
        let (payments, payments_inbox) = mpsc::sync_channel(PAYMENTS_MAX);
        let thread = Arc::new(OnceLock::new());
        let handle = Self { staff, others, payments, others_max, thread };
        let requests = Requests {
            staff: staff_inbox,
            others: others_inbox,
            payments: payments_inbox,
            payments_next: false,
        };
        (handle, requests)
    }

    /// Hands a request over.
    ///
    /// # Errors
    /// [`Unavailable::Busy`] if too many wait, [`Unavailable::Stopping`] once the steward is gone.
    pub(crate) fn send(&self, request: Request) -> Result<(), Unavailable> {
        let (queue, max) = match request {
            Request::Command(..) | Request::Stop => (&self.staff, COMMANDS_MAX),
            Request::Payment(..)
            | Request::Charge(..)
            | Request::Unmatched(..)
            | Request::UnmatchedMoney(..)
            | Request::Money(..)
            | Request::Reopen(..)
            | Request::HoldsOf(..)
            | Request::Matters(..) => (&self.payments, PAYMENTS_MAX),
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
