//! Attempts to pay on their way to the provider.

use std::collections::VecDeque;

use parking_lot::Mutex;
use stampede_books::Attempt;

use crate::event::Wake;

/// Durable attempts that the provider has not been asked about. One for each hold at most.
#[derive(Default)]
pub(crate) struct AttemptQueue {
    waiting: Mutex<VecDeque<Attempt>>,
    wake: Mutex<Option<Wake>>,
}

impl AttemptQueue {
    pub(crate) fn add(&self, attempt: Attempt) {
        self.waiting.lock().push_back(attempt);
        if let Some(wake) = &*self.wake.lock() {
            wake();
        }
    }

    pub(crate) fn drain(&self) -> VecDeque<Attempt> {
        std::mem::take(&mut *self.waiting.lock())
    }

    /// Whoever asks the provider wants to be woken.
    pub(crate) fn wake_by(&self, wake: Wake) {
        *self.wake.lock() = Some(wake);
    }
}
