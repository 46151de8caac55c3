//! The contents of `sessions.json`.

use stampede_domain::UnixMillis;

use super::{Grant, SessionLimits, invitation::StoredInvitation};

/// Sessions and invitations in one file: redeeming takes one and makes the other.
#[derive(Debug, Default)]
pub(super) struct Book {
    pub(super) sessions: Vec<SessionRecord>,
    pub(super) invitations: Vec<StoredInvitation>,
}

/// A session as it is kept.
#[derive(Clone, Debug)]
pub(super) struct SessionRecord {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) grant: Grant,
    pub(super) keys: String,
    pub(super) hash: blake3::Hash,
    pub(super) started_at: UnixMillis,
    pub(super) used_at: UnixMillis,
    pub(super) ends_at: UnixMillis,
}

impl SessionRecord {
    pub(super) fn idles_at(&self, limits: &SessionLimits) -> UnixMillis {
        self.used_at.plus(limits.idle)
    }

    /// When it has run out, one way or the other.
    pub(super) fn over_at(&self, limits: &SessionLimits) -> UnixMillis {
        self.idles_at(limits).min(self.ends_at)
    }
}
