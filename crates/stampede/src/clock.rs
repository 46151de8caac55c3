//! The clocks of a running server.

use std::{fs, time::SystemTime};

use rustix::time::{ClockId, clock_gettime};
use stampede_domain::{DurationMs, UnixMillis};
use stampede_engine::{BootId, Clock, MachineTime};

/// Where the system names its present start: a random id, new at each boot.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";
/// How often the machine's two clocks are read to learn how long it slept.
const READS: usize = 3;

/// The wall clock at the start plus the time that has passed since, the machine's sleep included: nobody
/// sets it while the server runs. Beside it the wall clock, read anew each time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SystemClock {
    started_at: UnixMillis,
    /// Milliseconds between the machine's start and the clock's.
    started_ms: u64,
    boot: BootId,
}

impl SystemClock {
    pub(crate) fn start() -> Self {
        Self { started_at: wall(), started_ms: since_boot_ms(), boot: boot_id() }
    }

    /// Milliseconds since the clock was started.
    pub(crate) fn elapsed_ms(&self) -> u64 {
        since_boot_ms().saturating_sub(self.started_ms)
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

    fn machine(&self) -> MachineTime {
        let (mut since_boot_us, mut asleep_us) = (0, u64::MAX);
        // Whatever held this thread up between the two readings looks like sleep.
        for _ in 0..READS {
            let before_us = awake_us();
            since_boot_us = micros(ClockId::Boottime);
            asleep_us = asleep_us.min(since_boot_us.saturating_sub(before_us));
        }
        let [since_boot, asleep] =
            [since_boot_us, asleep_us].map(|micros| DurationMs::new(micros / 1_000));
        MachineTime { boot: self.boot, since_boot, asleep }
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

/// The id of the machine's present start. Without one each start of the server counts as another, so
/// that what passes in between is told by the wall clock.
fn boot_id() -> BootId {
    let text = fs::read_to_string(BOOT_ID).unwrap_or_default();
    let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
    let id = u128::from_str_radix(&digits, 16).unwrap_or_else(|_| rand::random());
    BootId::from_bytes(id.to_be_bytes())
}

/// Milliseconds since the machine's start, those in which it slept among them.
fn since_boot_ms() -> u64 {
    micros(ClockId::Boottime) / 1_000
}

/// Microseconds since the machine's start, without those in which it slept.
fn awake_us() -> u64 {
    micros(ClockId::Monotonic)
}

fn micros(clock: ClockId) -> u64 {
    let time = clock_gettime(clock);
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

    #[test]
    fn the_machine_is_known_by_its_start() {
        let (one, other) = (SystemClock::start().machine(), SystemClock::start().machine());
        assert_eq!(one.boot, other.boot);
        assert!(one.boot != BootId::default() && one.since_boot <= other.since_boot);
        assert!(one.asleep.get().abs_diff(other.asleep.get()) <= 1, "{one:?} {other:?}");
    }
}
