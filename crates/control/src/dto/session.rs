//! Sessions of browsers, as JSON.

use serde::{Deserialize, Serialize};
use stampede_domain::UnixMillis;
use utoipa::ToSchema;

use crate::{
    auth::SignedIn,
    problem::{Code, Problem},
    staff::{NewStaff, Session},
};

/// How a browser signs in: by one of the two.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SignIn)]
pub(crate) struct SignInBody {
    /// A staff token.
    #[serde(default)]
    #[schema(example = "stf_...")]
    token: Option<String>,
    /// The last part of an invitation's link, which is used up by it.
    #[serde(default)]
    #[schema(example = json!(null))]
    invitation: Option<String>,
}

/// What lets a browser in.
pub(crate) enum SignIn {
    Token(String),
    Invitation(String),
}

impl SignIn {
    /// The secret that was sent.
    pub(crate) fn secret(&self) -> &str {
        match self {
            Self::Token(secret) | Self::Invitation(secret) => secret,
        }
    }
}

impl SignInBody {
    /// What was sent.
    pub(crate) fn sent(&self) -> Result<SignIn, Problem> {
        let trimmed = |text: &str| text.trim().to_owned();
        match (self.token.as_deref(), self.invitation.as_deref()) {
            (Some(token), None) => Ok(SignIn::Token(trimmed(token))),
            (None, Some(invitation)) => Ok(SignIn::Invitation(trimmed(invitation))),
            _ => Err(Problem::new(
                Code::FieldsConflict,
                "token: send a staff token, or the secret of an invitation as `invitation`",
            )),
        }
    }
}

/// Whom a token or a session lets in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Member {
    /// The name that stands in every record of a command.
    #[schema(example = "nina")]
    name: String,
    /// The person's role.
    #[schema(example = "host")]
    role: &'static str,
    /// The merchant that the member is bound to; left out for every merchant.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "maison-nord")]
    merchant: Option<String>,
    /// The streams that the member is bound to; left out for every stream.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false, example = json!(["friday-show"]))]
    streams: Vec<String>,
}

impl From<&NewStaff> for Member {
    fn from(staff: &NewStaff) -> Self {
        Self {
            name: staff.name.clone(),
            role: staff.role.name(),
            merchant: staff.merchant.as_ref().map(ToString::to_string),
            streams: staff.streams.streams().iter().map(ToString::to_string).collect(),
        }
    }
}

/// The session of the browser that asks.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Session)]
pub(crate) struct SessionState {
    /// Names the session for signing out.
    #[schema(example = "s1a2b3c4d5e6f7081")]
    session: String,
    #[serde(flatten)]
    member: Member,
    /// The value that commands of this session's pages send in the header `X-CSRF-Token`.
    csrf: String,
    /// Time until it runs out unless another request comes, in milliseconds.
    idle_expires_in_ms: u64,
    /// Time until it runs out in any case, in milliseconds.
    expires_in_ms: u64,
}

impl SessionState {
    pub(crate) fn new(signed_in: &SignedIn, now: UnixMillis) -> Self {
        let SignedIn { session, csrf } = signed_in;
        Self {
            session: session.id.clone(),
            member: Member::from(&session.staff),
            csrf: csrf.clone(),
            idle_expires_in_ms: session.idles_at.since(now).get(),
            expires_in_ms: session.ends_at.since(now).get(),
        }
    }
}

/// Browsers that are signed in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionList {
    /// Those of the caller's name, for an admin all; oldest first.
    pub(crate) sessions: Vec<SessionLine>,
}

/// A browser that is signed in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionLine {
    /// Names the session for signing out.
    #[schema(example = "s1a2b3c4d5e6f7081")]
    session: String,
    #[serde(flatten)]
    member: Member,
    /// Whether it is the one that asks.
    current: bool,
    /// When the browser signed in, in milliseconds since 1970-01-01 UTC.
    started_at_ms: u64,
    /// When it last sent a request, in milliseconds since 1970-01-01 UTC.
    used_at_ms: u64,
    /// Time until it runs out unless another request comes, in milliseconds.
    idle_expires_in_ms: u64,
    /// Time until it runs out in any case, in milliseconds.
    expires_in_ms: u64,
}

impl SessionLine {
    pub(crate) fn new(session: &Session, current: Option<&str>, now: UnixMillis) -> Self {
        Self {
            session: session.id.clone(),
            member: Member::from(&session.staff),
            current: current == Some(session.id.as_str()),
            started_at_ms: session.started_at.get(),
            used_at_ms: session.used_at.get(),
            idle_expires_in_ms: session.idles_at.since(now).get(),
            expires_in_ms: session.ends_at.since(now).get(),
        }
    }
}

/// How long the session of a follower lasts: told two minutes before its end, again when that changes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionEnding {
    /// Time left until it runs out unless another request comes, in milliseconds. Events are no requests.
    idle_expires_in_ms: u64,
    /// Time left until it runs out in any case, in milliseconds.
    expires_in_ms: u64,
}

impl SessionEnding {
    pub(crate) fn new(session: &Session, now: UnixMillis) -> Self {
        Self {
            idle_expires_in_ms: session.idles_at.since(now).get(),
            expires_in_ms: session.ends_at.since(now).get(),
        }
    }
}
