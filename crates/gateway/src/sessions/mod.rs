//! The sessions of one core, decided without sockets.
//!
//! A frame layer opens a session, hands in what it read, takes what shall be written; the core's loop
//! calls in when the engine has woken it, when a tick is due, when deadlines have to be looked at.
//! Everything here runs on one thread, nothing waits.

mod ban;
mod buying;
mod events;
mod fanout;
mod hello;
mod outbox;
mod session;
mod slab;
mod sweep;
mod view;
mod waiting;
mod writing;

use std::{
    collections::{HashMap, VecDeque},
    net::IpAddr,
    sync::Arc,
};

use smallvec::SmallVec;
use stampede_domain::{UnixMillis, ViewerNumber};
use stampede_engine::{CoreEvent, CorePort, Position};
use stampede_wire::{
    ClientMessage, CloseCode, ErrorNotice, Pong, ServerMessage, Subprotocol, frame::FrameError,
};

pub(crate) use slab::{Token, place_of};
pub(crate) use writing::WriteOutcome;

use self::{
    fanout::Audiences,
    session::{Membership, Session, Stage},
    slab::Slab,
    waiting::WaitingBuy,
};
use crate::{
    admission::{Admission, MessageLimits, Pass},
    metrics::{self, CoreMetrics},
    shared::{GatewayState, Place},
};

/// What a frame layer has read.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Input<'a> {
    /// A text frame.
    Text(&'a [u8]),
    /// A binary frame.
    Binary(&'a [u8]),
    /// A pong, or a part of a message that goes on.
    Quiet,
    /// A ping with the content of its pong.
    Ping(&'a [u8]),
    /// The client closes, with its code if it gave one.
    Close(Option<u16>),
}

/// The sessions of one core with the port that they buy through.
pub(crate) struct Sessions {
    port: CorePort,
    shared: Arc<GatewayState>,
    slab: Slab<Session>,
    audiences: Audiences,
    by_viewer: HashMap<ViewerNumber, SmallVec<[Token; 1]>, foldhash::fast::RandomState>,
    /// Takes of this core in the order of their records; bounded by the port's ring.
    pending: VecDeque<(Position, WaitingBuy)>,
    /// Replays of takes that are not durable yet.
    awaiting: Vec<WaitingBuy>,
    /// Sessions whose output has to be written, each once.
    listed: VecDeque<Token>,
    /// Sessions that have news of a drop, each once: written behind everybody's answers.
    news: VecDeque<Token>,
    /// Sessions by the time they were opened, those that have said hello since among them.
    greeting: VecDeque<Token>,
    events: Vec<CoreEvent>,
    encoded: Vec<u8>,
    limits: MessageLimits,
    poisoned: bool,
    draining: bool,
    metrics: CoreMetrics,
    /// When what the round has read came, in microseconds.
    came_us: u64,
}

impl Sessions {
    pub(crate) fn new(port: CorePort, shared: Arc<GatewayState>) -> Self {
        let limits = shared.config.message_limits();
        Self {
            port,
            shared,
            slab: Slab::new(),
            audiences: Audiences::new(),
            by_viewer: HashMap::default(),
            pending: VecDeque::new(),
            awaiting: Vec::new(),
            listed: VecDeque::new(),
            news: VecDeque::new(),
            greeting: VecDeque::new(),
            events: Vec::new(),
            encoded: Vec::new(),
            limits,
            poisoned: false,
            draining: false,
            metrics: CoreMetrics::new(),
            came_us: 0,
        }
    }

    /// Hands the ledger what was taken since the last call; owed before waiting for anything.
    pub(crate) fn flush(&mut self) {
        self.port.flush();
    }

    /// What is handed in from now on came now: one reading of the clock for all of a round.
    pub(crate) fn begin_round(&mut self) {
        self.came_us = self.port.micros();
    }

    /// What was to be written is with the sockets, or waits for room in them: the answers to buys are
    /// counted by the time that they took.
    pub(crate) fn answers_left(&mut self) {
        self.port.answers_left();
    }

    /// The sale's clock.
    pub(crate) fn now(&self) -> UnixMillis {
        self.port.now()
    }

    /// A connection has finished its handshake.
    pub(crate) fn open(
        &mut self,
        subprotocol: Subprotocol,
        mut pass: Pass,
        address: IpAddr,
        place: Place,
    ) -> Token {
        let now = self.port.now();
        let until = now.plus(self.shared.config.hello_timeout);
        let has_room = self.shared.addresses.enter(&mut pass);
        let token = self.slab.insert(Session::new(subprotocol, pass, address, (now, until)));
        self.greeting.push_back(token);
        // Asked each time, so that the list forgets those that have said hello.
        let oldest = self.oldest_greeting();
        // Others may have left since it came.
        let is_within = place.is_within || self.shared.connections.is_within();
        if !is_within && !self.displace(oldest, now) {
            self.turn_back(token);
        } else if !has_room {
            self.close(token, CloseCode::AddressFull, "too many connections from this address");
        } else if self.draining {
            self.send_away(token);
        } else if self.port.brake().is_banned_address(address) {
            self.close(token, CloseCode::Banned, ban::BANNED);
        }
        token
    }

    /// A connection is gone; what it had admitted goes on without it.
    pub(crate) fn gone(&mut self, token: Token) {
        let Some(session) = self.slab.remove(token) else { return };
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
        let admission = session.admit(self.limits, &self.shared.addresses, now);
        let subprotocol = session.subprotocol;
        if let Admission::Over { in_a_row, .. } = admission
            && in_a_row > self.shared.config.messages_over_max
        {
            return self.close(token, CloseCode::Flooding, "too many messages; wait when told to");
        }
        let frame = match (input, subprotocol.is_text()) {
            (Input::Text(frame), true) | (Input::Binary(frame), false) => frame,
            (Input::Quiet, _) => return,
            (Input::Ping(content), _) => return self.pong(token, content),
            (Input::Close(code), _) => return self.end(token, code, ""),
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
                self.hello(token, &ticket, client.as_deref());
            }
            _ if greeting => {
                self.close(token, CloseCode::HelloExpected, "the first message must be a hello");
            }
            ClientMessage::Hello { .. } => {
                self.close(token, CloseCode::HelloExpected, "hello came twice; send refresh");
            }
            ClientMessage::Refresh { ticket } => self.refresh(token, &ticket, admission),
            ClientMessage::Buy { drop, sku, units, key } => {
                self.buy(token, buying::Wish { drop, sku: &sku, units, key }, now, admission);
            }
            ClientMessage::Release { hold } => self.release(token, hold, admission),
            ClientMessage::Pay { hold, card } => self.pay(token, (hold, card), admission),
            ClientMessage::Ping => {
                let server_time_ms = self.port.wall().get();
                self.send(token, &ServerMessage::Pong(Pong { server_time_ms }));
            }
        }
    }

    /// Whether what the client sends is still listened to.
    pub(crate) fn is_reading(&self, token: Token) -> bool {
        self.slab.get(token).is_some_and(|session| !session.is_closing())
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
        self.close_with(token, code, ErrorNotice::new(code, why));
    }

    fn close_with(&mut self, token: Token, code: CloseCode, notice: ErrorNotice) {
        let Some(session) = self.slab.get_mut(token).filter(|session| !session.is_closing()) else {
            return;
        };
        if code == CloseCode::TooSlow {
            session.outbox.discard();
        }
        let why = notice.message.clone();
        let notice = ServerMessage::Error(notice);
        session.outbox.push(session.subprotocol, &session.subprotocol.encode_server(&notice));
        metrics::count_close(code.name());
        self.end(token, Some(code.code()), &why);
    }

    /// The client broke the rules of WebSocket itself: nothing can be said but the close.
    pub(crate) fn fail(&mut self, token: Token, error: FrameError) {
        if let Some(code) = CloseCode::from_code(error.close_code()) {
            return self.close(token, code, &error.to_string());
        }
        metrics::count_protocol_error();
        self.end(token, Some(error.close_code()), &error.to_string());
    }

    fn end(&mut self, token: Token, code: Option<u16>, reason: &str) {
        let Some(session) = self.slab.get_mut(token).filter(|session| !session.is_closing()) else {
            return;
        };
        let until = self.port.now().plus(self.shared.config.close_linger);
        let stage = std::mem::replace(&mut session.stage, Stage::Closing { until });
        session.outbox.close(code, reason);
        list(&mut self.listed, token, session);
        if let Stage::Joined(joined) = stage {
            self.leave(token, &joined);
        }
    }

    /// Sends a message to one session; whether there was one that takes it.
    fn send(&mut self, token: Token, message: &ServerMessage) -> bool {
        let Some(session) = self.slab.get(token).filter(|session| !session.is_closing()) else {
            return false;
        };
        self.encoded.clear();
        session.subprotocol.encode_server_into(message, &mut self.encoded);
        self.metrics.answers.increment(1);
        let Some((session, encoded)) = self.with_room(token, self.encoded.len()) else {
            return false;
        };
        session.outbox.push(session.subprotocol, encoded);
        true
    }

    fn pong(&mut self, token: Token, content: &[u8]) {
        if let Some((session, _)) = self.with_room(token, content.len()) {
            session.outbox.pong(content);
        }
    }

    /// Queues frames that are encoded already and go to a whole audience.
    fn push_news(&mut self, token: Token, frames: &[u8]) {
        if !self.has_room(token, frames.len()) {
            return;
        }
        let Some(session) = self.slab.get_mut(token) else { return };
        session.outbox.push_frames(frames);
        if !std::mem::replace(&mut session.has_news, true) {
            self.news.push_back(token);
        }
    }

    /// The session to which `bytes` more may be added, with what was encoded last.
    fn with_room(&mut self, token: Token, bytes: usize) -> Option<(&mut Session, &[u8])> {
        if !self.has_room(token, bytes) {
            return None;
        }
        let session = self.slab.get_mut(token)?;
        list(&mut self.listed, token, session);
        Some((session, &self.encoded))
    }

    /// Whether `bytes` more may be added; the session is closed if it takes too little of what waits
    /// already.
    fn has_room(&mut self, token: Token, bytes: usize) -> bool {
        let Some(session) = self.slab.get(token).filter(|session| !session.is_closing()) else {
            return false;
        };
        // A message that alone exceeds the bound, like a drop with many SKUs, may wait by itself.
        let waiting = session.outbox.bytes();
        let is_over = waiting > 0 && waiting + bytes > self.shared.config.queue_bytes_max;
        if is_over {
            self.close(token, CloseCode::TooSlow, "the connection reads too slowly");
        }
        !is_over
    }

    fn leave(&mut self, token: Token, joined: &Membership) {
        self.port.leave(&joined.viewer, token);
        let number = joined.viewer.number();
        if let Some(tokens) = self.by_viewer.get_mut(&number) {
            tokens.retain(|other| *other != token);
            if tokens.is_empty() {
                self.by_viewer.remove(&number);
            }
        }
        if let Some(moved) = self.audiences.leave(joined.audience, joined.place)
            && let Some(session) = self.slab.get_mut(moved)
        {
            // The spreading of ticks may have passed its new place already.
            list(&mut self.listed, moved, session);
            if let Some(other) = session.joined_mut() {
                other.place = joined.place;
            }
        }
    }
}

/// Notes that a session's output has to be written.
fn list(listed: &mut VecDeque<Token>, token: Token, session: &mut Session) {
    if !std::mem::replace(&mut session.is_listed, true) {
        listed.push_back(token);
    }
}
