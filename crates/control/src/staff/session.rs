//! A session: one browser that is signed in.

use stampede_domain::{DurationMs, IdempotencyKey, UnixMillis};

use super::{NewStaff, StaffSecret};

/// Sessions of one name. When full: the one that was not used for the longest time ends.
pub const SESSIONS_PER_NAME_MAX: usize = 16;
/// Sessions of one data directory. When full: nobody else signs in until some have ended.
pub const SESSIONS_MAX: usize = 2_000;
/// How long a session that has run out is remembered, so that its browser can go on with its keys.
pub const SESSION_KEPT: DurationMs = DurationMs::from_secs(3_600);

/// Limits of sessions, each with its policy when reached.
#[derive(Clone, Copy, Debug)]
pub struct SessionLimits {
    /// Time without a request after which a session has run out.
    pub idle: DurationMs,
    /// Time after which it has run out in any case.
    pub life: DurationMs,
    /// [`SESSIONS_PER_NAME_MAX`].
    pub per_name_max: usize,
    /// [`SESSIONS_MAX`].
    pub max: usize,
}

impl Default for SessionLimits {
    fn default() -> Self {
        Self {
            idle: DurationMs::from_secs(8 * 3_600),
            life: DurationMs::from_secs(24 * 3_600),
            per_name_max: SESSIONS_PER_NAME_MAX,
            max: SESSIONS_MAX,
        }
    }
}

/// What a session rests on: it ends with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grant {
    /// The staff token with this id.
    Token(String),
    /// The invitation with this id.
    Invitation(String),
    /// The server's own machine; no session rests on it, invitations do.
    Machine,
}

/// A session that is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Names the session for signing out.
    pub id: String,
    /// Who has signed in.
    pub staff: NewStaff,
    /// What it rests on.
    pub grant: Grant,
    /// When the browser signed in.
    pub started_at: UnixMillis,
    /// When it last sent a request.
    pub used_at: UnixMillis,
    /// When it runs out unless another request comes.
    pub idles_at: UnixMillis,
    /// When it runs out in any case.
    pub ends_at: UnixMillis,
    /// Tells its keys from those of the name's other sessions.
    pub(super) keys: String,
}

impl Session {
    /// The key by which a command of this session is known to the engine: two sessions of one name
    /// never share one, whatever their browsers make up.
    pub(crate) fn key(&self, given: &IdempotencyKey) -> IdempotencyKey {
        let own = format!("session {} key {given}", self.keys);
        let own = blake3::hash(own.as_bytes()).to_hex();
        IdempotencyKey::new(&own).expect("64 hexadecimal digits are a key")
    }
}

/// A session that was just made: the only moment at which its secret is known.
#[derive(Clone, Debug)]
pub struct NewSession {
    /// What the cookie holds.
    pub secret: StaffSecret,
    /// The session.
    pub session: Session,
}
