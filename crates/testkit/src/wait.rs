//! Waiting for what other threads do.

use std::{thread, time::Duration};

/// How long a wait lasts at most: a test that hangs says so.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Polls until `done` gives something.
///
/// # Panics
/// It has given nothing for [`PATIENCE`]; the message names `what`.
#[track_caller]
pub fn wait_for<T>(what: &str, mut done: impl FnMut() -> Option<T>) -> T {
    for _ in 0..PATIENCE.as_millis() {
        if let Some(found) = done() {
            return found;
        }
        thread::park_timeout(Duration::from_millis(1));
    }
    panic!("waited {PATIENCE:?} for {what}");
}
