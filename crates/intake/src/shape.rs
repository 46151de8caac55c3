//! What a place in a value may hold.

use std::fmt;

/// Above it a number with a fraction does not say which whole number is meant: 2^53 - 1.
const INTEGER_MAX: f64 = 9_007_199_254_740_991.0;

/// What the reader of one value asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Fields by name; a list of them is refused.
    Object,
    /// A whole number between two bounds, however it is written.
    Whole {
        /// The smallest.
        min: i128,
        /// The largest.
        max: i128,
    },
    /// A list.
    List,
    /// A text, a truth or the like, as its reader takes it; no list and no object.
    Single,
    /// Anything that the reader takes.
    Other,
}

/// The whole number that a number with a fraction or an exponent stands for (`2.0`, `2e0`); `None` if it
/// stands for none, or lies beyond 2^53 - 1 on either side of zero.
pub fn whole(number: f64) -> Option<i64> {
    let is_whole = number.fract() == 0.0 && number.abs() <= INTEGER_MAX;
    #[expect(clippy::cast_possible_truncation, reason = "it is whole and below 2^53")]
    is_whole.then_some(number as i64)
}

impl Shape {
    /// Whether a whole number may stand here.
    pub(crate) fn holds(self, number: i128) -> bool {
        match self {
            Self::Whole { min, max } => (min..=max).contains(&number),
            Self::Object | Self::List | Self::Single | Self::Other => true,
        }
    }

    /// What to say that is expected, if this shape knows it better than the reader.
    pub(crate) fn expecting(self, f: &mut fmt::Formatter<'_>) -> Option<fmt::Result> {
        match self {
            Self::Object => Some(f.write_str("an object with fields by name")),
            Self::List => Some(f.write_str("a list")),
            Self::Whole { min: 0, max } if max == i128::from(u64::MAX) => {
                Some(f.write_str("a whole number from 0"))
            }
            Self::Whole { min, max } => Some(write!(f, "a whole number from {min} to {max}")),
            Self::Single | Self::Other => None,
        }
    }
}
