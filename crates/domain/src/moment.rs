//! One moment on two clocks: the sale's, which order and deadlines go by, beside the wall clock, which
//! everything goes by that people and other machines name.

use crate::UnixMillis;

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
    #[must_use]
    pub fn with_ahead_ms(self, ahead_ms: i64) -> Self {
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

    #[test]
    fn clocks_that_are_ages_apart_differ_by_the_most_that_can_be_said() {
        let ahead = |sale, wall| {
            Moment { sale: UnixMillis::new(sale), wall: UnixMillis::new(wall) }.ahead_ms()
        };
        assert_eq!((ahead(u64::MAX, 0), ahead(0, u64::MAX)), (i64::MAX, i64::MIN));
    }

    #[test]
    fn a_wall_clock_is_set_by_how_far_the_sale_is_ahead() {
        let moment = Moment { sale: UnixMillis::new(5_000), wall: UnixMillis::new(1) };
        for (ahead, wall) in [(0, 5_000), (4_000, 1_000), (-4_000, 9_000), (6_000, 0)] {
            let moved = moment.with_ahead_ms(ahead);
            assert_eq!((moved.sale.get(), moved.wall.get()), (5_000, wall), "{ahead} ahead");
        }
    }
}
