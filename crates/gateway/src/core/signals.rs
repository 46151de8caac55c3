//! How other threads wake the gateway's cores.

use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use rustix::event::{EventfdFlags, eventfd};
use stampede_engine::Wake;

/// One signal for each core; made before the engine, which rings, and before the gateway, which
/// listens.
#[derive(Clone, Debug)]
pub struct CoreSignals {
    signals: Vec<Arc<Signal>>,
}

impl CoreSignals {
    /// Signals for `cores` cores.
    ///
    /// # Errors
    /// The system's, if it has no descriptor to give.
    pub fn new(cores: usize) -> io::Result<Self> {
        let signals = (0..cores).map(|_| Signal::new().map(Arc::new)).collect::<io::Result<_>>()?;
        Ok(Self { signals })
    }

    /// What the engine calls: rings that come before the core has looked count as one.
    pub fn wakes(&self) -> Vec<Wake> {
        let wake = |signal: &Arc<Signal>| -> Wake {
            let signal = Arc::clone(signal);
            Arc::new(move || signal.ring())
        };
        self.signals.iter().map(wake).collect()
    }

    pub(crate) fn into_inner(self) -> Vec<Arc<Signal>> {
        self.signals
    }
}

/// A bell that a core hears while it waits for its sockets.
#[derive(Debug)]
pub(crate) struct Signal {
    event: OwnedFd,
    rung: AtomicBool,
}

impl Signal {
    fn new() -> io::Result<Self> {
        let event = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Self { event, rung: AtomicBool::new(false) })
    }

    /// Makes the core look around; a system call only if it has taken the ring before.
    pub(crate) fn ring(&self) {
        // ORDERING: Release publishes what the ring is about, Acquire orders it behind the core's
        // latest take; both pair with the swap in `take_ring`.
        if !self.rung.swap(true, Ordering::AcqRel) {
            // It fails only if 2^64 - 2 rings wait, and then the core is awake anyway.
            let _written = rustix::io::write(&self.event, &1_u64.to_ne_bytes());
        }
    }

    /// Takes what was rung since the last call; whether there was anything. What is published before a
    /// ring is seen after it was taken.
    pub(crate) fn take_ring(&self) -> bool {
        self.rung.swap(false, Ordering::AcqRel)
    }

    /// Makes the descriptor unreadable until the next ring; comes before [`Signal::take_ring`].
    pub(crate) fn hush(&self) {
        // Nothing to read means that it is unreadable already.
        let _read = rustix::io::read(&self.event, &mut [0; 8]);
    }
}

impl AsFd for Signal {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.event.as_fd()
    }
}
