//! The demo that a server belongs to: what it tells, the one thing that can be asked of it.

use std::{fmt, io};

use parking_lot::Mutex;

use crate::dto::DemoState;

/// Asks the program that runs the demo to kill this process.
pub type AskKill = Box<dyn Fn() -> io::Result<()> + Send + Sync>;

/// Stands between the interface and the program that runs the demo.
pub struct Demo {
    state: Mutex<DemoState>,
    ask_kill: AskKill,
}

impl Demo {
    /// A demo of which nothing was told yet.
    pub fn new(ask_kill: AskKill) -> Self {
        Self { state: Mutex::default(), ask_kill }
    }

    /// What it tells replaces what it told before.
    pub fn tell(&self, state: DemoState) {
        *self.state.lock() = state;
    }

    pub(crate) fn state(&self) -> DemoState {
        self.state.lock().clone()
    }

    pub(crate) fn kill(&self) -> io::Result<()> {
        (self.ask_kill)()
    }
}

impl fmt::Debug for Demo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Demo").field("state", &self.state()).finish_non_exhaustive()
    }
}
