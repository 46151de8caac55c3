//! A small sale on a ledger in memory: one core, connections that a fuzzer drives, what must hold.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use stampede_domain::{BanTarget, DropId, DurationMs, HoldId, Mode, Phase, Units};
use stampede_engine::{
    Action, BrakeAction, Clock, DropAction, Engine, EngineConfig, Role, StaffCommand, StreamAction,
    Wake,
};
use stampede_gateway::{
    GatewayConfig,
    fuzzing::{Core, Received, Taken},
};
use stampede_ledger::fake::{FakeLedger, Fault};
use stampede_payments::{Payments, Provider, SandboxConfig};
use stampede_wire::{
    ClientMessage, Subprotocol,
    frame::FrameError,
    ticket::{Ticket, TicketKeys, TicketMinter, TicketVerifier},
};

use crate::{
    NOW,
    client::{Client, Durable, next_frame},
    key,
    step::{Order, Step, Wish},
    time::{ManualClock, poll, wait},
};

/// Bytes that may wait for one connection.
const QUEUE_BYTES_MAX: usize = 4_096;
/// The last words of a connection that takes too little: an error, then the close.
const LAST_WORDS_BYTES_MAX: usize = 1_024;
const CONNECTIONS_MAX: usize = 8;
const DROP: DropId = DropId::new(1);

/// The sale with everybody in it.
pub struct Sale {
    core: Core,
    engine: Arc<Engine>,
    payments: Arc<Payments>,
    ledger: FakeLedger,
    clock: Arc<ManualClock>,
    minter: TicketMinter,
    clients: Vec<Client>,
    holds: Vec<HoldId>,
    durable: Durable,
    commands: u64,
    /// Whether a commit was told to hang.
    hangs: bool,
}

impl Sale {
    /// A drop that is open, nobody there yet.
    pub fn open() -> Self {
        let ledger = FakeLedger::new("n1".parse().expect("an id"));
        let clock = Arc::new(ManualClock(AtomicU64::new(NOW.get())));
        let sandbox = SandboxConfig { delay: DurationMs::ZERO, ..SandboxConfig::default() };
        let provider = Provider::Sandbox(sandbox);
        let config = EngineConfig {
            cores: 1,
            ring_entries_max: 16,
            viewers_pay_at: provider.viewers_pay_at(),
            ..EngineConfig::default()
        };
        let wake: Wake = Arc::new(|| {});
        let started =
            stampede_engine::start(config, ledger.open(), Arc::clone(&clock) as _, vec![wake]);
        let (engine, mut ports) = started.expect("an empty ledger starts");
        let payments = Payments::start(&engine, provider);
        let payments = payments.expect("there is a thread");
        let keys = TicketKeys::new(&[key()]).expect("a sound key");
        let config = GatewayConfig {
            connections_max: CONNECTIONS_MAX - 2,
            connections_per_address_max: 4,
            unlimited_addresses: Vec::new(),
            queue_bytes_max: QUEUE_BYTES_MAX,
            ..GatewayConfig::default()
        };
        let port = ports.pop().expect("one core");
        let core = Core::new(config, port, TicketVerifier::new(keys));
        let mut sale = Self {
            core,
            engine,
            payments,
            ledger,
            clock,
            minter: TicketMinter::new(&key()).expect("a sound key"),
            clients: Vec::new(),
            holds: Vec::new(),
            durable: Durable::default(),
            commands: 0,
            hangs: false,
        };
        sale.command(Action::Plan { plan: Arc::new(crate::terms::plan()) });
        sale.command(DropAction::StartCountdown.on(DROP));
        let engine = Arc::clone(&sale.engine);
        wait(|| engine.sale(DROP).is_some_and(|sale| sale.phase() == Phase::Open));
        sale
    }

    /// Does one step, then looks whether everything holds.
    pub fn step(&mut self, step: &Step) {
        match step {
            Step::Open { json, address } => self.connect(*json, *address),
            Step::Join { json, address, viewer } => {
                let before = self.clients.len();
                self.connect(*json, *address);
                if let Ok(who) = u8::try_from(before)
                    && self.clients.len() > before
                {
                    self.send(who, &Wish::Hello { viewer: *viewer });
                }
            }
            Step::Twice { who, what } => {
                self.send(*who, what);
                self.send(*who, what);
            }
            Step::Send { who, what } => self.send(*who, what),
            Step::Bytes { who, text, bytes } => {
                let received = if *text { Received::Text(bytes) } else { Received::Binary(bytes) };
                // A message that was not meant as one would be asked for an answer nobody counts.
                let decodes = Subprotocol::ALL.iter().any(|one| one.decode_client(bytes).is_ok());
                if !decodes {
                    self.receive(*who, received);
                }
            }
            Step::Ping { who, bytes } => {
                self.receive(*who, Received::Ping(&[7; 125][..usize::from(*bytes).min(125)]));
            }
            Step::Pong { who } => self.receive(*who, Received::Quiet),
            Step::Close { who, code } => self.receive(*who, Received::Close(*code)),
            Step::Broken { who, too_big } => {
                let error = if *too_big {
                    FrameError::TooBig { length: 5_000 }
                } else {
                    FrameError::Unmasked
                };
                self.receive(*who, Received::Broken(error));
            }
            Step::Gone { who } => {
                if let Some(place) = self.place(*who) {
                    self.part(place);
                }
            }
            Step::Read { who, bytes } => {
                if let Some(place) = self.place(*who) {
                    self.read(place, usize::from(*bytes));
                }
            }
            Step::Wake => self.core.wake(),
            Step::Tick => self.core.tick(),
            Step::Sweep => self.core.sweep(),
            Step::Wait { ms } => {
                self.clock.0.fetch_add(u64::from(*ms), Ordering::SeqCst);
            }
            Step::Settle => self.settle(),
            Step::Paid { nth } => {
                if let Some(hold) = self.hold(*nth) {
                    // The answer comes to the viewer as an event.
                    let _answer = self.engine.payment(stampede_testkit::paid(&self.engine, hold));
                }
            }
            Step::Staff { what } => self.order(*what),
            Step::Fail { leaves_rows } => {
                let fault = if *leaves_rows { Fault::After } else { Fault::Before };
                self.ledger.order(self.ledger.commits() + 1, fault);
            }
            Step::Hang => {
                self.ledger.order(self.ledger.commits() + 1, Fault::Hang);
                self.hangs = true;
            }
            Step::Drain => self.core.drain(),
        }
        self.check_bounds();
    }

    /// Lets everything come to rest: each request of a connection that is still there has
    /// its answer.
    pub fn finish(mut self) {
        self.settle();
        // What came too late for a hold may be refused after the end of the hold is told.
        let answered = poll(|| {
            self.core.wake();
            // Whoever is over by that leaves its place to the last one.
            for place in (0..self.clients.len()).rev() {
                self.read(place, usize::MAX);
            }
            self.unanswered().is_empty()
        });
        assert!(answered, "unanswered: {:?}", self.unanswered());
        while !self.clients.is_empty() {
            self.part(0);
        }
        self.payments.shutdown();
        self.engine.shutdown();
    }

    fn unanswered(&self) -> Vec<String> {
        let health = self.engine.health();
        let there = self.clients.iter().filter(|client| !client.closed);
        there.flat_map(|client| client.unanswered(health)).collect()
    }

    fn place(&self, who: u8) -> Option<usize> {
        let count = self.clients.len();
        (count > 0).then(|| usize::from(who) % count)
    }

    fn hold(&self, nth: u8) -> Option<HoldId> {
        let count = self.holds.len();
        (count > 0).then(|| self.holds[usize::from(nth) % count])
    }

    fn connect(&mut self, json: bool, address: u8) {
        if self.clients.len() == CONNECTIONS_MAX {
            return;
        }
        let subprotocol = if json { Subprotocol::Json } else { Subprotocol::MsgPack };
        let Some(token) = self.core.open(subprotocol, self::address(address)) else { return };
        self.clients.push(Client::new(token, subprotocol));
    }

    fn receive(&mut self, who: u8, received: Received<'_>) {
        let Some(place) = self.place(who) else { return };
        self.core.receive(self.clients[place].token, received);
    }

    fn send(&mut self, who: u8, wish: &Wish) {
        let Some(place) = self.place(who) else { return };
        let ticket = |viewer: u8| {
            let now = self.clock.now();
            let ticket = Ticket {
                viewer: format!("v{}", viewer % 4).parse().expect("an id"),
                stream: (if viewer > 250 { "other" } else { "show" }).parse().expect("an id"),
                channel: None,
                mode: Mode::Live,
                expires_at: now.plus(DurationMs::from_secs(30)),
            };
            self.minter.mint(&ticket, now)
        };
        let message = match wish {
            Wish::Hello { viewer } => {
                ClientMessage::Hello { ticket: ticket(*viewer).into(), client: None }
            }
            Wish::Refresh { viewer } => ClientMessage::Refresh { ticket: ticket(*viewer).into() },
            Wish::Buy { sku, units, key } => ClientMessage::Buy {
                drop: if *sku == 255 { DropId::new(9) } else { DROP },
                sku: (["mug", "cup", "none"][usize::from(sku % 3)]).into(),
                units: u64::from(units % 6),
                key: format!("k{}", key % 8).parse().expect("a key"),
            },
            Wish::Release { nth } => match self.hold(*nth) {
                Some(hold) => ClientMessage::Release { hold },
                None => return,
            },
            Wish::Pay { nth } => match self.hold(*nth) {
                Some(hold) => ClientMessage::Pay { hold, card: None },
                None => return,
            },
            Wish::Ping => ClientMessage::Ping,
        };
        let client = &mut self.clients[place];
        let bytes = client.subprotocol.encode_client(&message);
        let token = client.token;
        if self.core.is_reading(token) {
            client.ask(&message);
        }
        let received = if client.subprotocol.is_text() {
            Received::Text(&bytes)
        } else {
            Received::Binary(&bytes)
        };
        self.core.receive(token, received);
    }

    fn order(&mut self, order: Order) {
        let stream = || "show".parse().expect("an id");
        let action = match order {
            Order::Pause => DropAction::Pause.on(DROP),
            Order::Resume => DropAction::Resume.on(DROP),
            Order::Close => DropAction::Close.on(DROP),
            Order::Restock => {
                DropAction::Restock { sku: "cup".parse().expect("an id"), units: Units::ONE }
                    .on(DROP)
            }
            Order::Stop => BrakeAction::Halt { expires_in: None }.into(),
            Order::Go => BrakeAction::Go.into(),
            Order::Ban { address } => {
                let range = self::address(address).to_string();
                let target = BanTarget::Addresses(range.parse().expect("a range"));
                let release_holds = address.is_multiple_of(2);
                BrakeAction::Ban { target, release_holds, expires_in: None }.into()
            }
            Order::Offline => StreamAction::Offline.on(stream()),
            Order::Online => StreamAction::Online.on(stream()),
        };
        self.command(action);
    }

    fn command(&mut self, action: Action) {
        self.commands += 1;
        let command = StaffCommand {
            actor: "nina".into(),
            role: Role::Admin,
            merchant: None,
            streams: stampede_engine::StreamScope::All,
            key: format!("c{}", self.commands).parse().expect("a key"),
            reason: None,
            action,
        };
        // Refused or unknown: the sale goes on as it is.
        let _answer = self.engine.command(command);
    }

    /// Waits until nothing is under way any more, unless the ledger has failed.
    fn settle(&mut self) {
        // Once released, a ledger hangs no more.
        if self.hangs {
            self.ledger.release();
        }
        wait(|| {
            self.core.wake();
            self.core.pending() == 0
        });
    }

    /// The connection takes up to `room` bytes and reads what they say.
    fn read(&mut self, place: usize, room: usize) {
        let client = &mut self.clients[place];
        let was_closed = client.closed;
        let before = client.inbox.len();
        let taken = self.core.write(client.token, room, &mut client.inbox);
        assert!(!was_closed || client.inbox.len() == before, "bytes behind a close");
        self.durable.catch_up(&self.ledger);
        let client = &mut self.clients[place];
        while let Some((opcode, payload)) = next_frame(&mut client.inbox) {
            assert!(!client.closed, "a frame behind the close");
            match opcode {
                1 | 2 => {
                    assert_eq!(opcode == 1, client.subprotocol.is_text());
                    let message = client.subprotocol.decode_server(&payload);
                    let message = message.expect("it is a message").expect("of a known type");
                    client.hear(&message, &self.durable, &mut self.holds);
                }
                8 => client.closed = true,
                9 | 10 => {}
                other => panic!("opcode {other}"),
            }
        }
        if taken == Taken::Over {
            let client = &mut self.clients[place];
            assert!(client.closed && client.inbox.is_empty(), "over means that the close was last");
        }
        if matches!(taken, Taken::Over | Taken::Gone) {
            self.part(place);
        }
    }

    /// The connection is over.
    fn part(&mut self, place: usize) {
        let client = self.clients.swap_remove(place);
        self.core.gone(client.token);
        let mut rest = Vec::new();
        assert_eq!(self.core.write(client.token, usize::MAX, &mut rest), Taken::Gone);
        assert!(rest.is_empty(), "a connection that is gone is written to");
    }

    fn check_bounds(&self) {
        for client in &self.clients {
            let waiting = self.core.waiting(client.token);
            assert!(waiting <= QUEUE_BYTES_MAX + LAST_WORDS_BYTES_MAX, "{waiting} bytes wait");
        }
        let sale = self.engine.sale(DROP);
        for figures in sale.iter().flat_map(|sale| sale.figures()) {
            assert!(figures.held.get() + figures.sold.get() <= figures.supplied.get());
        }
    }
}

/// One of three addresses.
fn address(number: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(192, 0, 2, number % 3))
}
