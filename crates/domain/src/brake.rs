//! The brake: stops, limits and bans by operations staff while the server runs.

use std::{fmt, net::IpAddr};

use crate::{AddressRange, ChannelId, DurationMs, StreamId, ViewerId, limits};

/// Limits in force in place of the configured ones; `None` leaves the configured one in force.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    /// Buys that may take units per second in the whole server; the configuration has no limit.
    pub buys_per_s: Option<u32>,
    /// Hellos admitted per second by the whole server; the configuration has no limit.
    pub hellos_per_s: Option<u32>,
    /// Time between two stock ticks of a drop.
    pub tick_interval: Option<DurationMs>,
}

/// A rate outside its range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} is {value}; {min} to {max} are allowed")]
pub struct RatesError {
    /// Which one.
    pub field: &'static str,
    /// What was asked for.
    pub value: u64,
    /// The smallest allowed.
    pub min: u64,
    /// The largest allowed.
    pub max: u64,
}

impl Rates {
    /// Nothing but what is configured.
    pub const NONE: Self = Self { buys_per_s: None, hellos_per_s: None, tick_interval: None };

    /// Checks each rate that is given.
    ///
    /// # Errors
    /// The first one outside its range.
    pub fn validate(&self) -> Result<(), RatesError> {
        let per_s = |rate: Option<u32>| rate.map(u64::from);
        let (per_s_max, ticks) = (u64::from(limits::ADMITTED_PER_S_MAX), self.tick_interval);
        let (shortest, longest) = (limits::TICK_INTERVAL_MS_MIN, limits::TICK_INTERVAL_MS_MAX);
        let bounds = [
            ("buys_per_s", per_s(self.buys_per_s), 1, per_s_max),
            ("hellos_per_s", per_s(self.hellos_per_s), 1, per_s_max),
            ("tick_interval_ms", ticks.map(DurationMs::get), shortest, longest),
        ];
        for (field, value, min, max) in bounds {
            if let Some(value) = value.filter(|value| !(min..=max).contains(value)) {
                return Err(RatesError { field, value, min, max });
            }
        }
        Ok(())
    }

    /// What holds while these limits give way to `next`: of each pair the one that admits less. The
    /// tick interval keeps nobody out, so it waits its turn.
    #[must_use]
    pub fn giving_way_to(self, next: Self) -> Self {
        let fewer = |a: Option<u32>, b: Option<u32>| match (a, b) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        Self {
            buys_per_s: fewer(self.buys_per_s, next.buys_per_s),
            hellos_per_s: fewer(self.hellos_per_s, next.hellos_per_s),
            tick_interval: self.tick_interval,
        }
    }
}

/// Whom a ban keeps out.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum BanTarget {
    /// One viewer, by the platform's id.
    Viewer(ViewerId),
    /// Everybody who connects from these addresses.
    Addresses(AddressRange),
    /// Viewers whose ticket names this channel.
    Channel {
        /// The channel.
        channel: ChannelId,
        /// In this stream alone; `None` means every stream.
        stream: Option<StreamId>,
    },
}

/// A range that keeps out more of the internet than a ban may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "addresses {range} are too many for a ban: at least /{v4} for IPv4, /{v6} for IPv6 is allowed; \
     POST /v1/brake/stop stops all takes",
    v4 = limits::BAN_PREFIX_V4_MIN,
    v6 = limits::BAN_PREFIX_V6_MIN
)]
pub struct BanRangeError {
    /// What was asked for, as it was understood.
    pub range: AddressRange,
}

impl BanTarget {
    /// Checks that a range is no wider than a ban may be.
    ///
    /// # Errors
    /// The range that is wider.
    pub fn validate(&self) -> Result<(), BanRangeError> {
        let Self::Addresses(range) = self else { return Ok(()) };
        let min = match range.first() {
            IpAddr::V4(_) => limits::BAN_PREFIX_V4_MIN,
            IpAddr::V6(_) => limits::BAN_PREFIX_V6_MIN,
        };
        if range.prefix() < min { Err(BanRangeError { range: *range }) } else { Ok(()) }
    }
}

impl fmt::Display for BanTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Viewer(viewer) => write!(f, "viewer {viewer}"),
            Self::Addresses(range) => write!(f, "addresses {range}"),
            Self::Channel { channel, stream: None } => write!(f, "channel {channel}"),
            Self::Channel { channel, stream: Some(stream) } => {
                write!(f, "channel {channel} in stream {stream}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_outside_their_range_are_named() {
        let rates = Rates { hellos_per_s: Some(0), ..Rates::NONE };
        let text = rates.validate().unwrap_err().to_string();
        assert_eq!(text, "hellos_per_s is 0; 1 to 10000000 are allowed");
        let rates = Rates { tick_interval: Some(DurationMs::ZERO), ..Rates::NONE };
        assert_eq!(rates.validate().unwrap_err().field, "tick_interval_ms");
        assert_eq!(Rates::NONE.validate(), Ok(()));
    }

    #[test]
    fn a_ban_of_half_the_internet_is_refused() {
        let check = |range: &str| BanTarget::Addresses(range.parse().unwrap()).validate();
        for range in ["10.0.0.0/8", "198.51.100.7", "2001::/16", "2001:db8::1"] {
            assert_eq!(check(range), Ok(()), "{range}");
        }
        for range in ["0.0.0.0/0", "10.0.0.0/7", "::/0", "2000::/15", "::ffff:0.0.0.0/96"] {
            assert!(check(range).is_err(), "{range}");
        }
        let text = check("127.0.0.0/4").unwrap_err().to_string();
        assert_eq!(
            text,
            "addresses 112.0.0.0/4 are too many for a ban: at least /8 for IPv4, /16 for IPv6 is \
             allowed; POST /v1/brake/stop stops all takes"
        );
        let viewer = BanTarget::Viewer("eve".parse().unwrap());
        assert_eq!(viewer.validate(), Ok(()));
    }

    #[test]
    fn limits_that_give_way_admit_no_more_than_either() {
        let few = Rates { buys_per_s: Some(10), ..Rates::NONE };
        let slow = Rates { tick_interval: Some(DurationMs::new(500)), ..Rates::NONE };
        assert_eq!(few.giving_way_to(slow), few);
        assert_eq!(slow.giving_way_to(few), Rates { buys_per_s: Some(10), ..slow });
        let fewer = Rates { buys_per_s: Some(3), hellos_per_s: Some(9), ..Rates::NONE };
        assert_eq!(few.giving_way_to(fewer), fewer);
    }

    #[test]
    fn a_ban_says_whom_it_keeps_out() {
        let channel = |stream: Option<&str>| BanTarget::Channel {
            channel: "lena".parse().unwrap(),
            stream: stream.map(|stream| stream.parse().unwrap()),
        };
        for (target, shown) in [
            (BanTarget::Viewer("eve".parse().unwrap()), "viewer eve"),
            (BanTarget::Addresses("10.0.0.0/8".parse().unwrap()), "addresses 10.0.0.0/8"),
            (channel(None), "channel lena"),
            (channel(Some("show")), "channel lena in stream show"),
        ] {
            assert_eq!(target.to_string(), shown);
        }
    }
}
