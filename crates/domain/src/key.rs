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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_keeps_its_text_within_the_bounds_of_one() {
        let key: IdempotencyKey = "a.B_9:-".parse().unwrap();
        assert_eq!((key.as_str(), key.to_string().as_str()), ("a.B_9:-", "a.B_9:-"));
        assert!(IdempotencyKey::new(&"k".repeat(64)).is_ok());
        assert!(IdempotencyKey::new(&"k".repeat(65)).is_err());
        assert_eq!(
            "".parse::<IdempotencyKey>().unwrap_err().to_string(),
            "idempotency key has 0 bytes; 1 to 64 are allowed"
        );
    }

    /// Records hold fingerprints: another function would make strangers of every key in a ledger.
    #[test]
    fn a_fingerprint_is_the_head_of_a_blake3_hash() {
        let fingerprint = IdempotencyKey::new("abc").unwrap().fingerprint();
        assert_eq!(fingerprint.to_string(), "6437b3ac38465133ffb63b75273a8db5");
        assert_eq!(fingerprint, KeyFingerprint::of(b"abc"));
        assert_eq!(fingerprint.bits(), 0x6437_b3ac_3846_5133_ffb6_3b75_273a_8db5);
        assert_eq!(KeyFingerprint::from_bits(fingerprint.bits()), fingerprint);
        let small = KeyFingerprint::from_bits(10);
        assert_eq!(small.to_string(), "0000000000000000000000000000000a");
    }
}
