//! A sale on a ledger in memory, with the listener for webhooks on a real port.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
};

use aws_lc_rs::hmac;
use data_encoding::HEXLOWER;
use serde_json::{Value, json};
use stampede_control::{ControlConfig, serve};
use stampede_domain::{DropId, DropPlan, HoldId, Mode, Phase, limits::SETTLED_KEPT_MS};
use stampede_engine::{
    Action, Buy, BuyRequest, CommandOutcome, CorePort, DropAction, Engine, EngineConfig, HoldMoney,
    Role, StaffCommand, StreamScope, Wake,
};
use stampede_ledger::{
    Journal, JournalSource, PaymentRecord, ReadError, Record, UnmatchedEnd, UnmatchedPayment,
    UnmatchedRecord, fake::FakeLedger,
};
use stampede_payments::{
    stripe::{SignatureRules, signature::TOLERANCE_DEFAULT},
    webhooks::{StripeAccount, StripeAccounts, WebhookConfig, WebhookParts, router},
};
use stampede_testkit::HandClock;
pub(crate) use stampede_testkit::wait_for;
use tokio::sync::oneshot;

/// The first account's secret; the others' are [`secret_of`] their name.
pub(crate) const SECRET: &str = "whsec_of_main";
/// When the clock begins, in seconds.
const START_S: u64 = 1_796_000_000;

pub(crate) fn secret_of(account: &str) -> String {
    format!("whsec_of_{account}")
}

/// The ledger, with how often it was opened.
#[derive(Debug)]
struct Source(FakeLedger, Arc<AtomicUsize>);

impl JournalSource for Source {
    fn open(&self) -> Result<Box<dyn Journal + Send>, ReadError> {
        self.1.fetch_add(1, Ordering::Relaxed);
        Ok(Box::new(self.0.journal()))
    }
}

pub(crate) struct World {
    pub(crate) ledger: FakeLedger,
    pub(crate) clock: Arc<HandClock>,
    pub(crate) engine: Arc<Engine>,
    pub(crate) accounts: Arc<StripeAccounts>,
    pub(crate) at: SocketAddr,
    reads: Arc<AtomicUsize>,
    ports: Vec<CorePort>,
    next_key: u64,
    stop: Option<oneshot::Sender<()>>,
    server: Option<JoinHandle<()>>,
}

/// An answer without what changes from one to the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<String>,
    pub(crate) body: String,
}

fn rules(secret: &str) -> SignatureRules {
    SignatureRules::new([("only", secret)], TOLERANCE_DEFAULT).unwrap()
}

/// `main` of acme, `zeta` of zeta, `try` of acme for tests.
fn accounts() -> StripeAccounts {
    let account = |name: &str, merchant: &str, mode| {
        let merchant = merchant.parse().unwrap();
        (name.to_owned(), StripeAccount { merchant, mode, rules: rules(&secret_of(name)) })
    };
    let all = [
        account("main", "acme", Mode::Live),
        account("zeta", "zeta", Mode::Live),
        account("try", "acme", Mode::Rehearsal),
    ];
    StripeAccounts::new(all).unwrap()
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(WebhookConfig::default())
    }

    pub(crate) fn with(config: WebhookConfig) -> Self {
        let clock = Arc::new(HandClock::at(START_S * 1_000));
        let ledger = FakeLedger::new("n1".parse().unwrap());
        let engine = EngineConfig { cores: 1, ..EngineConfig::default() };
        let wakes = vec![Arc::new(|| {}) as Wake];
        let (engine, ports) =
            stampede_engine::start(engine, ledger.open(), Arc::clone(&clock) as _, wakes).unwrap();
        let accounts = Arc::new(accounts());
        let limits = ControlConfig {
            trusted_proxies: config.trusted_proxies.clone(),
            connections_max: config.connections_max,
            connections_per_address_max: config.connections_per_address_max,
            header_wait: config.header_wait,
            ..ControlConfig::default()
        };
        let reads = Arc::default();
        let parts = WebhookParts {
            engine: Arc::clone(&engine),
            ledger: Arc::new(Source(ledger.clone(), Arc::clone(&reads))),
            accounts: Arc::clone(&accounts),
            config,
        };
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let at = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let server = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                serve(listener, router(parts), &limits, async { drop(stopped.await) }).await;
            });
        });
        let (stop, server) = (Some(stop), Some(server));
        Self { ledger, clock, engine, accounts, at, reads, ports, next_key: 0, stop, server }
    }

    pub(crate) fn now_s(&self) -> u64 {
        self.engine.wall().get() / 1_000
    }

    fn give(&mut self, action: impl Into<Action>) -> CommandOutcome {
        self.next_key += 1;
        let command = StaffCommand {
            actor: "nina".into(),
            role: Role::Admin,
            merchant: None,
            streams: StreamScope::All,
            key: format!("staff-{}", self.next_key).parse().unwrap(),
            reason: None,
            action: action.into(),
        };
        get(self.engine.command(command).unwrap())
    }

    pub(crate) fn open_drop(&mut self, plan: DropPlan) -> DropId {
        let drop = self.give(Action::Plan { plan: Arc::new(plan) }).unwrap().drop;
        self.give(DropAction::StartCountdown.on(drop)).unwrap();
        self.wait_phase(drop, Phase::Open);
        drop
    }

    fn wait_phase(&self, drop: DropId, phase: Phase) {
        wait_for(phase.name(), || (self.engine.sale(drop)?.phase() == phase).then_some(()));
    }

    /// Closes the drop, then waits until it has left memory.
    pub(crate) fn leave_memory(&mut self, drop: DropId) {
        let ttl = self.engine.sale(drop).unwrap().plan().hold_ttl;
        self.give(DropAction::Close.on(drop)).unwrap();
        // A drop that is closed settles when its last hold has ended.
        self.clock.advance(ttl.get());
        self.wait_phase(drop, Phase::Settled);
        self.clock.advance(SETTLED_KEPT_MS);
        wait_for("the drop to be over", || self.engine.over(drop).map(|_| ()));
    }

    /// A hold of one unit.
    pub(crate) fn hold(&mut self, viewer: &str, drop: DropId) -> HoldId {
        self.try_hold(viewer, drop).expect("a unit is left")
    }

    /// A hold of one unit, if one is left.
    pub(crate) fn try_hold(&mut self, viewer: &str, drop: DropId) -> Option<HoldId> {
        let plan = Arc::clone(self.engine.sale(drop).unwrap().plan());
        let port = &mut self.ports[0];
        let joined = port.join(&viewer.parse().unwrap(), (&plan.stream, plan.mode), 1);
        let key = viewer.parse().unwrap();
        let request = BuyRequest { drop, sku: "mug", units: 1, key: &key, channel: None };
        let bought = port.buy(&joined, &plan.stream, plan.mode, request);
        port.flush();
        let Buy::Pending { hold, position } = bought else { return None };
        wait_for("durability", || (self.ports[0].durable() >= position).then_some(()));
        Some(hold)
    }

    pub(crate) fn sold(&self, drop: DropId) -> u32 {
        let sale = self.engine.sale(drop).unwrap();
        sale.figures().iter().map(|sku| sku.sold.get()).sum()
    }

    pub(crate) fn money(&self, hold: HoldId) -> HoldMoney {
        get(self.engine.money_of(hold).unwrap())
    }

    /// What was paid and given back for a hold, in minor units.
    pub(crate) fn paid_and_refunded(&self, hold: HoldId) -> (u64, u64) {
        let account = self.money(hold).account;
        account.map_or((0, 0), |account| (account.paid(), account.refunded()))
    }

    /// How often the listener has opened the ledger.
    pub(crate) fn reads(&self) -> usize {
        self.reads.load(Ordering::Relaxed)
    }

    fn records(&self) -> Vec<Record> {
        self.ledger.rows().iter().flat_map(|row| row.decode().map(Result::unwrap)).collect()
    }

    pub(crate) fn unmatched(&self) -> Vec<UnmatchedPayment> {
        let records = self.records().into_iter().filter_map(|record| match record {
            Record::Unmatched(UnmatchedRecord::Found(found)) => Some(*found),
            _ => None,
        });
        records.collect()
    }

    /// What became of payments that nobody could match.
    pub(crate) fn unmatched_ends(&self) -> Vec<(String, UnmatchedEnd)> {
        let records = self.records().into_iter().filter_map(|record| match record {
            Record::Unmatched(UnmatchedRecord::Done(done)) => {
                Some((done.payment.reference.to_string(), done.end))
            }
            _ => None,
        });
        records.collect()
    }

    pub(crate) fn payment_records(&self) -> Vec<PaymentRecord> {
        let records = self.records().into_iter().filter_map(|record| match record {
            Record::Payment(record) => Some(*record),
            _ => None,
        });
        records.collect()
    }

    /// Signs an event now for an account with the account's own secret, and sends it there.
    pub(crate) fn send(&self, account: &str, event: &Value) -> Answer {
        self.begin(account, event).finish()
    }

    pub(crate) fn begin(&self, account: &str, event: &Value) -> Asked {
        let body = event.to_string();
        let header = signed(&secret_of(account), self.now_s(), body.as_bytes());
        self.post(account, Some(&header), body.as_bytes())
    }

    pub(crate) fn post(&self, account: &str, signature: Option<&str>, body: &[u8]) -> Asked {
        let signature = signature.map(|text| format!("stripe-signature: {text}\r\n"));
        let head = format!(
            "POST /v1/payments/stripe/{account} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{}\
             content-length: {}\r\n\r\n",
            signature.unwrap_or_default(),
            body.len()
        );
        self.raw(&[head.as_bytes(), body].concat())
    }

    pub(crate) fn raw(&self, bytes: &[u8]) -> Asked {
        let mut stream = TcpStream::connect(self.at).unwrap();
        stream.write_all(bytes).unwrap();
        Asked(stream)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.ledger.release();
        drop(self.stop.take());
        let ended = self.server.take().unwrap().join();
        assert!(ended.is_ok() || thread::panicking(), "the server panicked");
        self.engine.shutdown();
    }
}

/// A request that was sent.
pub(crate) struct Asked(TcpStream);

impl Asked {
    pub(crate) fn finish(mut self) -> Answer {
        let mut text = String::new();
        self.0.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let lines = lines.filter(|line| !line.starts_with("date: "));
        Answer { status, headers: lines.map(str::to_owned).collect(), body: body.to_owned() }
    }
}

pub(crate) fn get<T>(mut answer: oneshot::Receiver<T>) -> T {
    wait_for("an answer", || answer.try_recv().ok())
}

/// Stripe's header, made without the crate's own code.
pub(crate) fn signed(secret: &str, at_s: u64, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let message = [at_s.to_string().as_bytes(), b".", body].concat();
    format!("t={at_s},v1={}", HEXLOWER.encode(hmac::sign(&key, &message).as_ref()))
}

fn event(kind: &str, live: bool, object: &Value) -> Value {
    json!({
        "id": format!("evt_{}", kind.replace('.', "_")), "object": "event", "type": kind, "livemode": live,
        "created": START_S, "data": { "object": object },
    })
}

fn named(holds: &[HoldId]) -> Value {
    let ids: Vec<String> = holds.iter().map(ToString::to_string).collect();
    if ids.is_empty() { json!({}) } else { json!({ "stampede_holds": ids.join(",") }) }
}

/// `payment_intent.succeeded` with real money.
pub(crate) fn succeeded(payment: &str, minor: u64, holds: &[HoldId]) -> Value {
    intent("payment_intent.succeeded", true, payment, minor, holds)
}

pub(crate) fn intent(kind: &str, live: bool, payment: &str, minor: u64, holds: &[HoldId]) -> Value {
    let object = json!({
        "id": payment, "object": "payment_intent", "currency": "eur", "amount_received": minor,
        "amount_capturable": minor, "metadata": named(holds),
    });
    event(kind, live, &object)
}

pub(crate) fn completed(payment: &str, minor: u64, holds: &[HoldId]) -> Value {
    let object = json!({
        "id": "cs_1", "object": "checkout.session", "mode": "payment", "payment_status": "paid",
        "payment_intent": payment, "currency": "eur", "amount_total": minor, "metadata": named(holds),
    });
    event("checkout.session.completed", true, &object)
}

pub(crate) fn refunded(payment: &str, minor: u64, holds: &[HoldId]) -> Value {
    let object = json!({
        "object": "charge", "payment_intent": payment, "currency": "eur", "captured": true, "amount": 1_990,
        "amount_captured": 1_990, "amount_refunded": minor, "metadata": named(holds),
    });
    event("charge.refunded", true, &object)
}

/// An id of the same drop that no hold has.
pub(crate) fn never_made(hold: HoldId) -> HoldId {
    let text = hold.to_string();
    let (front, last) = text.split_at(text.len() - 4);
    let number = u16::from_str_radix(last, 16).unwrap() ^ 0x0fff;
    format!("{front}{number:04x}").parse().unwrap()
}
