//! The sessions of one core, decided without sockets.
//!
//! A frame layer opens a session, hands in what it read, takes what shall be written; the core's loop
//! calls in when the engine has woken it, when a tick is due, when deadlines have to be looked at.
//! Everything here runs on one thread, nothing waits.

mod buying;
mod events;
mod hello;
mod sweep;

use std::{collections::HashMap, collections::VecDeque, sync::Arc, task::Waker};

use smallvec::SmallVec;
use stampede_domain::{HoldId, IdempotencyKey, UnixMillis, ViewerNumber};
use stampede_engine::{CoreEvent, CorePort, Position, Viewer};
use stampede_wire::{ClientMessage, CloseCode, ErrorNotice, Pong, ServerMessage, Subprotocol};

use crate::{
    bucket::{Admission, Bucket, Limit},
    fanout::Audiences,
    metrics::{self, CoreMetrics},
    outbox::{Closing, Output},
    server::Shared,
    session::{Joined, Session, Stage},
    slab::{Slab, Token},
};

/// What a frame layer has read.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Input<'a> {
    /// A text frame.
    Text(&'a [u8]),
    /// A binary frame.
    Binary(&'a [u8]),
    /// A ping or a pong.
    Control,
}

/// An answer that waits for a hold to become durable.
struct Waiting {
    token: Token,
    viewer: Arc<Viewer>,
    hold: HoldId,
    key: IdempotencyKey,
}

/// The sessions of one core with the port that they buy through.
pub(crate) struct Sessions {
    port: CorePort,
    shared: Arc<Shared>,
    slab: Slab<Session>,
    audiences: Audiences,
    by_viewer: HashMap<ViewerNumber, SmallVec<[Token; 1]>, foldhash::fast::RandomState>,
    /// Takes of this core in the order of their records; bounded by the port's ring.
    pending: VecDeque<(Position, Waiting)>,
    /// Replays of takes that are not durable yet.
    awaiting: Vec<Waiting>,
    events: Vec<CoreEvent>,
    encoded: Vec<u8>,
    limit: Limit,
    poisoned: bool,
    draining: bool,
    metrics: CoreMetrics,
}

impl Sessions {
    pub(crate) fn new(port: CorePort, shared: Arc<Shared>) -> Self {
        let config = &shared.config;
        let limit = Limit { per_s: config.messages_per_s, burst: config.messages_burst };
        Self {
            port,
            shared,
            slab: Slab::new(),
            audiences: Audiences::new(),
            by_viewer: HashMap::default(),
            pending: VecDeque::new(),
            awaiting: Vec::new(),
            events: Vec::new(),
            encoded: Vec::new(),
            limit,
            poisoned: false,
            draining: false,
            metrics: CoreMetrics::new(),
        }
    }

    /// A connection has finished its handshake.
    pub(crate) fn open(&mut self, subprotocol: Subprotocol) -> Token {
        let now = self.port.now();
        let until = now.plus(self.shared.config.hello_timeout);
        let bucket = Bucket::full(self.limit, now);
        let token = self.slab.insert(Session::new(subprotocol, bucket, now, until));
        if !self.shared.connections.admit() {
            self.close(
                token,
                CloseCode::Overloaded,
                "the server has as many connections as it may",
            );
        } else if self.draining {
            self.close(token, CloseCode::GoingAway, GOING_AWAY);
        }
        token
    }

    /// A connection is gone; what it had admitted goes on without it.
    pub(crate) fn gone(&mut self, token: Token) {
        let Some(session) = self.slab.remove(token) else { return };
        self.shared.connections.leave();
        if let Stage::Joined(joined) = session.stage {
            self.leave(token, &joined);
        }
    }

    /// Decides what one frame asks for.
    pub(crate) fn receive(&mut self, token: Token, input: Input<'_>) {
        let now = self.port.now();
        let Some(session) = self.slab.get_mut(token).filter(|session| !session.is_closing()) else {
            return;
        };
        session.hear(now);
        let admission = session.bucket.admit(self.limit, now);
        let subprotocol = session.subprotocol;
        if let Admission::Over { in_a_row, .. } = admission
            && in_a_row > self.shared.config.messages_over_max
        {
            return self.close(token, CloseCode::Flooding, "too many messages; wait when told to");
        }
        let frame = match (input, subprotocol.is_text()) {
            (Input::Text(frame), true) | (Input::Binary(frame), false) => frame,
            (Input::Control, _) => return,
            (Input::Text(_), false) => {
                return self.close(token, CloseCode::WrongFrame, "MessagePack needs binary frames");
            }
            (Input::Binary(_), true) => {
                return self.close(token, CloseCode::WrongFrame, "JSON needs text frames");
            }
        };
        self.metrics.received.increment(1);
        match subprotocol.decode_client(frame) {
            Ok(message) => self.dispatch(token, message, now, admission),
            Err(error) => self.close(token, CloseCode::from(&error), &error.to_string()),
        }
    }

    fn dispatch(
        &mut self,
        token: Token,
        message: ClientMessage<'_>,
        now: UnixMillis,
        admission: Admission,
    ) {
        let greeting = self.slab.get(token).is_some_and(|session| session.joined().is_none());
        match message {
            ClientMessage::Hello { ticket, client } if greeting => {
                self.hello(token, &ticket, client.as_deref(), now);
            }
            _ if greeting => {
                self.close(token, CloseCode::HelloExpected, "the first message must be a hello");
            }
            ClientMessage::Hello { .. } => {
                self.close(token, CloseCode::HelloExpected, "hello came twice; send refresh");
            }
            ClientMessage::Refresh { ticket } => self.refresh(token, &ticket, now, admission),
            ClientMessage::Buy { drop, sku, units, key } => {
                self.buy(token, buying::Wish { drop, sku: &sku, units, key }, now, admission);
            }
            ClientMessage::Release { hold } => self.release(token, hold, now, admission),
            ClientMessage::Pay { hold } => self.pay(token, hold, now, admission),
            ClientMessage::Ping => {
                self.send(token, &ServerMessage::Pong(Pong { server_time_ms: now.get() }));
            }
        }
    }

    /// The next thing to write, answers before ticks.
    pub(crate) fn output(&mut self, token: Token) -> Option<Output> {
        let session = self.slab.get_mut(token)?;
        session.unpark();
        let next = session.outbox.next();
        if next.is_some() {
            return next;
        }
        let subprotocol = session.subprotocol;
        let joined = session.joined_mut()?;
        let audience = self.audiences.get_mut(joined.audience)?;
        let (seen, tick) = (joined.seen_tick, audience.tick());
        if seen == tick {
            return None;
        }
        joined.seen_tick = tick;
        let mut written = 0;
        for bytes in audience.ticks_since(seen, subprotocol) {
            session.outbox.push(bytes);
            written += 1;
        }
        self.metrics.ticks.increment(written);
        self.metrics.ticks_skipped.increment(tick - seen - 1);
        session.outbox.next()
    }

    /// The connection's task waits until it is woken.
    pub(crate) fn park(&mut self, token: Token, waker: &Waker) {
        if let Some(session) = self.slab.get_mut(token) {
            session.park(waker);
        }
    }

    /// Whether the connection has to be dropped as it is.
    pub(crate) fn is_doomed(&self, token: Token) -> bool {
        match self.slab.get(token).map(|session| &session.stage) {
            Some(Stage::Closing { until }) => *until <= self.port.now(),
            Some(_) => false,
            None => true,
        }
    }

    /// Says why, then closes once everything before it is written. The session is over with that.
    pub(crate) fn close(&mut self, token: Token, code: CloseCode, why: &str) {
        let Some(session) = self.slab.get_mut(token).filter(|session| !session.is_closing()) else {
            return;
        };
        if code == CloseCode::TooSlow {
            session.outbox.discard();
        }
        let notice = ServerMessage::Error(ErrorNotice::new(code, why));
        session.outbox.push(session.subprotocol.encode_server(&notice).into());
        metrics::count_close(code.name());
        self.end(token, Closing { code: code.code(), reason: CloseCode::reason(why).to_owned() });
    }

    /// The client broke the rules of WebSocket itself: nothing can be said but the close.
    pub(crate) fn fail(&mut self, token: Token, why: &str) {
        metrics::count_close("protocol_error");
        let reason = CloseCode::reason(why).to_owned();
        self.end(token, Closing { code: PROTOCOL_ERROR, reason });
    }

    fn end(&mut self, token: Token, closing: Closing) {
        let Some(session) = self.slab.get_mut(token).filter(|session| !session.is_closing()) else {
            return;
        };
        let until = self.port.now().plus(self.shared.config.close_linger);
        let stage = std::mem::replace(&mut session.stage, Stage::Closing { until });
        session.outbox.close(closing);
        session.wake();
        if let Stage::Joined(joined) = stage {
            self.leave(token, &joined);
        }
    }

    /// Sends a message to one session.
    fn send(&mut self, token: Token, message: &ServerMessage) {
        if let Some(bytes) = self.encode(token, message) {
            self.push(token, bytes);
        }
    }

    /// Encodes an answer in the session's subprotocol; `None` if nobody would read it.
    fn encode(&mut self, token: Token, message: &ServerMessage) -> Option<bytes::Bytes> {
        let session = self.slab.get(token).filter(|session| !session.is_closing())?;
        self.encoded.clear();
        session.subprotocol.encode_server_into(message, &mut self.encoded);
        self.metrics.answers.increment(1);
        Some(bytes::Bytes::copy_from_slice(&self.encoded))
    }

    /// Queues an encoded message, unless the session takes too little of what waits already.
    fn push(&mut self, token: Token, bytes: bytes::Bytes) {
        let Some(session) = self.slab.get_mut(token) else { return };
        // A message that alone exceeds the bound, like a drop with many SKUs, may wait by itself.
        let waiting = session.outbox.bytes();
        if waiting > 0 && waiting + bytes.len() > self.shared.config.queue_bytes_max {
            return self.close(token, CloseCode::TooSlow, "the connection reads too slowly");
        }
        session.outbox.push(bytes);
        session.wake();
    }

    fn leave(&mut self, token: Token, joined: &Joined) {
        self.port.leave(&joined.viewer, token);
        let number = joined.viewer.number();
        if let Some(tokens) = self.by_viewer.get_mut(&number) {
            tokens.retain(|other| *other != token);
            if tokens.is_empty() {
                self.by_viewer.remove(&number);
            }
        }
        if let Some(moved) = self.audiences.leave(joined.audience, joined.place)
            && let Some(other) = self.slab.get_mut(moved).and_then(Session::joined_mut)
        {
            other.place = joined.place;
        }
    }
}

/// The close code of RFC 6455 for frames that are none.
const PROTOCOL_ERROR: u16 = 1002;
const GOING_AWAY: &str = "the server stops; connect again";
