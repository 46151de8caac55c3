//! Signing tickets: for trying, for tests, for the crowd of a load test.

use jsonwebtoken::{EncodingKey, Header};
use serde::Serialize;
use stampede_domain::{Mode, UnixMillis};

use super::{AUDIENCE, KeyError, KeySpec, Ticket};
use crate::text;

/// Signs tickets with one key.
#[derive(Clone, Debug)]
pub struct TicketMinter {
    header: Header,
    key: EncodingKey,
}

#[derive(Serialize)]
struct Claims<'a> {
    aud: &'static str,
    sub: &'a str,
    stream: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<&'a str>,
    #[serde(with = "text::mode")]
    mode: Mode,
    iat: u64,
    exp: u64,
}

impl TicketMinter {
    /// Takes a key that can sign.
    ///
    /// # Errors
    /// [`KeyError`] if the key is faulty or public only.
    pub fn new(spec: &KeySpec) -> Result<Self, KeyError> {
        let (algorithm, key) = spec.encoding()?;
        let header = Header { kid: Some(spec.kid.clone()), ..Header::new(algorithm.jwt()) };
        let minter = Self { header, key };
        // Key material of the right length can still be no key, so a signature is tried once here.
        minter.sign(&()).map_err(|_| KeyError::CannotSign { kid: spec.kid.clone() })?;
        Ok(minter)
    }

    /// Signs `ticket`, issued at `now`; its expiry is cut to whole seconds.
    pub fn mint(&self, ticket: &Ticket, now: UnixMillis) -> String {
        let claims = Claims {
            aud: AUDIENCE,
            sub: ticket.viewer.as_str(),
            stream: ticket.stream.as_str(),
            channel: ticket.channel.as_ref().map(stampede_domain::ChannelId::as_str),
            mode: ticket.mode,
            iat: now.get() / 1000,
            exp: ticket.expires_at.get() / 1000,
        };
        self.sign(&claims).expect("the key has signed before")
    }

    fn sign<T: Serialize>(&self, claims: &T) -> jsonwebtoken::errors::Result<String> {
        jsonwebtoken::encode(&self.header, claims, &self.key)
    }
}
