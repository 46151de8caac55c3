//! What operations staff hold back, as every thread sees it.
//!
//! The steward decides and records; what it decided stands here for the cores, the doors and whoever
//! asks. A buy costs one load of a byte while nothing is held back.

mod bans;
mod gate;

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering},
    },
};

use parking_lot::RwLock;
use stampede_domain::{
    BanId, BanTarget, ChannelId, DurationMs, Rates, Refusal, StreamId, UnixMillis, ViewerId,
};

use self::{bans::BanBook, gate::Gate};
use crate::{
    config::EngineConfig,
    metrics::{Shed, Shedding},
};

/// Every take is refused.
const HALTED: u8 = 1;
/// Buys are admitted at a rate.
const BUYS_LIMITED: u8 = 2;

/// Who set something, why, until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrakeEntry {
    /// Who, by the token's name.
    pub actor: String,
    /// Why; may be empty.
    pub reason: String,
    /// Since when; after a restart, the time of the commit that holds it.
    pub since: UnixMillis,
    /// When it ends by itself.
    pub expires_at: Option<UnixMillis>,
}

/// Somebody who is kept out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ban {
    /// Its id.
    pub id: BanId,
    /// Whom it keeps out.
    pub target: BanTarget,
    /// Whether the live holds of those kept out are released.
    pub releases_holds: bool,
    /// Who, why, until when.
    pub entry: BrakeEntry,
}

/// Somebody who wants in.
#[derive(Clone, Copy, Debug)]
pub struct Arrival<'a> {
    /// The viewer.
    pub viewer: &'a ViewerId,
    /// The channel that the ticket names.
    pub channel: Option<&'a ChannelId>,
    /// The stream that the ticket names.
    pub stream: &'a StreamId,
    /// Where the connection comes from, if that is known.
    pub address: Option<IpAddr>,
}

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
    flags: AtomicU8,
    buys: Gate,
    hellos: Gate,
    /// 0: the configured one.
    tick_interval_ms: AtomicU64,
    /// Whether there is any ban, so that a server without pays one load for each arrival.
    any_ban: AtomicBool,
    bans: RwLock<BanBook>,
    view: RwLock<BrakeView>,
    halt_retry_after: DurationMs,
    admission_retry_after: DurationMs,
    shedding: Shedding,
}

impl Brake {
    pub(crate) fn new(config: &EngineConfig) -> Self {
        Self {
            flags: AtomicU8::new(0),
            buys: Gate::open(),
            hellos: Gate::open(),
            tick_interval_ms: AtomicU64::new(0),
            any_ban: AtomicBool::new(false),
            bans: RwLock::new(BanBook::default()),
            view: RwLock::new(BrakeView::default()),
            halt_retry_after: config.halt_retry_after,
            admission_retry_after: config.admission_retry_after,
            shedding: Shedding::new(),
        }
    }

    /// Whether every take is refused.
    pub fn is_halted(&self) -> bool {
        self.flags.load(Ordering::Acquire) & HALTED != 0
    }

    /// Lets one buy through; while takes are halted, or too many come, the refusal with its time to
    /// wait. Never waits itself.
    ///
    /// # Errors
    /// [`Refusal::Busy`].
    #[inline]
    pub fn admit_buy(&self, now: UnixMillis) -> Result<(), Refusal> {
        // ORDERING: Acquire keeps the take behind this load; pairs with the Release in `set_flag`,
        // which comes before the halt's record is handed over.
        let flags = self.flags.load(Ordering::Acquire);
        if flags == 0 { Ok(()) } else { self.admit_limited(flags, now) }
    }

    #[cold]
    fn admit_limited(&self, flags: u8, now: UnixMillis) -> Result<(), Refusal> {
        if flags & HALTED != 0 {
            self.shedding.count(Shed::Halted);
            return Err(Refusal::Busy { retry_after: self.halt_retry_after });
        }
        self.buys.admit(now).map_err(|wait| {
            self.shedding.count(Shed::Admission);
            Refusal::Busy { retry_after: wait.max(self.admission_retry_after) }
        })
    }

    /// Lets one hello through.
    ///
    /// # Errors
    /// How long to wait, if too many come.
    pub fn admit_hello(&self, now: UnixMillis) -> Result<(), DurationMs> {
        self.hellos.admit(now).map_err(|wait| {
            self.shedding.count(Shed::Hello);
            wait.max(self.admission_retry_after)
        })
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
            self.shedding.count(Shed::Banned);
        }
        banned
    }

    /// Whether somebody has to be turned away.
    pub fn is_banned(&self, who: Arrival<'_>) -> bool {
        let banned = self.has_bans() && self.bans.read().has(who);
        if banned {
            self.shedding.count(Shed::Banned);
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
    pub(crate) fn count_shed(&self, shed: Shed) {
        self.shedding.count(shed);
    }

    pub(crate) fn set_halt(&self, halt: Option<BrakeEntry>) {
        self.set_flag(HALTED, halt.is_some());
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
        self.set_flag(BUYS_LIMITED, rates.buys_per_s.is_some());
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

    fn set_flag(&self, flag: u8, on: bool) {
        // ORDERING: Release; see `admit_buy`.
        if on {
            self.flags.fetch_or(flag, Ordering::Release);
        } else {
            self.flags.fetch_and(!flag, Ordering::Release);
        }
    }
}
