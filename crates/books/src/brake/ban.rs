//! Who is kept out, on whose word.

use std::net::IpAddr;

use stampede_domain::{BanId, BanTarget, ChannelId, StreamId, UnixMillis, ViewerId};
use stampede_ledger::BrakeOrder;

/// Who set something, why, until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrakeEntry {
    /// Who, by the token's name.
    pub actor: String,
    /// Why; may be empty.
    pub reason: String,
    /// Since when: by the wall clock. The journal has no wall clock, so after a restart it is the time of
    /// the commit by the sale's clock, which may be ahead of the wall (`clock_ahead_ms` of `/readyz`).
    pub since: UnixMillis,
    /// When it ends by itself, by the wall clock.
    pub expires_at: Option<UnixMillis>,
}

/// Somebody who is kept out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ban {
    /// Its id.
    pub id: BanId,
    /// Whom it keeps out.
    pub target: BanTarget,
    /// Whether the live holds of those kept out are released.
    pub releases_holds: bool,
    /// Who, why, until when.
    pub entry: BrakeEntry,
}

impl Ban {
    /// Whether it keeps out a viewer who comes like this.
    pub fn keeps_out(&self, who: Arrival<'_>) -> bool {
        match &self.target {
            BanTarget::Viewer(viewer) => who.viewer == viewer,
            BanTarget::Addresses(range) => who.address.is_some_and(|from| range.contains(from)),
            BanTarget::Channel { channel, stream } => {
                who.channel == Some(channel)
                    && stream.as_ref().is_none_or(|stream| who.stream == stream)
            }
        }
    }
}

/// Somebody who wants in.
#[derive(Clone, Copy, Debug)]
pub struct Arrival<'a> {
    /// The viewer.
    pub viewer: &'a ViewerId,
    /// The channel that the ticket names.
    pub channel: Option<&'a ChannelId>,
    /// The stream that the ticket names.
    pub stream: &'a StreamId,
    /// Where the connection comes from, if that is known.
    pub address: Option<IpAddr>,
}

impl BrakeEntry {
    /// As a record says it, whose time is the entry's `since`.
    pub(crate) fn order(&self) -> BrakeOrder {
        BrakeOrder {
            actor: self.actor.as_str().into(),
            reason: self.reason.as_str().into(),
            expires_at: self.expires_at,
        }
    }

    /// What a record of this time says.
    pub(super) fn of(order: &BrakeOrder, at: UnixMillis) -> Self {
        Self {
            actor: order.actor.as_str().to_owned(),
            reason: order.reason.as_str().to_owned(),
            since: at,
            expires_at: order.expires_at,
        }
    }
}
