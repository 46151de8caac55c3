//! Streams that staff follow: a snapshot, then what changes.
//!
//! Nothing is queued for a follower. What changes is encoded once for all of them, kept until it is old,
//! numbered; each follower knows the last number that it was sent, asks for what came after.

mod follower;
mod hub;
mod reader;

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
};

use parking_lot::Mutex;
use stampede_domain::StreamId;
use stampede_engine::Engine;

pub(crate) use self::{follower::Follower, hub::Hub, reader::Reader};
use crate::{
    ControlConfig,
    auth::Staff,
    metrics,
    problem::{Code, Problem},
    shares::{HeldPlace, NoPlace, Places},
    stage::StageLines,
};

/// Every stream that is followed now.
#[derive(Debug)]
pub(crate) struct Followed {
    /// Bounded by the followers.
    hubs: Mutex<HashMap<StreamId, Weak<Hub>>>,
    /// By the token's name.
    places: Places,
    by_merchant: Places,
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

impl Followed {
    pub(crate) fn new(config: &ControlConfig) -> Self {
        metrics::show_followers_max(config.followers_max);
        Self {
            hubs: Mutex::default(),
            places: Places::new(config.followers_max, config.followers_per_name_max),
            by_merchant: Places::new(usize::MAX, config.followers_per_merchant_max),
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
