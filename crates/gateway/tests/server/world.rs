//! A server with a clock that is set by hand.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use stampede_domain::{DropId, DropPlan, DurationMs, Mode, Phase, UnixMillis};
use stampede_engine::{
    Action, Clock, CommandOutcome, DropAction, Engine, EngineConfig, Role, SaleDrop, StaffCommand,
};
use stampede_gateway::{CoreSignals, Gateway, GatewayConfig, ViewerListeners};
use stampede_ledger::{DataDir, OpenLedger, SqliteLedger, fake::FakeLedger};
use stampede_payments::{Payments, Provider, SandboxConfig};
use stampede_testkit::{HandClock, plan_of, sku};
pub(crate) use stampede_testkit::{PATIENCE, wait_for};
use stampede_wire::{
    Subprotocol,
    ticket::{KeySpec, Ticket, TicketKeys, TicketMinter, TicketVerifier},
};
use tempfile::TempDir;
use tokio::sync::oneshot;

use crate::client::Client;

pub(crate) const CORES: usize = 2;

pub(crate) struct World {
    pub(crate) engine: Arc<Engine>,
    pub(crate) gateway: Option<Gateway>,
    pub(crate) address: SocketAddr,
    clock: Arc<HandClock>,
    pub(crate) payments: Arc<Payments>,
    minter: TicketMinter,
    commands: AtomicU64,
    _data: Option<TempDir>,
}

/// A drop with that many mugs, and five cups.
pub(crate) fn plan(supply: u32) -> DropPlan {
    plan_of([sku("mug", supply), sku("cup", 5)])
}

pub(crate) fn sandbox() -> SandboxConfig {
    SandboxConfig { delay: DurationMs::new(20), ..SandboxConfig::default() }
}

fn key(kid: &str) -> KeySpec {
    KeySpec {
        kid: kid.into(),
        kty: "oct".into(),
        alg: "HS256".into(),
        crv: None,
        k: Some(URL_SAFE_NO_PAD.encode([7; 32])),
        x: None,
        y: None,
        d: None,
    }
}

pub(crate) fn verifier(kid: &str) -> TicketVerifier {
    let keys = TicketKeys::new(&[key(kid)]).unwrap();
    TicketVerifier::new(keys).with_limits(DurationMs::ZERO, DurationMs::from_secs(86_400))
}

impl World {
    /// A server with default limits on an empty ledger file.
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut GatewayConfig)) -> Self {
        Self::with_provider(Provider::Sandbox(sandbox()), change)
    }

    pub(crate) fn with_provider(
        provider: Provider,
        change: impl FnOnce(&mut GatewayConfig),
    ) -> Self {
        let data = TempDir::new().unwrap();
        let locked = DataDir::lock(data.path()).unwrap();
        let ledger = SqliteLedger::open(&locked, &"n1".parse().unwrap()).unwrap();
        Self::on(ledger, Some(data), provider, change)
    }

    /// A server on a ledger that does as it is told.
    pub(crate) fn on_fake(ledger: &FakeLedger) -> Self {
        Self::on(ledger.open(), None, Provider::Sandbox(sandbox()), |_| {})
    }

    fn on(
        ledger: OpenLedger,
        data: Option<TempDir>,
        provider: Provider,
        change: impl FnOnce(&mut GatewayConfig),
    ) -> Self {
        let clock = Arc::new(HandClock::at(1_700_000_000_000));
        // The keys of an earlier start are bound.
        let commands = AtomicU64::new(u64::from(ledger.chains.incarnation.get()) << 32);
        let signals = CoreSignals::new(CORES).unwrap();
        let config = EngineConfig {
            cores: CORES,
            viewers_pay_at: provider.viewers_pay_at(),
            ..EngineConfig::default()
        };
        let (engine, ports) =
            stampede_engine::start(config, ledger, Arc::clone(&clock) as _, signals.wakes())
                .unwrap();
        let payments = Payments::start(&engine, provider).unwrap();
        let mut config = GatewayConfig {
            listen: ([127, 0, 0, 1], 0).into(),
            // The clock jumps in these tests, which must not look like silence.
            heartbeat: DurationMs::from_secs(3_600),
            ..GatewayConfig::default()
        };
        change(&mut config);
        let listeners = ViewerListeners::bind(config.listen, CORES).unwrap();
        let gateway = Gateway::start(config, listeners, ports, signals, verifier("k1")).unwrap();
        Self {
            engine,
            address: gateway.local_addr(),
            gateway: Some(gateway),
            clock,
            payments,
            minter: TicketMinter::new(&key("k1")).unwrap(),
            commands,
            _data: data,
        }
    }

    /// Connections past their handshake.
    pub(crate) fn connections(&self) -> usize {
        self.gateway.as_ref().unwrap().connections()
    }

    pub(crate) fn now(&self) -> UnixMillis {
        self.clock.now()
    }

    pub(crate) fn advance(&self, millis: u64) {
        self.clock.advance(millis);
    }

    /// Somebody sets the wall clock, this many milliseconds away from where it is.
    pub(crate) fn set_wall(&self, by_millis: i64) {
        self.clock.set_wall(by_millis);
    }

    /// Waits until a payment is under way, then lets its provider answer.
    pub(crate) fn settle_payment(&self) {
        wait_for("the payment", || (self.payments.under_way() > 0).then_some(()));
        self.advance(sandbox().delay.get());
        // Its outcome may be told before the provider knows it: the next payment is another one.
        wait_for("the outcome", || (self.payments.under_way() == 0).then_some(()));
    }

    /// Lets the provider answer only after the hold's time is over.
    pub(crate) fn settle_late(&self) {
        wait_for("the payment", || (self.payments.under_way() > 0).then_some(()));
        self.advance(plan(0).hold_ttl.get());
    }

    pub(crate) fn command(&self, action: impl Into<Action>) -> DropId {
        self.begin(action).blocking_recv().unwrap().unwrap().drop
    }

    /// Gives a command without waiting for its record to be durable.
    pub(crate) fn begin(&self, action: impl Into<Action>) -> oneshot::Receiver<CommandOutcome> {
        let number = self.commands.fetch_add(1, Ordering::SeqCst);
        let command = StaffCommand {
            actor: "nina".into(),
            role: Role::Admin,
            merchant: None,
            streams: stampede_engine::StreamScope::All,
            key: format!("c{number}").parse().unwrap(),
            reason: Some("a test".into()),
            action: action.into(),
        };
        self.engine.command(command).unwrap()
    }

    pub(crate) fn plan(&self, plan: DropPlan) -> DropId {
        let drop = self.command(Action::Plan { plan: Arc::new(plan) });
        wait_for("the plan", || self.engine.sale(drop));
        drop
    }

    /// Plans a drop, then opens it.
    pub(crate) fn open(&self, plan: DropPlan) -> DropId {
        let drop = self.plan(plan);
        self.command(DropAction::StartCountdown.on(drop));
        self.wait_phase(drop, Phase::Open);
        drop
    }

    pub(crate) fn wait_phase(&self, drop: DropId, phase: Phase) {
        let sale = self.sale(drop);
        wait_for("the phase", || (sale.phase() == phase).then_some(()));
    }

    pub(crate) fn sale(&self, drop: DropId) -> Arc<SaleDrop> {
        self.engine.sale(drop).unwrap()
    }

    pub(crate) fn available(&self, drop: DropId) -> u32 {
        self.sale(drop).figures()[0].available.get()
    }

    /// Refusals that the drop's tally has counted under a code's name.
    pub(crate) fn refused(&self, drop: DropId, code: &str) -> u64 {
        let totals = self.sale(drop).totals();
        totals.refusals().find(|(found, _)| found.name() == code).map_or(0, |(_, count)| count)
    }

    /// A ticket that is good for an hour.
    pub(crate) fn ticket(&self, viewer: &str) -> String {
        self.ticket_with(viewer, |_| {})
    }

    pub(crate) fn ticket_with(&self, viewer: &str, change: impl FnOnce(&mut Ticket)) -> String {
        let mut ticket = Ticket {
            viewer: viewer.parse().unwrap(),
            stream: "show".parse().unwrap(),
            channel: None,
            mode: Mode::Live,
            expires_at: self.now().plus(DurationMs::from_secs(3_600)),
        };
        change(&mut ticket);
        self.minter.mint(&ticket, self.now())
    }

    /// A connection past its handshake.
    pub(crate) fn dial(&self, subprotocol: Subprotocol) -> Client {
        Client::dial(self.address, subprotocol)
    }

    /// A viewer who has been welcomed.
    pub(crate) fn join(&self, viewer: &str) -> Client {
        let mut client = self.dial(Subprotocol::Json);
        client.hello(&self.ticket(viewer));
        client.welcomed();
        client
    }

    /// Somebody else can still buy: the server is unharmed.
    pub(crate) fn check_unharmed(&self, drop: DropId) {
        let before = self.available(drop);
        let mut client = self.join("somebody-else");
        client.buy(drop, "mug", 1, "unharmed");
        client.held();
        assert_eq!(self.available(drop), before - 1);
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(gateway) = self.gateway.take() {
            gateway.shutdown();
        }
        self.payments.shutdown();
        self.engine.shutdown();
    }
}
