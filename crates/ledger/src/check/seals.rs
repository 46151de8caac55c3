//! The table of seals against the chains that were read.

use super::error::OpenError;
use crate::Seal;

/// Compares the table with the seals that the chains give; returns those that are still to be written.
pub(crate) fn compare(stored: Vec<Seal>, computed: Vec<Seal>) -> Result<Vec<Seal>, OpenError> {
    let mut missing = Vec::new();
    let mut stored = stored.into_iter().peekable();
    for seal in computed {
        if let Some(other) = stored.next_if(|other| other.drop < seal.drop) {
            return Err(OpenError::Seal { drop: other.drop, field: "drop" });
        }
        match stored.next_if(|other| other.drop == seal.drop) {
            None => missing.push(seal),
            Some(other) => match seal.difference(&other) {
                None => {}
                Some(field) => return Err(OpenError::Seal { drop: seal.drop, field }),
            },
        }
    }
    match stored.next() {
        None => Ok(missing),
        Some(other) => Err(OpenError::Seal { drop: other.drop, field: "drop" }),
    }
}
