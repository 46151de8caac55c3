//! The tool's clock: the only place where time comes in.

use std::time::{Instant, SystemTime};

use stampede_domain::UnixMillis;

/// Time since a start, with the wall clock at that start.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started: Instant,
    started_unix_ms: u64,
}

impl Clock {
    /// Reads both clocks once.
    #[allow(clippy::disallowed_methods, reason = "a tool outside the server measures real time")]
    pub fn start() -> Self {
        let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        let started_unix_ms = unix.map_or(0, |since| to_u64(since.as_millis()));
        Self { started: Instant::now(), started_unix_ms }
    }

    /// Microseconds since the start.
    pub fn us(&self) -> u64 {
        to_u64(self.started.elapsed().as_micros())
    }

    /// The wall clock at `us` microseconds since the start, undisturbed by its later corrections.
    pub fn unix_ms_at(&self, us: u64) -> u64 {
        self.started_unix_ms + us / 1000
    }

    /// The wall clock now.
    pub fn unix_now(&self) -> UnixMillis {
        UnixMillis::new(self.unix_ms_at(self.us()))
    }
}

fn to_u64(value: u128) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}
