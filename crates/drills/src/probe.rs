//! A probe: few buyers, one after the other, each of whom waits for the answer.
//!
//! What it does is the same each time, so that a drill can find every promise again in a trace of
//! the server's system calls. After the first request that got no promise a bystander, connected
//! from the start, goes on buying, because a server whose ledger has failed must not make promises
//! any more.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use serde::Serialize;
use stampede_client::{ClientError, ConnectOptions, Connection};
use stampede_domain::{DropId, DurationMs, HoldId, IdempotencyKey, Mode, ViewerId};
use stampede_loadtest::{
    ControlClient, ControlError, DropTerms, PaymentTimes, Price, Promise, PromiseLog,
    PromiseLogError, Promised, SkuTerms,
};
use stampede_swarm::Clock;
use stampede_wire::{
    Held, Order, ServerMessage, Subprotocol,
    ticket::{KeySpec, Ticket, TicketMinter},
};

const STREAM: &str = "probe";
const SKU: &str = "mug";
/// Buys of the bystander after the first request that got no promise.
const BUYS_AFTER: u32 = 5;
/// The longest wait for one answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long tickets are good.
const TICKET_LIFETIME: DurationMs = DurationMs::from_secs(600);

/// What a probe needs to know.
#[derive(Clone, Debug)]
pub struct Probe {
    /// Where viewers connect: `ws://host:port/`.
    pub url: String,
    /// The control API: `http://host:port`.
    pub control: String,
    /// A staff token that may plan, open, pause, close.
    pub token: String,
    /// The key that signs tickets.
    pub key: KeySpec,
    /// How many buyers come.
    pub buyers: u32,
    /// The file that every received promise is written to.
    pub promise_log: PathBuf,
}

/// What became of the buyers.
#[derive(Clone, Debug, Default, Serialize)]
pub struct ProbeOutcome {
    /// The drop.
    pub drop: String,
    /// Commands that were accepted.
    pub commands: u64,
    /// Buys that were answered with `held`.
    pub held: u64,
    /// Holds that became orders.
    pub orders: u64,
    /// Holds that were given back.
    pub released: u64,
    /// Promises of any kind.
    pub promises: u64,
    /// Requests that were refused, by code.
    pub refused: BTreeMap<String, u64>,
    /// Requests whose connection ended instead.
    pub unanswered: u64,
    /// Requests that found neither an answer nor an end.
    pub silent: u64,
    /// Promises that came after the first request that got none.
    pub promises_after_failure: u64,
    /// Whether somebody could still connect then.
    pub joined_after_failure: bool,
    /// Whether the server says at the end that it can sell.
    pub ready: bool,
    /// The status of its answer if it cannot.
    pub ready_status: Option<u16>,
}

/// Why a probe could not be carried through.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// The system refused something.
    #[error("no runtime can be made: {0}")]
    Runtime(#[from] std::io::Error),
    /// The drop's id is none.
    #[error(transparent)]
    Id(#[from] stampede_domain::IdError),
    /// The key cannot sign.
    #[error(transparent)]
    Key(#[from] stampede_wire::ticket::KeyError),
    /// A call of the control API failed.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// The promise log cannot be written.
    #[error(transparent)]
    PromiseLog(#[from] PromiseLogError),
}

/// What a buyer does with a hold.
#[derive(Clone, Copy)]
enum Plan {
    Pay,
    Release,
    Keep,
}

/// What a request led to.
enum Answer {
    Promise(Promise),
    Refused(String),
    /// The connection ended.
    Gone,
    /// Nothing came.
    Silence,
}

/// Plays a probe.
///
/// # Errors
/// [`ProbeError`]; a server that refuses or hangs up is no error, it is in the outcome.
pub fn run_probe(probe: &Probe) -> Result<ProbeOutcome, ProbeError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let control = ControlClient::new(&probe.control, &probe.token);
        let drop = control.plan(&terms(probe.buyers)).await?;
        control.command_with_reason(&drop, "open", "probe: open").await?;
        control.wait_open(&drop, PATIENCE).await?;
        let mut run = Run {
            probe,
            drop: drop.parse()?,
            clock: Clock::start(),
            minter: TicketMinter::new(&probe.key)?,
            log: PromiseLog::create(&probe.promise_log)?,
            outcome: ProbeOutcome { drop, commands: 2, ..ProbeOutcome::default() },
            failed: false,
        };
        run.play(&control).await?;
        match control.ready().await {
            Ok(_) => run.outcome.ready = true,
            Err(ControlError::Refused { status, .. }) => run.outcome.ready_status = Some(status),
            Err(other) => return Err(other.into()),
        }
        run.log.flush()?;
        Ok(run.outcome)
    })
}

fn terms(buyers: u32) -> DropTerms {
    DropTerms {
        stream: STREAM.into(),
        title: "probe: plan".into(),
        merchant: "probe".into(),
        host: "probe".into(),
        skus: vec![SkuTerms {
            id: SKU.into(),
            title: "Mug".into(),
            price: Price { minor: 499, currency: "EUR".into() },
            supply: buyers.max(1),
        }],
        limit_per_viewer: 1,
        holds_per_viewer_max: 1,
        hold_ttl_ms: 600_000,
        countdown_ms: 0,
        payment: PaymentTimes::default(),
    }
}

struct Run<'a> {
    probe: &'a Probe,
    drop: DropId,
    clock: Clock,
    minter: TicketMinter,
    log: PromiseLog,
    outcome: ProbeOutcome,
    /// Whether a request got no promise.
    failed: bool,
}

impl Run<'_> {
    async fn play(&mut self, control: &ControlClient) -> Result<(), ProbeError> {
        let bystander = ViewerId::new("bystander").expect("a word is an id");
        let Some(mut idle) = self.connect(&bystander).await else {
            self.note(Answer::Gone);
            return Ok(());
        };
        for number in 0..self.probe.buyers {
            let plan = match number % 3 {
                0 => Plan::Pay,
                1 => Plan::Release,
                _ => Plan::Keep,
            };
            if !self.buyer(number, plan).await? {
                self.failed = true;
                self.after_failure(&bystander, &mut idle).await?;
                return Ok(());
            }
        }
        self.commands(control).await
    }

    /// What the server says to somebody who was not concerned by the failure, and to newcomers.
    async fn after_failure(
        &mut self,
        name: &ViewerId,
        idle: &mut Connection,
    ) -> Result<(), ProbeError> {
        for number in 0..BUYS_AFTER {
            let key = IdempotencyKey::new(&format!("after-{number}")).expect("it is a word");
            let sent = idle.buy(self.drop, SKU, 1, &key).await;
            self.answer(name, idle, sent).await?;
        }
        let newcomer = ViewerId::new("newcomer").expect("a word is an id");
        self.outcome.joined_after_failure = self.connect(&newcomer).await.is_some();
        Ok(())
    }

    async fn connect(&self, name: &ViewerId) -> Option<Connection> {
        let options = ConnectOptions::new(&self.probe.url, Subprotocol::Json);
        let opened = Box::pin(Connection::open(&options, &self.ticket(name))).await;
        opened.ok().map(|(connection, _)| connection)
    }

    /// Pauses, resumes, closes; the reason makes each command's record findable.
    async fn commands(&mut self, control: &ControlClient) -> Result<(), ProbeError> {
        for (action, reason) in
            [("pause", "probe: pause"), ("resume", "probe: resume"), ("close", "probe: close")]
        {
            control.command_with_reason(&self.outcome.drop, action, reason).await?;
            self.outcome.commands += 1;
        }
        Ok(())
    }

    /// One buyer; `false` if some request got no promise.
    async fn buyer(&mut self, number: u32, plan: Plan) -> Result<bool, ProbeError> {
        let name = ViewerId::new(&format!("probe-{number}")).expect("letters with a number");
        let Some(mut viewer) = self.connect(&name).await else {
            self.note(Answer::Gone);
            return Ok(false);
        };
        let key = IdempotencyKey::new("once").expect("a word is a key");
        let sent = viewer.buy(self.drop, SKU, 1, &key).await;
        let Some(hold) = self.answer(&name, &mut viewer, sent).await? else { return Ok(false) };
        let sent = match plan {
            Plan::Pay => viewer.pay(hold).await,
            Plan::Release => viewer.release(hold).await,
            Plan::Keep => {
                // The hold is there; how the connection ends does not matter any more.
                let _gone = viewer.close().await;
                return Ok(true);
            }
        };
        let ended = self.answer(&name, &mut viewer, sent).await?.is_some();
        let _gone = viewer.close().await;
        Ok(ended)
    }

    /// Waits for what a request leads to; the hold of the promise if it is one.
    async fn answer(
        &mut self,
        name: &ViewerId,
        viewer: &mut Connection,
        sent: Result<(), ClientError>,
    ) -> Result<Option<HoldId>, ProbeError> {
        let answer = if sent.is_ok() {
            let waited = tokio::time::timeout(PATIENCE, self.wait(name, viewer)).await;
            waited.unwrap_or(Answer::Silence)
        } else {
            Answer::Gone
        };
        let hold = match &answer {
            Answer::Promise(promise) => Some(promise.hold.parse()?),
            Answer::Refused(_) | Answer::Gone | Answer::Silence => None,
        };
        self.note(answer);
        Ok(hold)
    }

    async fn wait(&self, name: &ViewerId, viewer: &mut Connection) -> Answer {
        loop {
            let promise = match viewer.next().await {
                Ok(ServerMessage::Held(held)) => self.held(name, &held),
                Ok(ServerMessage::Order(order)) => self.order(name, &order),
                Ok(ServerMessage::Released(ended)) => {
                    self.promise(name, ended.hold, ended.units, Promised::Released)
                }
                Ok(ServerMessage::Refused(refused)) => {
                    return Answer::Refused(refused.code.to_string());
                }
                Ok(_) => continue,
                Err(_) => return Answer::Gone,
            };
            return Answer::Promise(promise);
        }
    }

    fn note(&mut self, answer: Answer) {
        let outcome = &mut self.outcome;
        match answer {
            Answer::Promise(promise) => {
                let count = match promise.what {
                    Promised::Held { .. } => &mut outcome.held,
                    Promised::Order { .. } => &mut outcome.orders,
                    Promised::Released | Promised::Expired => &mut outcome.released,
                };
                *count += 1;
                outcome.promises += 1;
                outcome.promises_after_failure += u64::from(self.failed);
                self.log.write(&promise);
            }
            Answer::Refused(code) => *outcome.refused.entry(code).or_default() += 1,
            Answer::Gone => outcome.unanswered += 1,
            Answer::Silence => outcome.silent += 1,
        }
    }

    fn ticket(&self, name: &ViewerId) -> String {
        let now = self.clock.unix_now();
        let ticket = Ticket {
            viewer: name.clone(),
            stream: STREAM.parse().expect("a word is an id"),
            channel: None,
            mode: Mode::Live,
            expires_at: now.plus(TICKET_LIFETIME),
        };
        self.minter.mint(&ticket, now)
    }

    fn held(&self, name: &ViewerId, held: &Held) -> Promise {
        let what = Promised::Held {
            key: held.key.as_ref().map(ToString::to_string),
            retry: held.retry,
            expires_in_ms: held.expires_in_ms,
            amount_minor: held.amount_minor,
        };
        self.promise(name, held.hold, held.units, what)
    }

    fn order(&self, name: &ViewerId, order: &Order) -> Promise {
        let what = Promised::Order {
            order: order.order.to_string(),
            key: order.key.as_ref().map(ToString::to_string),
            amount_minor: order.amount_minor,
        };
        self.promise(name, order.hold, order.units, what)
    }

    fn promise(&self, name: &ViewerId, hold: HoldId, units: u32, what: Promised) -> Promise {
        Promise {
            at_ms: self.clock.unix_now().get(),
            asked_ms: None,
            viewer: name.to_string(),
            hold: hold.to_string(),
            sku: SKU.to_owned(),
            units,
            what,
        }
    }
}
