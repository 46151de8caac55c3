//! Addresses of clients, networks of trusted proxies.

use std::{fmt, net::IpAddr};

use ipnet::IpNet;

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

/// A network that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{given:?} is no network; write an address like \"10.0.0.7\" or a range like \"10.0.0.0/8\""
)]
pub struct NetworkError {
    /// What was given.
    pub given: String,
}

/// The proxies whose word about a client's address counts; none by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// Reads a list of addresses or ranges in CIDR notation.
    ///
    /// # Errors
    /// The first that is neither.
    pub fn parse<T: AsRef<str>>(given: &[T]) -> Result<Self, NetworkError> {
        let network = |text: &T| {
            let text = text.as_ref();
            let network =
                text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
            network.map_err(|_| NetworkError { given: text.to_owned() })
        };
        given.iter().map(network).collect::<Result<_, _>>().map(Self)
    }

    /// Whether nobody is trusted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `address` is one of them.
    pub fn contains(&self, address: ClientAddress) -> bool {
        self.0.iter().any(|network| network.contains(&address.ip()))
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
        let trusted = TrustedProxies::parse(&["10.0.0.0/8", "192.0.2.7", "2001:db8::/32"]).unwrap();
        for inside in ["10.255.0.1", "192.0.2.7", "2001:db8::5", "::ffff:10.0.0.1"] {
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
    }
}
