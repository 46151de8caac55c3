//! One share: a link by which anybody who has it reads the report of a drop or of a show.

use stampede_domain::{ChannelId, DropId, DurationMs, MerchantId, UnixMillis};

use super::StaffSecret;

/// Shares in force. When full: nothing is shared until some are revoked or over.
pub const SHARES_MAX: usize = 10_000;
/// Of these, those of one merchant's staff, or of one name that is bound to no merchant. When full: they share nothing
/// else.
pub const SHARES_PER_HOLDER_MAX: usize = 1_000;
/// The shortest time that a share may be good for.
pub const SHARE_VALID_MIN: DurationMs = DurationMs::from_secs(3_600);
/// The longest time that a share may be good for.
pub const SHARE_VALID_MAX: DurationMs = DurationMs::from_secs(400 * 86_400);
/// How long a share is good for where nothing is said.
pub const SHARE_VALID_DEFAULT: DurationMs = DurationMs::from_secs(30 * 86_400);
/// Bytes of a share's label.
pub const SHARE_LABEL_BYTES_MAX: usize = 200;
/// How long a share that is over or revoked is remembered, so that a person who opens it late is told.
pub(super) const SHARE_KEPT: DurationMs = DurationMs::from_secs(90 * 86_400);
/// Shares that are over and remembered. When full: the one that was over first is forgotten.
pub(super) const SHARES_KEPT_MAX: usize = SHARES_MAX;

/// What a share shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShareSubject {
    /// One drop.
    Drop(DropId),
    /// The show that this drop belongs to: the first one when it was shared.
    Show(DropId),
}

impl ShareSubject {
    /// The drop that names it.
    pub const fn drop_id(self) -> DropId {
        match self {
            Self::Drop(drop) | Self::Show(drop) => drop,
        }
    }
}

/// What is to be shared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewShare {
    /// What it shows.
    pub subject: ShareSubject,
    /// The one channel that it shows; `None` for everything.
    pub channel: Option<ChannelId>,
    /// What its maker calls it, at most [`SHARE_LABEL_BYTES_MAX`] bytes.
    pub label: Option<String>,
    /// The maker's name.
    pub by: String,
    /// The merchant that the maker is bound to: the share shows no other merchant's drops.
    pub merchant: Option<MerchantId>,
    /// How long it is good for, [`SHARE_VALID_MIN`] to [`SHARE_VALID_MAX`].
    pub valid: DurationMs,
}

/// A report that was shared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// Names it for revoking.
    pub id: String,
    /// What it shows.
    pub subject: ShareSubject,
    /// The one channel that it shows; `None` for everything.
    pub channel: Option<ChannelId>,
    /// What its maker calls it.
    pub label: Option<String>,
    /// The maker's name.
    pub by: String,
    /// The merchant that the maker was bound to: it shows no other merchant's drops.
    pub merchant: Option<MerchantId>,
    /// When it was made.
    pub created_at: UnixMillis,
    /// When it is over.
    pub ends_at: UnixMillis,
    /// When somebody took it back.
    pub revoked_at: Option<UnixMillis>,
    /// When it was last read.
    pub used_at: Option<UnixMillis>,
    /// Minutes in which it was read: a page that follows a running sale reads every few seconds.
    pub uses: u64,
}

impl Share {
    /// When it was over, one way or the other.
    pub(super) fn over_at(&self) -> UnixMillis {
        self.revoked_at.map_or(self.ends_at, |revoked_at| revoked_at.min(self.ends_at))
    }

    /// Whether it shows anything.
    pub(super) fn is_in_force(&self, now: UnixMillis) -> bool {
        now < self.over_at()
    }

    /// Whether both have the same maker, or makers who share their places.
    pub(super) fn is_of_same_holder(&self, other: &Self) -> bool {
        match (&self.merchant, &other.merchant) {
            (None, None) => self.by == other.by,
            (one, other) => one == other,
        }
    }
}

/// A share that was just made: the only moment at which its secret is known.
#[derive(Clone, Debug)]
pub struct MadeShare {
    /// What the link holds.
    pub secret: StaffSecret,
    /// The share.
    pub share: Share,
}

/// What a secret opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Opened {
    /// This share.
    Share(Box<Share>),
    /// A share that is over or revoked.
    Over,
    /// Nothing that is known.
    Unknown,
}
