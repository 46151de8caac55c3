//! The platform's side: payments reported over connections that are kept.

use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    rc::Rc,
    sync::{Arc, atomic::AtomicUsize, atomic::Ordering},
    time::Duration,
};

use parking_lot::Mutex;
use serde_json::json;
use stampede_domain::HoldId;
use stampede_loadtest::Latency;
use stampede_swarm::Clock;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::{JoinSet, LocalSet},
    time::{sleep, timeout},
};

use crate::{
    error::DrillError,
    requests::{Answer, Request},
    staffed_server::{CURRENCY, PRICE_MINOR},
};

/// Connections that reports come over at an even pace: requests under way at once.
const CONNECTIONS: u64 = 64;
/// The same in a flood: nearly as many as the server takes of one caller at once, which is 256.
const FLOOD_CONNECTIONS: u64 = 240;
/// Longest time for an answer; the server says after 10 s that it does not know.
const ANSWER_MAX: Duration = Duration::from_secs(15);

/// Holds in the order in which they were taken.
pub(super) type Holds = Arc<Mutex<Vec<HoldId>>>;

/// Which holds are reported, and when.
#[derive(Clone, Copy, Debug)]
pub(super) enum Pace {
    /// The first `count`, one after the other at an even pace, whatever the answers.
    Even { per_s: u64, count: u64 },
    /// All from the place `first` on, each connection as fast as it is answered, until this moment.
    Flood { first: usize, until_us: u64 },
}

/// What is sent where.
#[derive(Clone, Debug)]
pub(super) struct Sender {
    pub(super) target: SocketAddr,
    pub(super) token: String,
    pub(super) holds: Holds,
    pub(super) clock: Clock,
    /// When the first report is due.
    pub(super) from_us: u64,
    pub(super) pace: Pace,
}

/// What became of reports.
#[derive(Debug)]
pub(super) struct Sent {
    /// Reports that were due, or were sent in a flood.
    pub(super) offered: u64,
    /// Those that were due before their hold was there, and were not sent: the drill has measured too little.
    pub(super) starved: u64,
    /// Holds whose payment was answered with an order.
    pub(super) ordered: Vec<HoldId>,
    /// Other answers, by what they say.
    pub(super) others: BTreeMap<String, u64>,
    /// From the moment that a report was due, in a flood sent, to its answer.
    pub(super) latency: Latency,
    /// When the last answer came.
    pub(super) until_us: u64,
}

impl Sender {
    /// Sends everything; blocks the thread.
    pub(super) fn run(self) -> Result<Sent, DrillError> {
        let failed = |source| DrillError::System { what: "report payments", source };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let sender = Rc::new(self);
        let next = Rc::new(AtomicUsize::new(0));
        let sent = LocalSet::new().block_on(&runtime.map_err(failed)?, async {
            let mut workers = JoinSet::new();
            let connections = match sender.pace {
                Pace::Even { .. } => CONNECTIONS,
                Pace::Flood { .. } => FLOOD_CONNECTIONS,
            };
            for worker in 0..connections {
                workers.spawn_local(Rc::clone(&sender).worker(worker, Rc::clone(&next)));
            }
            let mut sent = Sent::new();
            while let Some(ended) = workers.join_next().await {
                sent.merge(ended.expect("no worker panics or is cancelled"));
            }
            sent
        });
        Ok(sent)
    }

    /// One connection; at an even pace it has every [`CONNECTIONS`]th report.
    async fn worker(self: Rc<Self>, worker: u64, next: Rc<AtomicUsize>) -> Sent {
        let mut sent = Sent::new();
        let mut stream = None;
        match self.pace {
            Pace::Even { per_s, count } => {
                let mut place = worker;
                while place < count {
                    let due_us = self.from_us + place * 1_000_000 / per_s;
                    self.sleep_until(due_us).await;
                    self.report(&mut stream, place, due_us, &mut sent).await;
                    place += CONNECTIONS;
                }
            }
            Pace::Flood { first, until_us } => {
                self.sleep_until(self.from_us).await;
                while self.clock.us() < until_us {
                    let place = first + next.fetch_add(1, Ordering::Relaxed);
                    if place >= self.holds.lock().len() {
                        break;
                    }
                    let place = u64::try_from(place).expect("a place in memory");
                    self.report(&mut stream, place, self.clock.us(), &mut sent).await;
                }
            }
        }
        sent
    }

    async fn report(
        &self,
        stream: &mut Option<TcpStream>,
        place: u64,
        due_us: u64,
        sent: &mut Sent,
    ) {
        sent.offered += 1;
        let hold =
            usize::try_from(place).ok().and_then(|place| self.holds.lock().get(place).copied());
        let Some(hold) = hold else {
            sent.starved += 1;
            return;
        };
        let request = paid(hold).bytes(&self.token);
        let answered = timeout(ANSWER_MAX, ask(self.target, stream, &request)).await;
        let Ok(Ok(answer)) = answered else {
            *stream = None;
            sent.note("no answer");
            return;
        };
        sent.until_us = self.clock.us();
        sent.latency.record_us(sent.until_us.saturating_sub(due_us));
        match (answer.status, answer.body["holds"][0]["outcome"].as_str()) {
            (200, Some("ordered")) => sent.ordered.push(hold),
            (200, outcome) => sent.note(outcome.unwrap_or("no outcome")),
            _ => sent.note(answer.code()),
        }
    }

    async fn sleep_until(&self, us: u64) {
        sleep(Duration::from_micros(us.saturating_sub(self.clock.us()))).await;
    }
}

impl Sent {
    fn new() -> Self {
        Self {
            offered: 0,
            starved: 0,
            ordered: Vec::new(),
            others: BTreeMap::new(),
            latency: Latency::new(),
            until_us: 0,
        }
    }

    fn note(&mut self, other: &str) {
        *self.others.entry(other.to_owned()).or_default() += 1;
    }

    fn merge(&mut self, mut other: Self) {
        self.offered += other.offered;
        self.starved += other.starved;
        self.ordered.append(&mut other.ordered);
        for (what, count) in other.others {
            *self.others.entry(what).or_default() += count;
        }
        self.latency.merge(&other.latency);
        self.until_us = self.until_us.max(other.until_us);
    }
}

/// A hold was paid, by a payment of its own.
fn paid(hold: HoldId) -> Request {
    let body = json!({
        "payment": format!("pay-{hold}"), "event": "paid", "holds": [hold.to_string()],
        "amount": { "minor": PRICE_MINOR, "currency": CURRENCY },
    });
    Request::post("/v1/payments", format!("{hold}-paid"), body)
}

async fn ask(
    target: SocketAddr,
    kept: &mut Option<TcpStream>,
    request: &[u8],
) -> io::Result<Answer> {
    let stream = if let Some(stream) = kept {
        stream
    } else {
        let stream = TcpStream::connect(target).await?;
        stream.set_nodelay(true)?;
        kept.insert(stream)
    };
    stream.write_all(request).await?;
    let mut bytes = Vec::with_capacity(1_024);
    loop {
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if let Some(answer) = Answer::parse(&bytes) {
            return Ok(answer);
        }
    }
}
