//! Whether the server is stopping.

use std::sync::Arc;

use tokio::sync::watch;

/// Whether the server is stopping: viewers are sent away, probes are told, followers are let go at once.
#[derive(Clone, Debug)]
pub struct DrainSignal(Arc<watch::Sender<bool>>);

impl Default for DrainSignal {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(false)))
    }
}

impl DrainSignal {
    /// From now on the server is stopping.
    pub fn begin(&self) {
        self.0.send_replace(true);
    }

    /// Whether it is.
    pub fn has_begun(&self) -> bool {
        *self.0.borrow()
    }

    /// Turns to `true` once it is.
    pub(crate) fn watch(&self) -> watch::Receiver<bool> {
        self.0.subscribe()
    }
}
