//! How often an address may send a wrong secret.

use parking_lot::Mutex;
use stampede_domain::{DurationMs, Rate, RateDebt, UnixMillis};

use crate::{
    by_address::{ByAddress, Client},
    problem::{Code, Problem},
};

/// Right secrets remembered of each address. When full: the oldest is forgotten.
const RIGHT_MAX: usize = 16;

/// What addresses have guessed.
///
/// An address that was wrong too often is not listened to for a while: a secret is not even looked at.
/// But one that was right at this address before is: people who share an address with a guesser go on.
#[derive(Debug)]
pub(crate) struct Guesses {
    /// What is guessed, as an answer calls it.
    what: &'static str,
    rate: Option<Rate>,
    heard: Mutex<ByAddress<Heard>>,
}

#[derive(Debug, Default)]
struct Heard {
    wrong: RateDebt,
    /// Hashes, the newest last.
    right: Vec<blake3::Hash>,
}

impl Guesses {
    pub(crate) fn new(what: &'static str, rate: Option<Rate>) -> Self {
        Self { what, rate, heard: Mutex::default() }
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
        let Some(heard) = heard.get(address).filter(|heard| !heard.right.contains(&secret)) else {
            return Ok(());
        };
        // A copy: only what is wrong is counted.
        let mut wrong = heard.wrong;
        wrong.spend(rate, now).map_err(|early| self.too_many(early.retry_after))
    }

    /// Counts a wrong secret; with what to answer instead if there were too many.
    pub(crate) fn wrong(&self, client: Client, now: UnixMillis, answer: Problem) -> Problem {
        let (Some(rate), Client(Some(address))) = (self.rate, client) else { return answer };
        let mut heard = self.heard.lock();
        match heard.entry(address, now).wrong.spend(rate, now) {
            Ok(()) => answer,
            Err(early) => self.too_many(early.retry_after),
        }
    }

    /// Remembers that a secret was right at this address.
    pub(crate) fn right(&self, client: Client, secret: blake3::Hash, now: UnixMillis) {
        let Client(Some(address)) = client else { return };
        let mut heard = self.heard.lock();
        let right = &mut heard.entry(address, now).right;
        if right.contains(&secret) {
            return;
        }
        if right.len() >= RIGHT_MAX {
            right.remove(0);
        }
        right.push(secret);
    }

    fn too_many(&self, wait: DurationMs) -> Problem {
        let detail = format!(
            "this address has sent too many wrong {}; wait, then send the right one",
            self.what
        );
        Problem::new(Code::TooManyGuesses, detail).retry_after(wait)
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

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
        let guesses = Guesses::new("tokens", Rate::new(1, 3));
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
        assert!(Guesses::new("tokens", None).check(client("::1"), new, UnixMillis::new(1)).is_ok());
    }

    #[test]
    fn right_secrets_that_are_remembered_are_bounded() {
        let guesses = Guesses::new("tokens", Rate::new(1, 1));
        let address = client("10.0.0.9");
        for number in 0..=RIGHT_MAX {
            let secret = blake3::hash(&number.to_le_bytes());
            guesses.right(address, secret, UnixMillis::new(9_999));
        }
        let Client(Some(address)) = address else { panic!() };
        assert_eq!(guesses.heard.lock().get(address).unwrap().right.len(), RIGHT_MAX);
    }
}
