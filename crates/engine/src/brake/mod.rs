//! The brake of operations staff, as every thread sees it.
//!
//! The steward decides and records; what it decided stands here for the cores, the doors and whoever
//! asks. While nothing is held back a buy costs two loads of a word, one before its time is read and
//! one after; a take costs one more, of the rate.

mod bans;
mod gate;

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use parking_lot::RwLock;
use stampede_books::brake::{Arrival, Ban, BrakeEntry};
use stampede_domain::{BanId, DurationMs, Rates, TooFast, UnixMillis};

use self::{bans::BanBook, gate::Gate};
use crate::{
    config::EngineConfig,
    metrics::{ShedCounters, ShedReason},
};

/// What is in force besides bans.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BrakeView {
    /// Every take is refused, and on whose word.
    pub halt: Option<BrakeEntry>,
    /// Limits in place of the configured ones, with who set them.
    pub rates: Option<(Rates, BrakeEntry)>,
}

/// What is held back now.
pub struct Brake {
    /// Halts and ends of halts so far: odd while every take is refused.
    halts: AtomicU64,
    buys: Gate,
    hellos: Gate,
    /// 0: the configured one.
    tick_interval_ms: AtomicU64,
    /// Whether there is any ban, so that a server without pays one load for each arrival.
    any_ban: AtomicBool,
    bans: RwLock<BanBook>,
    view: RwLock<BrakeView>,
    admission_retry_after: DurationMs,
    shedding: ShedCounters,
}

impl Brake {
    pub(crate) fn new(config: &EngineConfig) -> Self {
        Self {
            halts: AtomicU64::new(0),
            buys: Gate::default(),
            hellos: Gate::default(),
            tick_interval_ms: AtomicU64::new(0),
            any_ban: AtomicBool::new(false),
            bans: RwLock::new(BanBook::default()),
            view: RwLock::new(BrakeView::default()),
            admission_retry_after: config.admission_retry_after,
            shedding: ShedCounters::new(),
        }
    }

    /// Whether every take is refused.
    pub fn is_halted(&self) -> bool {
        self.open_spell().is_none()
    }

    /// The spell between two halts that it is now; `None` while takes are halted. What happens
    /// between two looks that find the same spell happened during no halt.
    #[inline]
    pub(crate) fn open_spell(&self) -> Option<u64> {
        // ORDERING: Acquire keeps what follows behind this load: the reading of the clock behind the
        // first look, the take behind the second; pairs with the Release in `set_halt`.
        let halts = self.halts.load(Ordering::Acquire);
        halts.is_multiple_of(2).then_some(halts)
    }

    /// Lets one take through by the rate of buys. Never waits itself.
    ///
    /// # Errors
    /// How long to wait, if too many come.
    pub(crate) fn admit_take(&self, now: UnixMillis) -> Result<(), DurationMs> {
        self.buys.admit(now).map_err(|too_fast| self.wait(too_fast))
    }

    /// Lets one hello through.
    ///
    /// # Errors
    /// How long to wait, if too many come.
    pub fn admit_hello(&self, now: UnixMillis) -> Result<(), DurationMs> {
        self.hellos.admit(now).map_err(|too_fast| {
            self.shedding.count(ShedReason::Hello);
            self.wait(too_fast)
        })
    }

    fn wait(&self, TooFast { retry_after }: TooFast) -> DurationMs {
        retry_after.max(self.admission_retry_after)
    }

    /// Time between two stock ticks of a drop, where it differs from the configured one.
    pub fn tick_interval(&self) -> Option<DurationMs> {
        let millis = self.tick_interval_ms.load(Ordering::Relaxed);
        (millis > 0).then_some(DurationMs::new(millis))
    }

    /// Whether a connection from this address has to be turned away, whoever it is.
    pub fn is_banned_address(&self, address: IpAddr) -> bool {
        let banned = self.has_bans() && self.bans.read().has_address(address);
        if banned {
            self.shedding.count(ShedReason::Banned);
        }
        banned
    }

    /// Whether somebody has to be turned away.
    pub fn is_banned(&self, who: Arrival<'_>) -> bool {
        let banned = self.has_bans() && self.bans.read().has(who);
        if banned {
            self.shedding.count(ShedReason::Banned);
        }
        banned
    }

    fn has_bans(&self) -> bool {
        // ORDERING: Acquire pairs with the Release in `add_ban`; a core that has been told of a ban
        // finds it here.
        self.any_ban.load(Ordering::Acquire)
    }

    /// What is in force besides bans.
    pub fn view(&self) -> BrakeView {
        self.view.read().clone()
    }

    /// Bans in force.
    pub fn ban_count(&self) -> usize {
        self.bans.read().len()
    }

    /// Bans in force behind an id, oldest first, at most `limit` of them.
    pub fn bans(&self, after: BanId, limit: usize) -> Vec<Arc<Ban>> {
        self.bans.read().after(after, limit)
    }

    /// A ban in force.
    pub fn ban(&self, id: BanId) -> Option<Arc<Ban>> {
        self.bans.read().get(id)
    }

    /// Counts a request that was refused to protect what goes on.
    pub(crate) fn count_shed(&self, shed: ShedReason) {
        self.shedding.count(shed);
    }

    pub(crate) fn set_halt(&self, halt: Option<BrakeEntry>) {
        if self.is_halted() != halt.is_some() {
            // ORDERING: Release; see `open_spell`. A halt counts before its record is handed over,
            // the end of one after its record is durable; only the steward comes here.
            self.halts.fetch_add(1, Ordering::Release);
        }
        self.view.write().halt = halt;
    }

    pub(crate) fn set_rates(&self, rates: Rates, entry: Option<BrakeEntry>) {
        self.apply(rates);
        self.view.write().rates = entry.map(|entry| (rates, entry));
    }

    /// Limits what passes without showing it yet.
    pub(crate) fn apply(&self, rates: Rates) {
        self.buys.set(rates.buys_per_s);
        self.hellos.set(rates.hellos_per_s);
        let ticks = rates.tick_interval.map_or(0, DurationMs::get);
        self.tick_interval_ms.store(ticks, Ordering::Relaxed);
    }

    pub(crate) fn add_ban(&self, ban: Arc<Ban>) {
        self.bans.write().add(ban);
        self.any_ban.store(true, Ordering::Release);
    }

    pub(crate) fn remove_ban(&self, id: BanId) {
        let mut bans = self.bans.write();
        bans.remove(id);
        self.any_ban.store(bans.len() > 0, Ordering::Release);
    }
}
