//! What each address may send.

use std::{collections::HashMap, net::IpAddr, sync::Arc};

use parking_lot::Mutex;
use stampede_domain::{DurationMs, Rate, RateDebt, UnixMillis};
use stampede_proxies::ClientAddress;
use tokio::sync::Semaphore;

/// Addresses remembered. When full: the one that was heard of the longest time ago is forgotten.
const ADDRESSES_MAX: usize = 4_096;

/// Addresses that were heard of.
#[derive(Debug)]
pub(super) struct Addresses {
    rate: Option<Rate>,
    bodies_max: usize,
    heard: Mutex<HashMap<IpAddr, Heard>>,
}

#[derive(Debug)]
struct Heard {
    spent: RateDebt,
    bodies: Arc<Semaphore>,
    at: UnixMillis,
}

impl Addresses {
    pub(super) fn new(rate: Option<Rate>, bodies_max: usize) -> Self {
        Self { rate, bodies_max, heard: Mutex::default() }
    }

    /// Counts a request; with the turns for its body, or how long to wait if there were too many.
    pub(super) fn count(
        &self,
        address: ClientAddress,
        now: UnixMillis,
    ) -> Result<Arc<Semaphore>, DurationMs> {
        let mut heard = self.heard.lock();
        let place = place(address);
        if !heard.contains_key(&place) && heard.len() >= ADDRESSES_MAX {
            let oldest = heard.iter().min_by_key(|(_, heard)| heard.at).map(|(place, _)| *place);
            oldest.map(|oldest| heard.remove(&oldest));
        }
        let entry = heard.entry(place).or_insert_with(|| Heard {
            spent: RateDebt::default(),
            bodies: Arc::new(Semaphore::new(self.bodies_max)),
            at: now,
        });
        entry.at = now;
        if let Some(rate) = self.rate {
            entry.spent.spend(rate, now).map_err(|early| early.retry_after)?;
        }
        Ok(Arc::clone(&entry.bodies))
    }
}

/// Whom an address stands for: with IPv6 a whole /64, which one machine has for itself.
fn place(address: ClientAddress) -> IpAddr {
    match address.ip() {
        IpAddr::V6(ip) => IpAddr::V6((u128::from(ip) >> 64 << 64).into()),
        four @ IpAddr::V4(_) => four,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(addresses: &Addresses, from: &str, at: u64) -> Result<(), DurationMs> {
        let ip: IpAddr = from.parse().unwrap();
        addresses.count(ip.into(), UnixMillis::new(at)).map(|_| ())
    }

    #[test]
    fn each_address_has_a_rate_of_its_own() {
        let addresses = Addresses::new(Rate::new(10, 2), 1);
        assert_eq!(count(&addresses, "192.0.2.1", 1_000_000), Ok(()));
        assert_eq!(count(&addresses, "192.0.2.1", 1_000_000), Ok(()));
        assert_eq!(count(&addresses, "192.0.2.1", 1_000_000), Err(DurationMs::new(100)));
        assert_eq!(count(&addresses, "192.0.2.2", 1_000_000), Ok(()));
        assert_eq!(count(&addresses, "192.0.2.1", 1_000_100), Ok(()));
        assert_eq!(count(&addresses, "2001:db8::1", 1_000_000), Ok(()));
        assert_eq!(count(&addresses, "2001:db8::2", 1_000_000), Ok(()));
        let one_network = count(&addresses, "2001:db8::3", 1_000_000);
        assert_eq!(one_network, Err(DurationMs::new(100)));
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let addresses = Addresses::new(None, 1);
        for number in 0..=u32::try_from(ADDRESSES_MAX).unwrap() {
            let address = std::net::Ipv4Addr::from(0x0a00_0000 + number).to_string();
            assert_eq!(count(&addresses, &address, u64::from(number)), Ok(()));
        }
        let heard = addresses.heard.lock();
        assert_eq!(heard.len(), ADDRESSES_MAX);
        assert!(!heard.contains_key(&"10.0.0.0".parse().unwrap()), "the oldest");
    }
}
