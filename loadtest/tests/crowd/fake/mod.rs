//! A server that sells from a counter in memory, for one drop of one SKU.

mod messages;

use std::{collections::HashMap, net::SocketAddr, sync::Arc, thread::JoinHandle, time::Duration};

use futures_util::{SinkExt, StreamExt};
use parking_lot::Mutex;
use stampede_domain::{DropId, HoldId, IdempotencyKey, Phase, UnixMillis};
use stampede_wire::{
    ClientMessage, PhaseNotice, Request, ServerMessage, Subprotocol, Welcome,
    ticket::{KeySpec, TicketKeys, TicketVerifier},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{mpsc, watch},
    time::Instant,
};
use tokio_tungstenite::{
    accept_hdr_async,
    tungstenite::{
        Message,
        handshake::server::{Request as Handshake, Response},
        http::HeaderValue,
    },
};

use self::messages::{amount, drop_info, ended, held, hold_id, order, refused};

pub(crate) const DROP: DropId = DropId::new(1);
pub(crate) const SKU: &str = "mug";
const SUBPROTOCOL: Subprotocol = Subprotocol::MsgPack;

pub(crate) fn ticket_key() -> KeySpec {
    KeySpec::hs256("fake-1", &[7; 32])
}

/// What the server does with the holds.
#[derive(Clone, Copy)]
pub(crate) struct Terms {
    pub(crate) supply: u32,
    pub(crate) hold_ttl: Duration,
    pub(crate) countdown: Duration,
    /// Opens only once somebody has clicked too early, however late the crowd is.
    pub(crate) awaits_early_click: bool,
    /// After so many buys, every connection breaks once without an answer.
    pub(crate) breaks_after: Option<u64>,
}

/// What the server has decided.
#[derive(Default)]
pub(crate) struct Books {
    pub(crate) available: u32,
    pub(crate) clicks: u64,
    pub(crate) held: u64,
    pub(crate) retries: u64,
    pub(crate) refused: HashMap<&'static str, u64>,
    pub(crate) holds: HashMap<HoldId, Hold>,
    keys: HashMap<(String, String), HoldId>,
}

pub(crate) struct Hold {
    pub(crate) viewer: String,
    pub(crate) key: String,
    pub(crate) units: u32,
    pub(crate) state: &'static str,
    pub(crate) deadline: Instant,
    taken_ms: u64,
    ended_ms: Option<u64>,
    tell: mpsc::Sender<ServerMessage>,
}

#[derive(Clone)]
struct Shared {
    terms: Terms,
    books: Arc<Mutex<Books>>,
    phase: watch::Sender<(u64, Phase, Option<u64>)>,
    breaks: watch::Sender<bool>,
    verifier: Arc<TicketVerifier>,
    started: Instant,
}

pub(crate) struct Fake {
    pub(crate) address: SocketAddr,
    pub(crate) books: Arc<Mutex<Books>>,
    open: mpsc::Sender<()>,
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Fake {
    pub(crate) fn start(terms: Terms) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let books = Arc::new(Mutex::new(Books { available: terms.supply, ..Books::default() }));
        let (open, opens) = mpsc::channel(1);
        let (stop, stopped) = mpsc::channel(1);
        let shared_books = Arc::clone(&books);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(serve(listener, terms, shared_books, opens, stopped));
        });
        Self { address, books, open, stop: Some(stop), thread: Some(thread) }
    }

    pub(crate) fn open(&self) {
        self.open.try_send(()).unwrap();
    }

    /// The lines that an audit of the real server would have.
    pub(crate) fn audit_lines(&self) -> Vec<String> {
        let books = self.books.lock();
        let mut lines = Vec::new();
        let mut orders = 0;
        for (id, hold) in &books.holds {
            let key = IdempotencyKey::new(&hold.key).unwrap().fingerprint();
            lines.push(format!(
                r#"{{"type":"hold","hold":"{id}","viewer":"{}","sku":"{SKU}","units":{},"key":"{key}","state":"{}","taken_at_ms":{},"deadline_ms":0,"ended_at_ms":{}}}"#,
                hold.viewer, hold.units, hold.state, hold.taken_ms,
                hold.ended_ms.map_or("null".to_owned(), |ms| ms.to_string()),
            ));
            if hold.state == "confirmed" {
                orders += 1;
                lines.push(format!(
                    r#"{{"type":"order","order":"{id}","viewer":"{}","sku":"{SKU}","units":{},"amount_minor":{}}}"#,
                    hold.viewer, hold.units, amount(hold.units),
                ));
            }
        }
        lines.push(format!(
            r#"{{"type":"tally","held":{},"retries":{},"refusals":{}}}"#,
            books.held,
            books.retries,
            serde_json::to_string(&books.refused).unwrap(),
        ));
        let (supply, holds) = (
            books.available
                + books
                    .holds
                    .values()
                    .filter(|hold| matches!(hold.state, "held" | "confirmed"))
                    .map(|hold| hold.units)
                    .sum::<u32>(),
            books.holds.len(),
        );
        lines.push(format!(
            r#"{{"type":"summary","supplied":{supply},"holds":{holds},"orders":{orders},"orders_pending":0}}"#
        ));
        lines
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        self.stop = None;
        self.thread.take().unwrap().join().unwrap();
    }
}

async fn serve(
    listener: std::net::TcpListener,
    terms: Terms,
    books: Arc<Mutex<Books>>,
    mut opens: mpsc::Receiver<()>,
    mut stopped: mpsc::Receiver<()>,
) {
    let listener = TcpListener::from_std(listener).unwrap();
    let shared = Shared {
        terms,
        books,
        phase: watch::Sender::new((1, Phase::Scheduled, None)),
        breaks: watch::Sender::new(false),
        verifier: Arc::new(TicketVerifier::new(TicketKeys::new(&[ticket_key()]).unwrap())),
        started: Instant::now(),
    };
    let mut opening = None;
    let mut tick = tokio::time::interval(Duration::from_millis(10));
    loop {
        tokio::select! {
            _ = stopped.recv() => return,
            Some(()) = opens.recv() => {
                let countdown = u64::try_from(terms.countdown.as_millis()).unwrap();
                shared.phase.send_replace((2, Phase::Countdown, Some(countdown)));
                opening = Some(Instant::now() + terms.countdown);
            }
            accepted = listener.accept() => {
                let shared = shared.clone();
                tokio::spawn(async move { viewer(accepted.unwrap().0, shared).await });
            }
            _ = tick.tick() => {
                let is_early = shared.books.lock().refused.contains_key("not_open");
                let awaits_click = terms.awaits_early_click && !is_early;
                if !awaits_click && opening.is_some_and(|at| at <= Instant::now()) {
                    opening = None;
                    shared.phase.send_replace((3, Phase::Open, None));
                }
                shared.expire();
            }
        }
    }
}

async fn viewer(stream: TcpStream, shared: Shared) -> Option<()> {
    stream.set_nodelay(true).unwrap();
    #[expect(clippy::result_large_err, reason = "the library's own signature")]
    let name = |request: &Handshake, mut response: Response| {
        assert_eq!(request.headers()["Sec-WebSocket-Protocol"], SUBPROTOCOL.name());
        let name = HeaderValue::from_static(SUBPROTOCOL.name());
        response.headers_mut().insert("Sec-WebSocket-Protocol", name);
        Ok(response)
    };
    let socket = accept_hdr_async(stream, name).await.ok()?;
    let (mut sink, mut source) = socket.split();
    let hello = source.next().await?.ok()?.into_data();
    let ClientMessage::Hello { ticket, .. } = SUBPROTOCOL.decode_client(&hello).ok()? else {
        panic!("the first message is a hello");
    };
    let now = UnixMillis::new(unix_ms());
    let id = shared.verifier.verify(&ticket, now).unwrap().viewer.to_string();
    let (tell, mut told) = mpsc::channel(64);
    let mut phases = shared.phase.subscribe();
    let mut breaks = shared.breaks.subscribe();
    let frame = |message: &ServerMessage| Message::binary(SUBPROTOCOL.encode_server(message));
    let welcome = ServerMessage::Welcome(Box::new(shared.welcome(&id, &tell)));
    sink.send(frame(&welcome)).await.ok()?;
    loop {
        tokio::select! {
            message = source.next() => {
                let Message::Binary(bytes) = message?.ok()? else { return None };
                if let Some(answer) = shared.decide(&id, &bytes, &tell) {
                    sink.send(frame(&answer)).await.ok()?;
                }
            }
            Some(message) = told.recv() => sink.send(frame(&message)).await.ok()?,
            Ok(()) = phases.changed() => {
                let notice = shared.notice();
                sink.send(frame(&ServerMessage::Phase(notice))).await.ok()?;
            }
            Ok(()) = breaks.changed() => return None,
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "tickets are dated by the real clock")]
fn unix_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    u64::try_from(since.as_millis()).unwrap()
}

impl Shared {
    fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap()
    }

    fn notice(&self) -> PhaseNotice {
        let (version, phase, opens_in_ms) = *self.phase.borrow();
        PhaseNotice {
            drop: DROP,
            version,
            phase,
            featured: true,
            server_time_ms: 1,
            opens_in_ms,
            closes_in_ms: None,
        }
    }

    fn welcome(&self, viewer: &str, tell: &mpsc::Sender<ServerMessage>) -> Welcome {
        let notice = self.notice();
        let mut books = self.books.lock();
        let mine = books.holds.iter_mut().filter(|(_, hold)| hold.viewer == viewer);
        let (mut holds, mut orders) = (Vec::new(), Vec::new());
        for (id, hold) in mine {
            hold.tell = tell.clone();
            match hold.state {
                "held" => holds.push(held(*id, hold, None, true)),
                "confirmed" => orders.push(order(*id, hold, None)),
                _ => {}
            }
        }
        Welcome {
            viewer: viewer.parse().unwrap(),
            stream: "show".parse().unwrap(),
            channel: None,
            mode: stampede_domain::Mode::Live,
            server_time_ms: 1,
            heartbeat_ms: 10_000,
            ticket_expires_in_ms: 1,
            drops: vec![Arc::new(drop_info(&notice, books.available))],
            holds,
            orders,
        }
    }

    fn decide(
        &self,
        viewer: &str,
        bytes: &[u8],
        tell: &mpsc::Sender<ServerMessage>,
    ) -> Option<ServerMessage> {
        match SUBPROTOCOL.decode_client(bytes).unwrap() {
            ClientMessage::Buy { units, key, .. } => {
                self.buy(viewer, u32::try_from(units).unwrap(), &key, tell)
            }
            ClientMessage::Pay { hold, .. } => Some(self.end(hold, Request::Pay, "confirmed")),
            ClientMessage::Release { hold } => Some(self.end(hold, Request::Release, "released")),
            other => panic!("the crowd sent {other:?}"),
        }
    }

    fn buy(
        &self,
        viewer: &str,
        units: u32,
        key: &IdempotencyKey,
        tell: &mpsc::Sender<ServerMessage>,
    ) -> Option<ServerMessage> {
        let mut books = self.books.lock();
        books.clicks += 1;
        let breaks = self.terms.breaks_after == Some(books.clicks);
        if breaks {
            self.breaks.send_replace(true);
        }
        let at = (viewer.to_owned(), key.to_string());
        if let Some(id) = books.keys.get(&at).copied() {
            books.retries += 1;
            let hold = &books.holds[&id];
            return Some(match hold.state {
                "held" => ServerMessage::Held(held(id, hold, Some(key), true)),
                "confirmed" => ServerMessage::Order(order(id, hold, Some(key))),
                _ => refused(Request::Buy, Some(key), None, "hold_ended"),
            });
        }
        let why = match self.phase.borrow().1 {
            Phase::Open if books.available >= units => None,
            Phase::Open => Some("sold_out"),
            _ => Some("not_open"),
        };
        if let Some(why) = why {
            *books.refused.entry(why).or_default() += 1;
            return Some(refused(Request::Buy, Some(key), None, why));
        }
        books.available -= units;
        books.held += 1;
        let id = hold_id(books.held);
        let hold = Hold {
            viewer: viewer.to_owned(),
            key: key.to_string(),
            units,
            state: "held",
            deadline: Instant::now() + self.terms.hold_ttl,
            taken_ms: self.now_ms(),
            ended_ms: None,
            tell: tell.clone(),
        };
        let answer = ServerMessage::Held(held(id, &hold, Some(key), false));
        books.keys.insert(at, id);
        books.holds.insert(id, hold);
        // Nobody hears the answer of the buy that breaks the connections.
        (!breaks).then_some(answer)
    }

    fn end(&self, id: HoldId, request: Request, state: &'static str) -> ServerMessage {
        let mut guard = self.books.lock();
        let books = &mut *guard;
        let hold = books.holds.get_mut(&id).unwrap();
        if hold.state != "held" {
            return refused(request, None, Some(id), "hold_ended");
        }
        hold.state = state;
        hold.ended_ms = Some(self.now_ms());
        if state == "confirmed" {
            return ServerMessage::Order(order(id, hold, None));
        }
        books.available += hold.units;
        ServerMessage::Released(ended(id, hold))
    }

    fn expire(&self) {
        let now_ms = self.now_ms();
        let mut guard = self.books.lock();
        let books = &mut *guard;
        for (id, hold) in &mut books.holds {
            if hold.state == "held" && hold.deadline <= Instant::now() {
                hold.state = "expired";
                hold.ended_ms = Some(now_ms);
                books.available += hold.units;
                // A viewer that has gone hears nothing.
                let _gone = hold.tell.try_send(ServerMessage::Expired(ended(*id, hold)));
            }
        }
    }
}
