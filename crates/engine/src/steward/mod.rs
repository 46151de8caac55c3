//! The one thread that decides every change which is not a take.
//!
//! Requests, deadlines and timers are decided in one order; each decision pushes its records, and
//! what it promises happens once they are durable. What forbids (pause, close) acts first.

mod book;
mod commands;
mod deadlines;
mod effects;
mod holds;
mod keys;
mod thread;

use std::{
    sync::{
        Arc, OnceLock,
        mpsc::{SyncSender, TrySendError},
    },
    thread::Thread,
};

use stampede_domain::{HoldId, Money, ViewerNumber};
use tokio::sync::oneshot;

use crate::command::{CommandOutcome, StaffCommand, Unavailable};

pub(crate) use book::Book;
pub(crate) use keys::CommandKeys;
pub(crate) use thread::{Recovery, Started, Steward, stock_config};

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
}

/// Sends requests to the steward from any thread.
#[derive(Clone)]
pub(crate) struct StewardHandle {
    requests: SyncSender<Request>,
    requests_max: usize,
    /// Known once the thread runs; until then nothing sleeps that would need waking.
    thread: Arc<OnceLock<Thread>>,
}

impl StewardHandle {
    pub(crate) fn new(requests: SyncSender<Request>, requests_max: usize) -> Self {
        Self { requests, requests_max, thread: Arc::new(OnceLock::new()) }
    }

    /// Hands a request over.
    ///
    /// # Errors
    /// [`Unavailable::Busy`] if too many wait, [`Unavailable::Stopping`] once the steward is gone.
    pub(crate) fn send(&self, request: Request) -> Result<(), Unavailable> {
        self.requests.try_send(request).map_err(|refused| match refused {
            TrySendError::Full(_) => Unavailable::Busy { waiting: self.requests_max },
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
