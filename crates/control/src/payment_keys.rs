//! What the `Idempotency-Key` of a report about a payment is good for.
//!
//! **Decision.** A fact is known by its account, its payment and its event: the book that decides it finds what it knew
//! already, over restarts too, whatever key the report has. So the key decides nothing about money. It catches a
//! client that gives one key to two reports, as one does whose counter starts again: the second report is refused as
//! `key_reused` rather than taken for a retry. A retry with its key is decided again and told how things stand now, so
//! what made an order reads `already_ordered`.
//!
//! **Kept in memory alone**, for the last [`KEYS_MAX`] keys of all callers; beyond that the oldest is forgotten. If a
//! key is forgotten, or was used before a restart, its misuse goes unnoticed and the fact is decided by itself: that
//! is as sound as with a key of its own.
//!
//! **Rejected.** Keys in the ledger, as commands have them: a row for each report, only to find mistakes of clients.

use std::collections::{HashMap, VecDeque};

use parking_lot::Mutex;
use stampede_domain::{IdempotencyKey, KeyFingerprint};

use crate::problem::{Code, Problem};

/// Keys that are remembered, about 100 bytes each. When exceeded: the oldest is forgotten.
pub(crate) const KEYS_MAX: usize = 65_536;

/// A caller's name with its key.
type Named = (String, KeyFingerprint);

/// Which report each key was used for.
#[derive(Debug)]
pub(crate) struct PaymentKeys {
    max: usize,
    known: Mutex<KnownKeys>,
}

#[derive(Debug, Default)]
struct KnownKeys {
    /// The report with the number of its binding.
    reports: HashMap<Named, (KeyFingerprint, u64)>,
    /// By when they were bound; what was unbound since is still here.
    order: VecDeque<(Named, u64)>,
    bindings: u64,
}

/// A key that this report was the first to use.
#[derive(Debug)]
pub(crate) struct NewKey(Named);

impl PaymentKeys {
    pub(crate) fn new(max: usize) -> Self {
        Self { max, known: Mutex::default() }
    }

    /// Binds a key to a report; `None` if it was bound to the same one.
    pub(crate) fn bind(
        &self,
        actor: &str,
        key: &IdempotencyKey,
        report: KeyFingerprint,
    ) -> Result<Option<NewKey>, Problem> {
        let named = (actor.to_owned(), key.fingerprint());
        let mut known = self.known.lock();
        match known.reports.get(&named) {
            Some((bound, _)) if *bound == report => return Ok(None),
            Some(_) => {
                let detail = "this key was used for another report: make up a new key for each, and send a report \
                    with its own key until it is answered";
                return Err(Problem::new(Code::KeyReused, detail));
            }
            None => {}
        }
        known.bindings += 1;
        let number = known.bindings;
        known.reports.insert(named.clone(), (report, number));
        known.order.push_back((named.clone(), number));
        if known.order.len() > self.max
            && let Some((oldest, number)) = known.order.pop_front()
        {
            known.forget(&oldest, number);
        }
        Ok(Some(NewKey(named)))
    }

    /// The report was refused: refusals bind nothing.
    pub(crate) fn unbind(&self, NewKey(named): NewKey) {
        self.known.lock().reports.remove(&named);
    }
}

impl KnownKeys {
    /// Forgets a key, unless it was bound anew.
    fn forget(&mut self, named: &Named, number: u64) {
        if self.reports.get(named).is_some_and(|(_, bound)| *bound == number) {
            self.reports.remove(named);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_for_one_report_unless_that_was_refused() {
        let keys = PaymentKeys::new(10);
        let key: IdempotencyKey = "k1".parse().unwrap();
        let (one, other) = (KeyFingerprint::of(b"1"), KeyFingerprint::of(b"2"));
        let new = keys.bind("till", &key, one).unwrap().unwrap();
        assert!(keys.bind("till", &key, one).unwrap().is_none());
        assert_eq!(keys.bind("till", &key, other).unwrap_err().code, Code::KeyReused);
        assert!(keys.bind("other till", &key, other).unwrap().is_some());
        keys.unbind(new);
        assert!(keys.bind("till", &key, other).unwrap().is_some());
    }

    #[test]
    fn the_oldest_key_is_forgotten_and_nothing_grows() {
        let keys = PaymentKeys::new(3);
        let bind = |number: u32, report: &[u8]| {
            let key = format!("k{number}").parse().unwrap();
            keys.bind("till", &key, KeyFingerprint::of(report))
        };
        for _ in 0..10 {
            keys.unbind(bind(0, b"0").unwrap().unwrap());
        }
        for number in 0..4 {
            bind(number, b"1").unwrap().unwrap();
        }
        assert!(bind(1, b"2").is_err());
        assert!(bind(0, b"2").unwrap().is_some(), "forgotten");
        let known = keys.known.lock();
        assert_eq!((known.order.len(), known.reports.len()), (3, 3));
    }
}
