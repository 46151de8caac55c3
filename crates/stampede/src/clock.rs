//! The clocks of a running server.

use std::time::SystemTime;

use rustix::time::{ClockId, clock_gettime};
use stampede_domain::UnixMillis;
use stampede_engine::Clock;

/// The wall clock at the start plus the time that the machine was awake since: it never jumps while the
/// server runs, and a machine that sleeps takes no time from a hold. Beside it the wall clock, read anew each time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SystemClock {
    started_at: UnixMillis,
    /// Milliseconds between the machine's start and the clock's.
    started_ms: u64,
}

impl SystemClock {
    pub(crate) fn start() -> Self {
        Self { started_at: wall(), started_ms: awake_ms() }
    }

    /// Milliseconds since the clock was started.
    pub(crate) fn elapsed_ms(&self) -> u64 {
        awake_ms().saturating_sub(self.started_ms)
    }
}

impl Clock for SystemClock {
    fn now(&self) -> UnixMillis {
        UnixMillis::new(self.started_at.get() + self.elapsed_ms())
    }

    fn wall(&self) -> UnixMillis {
        wall()
    }

    fn micros(&self) -> u64 {
        awake_us()
    }
}

#[allow(clippy::disallowed_methods, reason = "this is where the server's wall clock comes from")]
fn wall() -> UnixMillis {
    let since_1970 = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .expect("the system's clock shows a time after 1970");
    let millis = u64::try_from(since_1970.as_millis()).expect("the year is before 500,000,000");
    UnixMillis::new(millis)
}

/// Milliseconds since the machine's start, without those in which it slept.
fn awake_ms() -> u64 {
    awake_us() / 1_000
}

/// The same in microseconds.
fn awake_us() -> u64 {
    let time = clock_gettime(ClockId::Monotonic);
    let (seconds, nanos) = (u64::try_from(time.tv_sec), u64::try_from(time.tv_nsec));
    let (seconds, nanos) = (seconds.unwrap_or_default(), nanos.unwrap_or_default());
    seconds * 1_000_000 + nanos / 1_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sale_clock_starts_at_the_wall_clock_and_goes_on() {
        let clock = SystemClock::start();
        let (first, second) = (clock.now(), clock.now());
        assert!(first <= second);
        assert!(clock.moment().ahead_ms().abs() < 1_000);
    }
}
