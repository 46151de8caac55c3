//! Whole numbers that every JSON reader keeps exact.

use serde::{Deserialize, Serialize};

/// The largest integer that every JSON reader keeps exact: 2^53 - 1.
pub(crate) const INTEGER_MAX: u64 = (1 << 53) - 1;

/// A place in a list or in an order: a whole number that every JSON reader keeps exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u64")]
pub(crate) struct Place(u64);

impl Place {
    pub(crate) const fn get(self) -> u64 {
        self.0
    }

    /// How many things stand before it.
    pub(crate) fn count(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

/// A number that some JSON readers would round.
#[derive(Debug, thiserror::Error)]
#[error("the number is {0}; at most {INTEGER_MAX} is allowed")]
pub(crate) struct PlaceError(u64);

impl TryFrom<u64> for Place {
    type Error = PlaceError;

    fn try_from(number: u64) -> Result<Self, PlaceError> {
        if number <= INTEGER_MAX { Ok(Self(number)) } else { Err(PlaceError(number)) }
    }
}
