//! State that the gateway's cores share with the worker.

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::attempts::Attempts;

/// The attempts, with what wakes the worker for them.
pub(crate) struct SharedAttempts {
    pub(crate) attempts: Mutex<Attempts>,
    /// Tells the worker that the first attempt of an empty list has come.
    pub(crate) started: Notify,
    pub(crate) stop: Notify,
}
