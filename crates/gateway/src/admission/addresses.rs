//! The use of one address by its clients: connections, how fast those are opened, and
//! messages.

use std::{
    collections::HashMap,
    hash::BuildHasher,
    net::{IpAddr, Ipv6Addr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use parking_lot::Mutex;
use stampede_domain::{AddressRange, DurationMs, Rate, TooFast, UnixMillis};
use stampede_engine::SharedRateDebt;

/// Tables that share the addresses out, so that doors seldom wait for each other.
const SHARDS: usize = 16;
/// Addresses that a table holds before it looks for idle ones the first time.
const SWEPT_AT_MIN: usize = 64;
/// Time between two looks through a table that is full of busy addresses, in milliseconds.
const FULL_LOOK_EVERY: DurationMs = DurationMs::from_secs(1);

/// What one address may do; each limit with its policy when full.
#[derive(Clone, Debug)]
pub(crate) struct AddressLimits {
    /// Connections past their handshake; `None` for any number. When full: closed with
    /// `address_full`.
    pub(crate) connections_max: Option<usize>,
    /// Connections opened. When over: told so by 429, as often again; dropped at once beyond that.
    pub(crate) connects: Option<Rate>,
    /// Messages over all connections. When over: as over the limit of one connection.
    pub(crate) messages: Option<Rate>,
    /// Addresses remembered at a time. When full: idle ones are forgotten first, then those without
    /// a connection; after that, newcomers have no limits but those in total.
    pub(crate) addresses_max: usize,
    /// Addresses without any of these limits.
    pub(crate) unlimited: Vec<AddressRange>,
}

/// What becomes of a connection that an address opens.
#[derive(Debug)]
#[must_use]
pub(crate) enum Entry {
    /// It goes on with its handshake.
    In(Pass),
    /// It is told to come back later.
    TooFast(TooFast),
    /// It is dropped: its address was told so often enough.
    Dropped,
}

/// The addresses that clients come from.
#[derive(Debug)]
pub(crate) struct Addresses {
    limits: AddressLimits,
    shards: [Mutex<Shard>; SHARDS],
    hasher: foldhash::fast::RandomState,
}

#[derive(Debug)]
struct Shard {
    known: HashMap<Ipv6Addr, Arc<Address>, foldhash::fast::RandomState>,
    /// How many known addresses start the next look for idle ones.
    swept_at: usize,
    /// No look through a full table before.
    full_until: UnixMillis,
}

/// What all connections of one address have used up.
#[derive(Debug, Default)]
struct Address {
    connections: AtomicUsize,
    connects: SharedRateDebt,
    told: SharedRateDebt,
    messages: SharedRateDebt,
}

/// A connection's share in its address; it counts until it is dropped.
#[derive(Debug, Default)]
pub(crate) struct Pass {
    /// `None` if nothing is limited for the address.
    address: Option<Arc<Address>>,
    is_counted: bool,
}

impl Addresses {
    pub(crate) fn new(limits: AddressLimits) -> Self {
        let shard = |_| {
            Mutex::new(Shard {
                known: HashMap::default(),
                swept_at: SWEPT_AT_MIN,
                full_until: UnixMillis::new(0),
            })
        };
        Self {
            limits,
            shards: std::array::from_fn(shard),
            hasher: foldhash::fast::RandomState::default(),
        }
    }

    /// An address opens a connection.
    pub(crate) fn arrive(&self, address: IpAddr, now: UnixMillis) -> Entry {
        let (limits, address) = (&self.limits, address.to_canonical());
        if limits.limit_nothing() || limits.unlimited.iter().any(|range| range.contains(address)) {
            return Entry::In(Pass::default());
        }
        let Some(address) = self.known(block_of(address), now) else {
            return Entry::In(Pass::default());
        };
        if let Some(rate) = limits.connects
            && let Err(too_fast) = address.connects.spend(rate, now)
        {
            return match address.told.spend(rate, now) {
                Ok(()) => Entry::TooFast(too_fast),
                Err(_) => Entry::Dropped,
            };
        }
        Entry::In(Pass { address: Some(address), is_counted: false })
    }

    /// The connection of a pass has finished its handshake; `false` if its address has as many as it
    /// may. It counts even so, until the pass is dropped.
    pub(crate) fn enter(&self, pass: &mut Pass) -> bool {
        let Some(address) = &pass.address else { return true };
        pass.is_counted = true;
        // ORDERING: Relaxed: a limit on a count, nothing else hangs on it.
        let before = address.connections.fetch_add(1, Ordering::Relaxed);
        self.limits.connections_max.is_none_or(|max| before < max)
    }

    /// Counts one message of the pass's address.
    pub(crate) fn message(&self, pass: &Pass, now: UnixMillis) -> Result<(), TooFast> {
        match (&pass.address, self.limits.messages) {
            (Some(address), Some(rate)) => address.messages.spend(rate, now),
            _ => Ok(()),
        }
    }

    fn known(&self, block: Ipv6Addr, now: UnixMillis) -> Option<Arc<Address>> {
        let hash = self.hasher.hash_one(block);
        let place = usize::try_from(hash % SHARDS as u64).expect("it is below the shards' number");
        self.shards[place].lock().known(block, self.limits.addresses_max / SHARDS, now)
    }
}

impl AddressLimits {
    fn limit_nothing(&self) -> bool {
        self.connections_max.is_none() && self.connects.is_none() && self.messages.is_none()
    }
}

impl Shard {
    /// The address, which is remembered from now on; `None` if there is no room for it.
    fn known(&mut self, block: Ipv6Addr, max: usize, now: UnixMillis) -> Option<Arc<Address>> {
        if let Some(known) = self.known.get(&block) {
            return Some(Arc::clone(known));
        }
        if self.known.len() >= self.swept_at.min(max) && !self.make_room(max, now) {
            return None;
        }
        let address = Arc::<Address>::default();
        self.known.insert(block, Arc::clone(&address));
        Some(address)
    }

    /// Forgets who need not be remembered. It runs when the number has doubled, so each newcomer pays
    /// for a look at one other address.
    fn make_room(&mut self, max: usize, now: UnixMillis) -> bool {
        if now < self.full_until {
            return false;
        }
        self.known.retain(|_, address| address.is_connected() || !address.is_idle(now));
        if self.known.len() >= max {
            self.known.retain(|_, address| address.is_connected());
        }
        self.swept_at = (2 * self.known.len()).max(SWEPT_AT_MIN);
        let has_room = self.known.len() < max;
        if !has_room {
            self.full_until = now.plus(FULL_LOOK_EVERY);
        }
        has_room
    }
}

impl Address {
    /// Whether a pass of it exists; the table holds it too.
    fn is_connected(self: &Arc<Self>) -> bool {
        Arc::strong_count(self) > 1
    }

    fn is_idle(&self, now: UnixMillis) -> bool {
        [&self.connects, &self.told, &self.messages].into_iter().all(|spent| spent.is_idle(now))
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        if let Some(address) = &self.address
            && self.is_counted
        {
            address.connections.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// What counts as one address: an IPv4 address, or the 64 bits of an IPv6 address that one customer
/// is given at least.
fn block_of(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: UnixMillis = UnixMillis::new(1_700_000_000_000);

    fn limits() -> AddressLimits {
        AddressLimits {
            connections_max: Some(2),
            connects: Rate::new(10, 3),
            messages: Rate::new(10, 2),
            addresses_max: 100_000,
            unlimited: vec!["127.0.0.0/8".parse().unwrap()],
        }
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn pass(addresses: &Addresses, address: &str, now: UnixMillis) -> Pass {
        match addresses.arrive(ip(address), now) {
            Entry::In(pass) => pass,
            other => panic!("{address}: {other:?}"),
        }
    }

    fn known(addresses: &Addresses) -> usize {
        addresses.shards.iter().map(|shard| shard.lock().known.len()).sum()
    }

    /// The n-th address of a large network.
    fn nth(n: u32) -> String {
        std::net::Ipv4Addr::from_bits(0x0a00_0000 + n).to_string()
    }

    #[test]
    fn an_address_opens_connections_at_its_rate_and_others_at_theirs() {
        let addresses = Addresses::new(limits());
        let arrive = |address| addresses.arrive(ip(address), START);
        for _ in 0..3 {
            assert!(matches!(arrive("192.0.2.1"), Entry::In(_)));
        }
        for _ in 0..3 {
            let told = arrive("192.0.2.1");
            assert!(matches!(told, Entry::TooFast(TooFast { retry_after })
                if retry_after == DurationMs::new(100)));
        }
        assert!(matches!(arrive("192.0.2.1"), Entry::Dropped), "told often enough");
        assert!(matches!(arrive("192.0.2.2"), Entry::In(_)));
        let later = START.plus(DurationMs::new(100));
        assert!(matches!(addresses.arrive(ip("192.0.2.1"), later), Entry::In(_)));
    }

    #[test]
    fn an_address_has_so_many_connections_until_one_is_gone() {
        let addresses = Addresses::new(limits());
        let mut first = pass(&addresses, "192.0.2.1", START);
        let mut second = pass(&addresses, "192.0.2.1", START);
        let mut third = pass(&addresses, "192.0.2.1", START);
        assert!(addresses.enter(&mut first) && addresses.enter(&mut second));
        assert!(!addresses.enter(&mut third));
        drop((first, third));
        let later = START.plus(DurationMs::from_secs(1));
        let mut fourth = pass(&addresses, "192.0.2.1", later);
        assert!(addresses.enter(&mut fourth));
        assert!(!addresses.enter(&mut pass(&addresses, "192.0.2.1", later)));
    }

    #[test]
    fn a_handshake_that_fails_is_no_connection() {
        let addresses = Addresses::new(limits());
        drop(pass(&addresses, "192.0.2.1", START));
        let mut kept = [(); 2].map(|()| pass(&addresses, "192.0.2.1", START));
        assert!(kept.iter_mut().all(|pass| addresses.enter(pass)));
    }

    #[test]
    fn messages_count_over_all_connections_of_an_address() {
        let addresses = Addresses::new(limits());
        let one = pass(&addresses, "192.0.2.1", START);
        let other = pass(&addresses, "192.0.2.1", START);
        let elsewhere = pass(&addresses, "192.0.2.2", START);
        assert_eq!(addresses.message(&one, START), Ok(()));
        assert_eq!(addresses.message(&other, START), Ok(()));
        let too_fast = TooFast { retry_after: DurationMs::new(100) };
        assert_eq!(addresses.message(&one, START), Err(too_fast));
        assert_eq!(addresses.message(&elsewhere, START), Ok(()));
    }

    #[test]
    fn an_ipv6_network_of_64_bits_is_one_address() {
        for (one, other, same) in [
            ("2001:db8::1", "2001:db8::ffff:1", true),
            ("2001:db8::1", "2001:db8:0:1::1", false),
            ("192.0.2.1", "192.0.2.2", false),
            ("192.0.2.1", "::ffff:192.0.2.1", true),
        ] {
            let block = |text| block_of(ip(text).to_canonical());
            assert_eq!(block(one) == block(other), same, "{one}, {other}");
        }
    }

    #[test]
    fn an_unlimited_address_is_not_even_remembered() {
        let addresses = Addresses::new(limits());
        for _ in 0..100 {
            let mut pass = pass(&addresses, "127.0.0.9", START);
            assert!(addresses.enter(&mut pass));
            assert_eq!(addresses.message(&pass, START), Ok(()));
        }
        assert_eq!(known(&addresses), 0);
    }

    #[test]
    fn idle_addresses_are_forgotten_connected_ones_never() {
        let addresses = Addresses::new(limits());
        let connected: Vec<_> = (0..500).map(|n| pass(&addresses, &nth(n), START)).collect();
        for n in 1_000..50_000 {
            let later = START.plus(DurationMs::from_secs(n.into()));
            drop(pass(&addresses, &nth(n), later));
        }
        let left = known(&addresses);
        assert!((500..3_000).contains(&left), "{left} addresses of which 500 are connected");
        assert!(
            connected.iter().all(|pass| Arc::strong_count(pass.address.as_ref().unwrap()) == 2)
        );
    }

    #[test]
    fn the_table_never_grows_beyond_its_bound() {
        let addresses = Addresses::new(AddressLimits { addresses_max: 1_600, ..limits() });
        // Nobody is idle: all come at once, so those without a connection are forgotten.
        for n in 0..10_000 {
            drop(pass(&addresses, &nth(n), START));
            assert!(known(&addresses) <= 1_600);
        }
        // Everybody stays: who comes too late has no limits of its own, but comes in.
        let mut passes: Vec<_> = (0..10_000).map(|n| pass(&addresses, &nth(n), START)).collect();
        assert_eq!(known(&addresses), 1_600);
        assert!(passes.iter_mut().all(|pass| addresses.enter(pass)));
        assert_eq!(passes.iter().filter(|pass| pass.address.is_none()).count(), 8_400);
        passes.clear();
        let later = START.plus(FULL_LOOK_EVERY);
        assert!(pass(&addresses, "192.0.2.1", later).address.is_some(), "there is room again");
    }
}
