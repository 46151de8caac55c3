//! Orders to a viewer's task.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    task::{Context, Poll, Waker},
};

use stampede_domain::HoldId;

/// One instruction to a viewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// Click for the planned moment.
    Click {
        /// Which of the viewer's planned clicks.
        index: u32,
        /// The planned moment, by the crowd's clock.
        planned_us: u64,
    },
    /// Repeat the click whose connection was dropped.
    Retry { planned_us: u64 },
    /// Pay for a hold.
    Pay(HoldId),
    /// Give a hold back.
    Release(HoldId),
    /// Close the connection although a hold is there.
    WalkAway,
    /// Leave once nothing is open.
    Leave,
    /// The crowd is over.
    Finish,
}

/// Instructions of one viewer; bounded by the viewer's script, because each comes from a moment of it
/// or from an answer to one.
#[derive(Debug, Default)]
pub(crate) struct Mailbox {
    acts: RefCell<VecDeque<Act>>,
    waker: RefCell<Option<Waker>>,
    over: Cell<bool>,
}

impl Mailbox {
    /// Adds an instruction and wakes the viewer.
    pub(crate) fn push(&self, act: Act) {
        if act == Act::Finish {
            self.over.set(true);
        }
        self.acts.borrow_mut().push_back(act);
        if let Some(waker) = self.waker.borrow_mut().take() {
            waker.wake();
        }
    }

    /// Whether [`Act::Finish`] was pushed.
    pub(crate) fn is_over(&self) -> bool {
        self.over.get()
    }

    /// Empties it; how many clicks were in it.
    pub(crate) fn clear(&self) -> u64 {
        let acts = std::mem::take(&mut *self.acts.borrow_mut());
        let clicks = acts.iter().filter(|act| matches!(act, Act::Click { .. })).count();
        u64::try_from(clicks).expect("a viewer's script is far shorter")
    }

    /// The next instruction.
    pub(crate) fn poll(&self, cx: &Context<'_>) -> Poll<Act> {
        if let Some(act) = self.acts.borrow_mut().pop_front() {
            return Poll::Ready(act);
        }
        let mut waker = self.waker.borrow_mut();
        if !waker.as_ref().is_some_and(|old| old.will_wake(cx.waker())) {
            *waker = Some(cx.waker().clone());
        }
        Poll::Pending
    }
}
