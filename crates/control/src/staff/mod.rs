//! Who may give commands: staff tokens with their roles, sessions of browsers, invitations. Who may read a report without
//! any of them: shares.

mod book;
mod error;
mod file;
mod invitation;
mod invitations;
mod ranks;
mod secret;
mod session;
mod session_rows;
mod sessions;
mod share;
mod share_keys;
mod share_rows;
mod shares;
mod token_rows;
mod tokens;

use stampede_domain::{MerchantId, UnixMillis, check_shown, composed, is_same_text};
use stampede_engine::{Role, StreamScope};

pub use error::StaffError;
pub use invitation::{
    INVITATION_VALID_MAX, INVITATION_VALID_MIN, INVITATIONS_MAX, INVITATIONS_PER_NAME_MAX,
    Invitation, Inviter, NewInvitation,
};
pub(crate) use secret::hash;
pub use secret::{StaffSecret, join_path, shared_path, shown_path};
pub use session::{
    Grant, NewSession, SESSION_KEPT, SESSIONS_MAX, SESSIONS_PER_NAME_MAX, Session, SessionLimits,
};
pub use sessions::Sessions;
pub use share::{
    MadeShare, NewShare, Opened, SHARE_LABEL_BYTES_MAX, SHARE_VALID_DEFAULT, SHARE_VALID_MAX,
    SHARE_VALID_MIN, SHARES_MAX, SHARES_PER_HOLDER_MAX, Share, ShareSubject,
};
pub use shares::Shares;
pub use tokens::{IssuedToken, StaffTokens};

/// Bytes of a staff member's name.
pub const STAFF_NAME_BYTES_MAX: usize = 64;
/// Tokens that one data directory may have.
pub const STAFF_TOKENS_MAX: usize = 1_000;

/// Streams that one token may be bound to.
pub const STAFF_STREAMS_MAX: usize = 64;

/// What a new token is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewStaff {
    /// The actor's name, as it is recorded with each command.
    pub name: String,
    /// What the token is trusted with.
    pub role: Role,
    /// The merchant that the token is bound to; `None` sees every merchant's drops.
    pub merchant: Option<MerchantId>,
    /// The streams that it is bound to; it sees and commands no others' drops.
    pub streams: StreamScope,
}

impl NewStaff {
    /// The same with its name in composed form, if anybody can be let in like this.
    fn checked(self) -> Result<Self, StaffError> {
        let checked = Self { name: composed(&self.name).into_owned(), ..self };
        checked.check()?;
        Ok(checked)
    }

    /// Whether this is somebody else by the same name, in whichever form it is kept: old files have names that are not
    /// composed.
    fn is_other_by_name(&self, other: &Self) -> bool {
        let Self { name, role, merchant, streams } = self;
        is_same_text(name, &other.name)
            && (role, merchant, streams) != (&other.role, &other.merchant, &other.streams)
    }

    /// Whether this is an admin for every merchant and every stream.
    pub(crate) fn is_free_admin(&self) -> bool {
        self.role == Role::Admin && self.merchant.is_none() && self.streams.is_all()
    }

    fn check(&self) -> Result<(), StaffError> {
        let Self { name, role, merchant, streams } = self;
        check_shown(name, STAFF_NAME_BYTES_MAX).map_err(StaffError::Name)?;
        if streams.streams().len() > STAFF_STREAMS_MAX {
            return Err(StaffError::Streams { max: STAFF_STREAMS_MAX });
        }
        match (role, merchant) {
            (Role::Merchant, None) => Err(StaffError::MerchantMissing),
            (Role::Stage, _) if streams.is_all() => Err(StaffError::StreamsMissing),
            (Role::Payments, _) if !streams.is_all() => Err(StaffError::BoundToStreams),
            (Role::Platform | Role::Creator, Some(_)) => Err(StaffError::Bound { role: *role }),
            _ => Ok(()),
        }
    }
}

/// A token as it may be shown: everything but the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaffToken {
    /// Names the token for revoking.
    pub id: String,
    /// Whose it is.
    pub staff: NewStaff,
    /// When it was made.
    pub created_at: UnixMillis,
}
