//! Why a row could not be measured.

use std::io;

use stampede_loadtest::{ControlError, TicketKeyError};
use stampede_swarm::PoolError;
use stampede_wire::ticket::KeyError;

#[derive(Debug, thiserror::Error)]
pub(crate) enum PeersError {
    #[error("cannot {what}: {source}")]
    System { what: &'static str, source: io::Error },
    #[error("{program} cannot be started: {source}")]
    Start { program: String, source: io::Error },
    #[error("{server} did not start: {why}")]
    NoStart { server: &'static str, why: String },
    #[error(transparent)]
    Sockets(#[from] PoolError),
    #[error(transparent)]
    Control(#[from] ControlError),
    #[error("PostgreSQL: {}", database_words(.0))]
    Postgres(#[from] tokio_postgres::Error),
    #[error("Redis answered {answer:?} to {command}")]
    Redis { command: String, answer: String },
    #[error("{ready} of {connections} connections became ready; first trouble: {trouble}")]
    NotReady { ready: usize, connections: u32, trouble: String },
    #[error("{missing} answers did not come; first trouble: {trouble}")]
    Unanswered { missing: usize, trouble: String },
    #[error("{count} troubles while it was measured; the first: {trouble}")]
    Troubles { count: usize, trouble: String },
    #[error("{lost} of {promises} promises are not in the ledger; the first: {first}")]
    PromisesLost { lost: u64, promises: u64, first: String },
    #[error(transparent)]
    TicketKey(#[from] TicketKeyError),
    #[error(transparent)]
    Key(#[from] KeyError),
    #[error("no row is called {name:?}; rows: {known}")]
    UnknownRow { name: String, known: String },
    #[error("no program was given for it; `cargo xtask peers` finds or installs them")]
    NoProgram,
    #[error("it is missing: {0}")]
    Missing(String),
}

/// For `map_err` of calls to the system.
pub(crate) fn system(what: &'static str) -> impl FnOnce(io::Error) -> PeersError {
    move |source| PeersError::System { what, source }
}

/// The library's own words are only "db error".
fn database_words(error: &tokio_postgres::Error) -> String {
    error.as_db_error().map_or_else(|| error.to_string(), ToString::to_string)
}
