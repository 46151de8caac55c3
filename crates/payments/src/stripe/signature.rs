//! Whether Stripe sent a body: the header `Stripe-Signature`.
//!
//! The header is `t=1492774577,v1=5257a8…,v0=6ffbb5…`: the time of signing in seconds, then signatures with
//! their schemes in front. Only the scheme `v1` counts, which is HMAC-SHA256 over `{t}.{body}` in lower-case
//! hexadecimal digits. While a secret is rolled, Stripe signs with each that is still in force, so there may be
//! several. A retry is signed anew, with a new time. All of it as in "Receive Stripe events in your webhook
//! endpoint", section "Verify webhook signatures manually" (<https://docs.stripe.com/webhooks>, checked on
//! 2026-11-30), and as in Stripe's own libraries for Python and Node.
//!
//! Stricter than these libraries in three ways. A signature from the future is refused like an old one. A header
//! with two times is refused, because the libraries disagree which one counts. Digits in capitals, signs and blanks
//! are refused, because Stripe sends none.

use std::fmt;

use aws_lc_rs::{constant_time::verify_slices_are_equal, hmac};
use data_encoding::HEXLOWER;
use stampede_domain::{DurationMs, UnixMillis};

/// The header's name.
pub const HEADER: &str = "stripe-signature";
/// Secrets that may be in force at a time.
pub const SECRETS_MAX: usize = 4;
/// Bytes of a header at most: more than Stripe needs for every secret.
pub const HEADER_BYTES_MAX: usize = 4_096;
/// How far the time of signing may be from now, as in Stripe's libraries.
pub const TOLERANCE_DEFAULT: DurationMs = DurationMs::from_secs(300);
/// The shortest such span that can be set.
pub const TOLERANCE_MIN: DurationMs = DurationMs::from_secs(1);
/// The longest such span that can be set.
pub const TOLERANCE_MAX: DurationMs = DurationMs::from_secs(3_600);

/// What every signing secret begins with.
const SECRET_PREFIX: &str = "whsec_";
const SECRET_BYTES_MAX: usize = 256;
const SIGNATURE_BYTES: usize = 32;
/// Decimal digits of a time in seconds: enough until the year 33658.
const TIME_DIGITS_MAX: usize = 12;

/// The secrets that are in force, with the tolerance.
#[derive(Debug)]
pub struct SignatureRules {
    /// 1 to [`SECRETS_MAX`].
    secrets: Vec<Secret>,
    tolerance: DurationMs,
}

struct Secret {
    name: String,
    key: hmac::Key,
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({})", self.name)
    }
}

/// A body that Stripe signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signed<'a> {
    /// When, in whole seconds.
    pub at: UnixMillis,
    /// The name of the secret; of the first one if several match.
    pub secret: &'a str,
}

/// Why a body is not taken for Stripe's. For the log: whoever sent it learns only that it was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// No header.
    #[error("the request has no header {HEADER}")]
    HeaderMissing,
    /// Not a list of `name=value`, without exactly one time in whole seconds, or too long.
    #[error("the header {HEADER} is no list of one time with signatures")]
    HeaderMalformed,
    /// No signature of the scheme `v1`.
    #[error("the header {HEADER} has no signature of the scheme v1")]
    SchemeMissing,
    /// No signature was made with a secret that is in force.
    #[error("no secret matches the signature")]
    NoSecretMatches,
    /// Signed by Stripe, too long ago: replayed, or late on its way.
    #[error("signed {age_ms} ms ago; at most {tolerance} are allowed")]
    TooOld {
        /// How long ago it was signed, in milliseconds.
        age_ms: u64,
        /// How long ago is allowed.
        tolerance: DurationMs,
    },
    /// Signed by Stripe, too far in the future: a clock is wrong.
    #[error("signed {ahead_ms} ms in the future; at most {tolerance} are allowed")]
    TooNew {
        /// How far in the future it was signed, in milliseconds.
        ahead_ms: u64,
        /// How far is allowed.
        tolerance: DurationMs,
    },
}

/// Why secrets cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureRulesError {
    /// None, or too many.
    #[error("{count} signing secrets are given; 1 to {SECRETS_MAX} are allowed")]
    SecretCount {
        /// How many.
        count: usize,
    },
    /// Two with one name.
    #[error("two signing secrets have the name {name}")]
    NameTwice {
        /// The name.
        name: String,
    },
    /// A text that Stripe does not make: another kind of key, or one with a blank or a line's end.
    #[error(
        "the signing secret {name} is no text like {SECRET_PREFIX}… in letters and digits, of at most \
         {SECRET_BYTES_MAX} bytes"
    )]
    NoSecret {
        /// Its name.
        name: String,
    },
    /// Out of bounds.
    #[error("a tolerance of {tolerance} is set; {TOLERANCE_MIN} to {TOLERANCE_MAX} are allowed")]
    Tolerance {
        /// What was set.
        tolerance: DurationMs,
    },
}

impl SignatureRules {
    /// Checks secrets, each with its name, and the tolerance.
    ///
    /// # Errors
    /// [`SignatureRulesError`]; it never holds a secret.
    pub fn new<'a>(
        secrets: impl IntoIterator<Item = (&'a str, &'a str)>,
        tolerance: DurationMs,
    ) -> Result<Self, SignatureRulesError> {
        if !(TOLERANCE_MIN..=TOLERANCE_MAX).contains(&tolerance) {
            return Err(SignatureRulesError::Tolerance { tolerance });
        }
        let mut kept: Vec<Secret> = Vec::new();
        let mut count = 0;
        for (name, secret) in secrets {
            count += 1;
            if kept.iter().any(|other| other.name == name) {
                return Err(SignatureRulesError::NameTwice { name: name.to_owned() });
            }
            if !is_secret(secret) {
                return Err(SignatureRulesError::NoSecret { name: name.to_owned() });
            }
            // The whole text is the key, what stands in front included.
            let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
            kept.push(Secret { name: name.to_owned(), key });
        }
        if !(1..=SECRETS_MAX).contains(&count) {
            return Err(SignatureRulesError::SecretCount { count });
        }
        Ok(Self { secrets: kept, tolerance })
    }

    /// Whether Stripe signed `body`, as it came from the socket, around `now` by the wall clock.
    ///
    /// Every secret is tried against every signature, whichever matches, and no comparison ends early: how long it
    /// takes says nothing about a secret.
    ///
    /// # Errors
    /// [`SignatureError`]. The time is looked at last, so that [`SignatureError::TooOld`] and
    /// [`SignatureError::TooNew`] are about what Stripe did sign.
    pub fn check(
        &self,
        header: Option<&[u8]>,
        body: &[u8],
        now: UnixMillis,
    ) -> Result<Signed<'_>, SignatureError> {
        let header = Header::read(header.ok_or(SignatureError::HeaderMissing)?)?;
        let wanted = self.secrets.iter().map(|secret| {
            let mut message = hmac::Context::with_key(&secret.key);
            message.update(header.time.as_bytes());
            message.update(b".");
            message.update(body);
            message.sign()
        });
        let matching = first_match(wanted, &header.signatures, |wanted, given| {
            verify_slices_are_equal(wanted.as_ref(), given).is_ok()
        });
        let secret = matching.and_then(|index| self.secrets.get(index));
        let secret = secret.ok_or(SignatureError::NoSecretMatches)?;
        self.check_time(header.at, now)?;
        Ok(Signed { at: header.at, secret: &secret.name })
    }

    fn check_time(&self, at: UnixMillis, now: UnixMillis) -> Result<(), SignatureError> {
        let (age, ahead) = (now.since(at), at.since(now));
        if age > self.tolerance {
            return Err(SignatureError::TooOld { age_ms: age.get(), tolerance: self.tolerance });
        }
        if ahead > self.tolerance {
            let ahead_ms = ahead.get();
            return Err(SignatureError::TooNew { ahead_ms, tolerance: self.tolerance });
        }
        Ok(())
    }
}

fn is_secret(text: &str) -> bool {
    let rest = text.strip_prefix(SECRET_PREFIX).unwrap_or_default();
    let is_plain = rest.bytes().all(|b| b.is_ascii_graphic());
    !rest.is_empty() && is_plain && text.len() <= SECRET_BYTES_MAX
}

/// The place of the first of `wanted` that one of `given` is the same as. Compares all pairs in any case.
fn first_match<W, G>(
    wanted: impl Iterator<Item = W>,
    given: &[G],
    mut is_same: impl FnMut(&W, &G) -> bool,
) -> Option<usize> {
    let mut first = None;
    for (index, wanted) in wanted.enumerate() {
        let mut is_any = false;
        for given in given {
            is_any |= is_same(&wanted, given);
        }
        if is_any {
            first = first.or(Some(index));
        }
    }
    first
}

/// What a header says.
struct Header<'a> {
    /// The time as it was written, which is what was signed.
    time: &'a str,
    at: UnixMillis,
    /// Those of the scheme `v1` that can be one at all.
    signatures: Vec<[u8; SIGNATURE_BYTES]>,
}

impl<'a> Header<'a> {
    fn read(header: &'a [u8]) -> Result<Self, SignatureError> {
        let malformed = SignatureError::HeaderMalformed;
        if header.len() > HEADER_BYTES_MAX {
            return Err(malformed);
        }
        let text = std::str::from_utf8(header).map_err(|_| malformed.clone())?;
        let (mut time, mut has_scheme, mut signatures) = (None, false, Vec::new());
        for item in text.split(',') {
            match item.split_once('=').ok_or(malformed.clone())? {
                ("t", _) if time.is_some() => return Err(malformed),
                ("t", value) => time = Some((value, read_time(value).ok_or(malformed.clone())?)),
                ("v1", value) => {
                    has_scheme = true;
                    signatures.extend(read_signature(value));
                }
                // Other schemes never count: whoever could choose one would choose the weakest.
                _ => {}
            }
        }
        let (time, at) = time.ok_or(malformed)?;
        if !has_scheme {
            return Err(SignatureError::SchemeMissing);
        }
        Ok(Self { time, at, signatures })
    }
}

fn read_time(text: &str) -> Option<UnixMillis> {
    let is_plain = text.len() <= TIME_DIGITS_MAX && text.bytes().all(|b| b.is_ascii_digit());
    let seconds: u64 = is_plain.then(|| text.parse().ok())??;
    seconds.checked_mul(1_000).map(UnixMillis::new)
}

fn read_signature(text: &str) -> Option<[u8; SIGNATURE_BYTES]> {
    HEXLOWER.decode(text.as_bytes()).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which secret matches must not show in the time, so the first match ends nothing.
    #[test]
    fn every_secret_is_compared_with_every_signature_whichever_matches() {
        let compared = |wanted: [u8; 4], given: [u8; 3]| {
            let mut compared = 0;
            let first = first_match(wanted.into_iter(), &given, |wanted, given| {
                compared += 1;
                wanted == given
            });
            (first, compared)
        };
        assert_eq!(compared([1, 2, 3, 4], [1, 8, 9]), (Some(0), 12));
        assert_eq!(compared([1, 2, 3, 4], [9, 8, 1]), (Some(0), 12));
        assert_eq!(compared([1, 2, 3, 4], [9, 4, 8]), (Some(3), 12));
        assert_eq!(compared([1, 2, 3, 4], [4, 2, 3]), (Some(1), 12));
        assert_eq!(compared([1, 2, 3, 4], [7, 8, 9]), (None, 12));
    }
}
