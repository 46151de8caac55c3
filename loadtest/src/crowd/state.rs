//! State that all viewers of a process share.

use std::{
    cell::{Cell, RefCell},
    cmp::Reverse,
    collections::BinaryHeap,
    net::SocketAddr,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use stampede_client::ConnectOptions;
use stampede_domain::{DurationMs, HoldId, Phase, ViewerId};
use stampede_swarm::Clock;
use stampede_wire::{DropInfo, PhaseNotice, ticket::Ticket};
use tokio::sync::Notify;

use super::{mailbox::Act, schedule::Script};
use crate::{
    plan::{CrowdPlan, Target},
    recorder::{Counts, Latency, Promise, PromiseLog, TROUBLES_MAX},
    till::Checkout,
};

/// How long tickets are good: longer than any run.
const TICKET_LIFETIME: DurationMs = DurationMs::from_secs(3_600);

/// Figures of a running crowd for another thread of the process.
#[derive(Debug, Default)]
pub struct Live {
    unanswered: AtomicU64,
    holds: AtomicU64,
    promises: AtomicU64,
    connected: AtomicU64,
}

impl Live {
    /// Buys that were sent and not answered yet.
    pub fn unanswered(&self) -> u64 {
        self.unanswered.load(Ordering::Relaxed)
    }

    /// Holds that viewers know of and that have not ended.
    pub fn holds(&self) -> u64 {
        self.holds.load(Ordering::Relaxed)
    }

    /// Promises received.
    pub fn promises(&self) -> u64 {
        self.promises.load(Ordering::Relaxed)
    }

    /// Connections that were welcomed and are open.
    pub fn connected(&self) -> u64 {
        self.connected.load(Ordering::Relaxed)
    }
}

/// Something to tell a viewer at a moment that was not planned ahead.
#[derive(PartialEq, Eq)]
pub(crate) struct Later {
    pub(crate) at_us: u64,
    sequence: u64,
    pub(crate) place: u32,
    pub(crate) act: Act,
}

impl Ord for Later {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at_us, self.sequence).cmp(&(other.at_us, other.sequence))
    }
}

impl PartialOrd for Later {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// What is counted.
pub(crate) struct Tally {
    pub(crate) counts: Counts,
    pub(crate) latency: Latency,
    /// The same since the last progress.
    pub(crate) recent: Latency,
    /// The same by the planned second of the click, from the opening.
    pub(crate) seconds: Vec<Latency>,
    /// From the planned moment of a click to the moment that this process came to it.
    pub(crate) late: Latency,
    /// The largest share of a progress interval that this process's thread was on a core.
    pub(crate) busy_share_max: f64,
    pub(crate) troubles: Vec<String>,
    pub(crate) log: PromiseLog,
}

/// The shared state of one process; everything runs on its one thread.
pub(crate) struct CrowdState {
    pub(crate) clock: Clock,
    pub(crate) target: Target,
    pub(crate) plan: CrowdPlan,
    pub(crate) script: Script,
    pub(crate) tally: RefCell<Tally>,
    pub(crate) later: RefCell<BinaryHeap<Reverse<Later>>>,
    /// Viewers on their way to the platform's till.
    pub(crate) checkouts: RefCell<Vec<Checkout>>,
    /// Wakes the driver when an answer, the opening or a departure changes what is due.
    pub(crate) changed: Notify,
    /// When the drop opened or opens, by the crowd's clock.
    pub(crate) opening_us: Cell<Option<u64>>,
    pub(crate) phase: Cell<Option<Phase>>,
    /// Viewers that are dialling now.
    pub(crate) dialling: Cell<u32>,
    /// Viewers of the first wave that were welcomed or have failed for good.
    pub(crate) first_wave_settled: Cell<u32>,
    live: Arc<Live>,
    clicks_told: Cell<u64>,
    version: Cell<u64>,
    opened: Cell<bool>,
    sequence: Cell<u64>,
    options: Vec<Rc<ConnectOptions>>,
}

impl CrowdState {
    pub(crate) fn new(plan: CrowdPlan, target: Target, log: PromiseLog, live: Arc<Live>) -> Self {
        let tally = Tally {
            counts: Counts::default(),
            latency: Latency::new(),
            recent: Latency::new(),
            seconds: Vec::new(),
            late: Latency::new(),
            busy_share_max: 0.0,
            troubles: Vec::new(),
            log,
        };
        Self {
            clock: Clock::start(),
            script: Script::draw(&plan),
            options: options(&plan, &target),
            target,
            plan,
            tally: RefCell::new(tally),
            later: RefCell::default(),
            checkouts: RefCell::default(),
            changed: Notify::new(),
            opening_us: Cell::new(None),
            phase: Cell::new(None),
            dialling: Cell::new(0),
            first_wave_settled: Cell::new(0),
            live,
            clicks_told: Cell::new(0),
            version: Cell::new(0),
            opened: Cell::new(false),
            sequence: Cell::new(0),
        }
    }

    /// How the viewer at `place` connects.
    pub(crate) fn options(&self, place: u32) -> Rc<ConnectOptions> {
        let ways = u32::try_from(self.options.len()).expect("a handful of addresses");
        let index = usize::try_from(place % ways).expect("an index");
        Rc::clone(&self.options[index])
    }

    /// A ticket for a viewer.
    pub(crate) fn ticket(&self, viewer: &ViewerId) -> String {
        let now = self.clock.unix_now();
        let ticket = Ticket {
            viewer: viewer.clone(),
            stream: self.target.stream.clone(),
            channel: None,
            mode: self.target.mode,
            expires_at: now.plus(TICKET_LIFETIME),
        };
        self.target.minter.mint(&ticket, now)
    }

    /// Tells a viewer something at a later moment.
    pub(crate) fn later(&self, at_us: u64, place: u32, act: Act) {
        let sequence = self.sequence.replace(self.sequence.get() + 1);
        self.later.borrow_mut().push(Reverse(Later { at_us, sequence, place, act }));
        self.changed.notify_one();
    }

    /// A viewer goes to the platform to pay for a hold.
    pub(crate) fn check_out(&self, hold: HoldId, amount_minor: u64) {
        let (drop, hold) = (self.plan.drop.clone(), hold.to_string());
        self.checkouts.borrow_mut().push(Checkout { drop, hold, amount_minor });
        self.changed.notify_one();
    }

    /// Changes counts.
    pub(crate) fn count(&self, change: impl FnOnce(&mut Counts)) {
        change(&mut self.tally.borrow_mut().counts);
    }

    /// Keeps the first troubles in words.
    pub(crate) fn trouble(&self, what: impl FnOnce() -> String) {
        let mut tally = self.tally.borrow_mut();
        if tally.troubles.len() < TROUBLES_MAX {
            tally.troubles.push(what());
        }
    }

    /// Writes a promise into the log.
    pub(crate) fn promised(&self, promise: &Promise) {
        let mut tally = self.tally.borrow_mut();
        tally.log.write(promise);
        tally.counts.promises += 1;
        self.live.promises.store(tally.counts.promises, Ordering::Relaxed);
    }

    /// A viewer is told to click.
    pub(crate) fn click_told(&self) {
        self.clicks_told.set(self.clicks_told.get() + 1);
    }

    /// Viewers have come to so many of the clicks that they were told of, or never will.
    pub(crate) fn clicks_come_to(&self, clicks: u64) {
        self.clicks_told.set(self.clicks_told.get() - clicks);
    }

    /// Whether an answer is to come: to a click that was sent, or to one that a viewer was told of and has
    /// not come to yet.
    pub(crate) fn awaits_answers(&self) -> bool {
        self.live.unanswered() > 0 || self.clicks_told.get() > 0
    }

    /// Counts a buy that goes out now.
    pub(crate) fn clicked(&self) {
        let now_us = self.clock.us();
        let opening_us = self.opening_us.get();
        self.count(|counts| {
            counts.clicks += 1;
            match opening_us.and_then(|opening_us| now_us.checked_sub(opening_us)) {
                Some(since_us) => counts.click_at(since_us),
                None => counts.early_clicks += 1,
            }
        });
        self.live.unanswered.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts an answer to a buy.
    pub(crate) fn answered(&self, planned_us: u64) {
        let us = self.clock.us().saturating_sub(planned_us);
        let since_opening = self.opening_us.get().and_then(|at_us| planned_us.checked_sub(at_us));
        let mut tally = self.tally.borrow_mut();
        tally.latency.record_us(us);
        tally.recent.record_us(us);
        if let Some(since_us) = since_opening {
            let second = usize::try_from(since_us / 1_000_000).unwrap_or(usize::MAX);
            if second >= tally.seconds.len() {
                tally.seconds.resize_with(second + 1, Latency::coarse);
            }
            tally.seconds[second].record_us(us);
        }
        self.forget_unanswered(1);
    }

    /// Notes when this process came to a planned click, whose connection stood since before.
    pub(crate) fn came_to(&self, planned_us: u64) {
        let us = self.clock.us().saturating_sub(planned_us);
        self.tally.borrow_mut().late.record_us(us);
    }

    /// Notes that answers will not come.
    pub(crate) fn forget_unanswered(&self, clicks: u64) {
        self.live.unanswered.fetch_sub(clicks, Ordering::Relaxed);
    }

    /// A viewer has a hold more.
    pub(crate) fn add_hold(&self) {
        self.live.holds.fetch_add(1, Ordering::Relaxed);
    }

    /// A viewer has so many holds less.
    pub(crate) fn remove_holds(&self, holds: usize) {
        self.live.holds.fetch_sub(u64::try_from(holds).unwrap_or(0), Ordering::Relaxed);
    }

    /// A connection was welcomed.
    pub(crate) fn joined(&self) {
        let connected = self.live.connected.fetch_add(1, Ordering::Relaxed) + 1;
        self.count(|counts| {
            counts.connections += 1;
            counts.connections_peak = counts.connections_peak.max(connected);
        });
    }

    /// A welcomed connection is gone.
    pub(crate) fn left(&self, stock_ticks: u64) {
        self.live.connected.fetch_sub(1, Ordering::Relaxed);
        self.count(|counts| counts.stock_ticks += stock_ticks);
    }

    pub(crate) fn live(&self) -> &Live {
        &self.live
    }

    /// Whether the drop takes no more buys for good.
    pub(crate) fn is_closed(&self) -> bool {
        self.phase.get().is_some_and(|phase| phase == Phase::Closed || phase.is_final())
    }

    /// Learns from a welcome, which is never stale.
    pub(crate) fn see_drop(&self, drop: &DropInfo) {
        if drop.drop == self.target.drop {
            self.version.set(drop.version);
            self.see_phase(drop.phase, drop.opens_in_ms);
        }
    }

    /// Learns from a change of phase; thousands of connections bring the same one.
    pub(crate) fn see_notice(&self, notice: &PhaseNotice) {
        if notice.drop == self.target.drop && notice.version > self.version.get() {
            self.version.set(notice.version);
            self.see_phase(notice.phase, notice.opens_in_ms);
        }
    }

    fn see_phase(&self, phase: Phase, opens_in_ms: Option<u64>) {
        let now_us = self.clock.us();
        let known_us = self.opening_us.get();
        let opening_us = match (phase, opens_in_ms) {
            _ if self.opened.get() => known_us,
            (Phase::Scheduled, _) => None,
            // The first announcement counts: later ones only add the rounding of their own.
            (Phase::Countdown, Some(ms)) => known_us.or(Some(now_us + ms * 1000)),
            (Phase::Open, _) => known_us.filter(|at_us| *at_us <= now_us).or(Some(now_us)),
            _ => known_us,
        };
        self.opened.set(self.opened.get() || phase == Phase::Open);
        self.opening_us.set(opening_us);
        self.phase.set(Some(phase));
        self.changed.notify_one();
    }
}

/// One for each pair of a source and an address.
fn options(plan: &CrowdPlan, target: &Target) -> Vec<Rc<ConnectOptions>> {
    let mut usual = ConnectOptions::new(&plan.url, target.subprotocol);
    usual.client = Some(concat!("loadtest/", env!("CARGO_PKG_VERSION")).to_owned());
    usual.skip_stock_ticks = true;
    usual.watch_heartbeat = false;
    usual.tls = Some(target.tls.clone());
    let locals = any_or_each(plan.sources.iter().map(|source| SocketAddr::new(*source, 0)));
    let addresses = any_or_each(plan.addresses.iter().copied());
    let pairs =
        addresses.iter().flat_map(|address| locals.iter().map(move |local| (address, local)));
    pairs
        .map(|(address, local)| {
            Rc::new(ConnectOptions { address: *address, local: *local, ..usual.clone() })
        })
        .collect()
}

/// Each of them, or one `None` where the choice is left to the system.
fn any_or_each(addresses: impl Iterator<Item = SocketAddr>) -> Vec<Option<SocketAddr>> {
    let each: Vec<_> = addresses.map(Some).collect();
    if each.is_empty() { vec![None] } else { each }
}
