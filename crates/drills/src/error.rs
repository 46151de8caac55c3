//! Why a drill breaks off.

use std::{io, path::PathBuf};

use stampede_loadtest::{ControlError, CrowdError, PromiseLogError, TicketKeyError};
use stampede_swarm::PoolError;

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
    LastBuyers(#[from] stampede_client::ClientError),
}
