//! Checking tickets.

use std::fmt;

use jsonwebtoken::{Validation, errors::ErrorKind};
use serde::{
    Deserialize, Deserializer,
    de::{self, SeqAccess, Visitor},
};
use stampede_domain::{ChannelId, DurationMs, Mode, StreamId, UnixMillis, ViewerId};
use stampede_intake::Exact;

use super::{AUDIENCE, Algorithm, Ticket, TicketError, TicketKeys};
use crate::{limits::TICKET_BYTES_MAX, text};

/// How far the issuer's clock may be off, if the configuration does not say.
pub const LEEWAY_MS_DEFAULT: u64 = 5_000;
/// How long a ticket may be good, if the configuration does not say: one day.
pub const LIFETIME_MS_MAX_DEFAULT: u64 = 24 * 3_600_000;

/// A larger `exp` lies in the year 5138 if it is seconds; milliseconds reached it in 1973.
const EXP_S_MAX: u64 = 100_000_000_000;

/// Checks tickets against a set of keys.
#[derive(Clone, Debug)]
pub struct TicketVerifier {
    keys: TicketKeys,
    leeway: DurationMs,
    lifetime_max: DurationMs,
}

#[derive(Deserialize)]
struct Claims {
    aud: MeantForUs,
    #[serde(with = "text")]
    sub: ViewerId,
    #[serde(with = "text")]
    stream: StreamId,
    #[serde(with = "text::optional", default)]
    channel: Option<ChannelId>,
    #[serde(with = "text::mode")]
    mode: Mode,
    exp: u64,
    nbf: Option<u64>,
}

/// Whether the claim `aud`, one audience or several (RFC 7519, section 4.1.3), names Stampede.
struct MeantForUs(bool);

impl<'de> Deserialize<'de> for MeantForUs {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Audiences;
        impl<'de> Visitor<'de> for Audiences {
            type Value = bool;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a list of texts")
            }

            fn visit_str<E: de::Error>(self, one: &str) -> Result<bool, E> {
                Ok(one == AUDIENCE)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<bool, A::Error> {
                let mut found = false;
                while let Some(one) = list.next_element::<String>()? {
                    found |= one == AUDIENCE;
                }
                Ok(found)
            }
        }
        from.deserialize_any(Audiences).map(Self)
    }
}

impl TicketVerifier {
    /// A verifier with the default leeway and lifetime.
    pub const fn new(keys: TicketKeys) -> Self {
        Self {
            keys,
            leeway: DurationMs::new(LEEWAY_MS_DEFAULT),
            lifetime_max: DurationMs::new(LIFETIME_MS_MAX_DEFAULT),
        }
    }

    /// The same with another leeway and longest lifetime.
    #[must_use]
    pub fn with_limits(self, leeway: DurationMs, lifetime_max: DurationMs) -> Self {
        Self { leeway, lifetime_max, ..self }
    }

    /// Checks a ticket at the time `now`. The result's expiry includes the leeway.
    ///
    /// # Errors
    /// [`TicketError`] says why it is not good. The signature is checked before any claim is read.
    pub fn verify(&self, ticket: &str, now: UnixMillis) -> Result<Ticket, TicketError> {
        let (bytes, max) = (ticket.len(), TICKET_BYTES_MAX);
        if bytes == 0 {
            return Err(TicketError::Empty);
        }
        if bytes > max {
            return Err(TicketError::TooLong { bytes, max });
        }
        let claims = self.signed_claims(ticket)?;
        if !claims.aud.0 {
            return Err(TicketError::WrongAudience);
        }
        let expires_at = self.check_times(&claims, now)?;
        let Claims { sub: viewer, stream, channel, mode, .. } = claims;
        Ok(Ticket { viewer, stream, channel, mode, expires_at })
    }

    /// The claims as they were signed.
    fn signed_claims(&self, ticket: &str) -> Result<Claims, TicketError> {
        let header = jsonwebtoken::decode_header(ticket).map_err(|error| malformed(&error))?;
        if header.crit.is_some() {
            return Err(TicketError::Malformed { why: "its header has crit".to_owned() });
        }
        let kid = header.kid.ok_or(TicketError::NoKeyId)?;
        let Some((algorithm, key)) = self.keys.find(&kid) else {
            return Err(TicketError::UnknownKey { kid: text::head(&kid, 64).to_owned() });
        };
        if header.alg != algorithm.jwt() {
            let found = format!("{:?}", header.alg);
            return Err(TicketError::WrongAlgorithm { kid, expected: *algorithm, found });
        }
        jsonwebtoken::decode::<Exact<Claims>>(ticket, key, &signature_only(*algorithm))
            .map(|data| data.claims.0)
            .map_err(|error| match error.kind() {
                ErrorKind::InvalidSignature => TicketError::BadSignature { kid },
                ErrorKind::Json(error) => bad_claims(error),
                _ => malformed(&error),
            })
    }

    fn check_times(&self, claims: &Claims, now: UnixMillis) -> Result<UnixMillis, TicketError> {
        if claims.exp > EXP_S_MAX {
            return Err(TicketError::ExpInMilliseconds { exp: claims.exp });
        }
        let at = |seconds: u64| UnixMillis::new(seconds.saturating_mul(1000));
        let expires_at = at(claims.exp).plus(self.leeway);
        if expires_at <= now {
            return Err(TicketError::Expired { late_ms: now.since(at(claims.exp)).get() });
        }
        let lifetime = expires_at.since(now);
        let max = self.lifetime_max.get().saturating_add(self.leeway.get());
        if lifetime.get() > max {
            return Err(TicketError::TooLongLived {
                lifetime_ms: lifetime.get(),
                max_ms: self.lifetime_max.get(),
            });
        }
        match claims.nbf.map(at) {
            Some(from) if from > now.plus(self.leeway) => {
                Err(TicketError::NotYetValid { early_ms: from.since(now).get() })
            }
            _ => Ok(expires_at),
        }
    }
}

/// Leaves times and audience to this module: the library would read the system's clock.
fn signature_only(algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm.jwt());
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.validate_aud = false;
    validation
}

fn malformed(error: &jsonwebtoken::errors::Error) -> TicketError {
    TicketError::Malformed { why: text::head(&error.to_string(), 200).to_owned() }
}

fn bad_claims(error: &serde_json::Error) -> TicketError {
    TicketError::BadClaims { why: text::head(&error.to_string(), 200).to_owned() }
}
