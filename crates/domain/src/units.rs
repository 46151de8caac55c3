//! Quantities of sellable pieces.

use std::{fmt, iter::Sum};

/// A number of sellable pieces, at most [`Units::MAX`] (2^24 - 1, the width of the stock word's field).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Units(u32);

impl Units {
    /// Bits that a quantity takes in the stock word.
    pub const BITS: u32 = 24;
    /// None.
    pub const ZERO: Self = Self(0);
    /// A single piece.
    pub const ONE: Self = Self(1);
    /// 16,777,215 pieces.
    pub const MAX: Self = Self((1 << Self::BITS) - 1);

    /// Wraps a count, or `None` above [`Units::MAX`].
    pub const fn new(count: u32) -> Option<Self> {
        if count <= Self::MAX.0 { Some(Self(count)) } else { None }
    }

    /// The count.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// Whether there are none.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// What is left after taking `units`, or `None` if there are too few.
    pub const fn checked_take(self, units: Self) -> Option<Self> {
        match self.0.checked_sub(units.0) {
            Some(rest) => Some(Self(rest)),
            None => None,
        }
    }

    /// The sum, or `None` above [`Units::MAX`].
    pub const fn checked_add(self, units: Self) -> Option<Self> {
        match self.0.checked_add(units.0) {
            Some(sum) => Self::new(sum),
            None => None,
        }
    }
}

impl fmt::Display for Units {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl Sum<Units> for u64 {
    fn sum<I: Iterator<Item = Units>>(iter: I) -> u64 {
        iter.map(|units| u64::from(units.0)).sum()
    }
}
