//! Server time as an argument: the sale's clock beside the wall clock.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

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

/// One moment on both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The sale's clock.
    pub sale: UnixMillis,
    /// The wall clock.
    pub wall: UnixMillis,
}

impl Moment {
    /// When the sale's clock will show what the wall clock calls `at`, unless the wall clock is moved
    /// until then.
    pub fn on_sale(self, at: UnixMillis) -> UnixMillis {
        moved(at, self.wall, self.sale)
    }

    /// What the wall clock shows when the sale's clock shows `at`, unless the wall clock is moved
    /// in between.
    pub fn on_wall(self, at: UnixMillis) -> UnixMillis {
        moved(at, self.sale, self.wall)
    }

    /// By how much the sale's clock is ahead of the wall clock, in milliseconds; negative if behind.
    pub fn ahead_ms(self) -> i64 {
        let ahead = i128::from(self.sale.get()) - i128::from(self.wall.get());
        i64::try_from(ahead).unwrap_or(if ahead > 0 { i64::MAX } else { i64::MIN })
    }

    /// The same moment of the sale with a wall clock that differs by so much.
    pub(crate) fn with_ahead_ms(self, ahead_ms: i64) -> Self {
        let wall = UnixMillis::new(self.sale.get().saturating_sub_signed(ahead_ms));
        Self { wall, ..self }
    }
}

/// A point in time that is as far from `to` as `at` is from `from`.
fn moved(at: UnixMillis, from: UnixMillis, to: UnixMillis) -> UnixMillis {
    if at >= from {
        return to.plus(at.since(from));
    }
    UnixMillis::new(to.get().saturating_sub(from.since(at).get()))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_leads_from_either_clock_to_the_other() {
        let at = UnixMillis::new;
        for (sale, wall, ahead) in
            [(5_000, 5_000, 0), (9_000, 5_000, 4_000), (5_000, 9_000, -4_000)]
        {
            let moment = Moment { sale: at(sale), wall: at(wall) };
            assert_eq!(moment.ahead_ms(), ahead);
            for distance in [0, 1, 700] {
                assert_eq!(moment.on_sale(at(wall + distance)), at(sale + distance));
                assert_eq!(moment.on_sale(at(wall - distance)), at(sale - distance));
                assert_eq!(moment.on_wall(at(sale + distance)), at(wall + distance));
                assert_eq!(moment.on_wall(at(sale - distance)), at(wall - distance));
            }
        }
    }
}
