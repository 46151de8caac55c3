//! Server time as an argument: the sale's clock beside the wall clock.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

pub(crate) use stampede_domain::Moment;
use stampede_domain::{DurationMs, UnixMillis};
use stampede_ledger::BootId;

/// Tells the server's time.
///
/// The binary's clock is the start's wall clock plus the time that has passed since; tests set theirs by
/// hand.
pub trait Clock: Send + Sync + 'static {
    /// The time by which a sale runs: order and deadlines. It never goes backwards, and goes
    /// on while the machine sleeps.
    fn now(&self) -> UnixMillis;

    /// The wall clock, read anew: what people and other machines name is compared with it. It may
    /// jump either way. A clock that nobody corrects is both.
    fn wall(&self) -> UnixMillis {
        self.now()
    }

    /// Microseconds of a clock that counts on whatever people set: only the span between two readings
    /// means anything, and nothing is decided by it.
    fn micros(&self) -> u64 {
        self.now().get().saturating_mul(1_000)
    }

    /// The machine's own clock. A clock that is set by hand belongs to one start of the machine, which
    /// never sleeps.
    fn machine(&self) -> MachineTime {
        let since_boot = DurationMs::new(self.now().get());
        MachineTime { boot: BootId::default(), since_boot, asleep: DurationMs::ZERO }
    }

    /// Both clocks at once.
    fn moment(&self) -> Moment {
        Moment { sale: self.now(), wall: self.wall() }
    }
}

/// What the machine's own clock shows, which nobody sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MachineTime {
    /// Which start of the machine it is.
    pub boot: BootId,
    /// Time since that start, sleep included.
    pub since_boot: DurationMs,
    /// How much of that time the machine slept.
    pub asleep: DurationMs,
}

/// The clock of one ledger: the system's, moved so that it goes on from what is journaled.
pub(crate) struct SaleClock {
    /// By how many milliseconds it is ahead of the system's.
    ahead_ms: AtomicI64,
    system: Arc<dyn Clock>,
}

impl SaleClock {
    /// Whatever the system's clock says, journaled time does not run backwards.
    pub(crate) fn from(last_at: UnixMillis, system: Arc<dyn Clock>) -> Self {
        let clock = Self { ahead_ms: AtomicI64::new(0), system };
        clock.set(last_at.max(clock.system.now()));
        clock
    }

    /// The clock that it follows.
    pub(crate) fn system(&self) -> &dyn Clock {
        &*self.system
    }

    /// Start only, before anybody sells by it: it shows `now`.
    pub(crate) fn set(&self, now: UnixMillis) {
        let moment = Moment { sale: now, wall: self.system.now() };
        self.ahead_ms.store(moment.ahead_ms(), Ordering::Relaxed);
    }
}

impl Clock for SaleClock {
    fn now(&self) -> UnixMillis {
        let ahead_ms = self.ahead_ms.load(Ordering::Relaxed);
        UnixMillis::new(self.system.now().get().saturating_add_signed(ahead_ms))
    }

    fn wall(&self) -> UnixMillis {
        self.system.wall()
    }

    fn micros(&self) -> u64 {
        self.system.micros()
    }

    fn machine(&self) -> MachineTime {
        self.system.machine()
    }
}
