//! What is remembered of the addresses that send requests.

use std::{collections::HashMap, net::IpAddr};

use axum::{extract::FromRequestParts, http::request::Parts};
use parking_lot::Mutex;
use stampede_domain::{DurationMs, Rate, RateDebt, UnixMillis};
use stampede_proxies::ClientAddress;

/// Addresses remembered. When full: the one that was heard of the longest time ago is forgotten.
const ADDRESSES_MAX: usize = 4_096;

/// Who sends a request; nobody for one that came without a socket.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Client(pub(crate) Option<ClientAddress>);

impl<S: Send + Sync> FromRequestParts<S> for Client {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(parts.extensions.get().copied().unwrap_or(Self(None)))
    }
}

/// One value for each address, or for each /64 of IPv6, which one machine has for itself.
#[derive(Debug)]
pub(crate) struct ByAddress<T>(HashMap<IpAddr, Heard<T>>);

#[derive(Debug, Default)]
struct Heard<T> {
    value: T,
    at: UnixMillis,
}

impl<T> Default for ByAddress<T> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<T: Default> ByAddress<T> {
    /// The value of an address that is remembered.
    pub(crate) fn get(&self, address: ClientAddress) -> Option<&T> {
        self.0.get(&place(address)).map(|heard| &heard.value)
    }

    /// The value of an address, which is remembered from now on.
    pub(crate) fn entry(&mut self, address: ClientAddress, now: UnixMillis) -> &mut T {
        let place = place(address);
        if !self.0.contains_key(&place) && self.0.len() >= ADDRESSES_MAX {
            let oldest = self.0.iter().min_by_key(|(_, heard)| heard.at).map(|(place, _)| *place);
            oldest.map(|oldest| self.0.remove(&oldest));
        }
        let entry = self.0.entry(place).or_default();
        entry.at = now;
        &mut entry.value
    }
}

/// Whom an address stands for.
fn place(address: ClientAddress) -> IpAddr {
    match address.ip() {
        IpAddr::V6(ip) => IpAddr::V6((u128::from(ip) >> 64 << 64).into()),
        four @ IpAddr::V4(_) => four,
    }
}

/// How often each address sends requests.
#[derive(Debug)]
pub(crate) struct AddressPace {
    rate: Option<Rate>,
    spent: Mutex<ByAddress<RateDebt>>,
}

impl AddressPace {
    pub(crate) fn new(rate: Option<Rate>) -> Self {
        Self { rate, spent: Mutex::default() }
    }

    /// Counts a request, unless it is over the rate; then tells how long to wait.
    pub(crate) fn count(&self, client: Client, now: UnixMillis) -> Result<(), DurationMs> {
        let (Some(rate), Client(Some(address))) = (self.rate, client) else { return Ok(()) };
        let mut spent = self.spent.lock();
        spent.entry(address, now).spend(rate, now).map_err(|early| early.retry_after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(text: &str) -> Client {
        let ip: IpAddr = text.parse().unwrap();
        Client(Some(ip.into()))
    }

    #[test]
    fn one_network_of_ipv6_is_one_address() {
        let pace = AddressPace::new(Rate::new(1, 1));
        let now = UnixMillis::new(5_000);
        assert_eq!(pace.count(client("2001:db8::1"), now), Ok(()));
        assert_eq!(pace.count(client("2001:db8::2"), now), Err(DurationMs::new(1_000)));
        assert_eq!(pace.count(client("2001:db8:0:1::1"), now), Ok(()));
        assert_eq!(pace.count(client("2001:db8::2"), UnixMillis::new(6_000)), Ok(()));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut known = ByAddress::<u8>::default();
        let address = |number: u32| {
            let ip = std::net::Ipv4Addr::from(0x0a00_0000 + number);
            ClientAddress::new(ip.into())
        };
        for number in 0..=u32::try_from(ADDRESSES_MAX).unwrap() {
            *known.entry(address(number), UnixMillis::new(number.into())) = 1;
        }
        assert_eq!(known.0.len(), ADDRESSES_MAX);
        assert_eq!((known.get(address(0)), known.get(address(1))), (None, Some(&1)), "the oldest");
    }
}
