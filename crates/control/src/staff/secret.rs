//! The secret text of a staff token.

use std::fmt;

/// What every token starts with, so that a leaked one is recognized for what it is.
const PREFIX: &str = "stf_";

/// A staff token in clear; it exists only while it is shown, or while it is compared.
#[derive(Clone, PartialEq, Eq)]
pub struct StaffSecret(String);

impl StaffSecret {
    /// Draws 256 bits.
    pub(crate) fn random() -> Self {
        let (high, low) = (rand::random::<u128>(), rand::random::<u128>());
        Self(format!("{PREFIX}{high:032x}{low:032x}"))
    }

    /// The text to send as `Authorization: Bearer`.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for StaffSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StaffSecret(hidden)")
    }
}

/// What is stored of a token. A secret of 256 random bits needs no slow hash: nobody can guess it.
pub(crate) fn hash(secret: &str) -> blake3::Hash {
    blake3::hash(secret.as_bytes())
}
