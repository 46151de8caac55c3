//! One invitation: a link that lets somebody in once.

use stampede_domain::{DurationMs, UnixMillis};

use super::{Grant, NewStaff, StaffSecret};

/// Invitations that are open or in use. When full: nobody is invited until some are withdrawn or over.
pub const INVITATIONS_MAX: usize = 1_000;
/// Of these, those of one inviter's name. When full: that name invites nobody else.
pub const INVITATIONS_PER_NAME_MAX: usize = 100;
/// The shortest time that an invitation may be good for.
pub const INVITATION_VALID_MIN: DurationMs = DurationMs::from_secs(60);
/// The longest time that an invitation may be good for.
pub const INVITATION_VALID_MAX: DurationMs = DurationMs::from_secs(7 * 86_400);
/// How long an invitation that is over is remembered, so that a person who opens it late is told.
pub(super) const INVITATION_KEPT: DurationMs = DurationMs::from_secs(86_400);
/// Invitations in a row, of which each comes of the one before, and the session at their end.
pub(super) const CHAIN_MAX: usize = 8;

/// Somebody who was asked to come in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// Names it for withdrawing.
    pub id: String,
    /// What the inviter was let in by: the invitation is worth nothing without.
    pub by: Grant,
    /// The inviter's name.
    pub by_name: String,
    /// Whom it lets in.
    pub staff: NewStaff,
    /// When it was made.
    pub created_at: UnixMillis,
    /// When it is over, with every session that came of it.
    pub ends_at: UnixMillis,
    /// When somebody came in by it, which happens once.
    pub redeemed_at: Option<UnixMillis>,
}

/// An invitation as it is kept.
#[derive(Clone, Debug)]
pub(super) struct StoredInvitation {
    pub(super) invitation: Invitation,
    pub(super) hash: blake3::Hash,
}

/// An invitation that was just made: the only moment at which its secret is known.
#[derive(Clone, Debug)]
pub struct NewInvitation {
    /// What the link holds.
    pub secret: StaffSecret,
    /// The invitation.
    pub invitation: Invitation,
}

/// Who invites.
#[derive(Clone, Debug)]
pub enum Inviter {
    /// A person who runs a command on the server's own machine, who may do everything.
    Machine,
    /// A member of staff.
    Staff {
        /// Who.
        staff: NewStaff,
        /// What the member was let in by.
        grant: Grant,
    },
}

impl Inviter {
    pub(super) fn name(&self) -> &str {
        match self {
            Self::Machine => "the server's machine",
            Self::Staff { staff, .. } => &staff.name,
        }
    }
}
