//! Facts of the house's chain besides the brake's: that the node works, who owns a stream.

use std::fmt;

use stampede_domain::{DurationMs, MerchantId, StreamId, UnixMillis};

use super::text::Text;

/// A sign that the node works, with what its clocks show. The row's time is the sale's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heartbeat {
    /// The wall clock.
    pub wall: UnixMillis,
    /// Which start of the machine it is, by the system's random id.
    pub boot: BootId,
    /// Time since that start, sleep included.
    pub since_boot: DurationMs,
}

/// Names one start of the machine: the system's random id, new at each boot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct BootId([u8; 16]);

impl BootId {
    /// Wraps the id's bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The id's bytes.
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0
    }
}

/// A change of who may sell in a stream, or of how it reaches its viewers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    /// The stream.
    pub stream: StreamId,
    /// What changed.
    pub change: RoomChange,
}

/// What changed about a stream's room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoomChange {
    /// It has this owner from now on.
    Owner(RoomOwner),
    /// This merchant may plan drops in it.
    Admitted(MerchantId),
    /// This merchant may plan no more drops in it.
    Dismissed(MerchantId),
    /// The stream belongs to nobody from now on.
    Ended,
    /// Viewers see and hear the stream so much later; zero where they do not.
    VideoDelay(DurationMs),
    /// Hosts may plan this merchant's drops in it.
    HostsAllowed(MerchantId),
    /// Hosts may plan this merchant's drops in it no more.
    HostsForbidden(MerchantId),
}

/// Who owns a stream.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RoomOwner {
    /// The owner of the server: the platform and its admins.
    House,
    /// A merchant.
    Merchant(MerchantId),
    /// A creator, by the name of the account.
    Creator(Text),
}

impl RoomOwner {
    /// The kind's name on every interface.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::House => "house",
            Self::Merchant(_) => "merchant",
            Self::Creator(_) => "creator",
        }
    }

    /// The merchant's id or the account's name; the house has none.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::House => None,
            Self::Merchant(merchant) => Some(merchant.as_str()),
            Self::Creator(account) => Some(account.as_str()),
        }
    }
}

impl fmt::Display for RoomOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            None => f.write_str("the house"),
            Some(name) => write!(f, "{} {name}", self.kind()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_is_named_by_kind() {
        let merchant = RoomOwner::Merchant("acme".parse().expect("letters alone"));
        for (owner, kind, name, shown) in [
            (RoomOwner::House, "house", None, "the house"),
            (merchant, "merchant", Some("acme"), "merchant acme"),
            (
                RoomOwner::Creator(Text::new("Nina T.")),
                "creator",
                Some("Nina T."),
                "creator Nina T.",
            ),
        ] {
            assert_eq!((owner.kind(), owner.name()), (kind, name));
            assert_eq!(owner.to_string(), shown);
        }
    }
}
