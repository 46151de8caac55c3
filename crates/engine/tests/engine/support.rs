//! A sale on a ledger in memory, with a clock that is set by hand.

use std::{
    cell::Cell,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU8, AtomicU64, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;
use stampede_domain::{
    ChannelId, DropId, DropPlan, DurationMs, HoldId, IdempotencyKey, Mode, Money, Phase, SkuPlan,
    Units, UnixMillis,
};
use stampede_engine::{
    Action, BootId, Buy, BuyRequest, Clock, CommandOutcome, CoreEvent, CorePort, Engine,
    EngineConfig, HoldLook, MachineTime, Position, Role, StaffCommand, Unavailable, Viewer,
    ViewerEvent, Wake,
};
use stampede_ledger::{OpenLedger, fake::FakeLedger};
use tokio::sync::oneshot;

/// Waits are bounded: a test that hangs says so.
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Default)]
pub(crate) struct ManualClock {
    now: AtomicU64,
    /// By how much the wall clock is ahead of the other, in milliseconds.
    wall_ahead: AtomicI64,
    /// By how much the machine's clock is ahead of the other, in milliseconds.
    machine_ahead: AtomicI64,
    /// How long the machine has slept, in milliseconds.
    asleep: AtomicU64,
    /// Which start of the machine it is.
    boot: AtomicU8,
    /// Held while more than one of them changes.
    changing: Mutex<()>,
}

thread_local! {
    /// What happens around this thread's next reading of the clock; it tells what was read.
    static READING: Cell<Option<Box<dyn FnOnce() -> UnixMillis>>> = Cell::new(None);
}

/// Has `around` happen while this thread reads the clock the next time.
pub(crate) fn at_next_reading(around: impl FnOnce() -> UnixMillis + 'static) {
    READING.set(Some(Box::new(around)));
}

impl ManualClock {
    pub(crate) fn advance(&self, millis: u64) {
        self.now.fetch_add(millis, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> UnixMillis {
        let read = || {
            let _whole = self.changing.lock();
            UnixMillis::new(self.now.load(Ordering::SeqCst))
        };
        READING.take().map_or_else(read, |around| around())
    }

    fn wall(&self) -> UnixMillis {
        let (now, ahead) = (&self.now, &self.wall_ahead);
        let now = now.load(Ordering::SeqCst);
        UnixMillis::new(now.saturating_add_signed(ahead.load(Ordering::SeqCst)))
    }

    fn machine(&self) -> MachineTime {
        let _whole = self.changing.lock();
        let (now, ahead) = (&self.now, &self.machine_ahead);
        let now = now.load(Ordering::SeqCst);
        let since_boot = now.saturating_add_signed(ahead.load(Ordering::SeqCst));
        MachineTime {
            boot: BootId::from_bytes([self.boot.load(Ordering::SeqCst); 16]),
            since_boot: DurationMs::new(since_boot),
            asleep: DurationMs::new(self.asleep.load(Ordering::SeqCst)),
        }
    }
}

pub(crate) struct World {
    pub(crate) ledger: FakeLedger,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) engine: Arc<Engine>,
    pub(crate) ports: Vec<CorePort>,
    next_key: u64,
}

/// Polls until `done` gives something; panics after a while.
pub(crate) fn wait_for<T>(what: &str, mut done: impl FnMut() -> Option<T>) -> T {
    let patience = PATIENCE.as_millis();
    for _ in 0..patience {
        if let Some(found) = done() {
            return found;
        }
        std::thread::park_timeout(Duration::from_millis(1));
    }
    panic!("waited {PATIENCE:?} for {what}");
}

/// A drop of one SKU that opens at once.
pub(crate) fn plan(supply: u32) -> DropPlan {
    DropPlan {
        stream: "show".parse().unwrap(),
        running_order: 1,
        title: "Mugs".into(),
        merchant: "acme".parse().unwrap(),
        host: "nina".parse().unwrap(),
        mode: Mode::Live,
        skus: vec![SkuPlan {
            id: "mug".parse().unwrap(),
            title: "Mug".into(),
            options: vec![],
            merchant_sku: "M-1".into(),
            image: None,
            price: Money::new(1990, "EUR".parse().unwrap()).unwrap(),
            supply: Units::new(supply).unwrap(),
            limit_per_viewer: Units::new(2).unwrap(),
        }],
        limit_per_viewer: Units::new(2).unwrap(),
        holds_per_viewer_max: 4,
        hold_ttl: DurationMs::from_secs(60),
        countdown: DurationMs::ZERO,
        starts_at: None,
        ends_at: None,
        stock_display: None,
        when_offline: None,
    }
}

/// The same with a countdown of ten seconds.
pub(crate) fn plan_with_countdown(supply: u32) -> DropPlan {
    DropPlan { countdown: DurationMs::from_secs(10), ..plan(supply) }
}

impl World {
    /// An empty ledger, started once, on two cores.
    pub(crate) fn new() -> Self {
        let now = AtomicU64::new(1_000_000);
        let clock = Arc::new(ManualClock { now, ..ManualClock::default() });
        Self::start(FakeLedger::new("n1".parse().unwrap()), clock)
    }

    pub(crate) fn start(ledger: FakeLedger, clock: Arc<ManualClock>) -> Self {
        let config = EngineConfig { cores: 2, ..EngineConfig::default() };
        Self::start_with(config, ledger, clock)
    }

    pub(crate) fn start_with(
        config: EngineConfig,
        ledger: FakeLedger,
        clock: Arc<ManualClock>,
    ) -> Self {
        let opened = ledger.open();
        Self { ledger, ..Self::on(config, opened, clock) }
    }

    /// On a ledger that is open.
    pub(crate) fn on(config: EngineConfig, opened: OpenLedger, clock: Arc<ManualClock>) -> Self {
        let wakes = (0..config.cores).map(|_| Arc::new(|| {}) as Wake).collect();
        let started = stampede_engine::start(config, opened, Arc::clone(&clock) as _, wakes);
        let (engine, ports) = started.expect("the engine starts");
        let ledger = FakeLedger::new("n1".parse().unwrap());
        Self { ledger, clock, engine, ports, next_key: 0 }
    }

    /// The process dies: nothing that was not durable is kept.
    pub(crate) fn restart(self, outage_ms: u64) -> Self {
        self.clock.advance(outage_ms);
        let Self { ledger, clock, engine, ports, next_key } = self;
        // The old threads go on with a fenced store; to wait for their end could take for ever.
        std::mem::forget((engine, ports));
        Self { next_key, ..Self::start(ledger, clock) }
    }

    pub(crate) fn advance(&self, millis: u64) {
        self.clock.advance(millis);
    }

    pub(crate) fn set_back(&self, millis: u64) {
        self.clock.now.fetch_sub(millis, Ordering::SeqCst);
    }

    /// Somebody sets the wall clock, so many milliseconds away from where it is.
    pub(crate) fn set_wall(&self, by_millis: i64) {
        self.clock.wall_ahead.fetch_add(by_millis, Ordering::SeqCst);
    }

    /// Somebody sets the system's clock while no server runs: the machine knows better.
    pub(crate) fn set_system(&self, by_millis: i64) {
        let now = self.clock.now.load(Ordering::SeqCst).saturating_add_signed(by_millis);
        self.clock.now.store(now, Ordering::SeqCst);
        self.clock.machine_ahead.fetch_sub(by_millis, Ordering::SeqCst);
    }

    /// The machine sleeps while the server runs.
    pub(crate) fn sleep(&self, millis: u64) {
        let _whole = self.clock.changing.lock();
        self.clock.now.fetch_add(millis, Ordering::SeqCst);
        self.clock.asleep.fetch_add(millis, Ordering::SeqCst);
    }

    /// The machine starts anew.
    pub(crate) fn reboot(&self) {
        self.clock.boot.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn give(&mut self, drop: Option<DropId>, action: Action) -> Waiting<CommandOutcome> {
        self.next_key += 1;
        let key = format!("staff-{}", self.next_key);
        self.give_as(Role::Admin, &key, drop, action).unwrap()
    }

    pub(crate) fn give_as(
        &self,
        role: Role,
        key: &str,
        drop: Option<DropId>,
        action: Action,
    ) -> Result<Waiting<CommandOutcome>, Unavailable> {
        let command = StaffCommand {
            seen: None,
            actor: "nina".into(),
            role,
            merchant: None,
            streams: stampede_engine::StreamScope::All,
            key: key.parse().unwrap(),
            reason: None,
            drop,
            action,
        };
        self.engine.command(command).map(Waiting)
    }

    /// Plans and opens a drop.
    pub(crate) fn open_drop(&mut self, plan: DropPlan) -> DropId {
        let planned = self.give(None, Action::Plan { plan: Arc::new(plan) }).get();
        let drop = planned.unwrap().drop;
        self.give(Some(drop), Action::Open).get().unwrap();
        self.wait_phase(drop, Phase::Open);
        drop
    }

    pub(crate) fn wait_phase(&self, drop: DropId, phase: Phase) {
        wait_for(phase.name(), || (self.engine.sale(drop)?.phase() == phase).then_some(()));
    }

    pub(crate) fn viewer(&mut self, name: &str) -> Arc<Viewer> {
        self.ports[0].join(&name.parse().unwrap(), &"show".parse().unwrap(), 1)
    }

    pub(crate) fn buy(
        &mut self,
        core: usize,
        viewer: &Viewer,
        drop: DropId,
        units: u64,
        key: &str,
    ) -> Buy {
        self.buy_by(None, core, viewer, drop, units, key)
    }

    /// Buys with a ticket of this channel.
    pub(crate) fn buy_by(
        &mut self,
        channel: Option<&str>,
        core: usize,
        viewer: &Viewer,
        drop: DropId,
        units: u64,
        key: &str,
    ) -> Buy {
        let key: IdempotencyKey = key.parse().unwrap();
        let channel: Option<ChannelId> = channel.map(|channel| channel.parse().unwrap());
        let channel = channel.as_ref();
        let request = BuyRequest { drop, sku: "mug", units, key: &key, channel };
        let port = &mut self.ports[core];
        let bought = port.buy(viewer, &"show".parse().unwrap(), Mode::Live, request);
        port.flush();
        bought
    }

    /// Buys and waits until the promise may leave.
    pub(crate) fn hold(&mut self, viewer: &Viewer, drop: DropId, units: u64, key: &str) -> HoldId {
        match self.buy(0, viewer, drop, units, key) {
            Buy::Pending { hold, position } => {
                self.wait_durable(0, position);
                hold
            }
            other => panic!("expected a hold, got {other:?}"),
        }
    }

    pub(crate) fn wait_durable(&self, core: usize, position: Position) {
        wait_for("durability", || (self.ports[core].durable() >= position).then_some(()));
    }

    pub(crate) fn look(&self, hold: HoldId) -> HoldLook {
        self.engine.hold(hold)
    }

    pub(crate) fn wait_ordered(&mut self, hold: HoldId) {
        self.wait_event(|event| *event == ViewerEvent::Ordered(hold));
    }

    pub(crate) fn wait_released(&mut self, wanted: HoldId) {
        self.wait_event(
            |event| matches!(event, ViewerEvent::Released { hold, .. } if *hold == wanted),
        );
    }

    pub(crate) fn wait_expired(&mut self, wanted: HoldId) {
        self.wait_event(
            |event| matches!(event, ViewerEvent::Expired { hold, .. } if *hold == wanted),
        );
    }

    /// Waits for something that happened to a viewer on core 0.
    pub(crate) fn wait_held(&mut self, hold: HoldId) {
        self.wait_event(|event| *event == ViewerEvent::Held(hold));
    }

    fn wait_event(&mut self, wanted: impl Fn(&ViewerEvent) -> bool) {
        let mut events = Vec::new();
        wait_for("an event", || {
            self.ports[0].drain(&mut events);
            let told = |event: &CoreEvent| matches!(event, CoreEvent::Viewer { event, .. } if wanted(event));
            events.iter().any(told).then_some(())
        });
    }

    /// supplied, available, held, sold of the only SKU.
    pub(crate) fn figures(&self, drop: DropId) -> [u32; 4] {
        let figures = self.engine.sale(drop).unwrap().figures()[0];
        [figures.supplied, figures.available, figures.held, figures.sold].map(Units::get)
    }
}

/// An answer that leaves when it is durable.
pub(crate) struct Waiting<T>(pub(crate) oneshot::Receiver<T>);

impl<T> Waiting<T> {
    pub(crate) fn get(mut self) -> T {
        wait_for("an answer", || self.0.try_recv().ok())
    }

    /// Whether the channel closes without an answer: the outcome is unknown.
    pub(crate) fn ends_unanswered(mut self) -> bool {
        wait_for("an end", || match self.0.try_recv() {
            Ok(_) => Some(false),
            Err(oneshot::error::TryRecvError::Closed) => Some(true),
            Err(oneshot::error::TryRecvError::Empty) => None,
        })
    }
}
