//! Why a request is not taken.

/// The steward cannot take the request right now, or never will again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    /// Too many requests wait.
    #[error("{waiting} requests wait already; try again in a moment")]
    Busy {
        /// The limit that was reached.
        waiting: usize,
    },
    /// The ledger failed: nothing is decided until a restart.
    #[error("the ledger failed; the engine decides nothing until it is restarted")]
    Poisoned,
    /// The engine is stopping.
    #[error("the engine is stopping")]
    Stopping,
}
