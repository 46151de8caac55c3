//! The requests of one drop for more units than it has in reserve.

use std::{collections::VecDeque, sync::Arc};

use stampede_domain::{PoolIndex, Units, limits::REQUESTS_ENDED_KEPT};
use stampede_ledger::{RequestAsked, RequestEnd, RequestEnded, RequestRecord, Signature};

/// A request for more units than a drop has in reserve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestockRequest {
    /// Which of the drop's requests, from 1.
    pub number: u32,
    /// The pool that the SKU's lots go to.
    pub pool: PoolIndex,
    /// How many units.
    pub units: Units,
    /// Who asked.
    pub asked: Signature,
    /// How it ended, and who ended it; `None` also where the drop's end has ended it.
    pub ended: Option<(RequestEnd, Signature)>,
}

/// What is known of a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum RequestState<'requests> {
    /// Nobody has made it.
    Unknown,
    /// Nobody has ended it.
    Open(&'requests RestockRequest),
    /// Somebody has.
    Ended(&'requests RestockRequest),
    /// It has ended so long ago that nothing else is known of it.
    Forgotten,
}

/// The requests of one drop.
#[derive(Clone, Debug, Default)]
pub(crate) struct Requests {
    /// Number of the latest.
    last: u32,
    /// In the order in which they were made.
    open: Vec<Arc<RestockRequest>>,
    /// In the order in which they ended, the latest ones.
    ended: VecDeque<Arc<RestockRequest>>,
}

impl Requests {
    /// Follows a record.
    pub(crate) fn apply(&mut self, record: &RequestRecord) {
        match record {
            RequestRecord::Asked(asked) => {
                let RequestAsked { number, pool, units, reserve: _, by } = &**asked;
                self.last = *number;
                self.open.push(Arc::new(RestockRequest {
                    number: *number,
                    pool: *pool,
                    units: *units,
                    asked: by.clone(),
                    ended: None,
                }));
            }
            RequestRecord::Ended(ended) => self.end(ended),
        }
    }

    fn end(&mut self, record: &RequestEnded) {
        let place = self.open.iter().position(|open| open.number == record.number);
        let Some(open) = place.map(|place| self.open.remove(place)) else { return };
        let ended = Some((record.end, record.by.clone()));
        self.ended.push_back(Arc::new(RestockRequest { ended, ..(*open).clone() }));
        if self.ended.len() > REQUESTS_ENDED_KEPT {
            self.ended.pop_front();
        }
    }

    /// The number of the next one.
    pub(crate) fn next_number(&self) -> u32 {
        // Each is an accepted command, of which a drop has few.
        self.last.saturating_add(1)
    }

    /// How many nobody has ended.
    pub(crate) fn open(&self) -> usize {
        self.open.len()
    }

    /// What is known of the request with this number.
    pub(crate) fn look(&self, number: u32) -> RequestState<'_> {
        let is_it = |request: &&Arc<RestockRequest>| request.number == number;
        if let Some(open) = self.open.iter().find(is_it) {
            return RequestState::Open(open);
        }
        match self.ended.iter().find(is_it) {
            Some(ended) => RequestState::Ended(ended),
            None if (1..=self.last).contains(&number) => RequestState::Forgotten,
            None => RequestState::Unknown,
        }
    }

    /// Those that are shown: the open ones in the order in which they were made, then the latest that ended, newest
    /// first.
    pub(crate) fn shown(&self) -> Arc<[Arc<RestockRequest>]> {
        self.open.iter().chain(self.ended.iter().rev()).cloned().collect()
    }
}
