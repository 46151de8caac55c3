//! A clock that stands still until a test moves it.

use std::cell::Cell;

use parking_lot::Mutex;
use stampede_domain::{DurationMs, UnixMillis};
use stampede_engine::{BootId, Clock, MachineTime};

/// All the clocks of a machine, set by hand; they agree until they are set apart.
#[derive(Debug, Default)]
pub struct HandClock(Mutex<Hands>);

#[derive(Debug, Default)]
struct Hands {
    now: u64,
    wall_ahead: i64,
    machine_ahead: i64,
    asleep: u64,
    boot: u8,
}

thread_local! {
    static READING: Cell<Option<Box<dyn FnOnce() -> UnixMillis>>> = const { Cell::new(None) };
}

/// Has `around` happen while this thread reads the clock the next time; it gives what was read.
pub fn at_next_reading(around: impl FnOnce() -> UnixMillis + 'static) {
    READING.set(Some(Box::new(around)));
}

impl HandClock {
    /// A clock that shows `millis`.
    pub fn at(millis: u64) -> Self {
        Self(Mutex::new(Hands { now: millis, ..Hands::default() }))
    }

    /// Time passes: `millis` on every clock.
    pub fn advance(&self, millis: u64) {
        self.0.lock().now += millis;
    }

    /// The clock goes back by `millis`.
    pub fn set_back(&self, millis: u64) {
        self.0.lock().now -= millis;
    }

    /// Somebody sets the wall clock, this many milliseconds away from where it is.
    pub fn set_wall(&self, by_millis: i64) {
        self.0.lock().wall_ahead += by_millis;
    }

    /// Somebody sets the system's clock while no server runs: the machine knows better.
    pub fn set_system(&self, by_millis: i64) {
        let mut hands = self.0.lock();
        hands.now = hands.now.saturating_add_signed(by_millis);
        hands.machine_ahead -= by_millis;
    }

    /// The machine sleeps for `millis` while the server runs.
    pub fn sleep(&self, millis: u64) {
        let mut hands = self.0.lock();
        hands.now += millis;
        hands.asleep += millis;
    }

    /// The machine starts anew.
    pub fn reboot(&self) {
        self.0.lock().boot += 1;
    }
}

impl Clock for HandClock {
    fn now(&self) -> UnixMillis {
        let read = || UnixMillis::new(self.0.lock().now);
        READING.take().map_or_else(read, |around| around())
    }

    fn wall(&self) -> UnixMillis {
        let hands = self.0.lock();
        UnixMillis::new(hands.now.saturating_add_signed(hands.wall_ahead))
    }

    fn machine(&self) -> MachineTime {
        let hands = self.0.lock();
        MachineTime {
            boot: BootId::from_bytes([hands.boot; 16]),
            since_boot: DurationMs::new(hands.now.saturating_add_signed(hands.machine_ahead)),
            asleep: DurationMs::new(hands.asleep),
        }
    }
}
