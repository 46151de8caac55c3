//! Entry points for fuzz targets: the handshake, and one core's sessions without sockets.

use std::{net::IpAddr, sync::Arc};

use stampede_engine::CorePort;
use stampede_proxies::{ClientAddress, TrustedProxies};
use stampede_wire::{Subprotocol, frame::FrameError, ticket::TicketVerifier};

use crate::{
    admission::Entry,
    config::GatewayConfig,
    door::handshake::{self, Handshake, Rules},
    sessions::{Input, Sessions, WriteOutcome},
    shared::GatewayState,
};

/// What a request leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// More has to come.
    Incomplete,
    /// Let in.
    Accepted {
        /// Where the request ended.
        request_bytes: usize,
    },
    /// A health check.
    Check,
    /// Turned away.
    Refused,
}

/// Answers a request as far as it has come, from a trusted proxy or from another sender.
pub fn answer(received: &[u8], origins: &[String], trusted: &TrustedProxies) -> Answer {
    let peer = ClientAddress::from(IpAddr::from([127, 0, 0, 1])).into();
    let bytes_max = GatewayConfig::default().handshake_bytes_max;
    match handshake::answer(received, Rules { origins, is_tls: false, trusted, peer, bytes_max }) {
        Handshake::Incomplete => Answer::Incomplete,
        Handshake::Accepted { request_bytes, response, .. } => {
            assert!(response.starts_with(b"HTTP/1.1 101"), "who is let in is told so");
            Answer::Accepted { request_bytes }
        }
        Handshake::Check(check) => {
            assert!(check.response(true).starts_with(b"HTTP/1.1 200"), "it is ready");
            Answer::Check
        }
        Handshake::Refused { response } => {
            assert!(response.starts_with(b"HTTP/1.1 4"), "who is turned away is told why");
            Answer::Refused
        }
    }
}

/// What a connection has read.
#[derive(Clone, Debug)]
pub enum Received<'a> {
    /// A text message.
    Text(&'a [u8]),
    /// A binary message.
    Binary(&'a [u8]),
    /// A pong or a part.
    Quiet,
    /// A ping.
    Ping(&'a [u8]),
    /// A close.
    Close(Option<u16>),
    /// What broke the rules of WebSocket.
    Broken(FrameError),
}

/// How far a connection's output was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// Nothing waits any more.
    All,
    /// Some waits.
    Some,
    /// The close was the last.
    Over,
    /// The connection has to be dropped.
    Gone,
}

/// One core's sessions.
pub struct Core {
    sessions: Sessions,
    shared: Arc<GatewayState>,
}

impl Core {
    /// A core that has nobody yet.
    pub fn new(config: GatewayConfig, port: CorePort, tickets: TicketVerifier) -> Self {
        let (brake, health) = (Arc::clone(port.brake()), port.health_watch());
        let shared = Arc::new(GatewayState::new(config, brake, health, 1, tickets));
        Self { sessions: Sessions::new(port, Arc::clone(&shared)), shared }
    }

    /// A connection has finished its handshake, unless its address opens too many.
    pub fn open(&mut self, subprotocol: Subprotocol, address: IpAddr) -> Option<u64> {
        match self.shared.addresses.arrive(address, self.sessions.now()) {
            Entry::In(pass) => {
                let place = self.shared.connections.enter();
                Some(self.sessions.open(subprotocol, pass, address, place))
            }
            Entry::TooFast(_) | Entry::Dropped => None,
        }
    }

    /// A connection has read something.
    pub fn receive(&mut self, token: u64, received: Received<'_>) {
        let input = match received {
            Received::Text(bytes) => Input::Text(bytes),
            Received::Binary(bytes) => Input::Binary(bytes),
            Received::Quiet => Input::Quiet,
            Received::Ping(content) => Input::Ping(content),
            Received::Close(code) => Input::Close(code),
            Received::Broken(error) => return self.sessions.fail(token, error),
        };
        self.sessions.receive(token, input);
        self.sessions.flush();
    }

    /// Writes what waits, as far as there is `room`.
    pub fn write(&mut self, token: u64, room: usize, into: &mut Vec<u8>) -> Taken {
        let mut room = room;
        let written = self.sessions.write(token, |bytes| {
            let count = bytes.len().min(room);
            into.extend_from_slice(&bytes[..count]);
            room -= count;
            count
        });
        match written {
            WriteOutcome::All => Taken::All,
            WriteOutcome::Blocked => Taken::Some,
            WriteOutcome::Over => Taken::Over,
            WriteOutcome::Gone => Taken::Gone,
        }
    }

    /// A connection is gone.
    pub fn gone(&mut self, token: u64) {
        self.sessions.gone(token);
        self.shared.connections.leave(0);
    }

    /// The engine has woken the core.
    pub fn wake(&mut self) {
        self.sessions.act_on_events();
    }

    /// A tick is due; everybody is to be told.
    pub fn tick(&mut self) {
        self.sessions.tick();
        while self.sessions.is_spreading() {
            self.sessions.spread(1);
        }
    }

    /// Deadlines are looked at.
    pub fn sweep(&mut self) {
        self.sessions.sweep();
    }

    /// The server is about to stop.
    pub fn drain(&mut self) {
        self.sessions.drain();
    }

    /// The next connection that has output.
    pub fn next_with_output(&mut self) -> Option<u64> {
        self.sessions.next_with_output().or_else(|| self.sessions.next_with_news())
    }

    /// Answers that wait for a commit.
    pub fn pending(&mut self) -> usize {
        self.sessions.pending()
    }

    /// Bytes that wait for one connection, behind its welcome.
    pub fn waiting(&self, token: u64) -> usize {
        self.sessions.waiting(token)
    }

    /// Whether what the client sends is still listened to.
    pub fn is_reading(&self, token: u64) -> bool {
        self.sessions.is_reading(token)
    }
}
