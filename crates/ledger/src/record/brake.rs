//! Records of the brake, in the house's chain.

use std::fmt;

use stampede_domain::{BanId, ChannelId, Rates, StreamId, UnixMillis, ViewerNumber};

use super::text::Text;

/// Something about the brake was set or ended; in the house's chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BrakeRecord {
    /// Every take was stopped.
    Halted(Box<BrakeOrder>),
    /// Limits were set in place of the configured ones, or of those set before.
    RatesSet(Box<RatesSet>),
    /// Somebody was kept out.
    Banned(Box<BanRecord>),
    /// What one of the three above had set ended.
    Lifted {
        /// Which.
        part: BrakePart,
        /// Whether its time was over, rather than that staff ended it.
        expired: bool,
    },
}

/// Who set something about the brake, why, until when.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BrakeOrder {
    /// Who asked.
    pub actor: Text,
    /// Why, in the actor's words; may be empty.
    pub reason: Text,
    /// When it ends by itself.
    pub expires_at: Option<UnixMillis>,
}

/// Limits in place of the configured ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RatesSet {
    /// The limits; valid ones, at least one of them given.
    pub rates: Rates,
    /// Who, why, until when.
    pub order: BrakeOrder,
}

/// A ban, without what is personal about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BanRecord {
    /// The ban, counted from 1 without gaps.
    pub ban: BanId,
    /// Whom it keeps out.
    pub scope: BanScope,
    /// Whether the live holds of those kept out were released.
    pub releases_holds: bool,
    /// Who, why, until when.
    pub order: BrakeOrder,
}

/// Whom a ban keeps out, as the chain may tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BanScope {
    /// A viewer, by the number whose link stands outside the chain.
    Viewer(ViewerNumber),
    /// A range of addresses, which stands outside the chain in an
    /// [`AddressLink`](crate::AddressLink).
    Addresses,
    /// A channel.
    Channel {
        /// The channel.
        channel: ChannelId,
        /// In this stream alone; `None` means every stream.
        stream: Option<StreamId>,
    },
}

/// What a [`BrakeRecord::Lifted`] ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BrakePart {
    /// The halt of all takes.
    Halt,
    /// The limits set.
    Rates,
    /// A ban.
    Ban(BanId),
}

impl fmt::Display for BrakePart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Halt => f.write_str("the halt"),
            Self::Rates => f.write_str("the rates"),
            Self::Ban(ban) => write!(f, "ban {ban}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lifted_has_a_name() {
        let ban = BrakePart::Ban(BanId::new(3));
        let shown = [BrakePart::Halt, BrakePart::Rates, ban].map(|part| part.to_string());
        assert_eq!(shown, ["the halt", "the rates", "ban b3"]);
    }
}
