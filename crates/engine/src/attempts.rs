//! What whoever asks the viewers' provider has to do: attempts to pay, and money that is to go back.

use std::collections::{BTreeSet, VecDeque};

use parking_lot::Mutex;
use stampede_books::Attempt;
use stampede_domain::HoldId;

use crate::event::Wake;

/// Durable attempts that the provider has not been asked about. One for each hold at most.
#[derive(Default)]
pub(crate) struct AttemptQueue {
    waiting: Mutex<VecDeque<Attempt>>,
    /// Holds with something to be done about their money. Each stands here once, however much there is.
    matters: Mutex<BTreeSet<HoldId>>,
    wake: Mutex<Option<Wake>>,
}

impl AttemptQueue {
    pub(crate) fn add(&self, attempt: Attempt) {
        self.waiting.lock().push_back(attempt);
        self.wake();
    }

    /// Something is to be done at the provider about a hold's money; that is durable.
    pub(crate) fn add_matter(&self, hold: HoldId) {
        self.matters.lock().insert(hold);
        self.wake();
    }

    fn wake(&self) {
        if let Some(wake) = &*self.wake.lock() {
            wake();
        }
    }

    pub(crate) fn drain(&self) -> VecDeque<Attempt> {
        std::mem::take(&mut *self.waiting.lock())
    }

    pub(crate) fn drain_matters(&self) -> BTreeSet<HoldId> {
        std::mem::take(&mut *self.matters.lock())
    }

    /// Whoever asks the provider wants to be woken.
    pub(crate) fn wake_by(&self, wake: Wake) {
        *self.wake.lock() = Some(wake);
    }
}
