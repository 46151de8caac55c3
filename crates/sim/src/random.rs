//! Chance, all of it from the seed.

use std::cell::Cell;

use rand::{Rng as _, SeedableRng as _, rngs::StdRng};

thread_local! {
    static NUMBERS: Cell<u64> = const { Cell::new(0) };
}

/// The next number of a viewer: what the engine would draw at random.
pub(crate) fn next_number() -> u64 {
    NUMBERS.set(NUMBERS.get() + 1);
    NUMBERS.get()
}

/// What one seed draws.
pub(crate) struct Chance(StdRng);

impl Chance {
    /// Begins anew, numbers of viewers as well.
    pub(crate) fn of(seed: u64) -> Self {
        NUMBERS.set(0);
        Self(StdRng::seed_from_u64(seed))
    }

    /// A number of `from..=to`.
    pub(crate) fn within(&mut self, from: u64, to: u64) -> u64 {
        self.0.random_range(from..=to)
    }

    /// A place in a list of this length, which is not empty.
    pub(crate) fn place(&mut self, len: usize) -> usize {
        self.0.random_range(0..len)
    }

    /// Whether something of this chance in a hundred happens.
    pub(crate) fn percent(&mut self, chance: u64) -> bool {
        self.within(1, 100) <= chance
    }

    /// One of a list.
    pub(crate) fn pick<T: Copy>(&mut self, list: &[T]) -> T {
        list[self.place(list.len())]
    }
}
