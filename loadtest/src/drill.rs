//! What drills share: why they break off, how long they wait.

use std::{io, path::PathBuf, time::Duration};

use stampede_swarm::{PoolError, raise_descriptor_limit};

use crate::{ControlClient, ControlError, CrowdError, DropState, PromiseLogError, TicketKeyError};

/// Longest time for anything that the drill waits for.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);
/// Descriptors of each process beside those of its connections.
const DESCRIPTORS_BESIDE: u64 = 200;
/// A share of a core from which on a process is its own limit.
pub(crate) const FULL: f64 = 0.95;
/// How often a condition is looked at.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Why a drill broke off.
#[derive(Debug, thiserror::Error)]
pub enum DrillError {
    /// The system refused something.
    #[error("cannot {what}: {source}")]
    System {
        /// What was tried.
        what: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// The server ended or kept silent instead of starting.
    #[error("the server did not start: {why}; its log is {}", log.display())]
    NoStart {
        /// What happened.
        why: String,
        /// The server's log.
        log: PathBuf,
    },
    /// The file of ticket keys is not as expected.
    #[error(transparent)]
    TicketKey(#[from] TicketKeyError),
    /// Something did not come about.
    #[error("{what} did not happen within {seconds} s")]
    Patience {
        /// What was waited for.
        what: &'static str,
        /// For how long.
        seconds: u64,
    },
    /// Somebody was not let in, or was thrown out.
    #[error("{joined} viewers are in, the next one is not: {why}")]
    Refused {
        /// Viewers that are in.
        joined: usize,
        /// What they were told.
        why: String,
    },
    /// More connections than this process may have.
    #[error(
        "{connections} connections need {needed} descriptors, the limit is {limit}: raise it \
         (`ulimit -Hn`) or ask for fewer with --connections"
    )]
    Descriptors {
        /// Connections asked for.
        connections: u32,
        /// Descriptors that they need.
        needed: u64,
        /// Descriptors that there may be.
        limit: u64,
    },
    /// The generator cannot go on.
    #[error(transparent)]
    Sockets(#[from] PoolError),
    /// An id is none.
    #[error(transparent)]
    Id(#[from] stampede_domain::IdError),
    /// The server's key cannot sign.
    #[error(transparent)]
    Key(#[from] stampede_wire::ticket::KeyError),
    /// A call of the control API failed.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// The crowd failed.
    #[error(transparent)]
    Crowd(#[from] CrowdError),
    /// The promise log cannot be read.
    #[error(transparent)]
    PromiseLog(#[from] PromiseLogError),
    /// A buyer of the last units lost its connection.
    #[error("the last units cannot be bought")]
    MopUp(#[from] stampede_client::ClientError),
}

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

/// Whether this process may have as many descriptors as the crowd needs; so may the server then,
/// which has the same limit.
pub(crate) fn check_descriptors(connections: u32) -> Result<(), DrillError> {
    let (needed, limit) = (u64::from(connections) + DESCRIPTORS_BESIDE, raise_descriptor_limit());
    if needed > limit {
        return Err(DrillError::Descriptors { connections, needed, limit });
    }
    Ok(())
}

/// How often in a second.
pub(crate) fn per_s(count: u64, us: u64) -> u64 {
    let per_s = u128::from(count) * 1_000_000 / u128::from(us.max(1));
    u64::try_from(per_s).unwrap_or(u64::MAX)
}

/// A share of a count.
#[expect(clippy::cast_precision_loss, reason = "a share needs no more than three digits")]
pub(crate) fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole.max(1) as f64
}

/// Three digits behind the point.
pub(crate) fn rounded(share: f64) -> f64 {
    (share * 1_000.0).round() / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crowd_beyond_the_limit_of_descriptors_is_refused_with_what_to_do() {
        let refused = check_descriptors(u32::MAX).unwrap_err().to_string();
        assert!(refused.starts_with("4294967295 connections need 4294967495 descriptors"));
        assert!(refused.contains("--connections"), "{refused}");
        assert!(check_descriptors(10).is_ok());
    }
}
