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

#[cfg(test)]
mod tests {
    use super::*;

    fn units(count: u32) -> Units {
        Units::new(count).unwrap()
    }

    #[test]
    fn a_quantity_fits_24_bits() {
        assert_eq!(Units::MAX.get(), 16_777_215);
        assert_eq!(Units::new(16_777_216), None);
        assert_eq!(Units::MAX.to_string(), "16777215");
        assert!(Units::ZERO.is_zero() && !Units::ONE.is_zero());
    }

    #[test]
    fn sums_and_rests_stay_in_range() {
        assert_eq!(units(5).checked_take(units(3)), Some(units(2)));
        assert_eq!(units(5).checked_take(units(5)), Some(Units::ZERO));
        assert_eq!(units(5).checked_take(units(6)), None);
        assert_eq!(units(5).checked_add(units(3)), Some(units(8)));
        assert_eq!(units(16_777_214).checked_add(Units::ONE), Some(Units::MAX));
        assert_eq!(Units::MAX.checked_add(Units::ONE), None);
        let sum: u64 = [Units::MAX, Units::MAX, units(3)].into_iter().sum();
        assert_eq!(sum, 33_554_433, "a sum may exceed what one quantity can");
    }
}
