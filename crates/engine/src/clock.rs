//! Server time as an argument.

use stampede_domain::UnixMillis;

/// Tells the server's time.
///
/// The binary's clock is the start's wall clock plus monotonic time; tests set theirs by hand.
/// Two readings on one thread never go backwards.
pub trait Clock: Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> UnixMillis;
}
