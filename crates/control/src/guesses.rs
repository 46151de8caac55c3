//! How often an address may send a wrong secret.

use std::{collections::HashMap, net::IpAddr};

use axum::{extract::FromRequestParts, http::request::Parts};
use parking_lot::Mutex;
use stampede_domain::{DurationMs, Rate, RateDebt, UnixMillis};
use stampede_proxies::ClientAddress;

use crate::problem::{Code, Problem};

/// Addresses remembered. When full: the one that was heard of the longest time ago is forgotten.
const ADDRESSES_MAX: usize = 4_096;
/// Right secrets remembered of each address. When full: the oldest is forgotten.
const RIGHT_MAX: usize = 16;

/// Who sends a request; nobody for one that came without a socket.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Client(pub(crate) Option<ClientAddress>);

impl<S: Send + Sync> FromRequestParts<S> for Client {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(parts.extensions.get().copied().unwrap_or(Self(None)))
    }
}

/// What addresses have guessed.
///
/// An address that was wrong too often is not listened to for a while: a secret is not even looked at.
/// But one that was right at this address before is: people who share an address with a guesser go on.
#[derive(Debug)]
pub(crate) struct Guesses {
    rate: Option<Rate>,
    heard: Mutex<HashMap<IpAddr, Heard>>,
}

#[derive(Debug, Default)]
struct Heard {
    wrong: RateDebt,
    /// Hashes, the newest last.
    right: Vec<blake3::Hash>,
    at: UnixMillis,
}

impl Guesses {
    pub(crate) fn new(rate: Option<Rate>) -> Self {
        Self { rate, heard: Mutex::default() }
    }

    /// Whether a secret of this address is looked at; else tells how long to wait.
    pub(crate) fn check(
        &self,
        client: Client,
        secret: blake3::Hash,
        now: UnixMillis,
    ) -> Result<(), Problem> {
        let (Some(rate), Client(Some(address))) = (self.rate, client) else { return Ok(()) };
        let heard = self.heard.lock();
        let Some(heard) = heard.get(&place(address)).filter(|heard| !heard.right.contains(&secret))
        else {
            return Ok(());
        };
        // A copy: only what is wrong is counted.
        let mut wrong = heard.wrong;
        wrong.spend(rate, now).map_err(|early| too_many(early.retry_after))
    }

    /// Counts a wrong secret; with what to answer instead if there were too many.
    pub(crate) fn wrong(&self, client: Client, now: UnixMillis, answer: Problem) -> Problem {
        let (Some(rate), Client(Some(address))) = (self.rate, client) else { return answer };
        let mut heard = self.heard.lock();
        match entry(&mut heard, place(address), now).wrong.spend(rate, now) {
            Ok(()) => answer,
            Err(early) => too_many(early.retry_after),
        }
    }

    /// Remembers that a secret was right at this address.
    pub(crate) fn right(&self, client: Client, secret: blake3::Hash, now: UnixMillis) {
        let Client(Some(address)) = client else { return };
        let mut heard = self.heard.lock();
        let right = &mut entry(&mut heard, place(address), now).right;
        if right.contains(&secret) {
            return;
        }
        if right.len() >= RIGHT_MAX {
            right.remove(0);
        }
        right.push(secret);
    }
}

fn entry(heard: &mut HashMap<IpAddr, Heard>, place: IpAddr, now: UnixMillis) -> &mut Heard {
    if !heard.contains_key(&place) && heard.len() >= ADDRESSES_MAX {
        let oldest = heard.iter().min_by_key(|(_, heard)| heard.at).map(|(place, _)| *place);
        oldest.map(|oldest| heard.remove(&oldest));
    }
    let entry = heard.entry(place).or_default();
    entry.at = now;
    entry
}

/// Whom an address stands for: with IPv6 a whole /64, which one machine has for itself.
fn place(address: ClientAddress) -> IpAddr {
    match address.ip() {
        IpAddr::V6(ip) => IpAddr::V6((u128::from(ip) >> 64 << 64).into()),
        four @ IpAddr::V4(_) => four,
    }
}

fn too_many(wait: DurationMs) -> Problem {
    let detail = "this address has sent too many wrong tokens or invitations; wait, then send the right \
                  one";
    Problem::new(Code::TooManyGuesses, detail).retry_after(wait)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(text: &str) -> Client {
        let ip: IpAddr = text.parse().unwrap();
        Client(Some(ip.into()))
    }

    fn wrong(guesses: &Guesses, from: &str, at: u64) -> Code {
        let answer = Problem::new(Code::TokenUnknown, "unknown");
        guesses.wrong(client(from), UnixMillis::new(at), answer).code
    }

    #[test]
    fn an_address_that_guesses_is_not_listened_to_for_a_while() {
        let guesses = Guesses::new(Rate::new(1, 3));
        let (known, new) = (blake3::hash(b"known"), blake3::hash(b"new"));
        let check = |from: &str, secret, at| {
            guesses.check(client(from), secret, UnixMillis::new(at)).is_ok()
        };
        guesses.right(client("192.0.2.1"), known, UnixMillis::new(1_000_000));
        for _ in 0..3 {
            assert!(check("192.0.2.1", new, 1_000_000));
            assert_eq!(wrong(&guesses, "192.0.2.1", 1_000_000), Code::TokenUnknown);
        }
        assert!(!check("192.0.2.1", new, 1_000_999));
        assert_eq!(wrong(&guesses, "192.0.2.1", 1_000_999), Code::TooManyGuesses);
        assert!(check("192.0.2.1", known, 1_000_999), "it was right here before");
        assert!(check("192.0.2.2", new, 1_000_999), "another address");
        assert!(check("192.0.2.1", new, 1_001_000), "a second pays for one");
        assert!(Guesses::new(None).check(client("::1"), new, UnixMillis::new(1)).is_ok());
    }

    #[test]
    fn one_network_of_ipv6_is_one_guesser() {
        let guesses = Guesses::new(Rate::new(1, 1));
        assert_eq!(wrong(&guesses, "2001:db8::1", 5_000), Code::TokenUnknown);
        assert_eq!(wrong(&guesses, "2001:db8::2", 5_000), Code::TooManyGuesses);
        assert_eq!(wrong(&guesses, "2001:db8:0:1::1", 5_000), Code::TokenUnknown);
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let guesses = Guesses::new(Rate::new(1, 1));
        for number in 0..=u32::try_from(ADDRESSES_MAX).unwrap() {
            let address = std::net::Ipv4Addr::from(0x0a00_0000 + number).to_string();
            assert_eq!(wrong(&guesses, &address, u64::from(number)), Code::TokenUnknown);
        }
        assert_eq!(guesses.heard.lock().len(), ADDRESSES_MAX);
        assert!(!guesses.heard.lock().contains_key(&"10.0.0.0".parse().unwrap()), "the oldest");
        for number in 0..=RIGHT_MAX {
            let secret = blake3::hash(&number.to_le_bytes());
            guesses.right(client("10.0.0.9"), secret, UnixMillis::new(9_999));
        }
        assert_eq!(guesses.heard.lock()[&"10.0.0.9".parse().unwrap()].right.len(), RIGHT_MAX);
    }
}
