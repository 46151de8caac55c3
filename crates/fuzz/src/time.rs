//! Time in a fuzzed sale: a clock that a step moves, a wait for what other threads do.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use stampede_domain::UnixMillis;
use stampede_engine::Clock;

/// A clock that stands until it is moved.
pub(crate) struct ManualClock(pub(crate) AtomicU64);

impl Clock for ManualClock {
    fn now(&self) -> UnixMillis {
        UnixMillis::new(self.0.load(Ordering::SeqCst))
    }
}

/// Polls until `done`; a run that hangs says so.
pub(crate) fn wait(done: impl FnMut() -> bool) {
    assert!(poll(done), "nothing comes to rest");
}

/// Polls until `done`, which may never be.
pub(crate) fn poll(mut done: impl FnMut() -> bool) -> bool {
    for _ in 0..200_000 {
        if done() {
            return true;
        }
        std::thread::park_timeout(Duration::from_micros(50));
    }
    false
}
