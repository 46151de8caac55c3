//! Streams that staff follow: a snapshot, then what changes.
//!
//! Nothing is queued for a follower. What changes is encoded once for all of them, kept until it is old,
//! numbered; each follower knows the last number that it was sent, asks for what came after.

mod event;
mod follower;
mod hub;
mod people;
mod person;
mod presence;
mod reader;
mod shown_drop;

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
};

use parking_lot::Mutex;
use stampede_domain::{DurationMs, StreamId, UnixMillis};
use stampede_engine::{Done, Engine, StaffCommand};

pub(crate) use self::{follower::Follower, hub::Hub, person::Person, reader::Reader};
use self::{people::People, presence::Present};
use crate::{
    ControlConfig,
    auth::Staff,
    fair_use::{HeldPlace, NoPlace, Places},
    metrics,
    problem::{Code, Problem},
    stage::StageLines,
};

/// How long a poller is present after a poll.
const POLLER_STAYS: DurationMs = DurationMs::new(3_500);
/// Those who poll; one more is served, yet the others do not see it.
const POLLERS_MAX: usize = 512;

/// Every stream that is followed now.
#[derive(Debug)]
pub(crate) struct FollowHubs {
    /// Bounded by the followers.
    hubs: Mutex<HashMap<StreamId, Weak<Hub>>>,
    /// By the token's name.
    places: Places,
    by_merchant: Places,
    /// By stream and by who asks.
    pollers: Mutex<HashMap<(StreamId, String), Poller>>,
}

/// Somebody who asks for the snapshot again and again.
#[derive(Debug)]
struct Poller {
    until: UnixMillis,
    _present: Present,
}

/// A follower's places; they are free again when this is dropped.
#[derive(Debug)]
pub(crate) struct FollowerPlaces {
    _own: HeldPlace,
    _merchants: Option<HeldPlace>,
}

impl Drop for FollowerPlaces {
    fn drop(&mut self) {
        metrics::count_follower(-1.0);
    }
}

impl FollowHubs {
    pub(crate) fn new(config: &ControlConfig) -> Self {
        metrics::show_followers_max(config.followers_max);
        Self {
            hubs: Mutex::default(),
            places: Places::new(config.followers_max, config.followers_per_name_max),
            by_merchant: Places::new(usize::MAX, config.followers_per_merchant_max),
            pollers: Mutex::default(),
        }
    }

    /// What the followers of a stream share.
    pub(crate) fn hub(&self, engine: &Engine, lines: &StageLines, stream: &StreamId) -> Arc<Hub> {
        let mut hubs = self.hubs.lock();
        if let Some(hub) = hubs.get(stream).and_then(Weak::upgrade) {
            return hub;
        }
        hubs.retain(|_, hub| hub.strong_count() > 0);
        let hub = Arc::new(Hub::new(engine, lines, stream));
        hubs.insert(stream.clone(), Arc::downgrade(&hub));
        hub
    }

    /// Somebody has asked for the snapshot, and is there until they have not for a while.
    pub(crate) fn polled(&self, hub: &Arc<Hub>, reader: Reader<'_>) {
        let engine = reader.engine;
        self.end_silent(engine);
        let Some(person) = reader.who else { return };
        let until = engine.now().plus(POLLER_STAYS);
        let mut pollers = self.pollers.lock();
        let key = (reader.stream.clone(), reader.staff.asks_by().to_owned());
        if let Some(poller) = pollers.get_mut(&key) {
            poller.until = until;
        } else if pollers.len() < POLLERS_MAX {
            let present = Present::new(Arc::clone(hub), person.clone());
            pollers.insert(key, Poller { until, _present: present });
        }
    }

    /// A poller who has not polled for a while has gone.
    fn end_silent(&self, engine: &Engine) {
        let now = engine.now();
        self.pollers.lock().retain(|_, poller| poller.until > now);
    }

    /// Tells those who follow the drop's stream who has given a command that was carried out.
    pub(crate) fn note(&self, engine: &Engine, command: &StaffCommand, done: &Done) {
        let Some(sale) = engine.sale(done.drop) else { return };
        let hub = self.hubs.lock().get(&sale.plan().stream).and_then(Weak::upgrade);
        if let Some(hub) = hub {
            hub.people.note(command, done, &sale, engine.wall().get());
        }
    }

    /// Places for one more follower, apart from those of commands.
    pub(crate) fn places(&self, staff: &Staff) -> Result<FollowerPlaces, Problem> {
        let full = |whose: &str| {
            let detail =
                format!("{whose} follow streams as often as may be; end one, or ask for JSON");
            Problem::retry(Code::TooManyFollowers, detail)
        };
        let merchants = staff.merchant().map(|merchant| {
            let taken = self.by_merchant.take(merchant.as_str());
            taken.map_err(|_| full(&format!("the tokens of merchant {merchant}")))
        });
        let merchants = merchants.transpose()?;
        let own = self.places.take(staff.name()).map_err(|none| match none {
            NoPlace::Share => full(&format!("the tokens with the name {}", staff.name())),
            NoPlace::Full => full("all tokens together"),
        })?;
        metrics::count_follower(1.0);
        Ok(FollowerPlaces { _own: own, _merchants: merchants })
    }
}
