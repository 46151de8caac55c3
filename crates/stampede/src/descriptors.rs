//! The process's limit of open descriptors: one for each connection.

use std::fs;

use rustix::process::{Resource, getrlimit, setrlimit};

/// Raises the soft limit to the hard one; returns what is allowed now.
pub(crate) fn raise() -> u64 {
    let mut limit = getrlimit(Resource::Nofile);
    let hard = limit.maximum.unwrap_or(u64::MAX);
    if limit.current.is_some_and(|soft| soft < hard) {
        limit.current = limit.maximum;
        if let Err(error) = setrlimit(Resource::Nofile, limit) {
            tracing::warn!(%error, hard, "cannot raise the soft limit of open descriptors");
            return getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        }
    }
    hard
}

/// How many the process has open now; `None` where the system does not tell.
pub(crate) fn open() -> Option<usize> {
    fs::read_dir("/proc/self/fd").ok().map(Iterator::count)
}
