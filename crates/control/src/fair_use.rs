//! Shares of limited places, so that nobody uses up what the others need.

use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;
use stampede_domain::{DurationMs, Rate, RateDebt, UnixMillis};

use crate::staff::STAFF_TOKENS_MAX;

/// How often each member of staff gives commands.
#[derive(Debug)]
pub(crate) struct Pace {
    rate: Option<Rate>,
    spent: Mutex<HashMap<String, RateDebt>>,
}

impl Pace {
    pub(crate) fn new(rate: Option<Rate>) -> Self {
        Self { rate, spent: Mutex::default() }
    }

    /// Counts a command of this name, unless it is over the rate; then tells how long to wait.
    pub(crate) fn count(&self, actor: &str, now: UnixMillis) -> Result<(), DurationMs> {
        let Some(rate) = self.rate else { return Ok(()) };
        let mut spent = self.spent.lock();
        if !spent.contains_key(actor) && spent.len() >= STAFF_TOKENS_MAX {
            // So many names only come from tokens that were revoked meanwhile; a new burst for each of
            // the others is the smaller harm.
            spent.clear();
        }
        let spent = spent.entry(actor.to_owned()).or_default();
        spent.spend(rate, now).map_err(|early| early.retry_after)
    }
}

/// A bounded number of places, of which one holder gets a share at most.
#[derive(Debug)]
pub(crate) struct Places {
    max: usize,
    share_max: usize,
    taken: Arc<Mutex<TakenPlaces>>,
}

#[derive(Debug, Default)]
struct TakenPlaces {
    total: usize,
    by_holder: HashMap<String, usize>,
}

/// One place; it is free again when this is dropped.
#[derive(Debug)]
pub(crate) struct HeldPlace {
    taken: Arc<Mutex<TakenPlaces>>,
    holder: String,
}

/// Why there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoPlace {
    /// The holder has its share.
    Share,
    /// All are taken.
    Full,
}

impl Places {
    pub(crate) fn new(max: usize, share_max: usize) -> Self {
        Self { max, share_max, taken: Arc::default() }
    }

    /// Takes a place for this holder.
    pub(crate) fn take(&self, holder: &str) -> Result<HeldPlace, NoPlace> {
        let mut taken = self.taken.lock();
        let own = taken.by_holder.get(holder).copied().unwrap_or_default();
        if own >= self.share_max {
            return Err(NoPlace::Share);
        }
        if taken.total >= self.max {
            return Err(NoPlace::Full);
        }
        taken.total += 1;
        taken.by_holder.insert(holder.to_owned(), own + 1);
        Ok(HeldPlace { taken: Arc::clone(&self.taken), holder: holder.to_owned() })
    }
}

impl Drop for HeldPlace {
    fn drop(&mut self) {
        let mut taken = self.taken.lock();
        taken.total -= 1;
        if let Some(own) = taken.by_holder.get_mut(&self.holder) {
            *own -= 1;
            if *own == 0 {
                taken.by_holder.remove(&self.holder);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holder_gets_its_share_and_leaves_the_rest() {
        let places = Places::new(3, 2);
        let held = (places.take("acme").unwrap(), places.take("acme").unwrap());
        assert_eq!(places.take("acme").unwrap_err(), NoPlace::Share);
        let zeta = places.take("zeta").unwrap();
        assert_eq!(places.take("beta").unwrap_err(), NoPlace::Full);
        drop((held, zeta));
        assert!(places.taken.lock().by_holder.is_empty());
        let _all =
            [places.take("a").unwrap(), places.take("b").unwrap(), places.take("c").unwrap()];
    }

    #[test]
    fn each_name_has_a_pace_of_its_own() {
        let pace = Pace::new(Rate::new(10, 3));
        let now = UnixMillis::new(1_000_000);
        for _ in 0..3 {
            assert_eq!(pace.count("acme", now), Ok(()));
        }
        assert_eq!(pace.count("acme", now), Err(DurationMs::new(100)));
        assert_eq!(pace.count("zeta", now), Ok(()));
        assert_eq!(pace.count("acme", now.plus(DurationMs::new(100))), Ok(()));
    }

    #[test]
    fn names_are_bounded() {
        let pace = Pace::new(Rate::new(1, 1));
        for number in 0..=STAFF_TOKENS_MAX {
            assert_eq!(pace.count(&number.to_string(), UnixMillis::new(1)), Ok(()));
        }
        assert_eq!(pace.spent.lock().len(), 1);
    }
}
