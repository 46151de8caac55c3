//! Idempotency keys with the fingerprint that the core keeps of them.

use std::{fmt, str::FromStr};

use crate::{IdError, limits::KEY_BYTES_MAX, text_id};

/// Client-made name of one request, stored by the client before sending.
///
/// 1 to 64 bytes of ASCII letters, digits, `.`, `_`, `:` or `-`. The same key with the same request
/// gives the same answer; with another request it is an error.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(Box<str>);

impl IdempotencyKey {
    /// Checks and wraps a text.
    ///
    /// # Errors
    /// [`IdError::Length`] or [`IdError::Character`].
    pub fn new(text: &str) -> Result<Self, IdError> {
        text_id::check("idempotency key", text, KEY_BYTES_MAX)?;
        Ok(Self(text.into()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The 128 bits that stand for the key in memory and in records.
    pub fn fingerprint(&self) -> KeyFingerprint {
        KeyFingerprint::of(self.0.as_bytes())
    }
}

impl FromStr for IdempotencyKey {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        Self::new(text)
    }
}

impl fmt::Display for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The first 128 bits of a BLAKE3 hash: fixed in size, and free of whatever a client put in a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyFingerprint(u128);

impl KeyFingerprint {
    /// Hashes `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        let hash = blake3::hash(bytes);
        let (head, _) =
            hash.as_bytes().split_first_chunk::<16>().expect("a BLAKE3 hash has 32 bytes");
        Self(u128::from_be_bytes(*head))
    }

    /// Wraps stored bits.
    pub const fn from_bits(bits: u128) -> Self {
        Self(bits)
    }

    /// The bits, for storing.
    pub const fn bits(self) -> u128 {
        self.0
    }
}

impl fmt::Display for KeyFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}
