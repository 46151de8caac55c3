//! Numeric ids as newtypes, each with its own range.

use std::fmt;

use crate::IdError;

/// A drop within one ledger, counted from 1. Shown as `d` plus the number.
///
/// Number 0 is the house: the chain that holds records which belong to no drop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DropId(u32);

impl DropId {
    /// The chain for records that belong to no drop, such as a refused plan.
    pub const HOUSE: Self = Self(0);

    /// Set in the number of a chain of adjustments.
    const ADJUSTMENTS: u32 = 1 << 31;
    /// The largest number of a drop.
    const NUMBER_MAX: u32 = Self::ADJUSTMENTS - 1;
    /// The first number of a chain of adjustments: those of a drop have numbers from here on.
    pub const ADJUSTMENTS_FROM: u32 = Self::ADJUSTMENTS;

    /// Wraps the number of a chain: 0 is [`DropId::HOUSE`], those from [`DropId::ADJUSTMENTS_FROM`] on are
    /// adjustments.
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The chain of what comes after the drop's own has ended: refunds, late payments. It begins at the hash that
    /// the drop's chain ends with.
    #[must_use]
    pub const fn adjustments(self) -> Self {
        Self(self.0 | Self::ADJUSTMENTS)
    }

    /// Whether this is a chain of adjustments.
    pub const fn is_adjustments(self) -> bool {
        self.0 & Self::ADJUSTMENTS != 0
    }

    /// The drop that a chain is about: that of adjustments, or itself.
    #[must_use]
    pub const fn sale(self) -> Self {
        Self(self.0 & Self::NUMBER_MAX)
    }

    /// The number within the ledger.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The id that follows, or `None` after the last.
    pub const fn next(self) -> Option<Self> {
        if self.0 < Self::NUMBER_MAX { Some(Self(self.0 + 1)) } else { None }
    }
}

impl fmt::Display for DropId {
    /// `d17`, and `d17 adjustments`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.is_adjustments() { " adjustments" } else { "" };
        write!(f, "d{}{what}", self.sale().0)
    }
}

impl std::str::FromStr for DropId {
    type Err = IdError;

    /// Reads `d` plus a decimal number from 1 without leading zeros.
    fn from_str(text: &str) -> Result<Self, IdError> {
        let malformed =
            || IdError::Malformed { kind: "drop id", expected: "d and a number, like d17" };
        let digits = text.strip_prefix('d').ok_or_else(malformed)?;
        if digits.starts_with(['0', '+']) {
            return Err(malformed());
        }
        let number = digits.parse().map_err(|_| malformed())?;
        if number > Self::NUMBER_MAX { Err(malformed()) } else { Ok(Self(number)) }
    }
}

/// A ban within one ledger, counted from 1. Shown as `b` plus the number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BanId(u32);

impl BanId {
    /// Wraps a ban's number.
    pub const fn new(number: u32) -> Self {
        Self(number)
    }

    /// The number within the ledger; 0 stands before the first.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The id that follows, or `None` after the last.
    pub const fn next(self) -> Option<Self> {
        match self.0.checked_add(1) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }
}

impl fmt::Display for BanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b{}", self.0)
    }
}

impl std::str::FromStr for BanId {
    type Err = IdError;

    /// Reads `b` plus a decimal number from 1 without leading zeros.
    fn from_str(text: &str) -> Result<Self, IdError> {
        let malformed =
            || IdError::Malformed { kind: "ban id", expected: "b and a number, like b17" };
        let digits = text.strip_prefix('b').ok_or_else(malformed)?;
        if digits.starts_with(['0', '+']) {
            return Err(malformed());
        }
        digits.parse().map(Self).map_err(|_| malformed())
    }
}

/// A request for more units than a drop has in reserve. Shown as `q`, the drop's number, `-` and the number of the
/// request within the drop, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId {
    /// The drop.
    pub drop: DropId,
    /// Which of the drop's requests, from 1.
    pub number: u32,
}

impl fmt::Display for RequestId {
    /// `q17-2`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "q{}-{}", self.drop.get(), self.number)
    }
}

impl std::str::FromStr for RequestId {
    type Err = IdError;

    /// Reads `q`, two decimal numbers from 1 without leading zeros, and `-` between them.
    fn from_str(text: &str) -> Result<Self, IdError> {
        let malformed =
            || IdError::Malformed { kind: "request id", expected: "q and two numbers, like q17-2" };
        let numbers = text.strip_prefix('q').and_then(|rest| rest.split_once('-'));
        let (drop, number) = numbers.ok_or_else(malformed)?;
        if number.starts_with(['0', '+']) {
            return Err(malformed());
        }
        let drop = format!("d{drop}").parse().map_err(|_| malformed())?;
        Ok(Self { drop, number: number.parse().map_err(|_| malformed())? })
    }
}

macro_rules! bounded {
    ($(#[$doc:meta])* $name:ident($int:ty), bits $bits:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name($int);

        impl $name {
            /// Bits that the number fits in.
            pub const BITS: u32 = $bits;
            /// The largest value.
            pub const MAX: Self = Self(<$int>::MAX >> (<$int>::BITS - $bits));

            /// Wraps a number, or `None` if it needs more than [`Self::BITS`] bits.
            pub const fn new(number: $int) -> Option<Self> {
                if number <= Self::MAX.0 { Some(Self(number)) } else { None }
            }

            /// The plain number.
            pub const fn get(self) -> $int {
                self.0
            }

            /// The number that follows, or `None` after [`Self::MAX`].
            pub const fn next(self) -> Option<Self> {
                match self.0.checked_add(1) {
                    Some(number) => Self::new(number),
                    None => None,
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }
    };
}

bounded! {
    /// Place of a stock-keeping unit in its drop's plan, from 0.
    SkuIndex(u8), bits 8
}
bounded! {
    /// Place of a stock word within a drop, from 0: one for each SKU and pool.
    PoolIndex(u8), bits 8
}
bounded! {
    /// Place of a hold slot within its pool, from 0.
    SlotIndex(u32), bits 24
}
bounded! {
    /// Position of a take in the total order of its pool; the first take is 1.
    TakeNumber(u64), bits 38
}
bounded! {
    /// How often a node has started on its ledger; the first start is 1.
    Incarnation(u32), bits 26
}
bounded! {
    /// Fencing token: rises with each adoption of a drop by another node.
    NodeEpoch(u64), bits 53
}
bounded! {
    /// Number of a commit within one incarnation; the first is 1.
    Seq(u64), bits 53
}
bounded! {
    /// Random number that stands for a viewer in records; its link to the platform's id is kept apart.
    ViewerNumber(u64), bits 64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drops_and_bans_are_counted_from_one_and_shown_with_their_letter() {
        assert_eq!((DropId::HOUSE.get(), BanId::default().get()), (0, 0));
        assert_eq!((DropId::new(17).get(), BanId::new(17).get()), (17, 17));
        assert_eq!(DropId::HOUSE.next(), Some(DropId::new(1)));
        assert_eq!(BanId::default().next(), Some(BanId::new(1)));
        assert_eq!(DropId::new((1 << 31) - 1).next(), None);
        assert_eq!(BanId::new(u32::MAX).next(), None);
        assert_eq!(DropId::new(17).to_string(), "d17");
        assert_eq!(BanId::new(17).to_string(), "b17");
        assert_eq!("d2147483647".parse(), Ok(DropId::new((1 << 31) - 1)));
        assert!("d2147483648".parse::<DropId>().is_err());
        assert_eq!("b17".parse(), Ok(BanId::new(17)));
    }

    #[test]
    fn a_request_is_named_by_its_drop_and_its_number() {
        let request = RequestId { drop: DropId::new(17), number: 2 };
        assert_eq!(request.to_string(), "q17-2");
        assert_eq!("q17-2".parse(), Ok(request));
        for text in [
            "q17", "17-2", "q17-0", "q0-1", "q017-1", "q17-02", "q17-+2", "q+17-2", "q17-2-3",
            "q17-",
        ] {
            assert!(text.parse::<RequestId>().is_err(), "{text}");
        }
        assert!("q2147483648-1".parse::<RequestId>().is_err());
    }

    #[test]
    fn adjustments_are_a_drops_own_chain() {
        let (drop, adjustments) = (DropId::new(17), DropId::new(17).adjustments());
        assert_eq!(adjustments.get(), DropId::ADJUSTMENTS_FROM + 17);
        assert_eq!((drop.is_adjustments(), adjustments.is_adjustments()), (false, true));
        assert_eq!((drop.sale(), adjustments.sale()), (drop, drop));
        assert_eq!(adjustments.to_string(), "d17 adjustments");
    }

    #[test]
    fn every_id_has_one_spelling() {
        for number in ["", "0", "017", "+17", "-1", "1 ", "x", "4294967296"] {
            assert!(format!("d{number}").parse::<DropId>().is_err(), "d{number}");
            assert!(format!("b{number}").parse::<BanId>().is_err(), "b{number}");
        }
        assert_eq!(
            "17".parse::<DropId>().unwrap_err().to_string(),
            "not a drop id; expected d and a number, like d17"
        );
        assert_eq!(
            "d17".parse::<BanId>().unwrap_err().to_string(),
            "not a ban id; expected b and a number, like b17"
        );
    }

    #[test]
    fn a_number_keeps_to_its_bits() {
        assert_eq!(SlotIndex::MAX.get(), (1 << 24) - 1);
        assert_eq!(SlotIndex::new(1 << 24), None);
        assert_eq!(SlotIndex::MAX.next(), None);
        assert_eq!(TakeNumber::default().next(), TakeNumber::new(1));
        assert_eq!(PoolIndex::MAX.next(), None);
        assert_eq!(Incarnation::new(7).unwrap().to_string(), "7");
    }
}
