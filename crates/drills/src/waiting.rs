//! How long a drill waits for something, how often it looks.

use std::time::Duration;

use stampede_loadtest::{ControlClient, DropState};

use crate::error::DrillError;

/// Longest time for anything that the drill waits for.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);
/// How often a condition is looked at.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Looks at a drop until `done`.
pub(crate) async fn until(
    control: &ControlClient,
    drop: &str,
    what: &'static str,
    done: impl Fn(&DropState) -> bool,
) -> Result<DropState, DrillError> {
    let looked = tokio::time::timeout(PATIENCE, async {
        loop {
            let state = control.state(drop).await?;
            if done(&state) {
                return Ok(state);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    });
    looked.await.unwrap_or_else(|_| Err(out_of_patience(what)))
}

pub(crate) fn out_of_patience(what: &'static str) -> DrillError {
    DrillError::Patience { what, seconds: PATIENCE.as_secs() }
}

pub(crate) fn patience_us() -> u64 {
    PATIENCE.as_secs() * 1_000_000
}
