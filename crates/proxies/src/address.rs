//! Addresses of clients, networks of trusted proxies.

use std::{fmt, net::IpAddr};

use stampede_domain::{AddressRange, AddressRangeError};

/// The address that a client is known by: for limits, bans, logs.
///
/// An IPv4 address that came in through an IPv6 socket is the same client as without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientAddress(IpAddr);

impl ClientAddress {
    /// The address in its shortest family.
    pub const fn new(address: IpAddr) -> Self {
        Self(address.to_canonical())
    }

    /// The address.
    pub const fn ip(self) -> IpAddr {
        self.0
    }
}

impl fmt::Display for ClientAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<IpAddr> for ClientAddress {
    fn from(address: IpAddr) -> Self {
        Self::new(address)
    }
}

/// The other side of a connection, before a request says more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The socket's other side, or whom its PROXY header names.
    pub address: ClientAddress,
    /// Its PROXY header names nobody, as with `LOCAL` or `UNKNOWN`: nothing that is forwarded on this
    /// connection can be told from what a client made up.
    pub is_final: bool,
}

impl Peer {
    /// Whether what it forwards is believed.
    pub fn is_trusted(self, trusted: &TrustedProxies) -> bool {
        !self.is_final && trusted.contains(self.address)
    }

    /// Whether the connection is a proxy's own so far, and nobody's behind it.
    pub fn is_proxy(self, trusted: &TrustedProxies) -> bool {
        self.is_final || trusted.contains(self.address)
    }
}

impl From<ClientAddress> for Peer {
    fn from(address: ClientAddress) -> Self {
        Self { address, is_final: false }
    }
}

/// A network that no connection comes from.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// It cannot be read.
    #[error(
        "{given:?} is no network; write an address like \"10.0.0.7\" or a range like \"10.0.0.0/8\""
    )]
    Malformed {
        /// What was given.
        given: String,
    },
    /// No address lies in it.
    #[error("{given:?} would never match: {why}")]
    Mapped {
        /// What was given.
        given: String,
        /// Why, with what to write.
        why: AddressRangeError,
    },
    /// It is the address that stands for no address.
    #[error(
        "{given:?} is nobody's address, so it would never match; write a range like {every:?} for every address"
    )]
    Nobody {
        /// What was given.
        given: String,
        /// The range of every address of the same family.
        every: &'static str,
    },
}

/// Reads a list of addresses or ranges in CIDR notation: the one notation of every setting that has networks. IPv4
/// addresses within IPv6 are the IPv4 addresses.
///
/// # Errors
/// The first that no connection can come from.
pub fn networks<T: AsRef<str>>(given: &[T]) -> Result<Vec<AddressRange>, NetworkError> {
    let network = |text: &T| {
        let given = text.as_ref().to_owned();
        let range = match given.parse::<AddressRange>() {
            Ok(range) => range,
            Err(AddressRangeError::Malformed) => return Err(NetworkError::Malformed { given }),
            Err(why @ AddressRangeError::Mapped { .. }) => {
                return Err(NetworkError::Mapped { given, why });
            }
        };
        let (bits, every) = if range.first().is_ipv4() { (32, "0.0.0.0/0") } else { (128, "::/0") };
        if range.prefix() == bits && range.first().is_unspecified() {
            return Err(NetworkError::Nobody { given, every });
        }
        Ok(range)
    };
    given.iter().map(network).collect()
}

/// The header in which proxies tell the client's address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ForwardingHeader {
    /// `X-Forwarded-For`, which nearly all write.
    #[default]
    XForwardedFor,
    /// `Forwarded`, RFC 7239.
    Forwarded,
}

/// The proxies whose word about a client's address counts, with the header that they write; none by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies {
    networks: Vec<AddressRange>,
    header: ForwardingHeader,
}

impl TrustedProxies {
    /// Reads a list as [`networks`] does; the header is `X-Forwarded-For`.
    ///
    /// # Errors
    /// The first that no connection can come from.
    pub fn parse<T: AsRef<str>>(given: &[T]) -> Result<Self, NetworkError> {
        Ok(Self { networks: networks(given)?, header: ForwardingHeader::default() })
    }

    /// The same proxies, which write another header.
    #[must_use]
    pub fn with_header(self, header: ForwardingHeader) -> Self {
        Self { header, ..self }
    }

    /// The one header that counts.
    pub fn header(&self) -> ForwardingHeader {
        self.header
    }

    /// Whether nobody is trusted.
    pub fn is_empty(&self) -> bool {
        self.networks.is_empty()
    }

    /// Whether `address` is one of them.
    pub fn contains(&self, address: ClientAddress) -> bool {
        self.networks.iter().any(|network| network.contains(address.ip()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> ClientAddress {
        ClientAddress::new(text.parse().unwrap())
    }

    #[test]
    fn networks_are_addresses_or_ranges() {
        let given = ["10.0.0.0/8", "192.0.2.7", "2001:db8::/32", "::ffff:198.51.100.0/120"];
        let trusted = TrustedProxies::parse(&given).unwrap();
        let inside = ["10.255.0.1", "192.0.2.7", "2001:db8::5", "::ffff:10.0.0.1", "198.51.100.9"];
        for inside in inside {
            assert!(trusted.contains(address(inside)), "{inside}");
        }
        for outside in ["11.0.0.1", "192.0.2.8", "2001:db9::5", "::1"] {
            assert!(!trusted.contains(address(outside)), "{outside}");
        }
        assert!(TrustedProxies::parse::<&str>(&[]).unwrap().is_empty());
    }

    #[test]
    fn what_is_no_network_is_named() {
        for wrong in ["", "proxy.example", "10.0.0.0/33", "10.0.0/8", "10.0.0.1 "] {
            let why = TrustedProxies::parse(&["::1", wrong]).unwrap_err();
            assert!(why.to_string().contains(&format!("{wrong:?} is no network")), "{why}");
        }
        for (nobody, every) in
            [("0.0.0.0", "0.0.0.0/0"), ("::", "::/0"), ("0.0.0.0/32", "0.0.0.0/0")]
        {
            let why = TrustedProxies::parse(&[nobody]).unwrap_err().to_string();
            assert!(why.contains("is nobody's address, so it would never match"), "{why}");
            assert!(why.contains(&format!("like {every:?} for every")), "{why}");
        }
        let why = TrustedProxies::parse(&["::ffff:10.0.0.7/32"]).unwrap_err().to_string();
        assert!(why.starts_with("\"::ffff:10.0.0.7/32\" would never match"), "{why}");
        assert!(why.ends_with("write 10.0.0.7/32"), "{why}");
        assert!(TrustedProxies::parse(&["0.0.0.0/0", "::/0"]).is_ok(), "everybody");
    }
}
