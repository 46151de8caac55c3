//! One node with its viewers, its staff, its clocks; what they were told.

mod compares;
mod looks;
mod money;
mod steps;

pub(crate) use money::Reported;

use std::{collections::HashMap, sync::Arc};

use serde::Serialize;
use stampede_domain::{
    DropId, DurationMs, HoldId, KeyFingerprint, Mode, PaymentAccount, Units, UnixMillis, ViewerId,
    ViewerNumber,
};
use stampede_engine::{
    Action, CommandOutcome, DropAction, EngineConfig, FactRefusal, PaymentOutcome, Position,
    Viewer,
    stepped::{SteppedEngine, StewardState},
};
use stampede_ledger::fake::{FakeLedger, Fault};
use stampede_testkit::HandClock;
use tokio::sync::oneshot;

use crate::{
    durable::{Durable, Names},
    provider::Provider,
    random::{Chance, next_number},
    violation::Violation,
};

pub(crate) const CORES: usize = 2;
const VIEWERS: usize = 8;
const SKUS: [&str; 2] = ["mug", "cup"];
/// Keys that a viewer uses: few, so that many buys are retries.
const KEYS: u64 = 40;
const STREAM: &str = "show";
/// Times that everything unheard is said once more at the end.
const LAST_REPORTS: usize = 20;

/// A promise that a viewer waits for.
struct Pending {
    core: usize,
    position: Position,
    hold: HoldId,
    units: u64,
    request: (DropId, usize, u64),
}

/// How a commit fails.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Failure {
    /// Everybody is told.
    Told,
    /// It hangs until the process dies.
    Hangs,
}

/// How often the node's books were compared with those that follow the rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Compared {
    /// While nothing was under way.
    pub quiet: u64,
    /// Right after the recovery of a start.
    pub recovered: u64,
    /// Drops that had left memory by then, each counted once.
    pub left: u64,
}

/// An answer that somebody waits for.
enum PendingAnswer {
    Command {
        key: KeyFingerprint,
        stops: Option<DropId>,
        answer: oneshot::Receiver<CommandOutcome>,
    },
    Payment {
        reported: Reported,
        /// Whether the report named all holds of its payment.
        names_all: bool,
        answer: oneshot::Receiver<Result<PaymentOutcome, FactRefusal>>,
    },
}

pub(crate) struct World {
    pub(crate) chance: Chance,
    pub(crate) ledger: FakeLedger,
    clock: Arc<HandClock>,
    node: SteppedEngine,
    is_selling: bool,
    /// How the next commit fails.
    ordered: Option<Failure>,
    /// A commit has failed; nobody may know.
    has_failed: bool,
    /// The steward has seen everything that is durable.
    is_seen: bool,
    /// When the steward looked last, by the sale's clock.
    looked_at: UnixMillis,
    /// When it last carried out what had become durable. A start does so before it looks at anything.
    carried_out_at: UnixMillis,
    /// How long a drop that is over stays in memory.
    kept: DurationMs,
    /// When drops were first seen in memory that are over.
    seen_over: HashMap<DropId, UnixMillis>,
    viewers: Vec<Arc<Viewer>>,
    names: HashMap<ViewerNumber, ViewerId>,
    drops: Vec<DropId>,
    pending: Vec<Pending>,
    /// Holds by the request that took them, from the promise on.
    held: HashMap<(DropId, usize, u64), HoldId>,
    asked: Vec<PendingAnswer>,
    /// The last take numbers of drops that are paused, as the one who paused was told.
    paused: HashMap<DropId, Vec<Option<u64>>>,
    pub(crate) durable: Durable,
    /// Takes the money, apart from everything else.
    pub(crate) provider: Provider,
    next_command: u64,
    pub(crate) takes: u64,
    pub(crate) compared: Compared,
}

fn config(settled_kept: DurationMs) -> EngineConfig {
    let viewers_pay_at = PaymentAccount::new("sandbox").ok();
    EngineConfig { cores: CORES, settled_kept, viewers_pay_at, ..EngineConfig::default() }
}

fn open(ledger: &FakeLedger, clock: &Arc<HandClock>, kept: DurationMs) -> SteppedEngine {
    let clock = Arc::clone(clock) as _;
    let started = SteppedEngine::start(config(kept), ledger.open(), clock, next_number);
    started.expect("a ledger that this node wrote can be read")
}

impl World {
    pub(crate) fn new(seed: u64) -> Self {
        let mut chance = Chance::of(seed);
        let ledger = FakeLedger::new("n1".parse().expect("a node's id"));
        let clock = Arc::new(HandClock::at(1_000_000 + chance.within(0, 1_000)));
        let kept = DurationMs::new(chance.pick(&[0, 500, 5_000, 30_000]));
        let node = open(&ledger, &clock, kept);
        let mut world = Self {
            chance,
            ledger,
            clock,
            node,
            is_selling: false,
            ordered: None,
            has_failed: false,
            is_seen: false,
            looked_at: UnixMillis::default(),
            carried_out_at: UnixMillis::default(),
            kept,
            seen_over: HashMap::new(),
            viewers: Vec::new(),
            names: HashMap::new(),
            drops: Vec::new(),
            pending: Vec::new(),
            held: HashMap::new(),
            asked: Vec::new(),
            paused: HashMap::new(),
            durable: Durable::new(config(kept).limits()),
            provider: Provider::default(),
            next_command: 0,
            takes: 0,
            compared: Compared::default(),
        };
        world.come();
        world
    }

    /// Two drops are planned; most of them open at once.
    pub(crate) fn begin(&mut self) -> Result<(), Violation> {
        for _ in 0..2 {
            let plan = Arc::new(self.plan());
            self.give(Action::Plan { plan })?;
            self.settle()?;
        }
        for drop in self.drops.clone() {
            if self.chance.percent(90) {
                self.give(DropAction::StartCountdown.on(drop))?;
            }
            self.settle()?;
        }
        Ok(())
    }

    /// Whatever is on its way gets to the ledger. No core keeps a take for longer than a round, yet the
    /// clock here jumps by more than a commit may be late: such a take would count as missing.
    pub(crate) fn rest(&mut self) -> Result<(), Violation> {
        self.flush();
        self.settle()?;
        for _ in 0..LAST_REPORTS {
            if self.is_selling && self.report_all() == 0 {
                break;
            }
            while self.has_tail() || !self.asked.is_empty() {
                self.settle()?;
            }
        }
        match self.provider.takings.iter().find(|taking| !taking.facts.iter().all(|s| s.is_heard)) {
            Some(taking) => Err(format!("nobody answers what is said of {taking:?}")),
            None => self.durable.money.compare(&self.provider),
        }
    }

    /// Steward and writer work until nothing waits.
    fn settle(&mut self) -> Result<(), Violation> {
        for _ in 0..6 {
            self.work()?;
            self.write()?;
        }
        self.look()
    }

    /// Viewers connect, each to one core.
    fn come(&mut self) {
        let stream = STREAM.parse().expect("a stream's id");
        self.viewers.clear();
        for n in 0..VIEWERS {
            let id: ViewerId = format!("v{n}").parse().expect("a viewer's id");
            let viewer = self.node.ports[n % CORES].join(&id, (&stream, Mode::Live), n as u64);
            self.names.insert(viewer.number(), id);
            self.viewers.push(viewer);
        }
    }

    fn flush(&mut self) {
        self.node.ports.iter_mut().for_each(stampede_engine::CorePort::flush);
    }

    /// The steward works until nothing is due.
    fn work(&mut self) -> Result<(), Violation> {
        self.carried_out_at = self.node.engine.now();
        if !self.is_selling {
            if self.node.is_recovered() {
                self.recovered()?;
                self.is_selling = true;
                self.node.begin();
            }
            return Ok(());
        }
        for _ in 0..self.chance.within(1, 4) {
            self.looked_at = self.node.engine.now();
            let state = self.node.steward_turn();
            self.is_seen = state == StewardState::Idle;
            if state != StewardState::Busy {
                break;
            }
        }
        Ok(())
    }

    /// The writer commits, unless it has failed.
    fn write(&mut self) -> Result<(), Violation> {
        if self.has_failed {
            return Ok(());
        }
        match (self.node.writer_turn(), self.ordered) {
            (Ok(is_idle), _) => {
                if !is_idle {
                    self.is_seen = false;
                    self.follow()?;
                }
                Ok(())
            }
            (Err(why), None) => Err(format!("a commit failed without a fault: {why}")),
            (Err(why), Some(failure)) => {
                self.has_failed = true;
                if matches!(failure, Failure::Told) {
                    self.node.fail(&why);
                }
                Ok(())
            }
        }
    }

    fn follow(&mut self) -> Result<(), Violation> {
        self.durable.follow(&self.ledger.rows(), &Names(&self.names))?;
        self.drops = self.durable.drops();
        Ok(())
    }

    fn any_drop(&mut self) -> Option<DropId> {
        if self.drops.is_empty() {
            return None;
        }
        Some(self.chance.pick(&self.drops))
    }

    /// Whether nothing is under way: what was decided is durable, and what is durable was seen.
    fn is_quiet(&self) -> bool {
        let is_seen = self.is_seen && self.pending.is_empty() && self.node.is_settled();
        self.is_selling && !self.has_failed && is_seen
    }

    /// Something waits that no commit has.
    pub(crate) fn has_tail(&self) -> bool {
        !self.node.is_settled() || !self.pending.is_empty()
    }

    /// The next commit fails, its rows are kept or not.
    pub(crate) fn order(&mut self, is_kept: bool, failure: Failure) {
        let fault = if is_kept { Fault::After } else { Fault::Before };
        self.ledger.order(self.ledger.commits() + 1, fault);
        self.ordered = Some(failure);
    }

    /// Whether a commit has failed.
    pub(crate) fn has_failed(&self) -> bool {
        self.has_failed
    }

    /// The process dies and comes back.
    pub(crate) fn restart(&mut self) -> Result<(), Violation> {
        self.look()?;
        if self.chance.percent(60) {
            self.clock.advance(self.chance.within(1, 90_000));
        }
        if self.chance.percent(20) {
            self.clock.reboot();
        }
        self.start_again()
    }

    /// It comes back at once.
    fn start_again(&mut self) -> Result<(), Violation> {
        self.follow()?;
        self.durable.begin_anew(&self.ledger.rows(), &Names(&self.names))?;
        self.node = open(&self.ledger, &self.clock, self.kept);
        self.looked_at = self.node.engine.now();
        self.opened()?;
        (self.is_selling, self.has_failed, self.is_seen) = (false, false, false);
        self.ordered = None;
        self.pending.clear();
        self.asked.clear();
        self.paused.clear();
        self.come();
        Ok(())
    }
}

fn last_takes(node: &SteppedEngine, drop: DropId) -> Vec<Option<u64>> {
    let sale = node.engine.sale(drop);
    sale.map(|sale| sale.figures().iter().map(|sku| sku.last_take).collect()).unwrap_or_default()
}

fn units(count: u64) -> Units {
    u32::try_from(count).ok().and_then(Units::new).expect("few units")
}
