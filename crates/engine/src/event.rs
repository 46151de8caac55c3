//! Events from the engine to the gateway's cores.

use std::sync::Arc;

use parking_lot::Mutex;
use stampede_books::brake::Ban;
use stampede_domain::{DropId, HoldId, Refusal, Units, ViewerNumber};

/// Something that a core has to act on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CoreEvent {
    /// A release was refused; a release that succeeds is told by [`ViewerEvent::Released`].
    ReleaseRefused {
        /// The core's own name for the request.
        token: u64,
        /// The hold.
        hold: HoldId,
        /// Why.
        refusal: Refusal,
    },
    /// A payment was refused; what becomes of one that begins is told by [`ViewerEvent`].
    PayRefused {
        /// The core's own name for the request.
        token: u64,
        /// The hold.
        hold: HoldId,
        /// Why.
        refusal: Refusal,
    },
    /// Something happened to a viewer who is connected to this core; durable.
    Viewer {
        /// Whose hold it is.
        viewer: ViewerNumber,
        /// What happened.
        event: ViewerEvent,
    },
    /// A drop's phase or plan changed: read it again.
    DropChanged(DropId),
    /// The connection must be closed: its viewer opened too many.
    Evict {
        /// The core's own name for the connection.
        token: u64,
    },
    /// A ban came into force: connections that it keeps out must be closed.
    Banned(Arc<Ban>),
    /// A take that some core waits for may be durable now: look again.
    Recheck,
    /// The ledger failed: no further promise will leave.
    Poisoned,
}

/// What happened to a viewer's hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ViewerEvent {
    /// Another connection of the viewer got a hold, or the hold's deadline has moved.
    Held(HoldId),
    /// A release, or a payment that failed for good, gave the units back.
    Released {
        /// The hold.
        hold: HoldId,
        /// What it had taken.
        units: Units,
    },
    /// The opening of the hold's drop was undone: the units are back, and nothing was charged.
    CalledOff {
        /// The hold.
        hold: HoldId,
        /// What it had taken.
        units: Units,
    },
    /// The deadline passed.
    Expired {
        /// The hold.
        hold: HoldId,
        /// What it had taken.
        units: Units,
    },
    /// The hold became an order.
    Ordered(HoldId),
    /// A payment attempt failed; a hold that has not ended by now lives on until its deadline.
    PaymentFailed(HoldId),
}

impl ViewerEvent {
    /// The hold that it is about.
    pub const fn hold(self) -> HoldId {
        match self {
            Self::Held(hold)
            | Self::Released { hold, .. }
            | Self::CalledOff { hold, .. }
            | Self::Expired { hold, .. }
            | Self::Ordered(hold)
            | Self::PaymentFailed(hold) => hold,
        }
    }
}

/// Wakes a thread; must be cheap and never block.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// Events on their way to one core.
///
/// Bounded by what causes them rather than by a count: each hold ends once, each connection is
/// evicted once, each request is answered once; `DropChanged` and `Recheck` are kept once.
pub(crate) struct Inbox {
    events: Mutex<Vec<CoreEvent>>,
    wake: Wake,
}

impl Inbox {
    pub(crate) fn new(wake: Wake) -> Self {
        Self { events: Mutex::new(Vec::new()), wake }
    }

    pub(crate) fn send(&self, event: CoreEvent) {
        {
            let mut events = self.events.lock();
            let conflates = matches!(
                event,
                CoreEvent::DropChanged(_) | CoreEvent::Recheck | CoreEvent::Poisoned
            );
            // Only the newest events are searched: a conflating event further back costs a second
            // look at a drop, while a full search would cost every sender.
            if conflates && events.iter().rev().take(8).any(|queued| *queued == event) {
                return;
            }
            events.push(event);
        }
        (self.wake)();
    }

    pub(crate) fn drain(&self, out: &mut Vec<CoreEvent>) {
        out.append(&mut self.events.lock());
    }
}
