//! The one clock of a running server.

use std::time::{Instant, SystemTime};

use stampede_domain::UnixMillis;
use stampede_engine::Clock;

/// The wall clock at the start plus monotonic time since: it never jumps while the server runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SystemClock {
    started_at: UnixMillis,
    started: Instant,
}

impl SystemClock {
    #[allow(clippy::disallowed_methods, reason = "this is where the server's time comes from")]
    pub(crate) fn start() -> Self {
        let since_1970 = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .expect("the system's clock shows a time after 1970");
        let millis = u64::try_from(since_1970.as_millis()).expect("the year is before 500,000,000");
        Self { started_at: UnixMillis::new(millis), started: Instant::now() }
    }

    /// Milliseconds since the clock was started.
    pub(crate) fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).expect("it has run for less than an age")
    }
}

impl Clock for SystemClock {
    fn now(&self) -> UnixMillis {
        UnixMillis::new(self.started_at.get() + self.elapsed_ms())
    }
}
