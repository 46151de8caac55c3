//! Records that cannot follow those before them.

use stampede_domain::PoolIndex;

/// A record that cannot follow those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Contradiction {
    /// The drop was never planned.
    #[error("nothing planned the drop")]
    NoPlan,
    /// The drop has no such pool.
    #[error("the drop has no pool {pool}")]
    UnknownPool {
        /// The pool.
        pool: PoolIndex,
    },
}
