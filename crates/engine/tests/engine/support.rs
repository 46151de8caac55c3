//! A sale on a ledger in memory, with a clock that is set by hand.

use std::sync::Arc;

use stampede_domain::{
    ChannelId, DropId, DropPlan, DurationMs, HoldId, IdempotencyKey, Mode, Phase, RefundReason,
    Units,
};
use stampede_engine::{
    Action, Buy, BuyRequest, CommandOutcome, CoreEvent, CorePort, DropAction, Engine, EngineConfig,
    FactRefusal, HoldLook, HoldOutcome, PartOutcome, PaymentOutcome, Position, Role, StaffCommand,
    Unavailable, Viewer, ViewerEvent, Wake,
};
use stampede_ledger::{OpenLedger, fake::FakeLedger};
use stampede_testkit::euros;
pub(crate) use stampede_testkit::{HandClock, at_next_reading, paid, plan, wait_for};
use tokio::sync::oneshot;

pub(crate) struct World {
    pub(crate) ledger: FakeLedger,
    pub(crate) clock: Arc<HandClock>,
    pub(crate) engine: Arc<Engine>,
    pub(crate) ports: Vec<CorePort>,
    next_key: u64,
}

/// The same with a countdown of ten seconds.
pub(crate) fn plan_with_countdown(supply: u32) -> DropPlan {
    DropPlan { countdown: DurationMs::from_secs(10), ..plan(supply) }
}

impl World {
    /// Reports that a hold was paid for; what it came to.
    pub(crate) fn pay(&self, hold: HoldId) -> HoldOutcome {
        self.start_to_pay(hold).outcome()
    }

    /// The same, without waiting.
    pub(crate) fn start_to_pay(&self, hold: HoldId) -> Paying {
        Waiting(self.engine.payment(paid(&self.engine, hold)).unwrap())
    }

    /// An empty ledger, started once, on two cores.
    pub(crate) fn new() -> Self {
        let clock = Arc::new(HandClock::at(1_000_000));
        Self::start(FakeLedger::new("n1".parse().unwrap()), clock)
    }

    pub(crate) fn start(ledger: FakeLedger, clock: Arc<HandClock>) -> Self {
        let config = EngineConfig { cores: 2, ..EngineConfig::default() };
        Self::start_with(config, ledger, clock)
    }

    pub(crate) fn start_with(
        config: EngineConfig,
        ledger: FakeLedger,
        clock: Arc<HandClock>,
    ) -> Self {
        let opened = ledger.open();
        Self { ledger, ..Self::on(config, opened, clock) }
    }

    /// On a ledger that is open.
    pub(crate) fn on(config: EngineConfig, opened: OpenLedger, clock: Arc<HandClock>) -> Self {
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
        self.clock.set_back(millis);
    }

    /// Somebody sets the wall clock, this many milliseconds away from where it is.
    pub(crate) fn set_wall(&self, by_millis: i64) {
        self.clock.set_wall(by_millis);
    }

    /// Somebody sets the system's clock while no server runs: the machine knows better.
    pub(crate) fn set_system(&self, by_millis: i64) {
        self.clock.set_system(by_millis);
    }

    /// The machine sleeps while the server runs.
    pub(crate) fn sleep(&self, millis: u64) {
        self.clock.sleep(millis);
    }

    /// The machine starts anew.
    pub(crate) fn reboot(&self) {
        self.clock.reboot();
    }

    pub(crate) fn give(&mut self, action: impl Into<Action>) -> Waiting<CommandOutcome> {
        self.next_key += 1;
        let key = format!("staff-{}", self.next_key);
        self.give_as(Role::Admin, &key, action).unwrap()
    }

    pub(crate) fn give_as(
        &self,
        role: Role,
        key: &str,
        action: impl Into<Action>,
    ) -> Result<Waiting<CommandOutcome>, Unavailable> {
        let action = action.into();
        let command = StaffCommand {
            actor: "nina".into(),
            role,
            merchant: None,
            streams: stampede_engine::StreamScope::All,
            key: key.parse().unwrap(),
            reason: action.needs_reason().then(|| "the provider is down".to_owned()),
            action,
        };
        self.engine.command(command).map(Waiting)
    }

    /// Plans and opens a drop.
    pub(crate) fn open_drop(&mut self, plan: DropPlan) -> DropId {
        let planned = self.give(Action::Plan { plan: Arc::new(plan) }).get();
        let drop = planned.unwrap().drop;
        self.give(DropAction::StartCountdown.on(drop)).get().unwrap();
        self.wait_phase(drop, Phase::Open);
        drop
    }

    pub(crate) fn wait_phase(&self, drop: DropId, phase: Phase) {
        wait_for(phase.name(), || (self.engine.sale(drop)?.phase() == phase).then_some(()));
    }

    pub(crate) fn viewer(&mut self, name: &str) -> Arc<Viewer> {
        self.ports[0].join(&name.parse().unwrap(), (&"show".parse().unwrap(), Mode::Live), 1)
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

    pub(crate) fn wait_called_off(&mut self, wanted: HoldId) {
        self.wait_event(
            |event| matches!(event, ViewerEvent::CalledOff { hold, .. } if *hold == wanted),
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

/// A payment of one hold that was reported.
pub(crate) type Paying = Waiting<Result<PaymentOutcome, FactRefusal>>;

/// A hold became an order by its payment.
pub(crate) const ORDERED: HoldOutcome = HoldOutcome::Part(PartOutcome::Ordered);

/// What a mug costs is due back.
pub(crate) fn due_back(reason: RefundReason) -> HoldOutcome {
    HoldOutcome::Part(PartOutcome::RefundDue { amount: euros(1990), reason })
}

impl Paying {
    pub(crate) fn outcome(self) -> HoldOutcome {
        match self.get().expect("a payment of what is owed").holds[..] {
            [(_, outcome)] => outcome,
            ref other => panic!("one hold was paid for: {other:?}"),
        }
    }
}
