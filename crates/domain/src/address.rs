//! A range of network addresses in the notation of CIDR.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr},
    str::FromStr,
};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// Leading bits that an IPv4 address has within IPv6.
const MAPPED_BITS: u8 = 96;

/// Why a text is no address range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressRangeError {
    /// It cannot be read.
    #[error(
        "not an address range; write one address or a range like 198.51.100.0/24 or 2001:db8::/32"
    )]
    Malformed,
    /// An IPv4 address within IPv6 with a prefix that is shorter than what all of them share: addresses are compared as
    /// IPv4, so no address lies in such a range.
    #[error(
        "an IPv4 address within IPv6 has a prefix from 96 on, so no address would lie in this range; write {}",
        in_ipv4(*address, *prefix)
    )]
    Mapped {
        /// The IPv4 address.
        address: Ipv4Addr,
        /// The prefix that was given.
        prefix: u8,
    },
}

/// What whoever wrote such a range meant: most often the prefix of IPv4.
fn in_ipv4(address: Ipv4Addr, prefix: u8) -> String {
    if prefix <= 32 { format!("{address}/{prefix}") } else { format!("{address}/32") }
}

/// A range of network addresses: those that agree in their first bits.
///
/// IPv4 addresses that are written within IPv6 (`::ffff:198.51.100.7`) are the IPv4 addresses. Bits
/// behind the prefix are cleared, so equal ranges are equal values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AddressRange(IpNet);

impl AddressRange {
    /// The range of the addresses that share the first `prefix` bits of `address`; `None` if the
    /// address has fewer bits.
    pub fn new(address: IpAddr, prefix: u8) -> Option<Self> {
        match (address, address.to_canonical()) {
            (IpAddr::V6(_), IpAddr::V4(inner)) if prefix >= MAPPED_BITS => {
                Some(Self(Ipv4Net::new(inner, prefix - MAPPED_BITS).ok()?.trunc().into()))
            }
            (IpAddr::V4(inner), _) => Some(Self(Ipv4Net::new(inner, prefix).ok()?.trunc().into())),
            (IpAddr::V6(inner), _) => Some(Self(Ipv6Net::new(inner, prefix).ok()?.trunc().into())),
        }
    }

    /// The first address of the range.
    pub fn first(self) -> IpAddr {
        self.0.network()
    }

    /// How many leading bits the addresses share.
    pub fn prefix(self) -> u8 {
        self.0.prefix_len()
    }

    /// Whether the address lies in the range.
    pub fn contains(self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

impl FromStr for AddressRange {
    type Err = AddressRangeError;

    /// Reads one address, or an address with `/` and the number of leading bits.
    fn from_str(text: &str) -> Result<Self, AddressRangeError> {
        use AddressRangeError::{Malformed, Mapped};

        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => {
                let plain = !prefix.is_empty() && prefix.bytes().all(|b| b.is_ascii_digit());
                let prefix: u8 = prefix.parse().ok().filter(|_| plain).ok_or(Malformed)?;
                (address, Some(prefix))
            }
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| Malformed)?;
        let prefix = prefix.unwrap_or(if address.is_ipv4() { 32 } else { 128 });
        if let (IpAddr::V6(_), IpAddr::V4(address)) = (address, address.to_canonical())
            && prefix < MAPPED_BITS
        {
            return Err(Mapped { address, prefix });
        }
        Self::new(address, prefix).ok_or(Malformed)
    }
}

impl fmt::Display for AddressRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_they_are_meant() {
        for (text, shown) in [
            ("198.51.100.7", "198.51.100.7/32"),
            ("198.51.100.7/24", "198.51.100.0/24"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("2001:db8:1::9/32", "2001:db8::/32"),
            ("2001:db8::1", "2001:db8::1/128"),
            ("::ffff:198.51.100.7", "198.51.100.7/32"),
            ("::ffff:198.51.100.7/120", "198.51.100.0/24"),
        ] {
            assert_eq!(text.parse::<AddressRange>().unwrap().to_string(), shown);
        }
        for text in ["", "/", "198.51.100", "198.51.100.7/33", "198.51.100.7/+8", "::/129", "a/8"] {
            assert_eq!(text.parse::<AddressRange>(), Err(AddressRangeError::Malformed), "{text}");
        }
    }

    #[test]
    fn a_prefix_that_no_ipv4_address_has_comes_with_its_mend() {
        for (text, mend) in [
            ("::ffff:10.0.0.7/32", "10.0.0.7/32"),
            ("::ffff:10.0.0.0/8", "10.0.0.0/8"),
            ("::ffff:a00:7/0", "10.0.0.7/0"),
            ("::ffff:10.0.0.7/95", "10.0.0.7/32"),
        ] {
            let refused = text.parse::<AddressRange>().unwrap_err().to_string();
            assert!(refused.ends_with(&format!("write {mend}")), "{refused}");
        }
        assert_eq!("::ffff:0:0/96".parse::<AddressRange>().unwrap().to_string(), "0.0.0.0/0");
        // A ledger may have such a range from before.
        assert!(AddressRange::new("::ffff:10.0.0.7".parse().unwrap(), 32).is_some());
    }

    #[test]
    fn an_address_of_either_spelling_is_found() {
        let range: AddressRange = "198.51.100.0/24".parse().unwrap();
        for (address, inside) in
            [("198.51.100.255", true), ("::ffff:198.51.100.1", true), ("198.51.101.0", false)]
        {
            assert_eq!(range.contains(address.parse().unwrap()), inside, "{address}");
        }
    }

    #[test]
    fn a_range_tells_where_it_begins_and_how_wide_it_is() {
        let range: AddressRange = "198.51.100.7/24".parse().unwrap();
        assert_eq!((range.first(), range.prefix()), ("198.51.100.0".parse().unwrap(), 24));
        let range: AddressRange = "2001:db8::1".parse().unwrap();
        assert_eq!((range.first(), range.prefix()), ("2001:db8::1".parse().unwrap(), 128));
        assert_eq!(AddressRange::new("10.0.0.1".parse().unwrap(), 33), None);
    }
}
