//! The records of a hold: its take and its end.

use stampede_domain::{ChannelId, HoldId, KeyFingerprint, Money, Units, UnixMillis, ViewerNumber};

/// A hold began or ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HoldRecord {
    /// A viewer took units.
    Taken {
        /// The claim that resulted; names drop, pool and take number.
        hold: HoldId,
        /// Who took.
        viewer: ViewerNumber,
        /// Fingerprint of the request's idempotency key.
        key: KeyFingerprint,
        /// How many.
        units: Units,
        /// When the stock word moved.
        taken_at: UnixMillis,
        /// When the hold ends by itself.
        deadline: UnixMillis,
        /// The channel that the viewer's ticket named: who gets the credit.
        channel: Option<ChannelId>,
    },
    /// A hold became an order.
    Confirmed {
        /// The hold, whose id is the order's id.
        hold: HoldId,
        /// The hold's viewer.
        viewer: ViewerNumber,
        /// The hold's units.
        units: Units,
        /// Price of all units.
        amount: Money,
        /// The channel of the hold's take.
        channel: Option<ChannelId>,
    },
    /// A hold was given back by its viewer.
    Released {
        /// The hold.
        hold: HoldId,
        /// The hold's units.
        units: Units,
    },
    /// A hold's deadline passed.
    Expired {
        /// The hold.
        hold: HoldId,
        /// The hold's units.
        units: Units,
    },
}

impl HoldRecord {
    /// The hold.
    pub const fn hold(&self) -> HoldId {
        match self {
            Self::Taken { hold, .. }
            | Self::Confirmed { hold, .. }
            | Self::Released { hold, .. }
            | Self::Expired { hold, .. } => *hold,
        }
    }
}
