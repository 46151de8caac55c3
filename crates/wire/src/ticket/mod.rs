//! Tickets: signed tokens of the platform that say who may join which stream.
//!
//! A ticket is a JWT (RFC 7519). Its key is found by `kid`, and the algorithm belongs to the key, so
//! a token cannot choose how it is checked. Time is an argument; `docs/tickets.md` is for those who
//! mint tickets.

mod keys;
mod mint;
mod verify;

use stampede_domain::{ChannelId, Mode, StreamId, UnixMillis, ViewerId};

pub use keys::{Algorithm, KEYS_MAX, KeyError, KeySpec, SECRET_BYTES_MIN, TicketKeys};
pub use mint::TicketMinter;
pub use verify::{LEEWAY_MS_DEFAULT, LIFETIME_MS_MAX_DEFAULT, TicketVerifier};

/// The value of the claim `aud`.
pub const AUDIENCE: &str = "stampede";

/// What a valid ticket says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// The viewer: claim `sub`.
    pub viewer: ViewerId,
    /// The stream that the viewer may join.
    pub stream: StreamId,
    /// The channel that gets the credit.
    pub channel: Option<ChannelId>,
    /// Live or rehearsal.
    pub mode: Mode,
    /// From when on the ticket is no longer good: claim `exp`; a verifier adds its leeway.
    pub expires_at: UnixMillis,
}

impl Ticket {
    /// Whether `other` may take this ticket's place on an open connection.
    pub fn same_bearer(&self, other: &Self) -> bool {
        self.viewer == other.viewer
            && self.stream == other.stream
            && self.channel == other.channel
            && self.mode == other.mode
    }
}

/// Why a ticket is not good.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TicketError {
    /// Longer than a ticket may be.
    #[error("the ticket has {bytes} bytes; at most {max} are allowed")]
    TooLong {
        /// Its length.
        bytes: usize,
        /// The most that is allowed.
        max: usize,
    },
    /// Nothing at all.
    #[error("the ticket is empty; send the JWT that the platform has signed")]
    Empty,
    /// No JWT, or one with a header that is not understood.
    #[error("the ticket is no JWT that is understood here: {why}")]
    Malformed {
        /// What the decoder met.
        why: String,
    },
    /// The header names no key.
    #[error("the ticket's header has no kid")]
    NoKeyId,
    /// The header names a key that is not in the set.
    #[error("the ticket's key {kid:?} is not known here")]
    UnknownKey {
        /// The key's id.
        kid: String,
    },
    /// The header names another algorithm than the key has.
    #[error("the ticket says {found}, but its key {kid:?} is for {expected}")]
    WrongAlgorithm {
        /// The key's id.
        kid: String,
        /// The key's algorithm.
        expected: Algorithm,
        /// The header's algorithm.
        found: String,
    },
    /// The signature does not match.
    #[error("the ticket's signature does not match its key {kid:?}")]
    BadSignature {
        /// The key's id.
        kid: String,
    },
    /// The claims are not a JSON object with the claims that a ticket needs.
    #[error("the ticket's claims: {why}")]
    BadClaims {
        /// What is wrong.
        why: String,
    },
    /// The claim `aud` does not name Stampede.
    #[error("the ticket's aud does not include \"stampede\"")]
    WrongAudience,
    /// The claim `exp` lies in the past.
    #[error("the ticket expired {late_ms} ms ago")]
    Expired {
        /// How long ago.
        late_ms: u64,
    },
    /// The claim `nbf` lies in the future.
    #[error("the ticket becomes good in {early_ms} ms")]
    NotYetValid {
        /// How far ahead.
        early_ms: u64,
    },
    /// The claim `exp` is so large that it must be milliseconds.
    #[error("the ticket's exp {exp} looks like milliseconds; it must be whole seconds since 1970")]
    ExpInMilliseconds {
        /// What the claim says.
        exp: u64,
    },
    /// The claim `exp` lies too far in the future.
    #[error("the ticket is good for {lifetime_ms} ms; at most {max_ms} are allowed")]
    TooLongLived {
        /// How long it would be good.
        lifetime_ms: u64,
        /// The most that is allowed.
        max_ms: u64,
    },
}
