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

#[cfg(test)]
mod tests {
    use super::*;

    fn keeps_out(
        target: BanTarget,
        (viewer, channel, stream, from): (&str, &str, &str, &str),
    ) -> bool {
        let entry = BrakeEntry {
            actor: "olga".into(),
            reason: String::new(),
            since: UnixMillis::default(),
            expires_at: None,
        };
        let ban = Ban { id: BanId::new(1), target, releases_holds: false, entry };
        ban.keeps_out(Arrival {
            viewer: &viewer.parse().unwrap(),
            channel: channel.parse().ok().as_ref(),
            stream: &stream.parse().unwrap(),
            address: from.parse().ok(),
        })
    }

    #[test]
    fn a_viewer_is_kept_out_by_name() {
        let target = || BanTarget::Viewer("eve".parse().unwrap());
        assert!(keeps_out(target(), ("eve", "", "show", "")));
        assert!(!keeps_out(target(), ("bob", "", "show", "")));
    }

    #[test]
    fn addresses_are_kept_out_where_they_are_known() {
        let target = || BanTarget::Addresses("198.51.100.0/24".parse().unwrap());
        assert!(keeps_out(target(), ("bob", "", "show", "198.51.100.7")));
        assert!(!keeps_out(target(), ("bob", "", "show", "198.51.101.7")));
        assert!(!keeps_out(target(), ("bob", "", "show", "")), "who comes from nowhere known");
    }

    #[test]
    fn a_channel_is_kept_out_of_its_stream_or_of_all() {
        let target = |stream: Option<&str>| BanTarget::Channel {
            channel: "tv".parse().unwrap(),
            stream: stream.map(|stream| stream.parse().unwrap()),
        };
        for (channel, stream, anywhere, in_show) in [
            ("tv", "show", true, true),
            ("tv", "late", true, false),
            ("radio", "show", false, false),
            ("", "show", false, false),
        ] {
            let who = ("bob", channel, stream, "");
            assert_eq!(keeps_out(target(None), who), anywhere, "{channel} in {stream}");
            assert_eq!(keeps_out(target(Some("show")), who), in_show, "{channel} in {stream}");
        }
    }
}
