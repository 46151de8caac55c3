//! A player that speaks WebSocket.

use std::net::SocketAddr;

use crate::{
    frames::{Opcode, append_masked, server_frame},
    line::{End, Line, Player},
    upgrade,
};

/// Says what the messages of a pool are.
pub trait Talker {
    /// What the talker keeps for each connection.
    type Seat;

    /// The WebSocket is open.
    fn opened(&mut self, seat: &mut Self::Seat, voice: &mut Voice<'_, '_>);

    /// A message has come.
    fn message(&mut self, seat: &mut Self::Seat, message: Message<'_>, voice: &mut Voice<'_, '_>);

    /// A pong has come.
    fn pong(&mut self, _seat: &mut Self::Seat, _content: &[u8], _voice: &mut Voice<'_, '_>) {}

    /// The connection has ended, or could not be made.
    fn ended(&mut self, seat: &mut Self::Seat, number: u32, end: End);
}

/// One message of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// A text message; not checked to be UTF-8.
    Text(&'a [u8]),
    /// A binary message.
    Binary(&'a [u8]),
}

impl<'a> Message<'a> {
    /// Its bytes.
    pub const fn bytes(self) -> &'a [u8] {
        match self {
            Self::Text(bytes) | Self::Binary(bytes) => bytes,
        }
    }
}

/// The seat of a talker with what the WebSocket needs.
#[derive(Clone, Copy, Debug, Default)]
pub struct WebSeat<S> {
    open: bool,
    /// The talker's own.
    pub own: S,
}

impl<S> WebSeat<S> {
    /// A seat whose WebSocket is not open yet.
    pub const fn new(own: S) -> Self {
        Self { open: false, own }
    }

    /// Whether the WebSocket is open.
    pub const fn is_open(&self) -> bool {
        self.open
    }
}

/// Speaks WebSocket for a talker.
#[derive(Debug)]
pub struct Web<T> {
    /// The talker.
    pub talker: T,
    request: Vec<u8>,
    mask: Mask,
}

/// Keys for frames, all different, cheap.
#[derive(Clone, Copy, Debug)]
struct Mask(u32);

impl Mask {
    fn next(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0
    }
}

/// One open WebSocket for the length of one call.
#[derive(Debug)]
pub struct Voice<'a, 'b> {
    line: &'a mut Line<'b>,
    mask: &'a mut Mask,
}

impl Voice<'_, '_> {
    /// Sends a message after the call: text if the subprotocol says so.
    pub fn say(&mut self, text: bool, message: &[u8]) {
        let opcode = if text { Opcode::Text } else { Opcode::Binary };
        self.frame(opcode, message);
    }

    /// Sends a binary message after the call.
    pub fn binary(&mut self, message: &[u8]) {
        self.frame(Opcode::Binary, message);
    }

    /// Sends a ping after the call; its content has at most 125 bytes.
    pub fn ping(&mut self, content: &[u8]) {
        self.frame(Opcode::Ping, content);
    }

    /// The connection's number.
    pub fn number(&self) -> u32 {
        self.line.number()
    }

    /// Microseconds since the pool was made.
    pub fn now_us(&self) -> u64 {
        self.line.now_us()
    }

    /// Reads no more from the socket, or reads again.
    pub fn set_deaf(&mut self, deaf: bool) {
        self.line.set_deaf(deaf);
    }

    /// Ends the connection after what was said.
    pub fn hang_up(&mut self) {
        self.line.hang_up();
    }

    fn frame(&mut self, opcode: Opcode, payload: &[u8]) {
        append_masked(self.line.out(), opcode, payload, self.mask.next());
    }
}

impl<T: Talker> Web<T> {
    /// Speaks to the server at `target`, offers one subprotocol or none.
    pub fn new(talker: T, target: SocketAddr, subprotocol: Option<&str>) -> Self {
        Self { talker, request: upgrade::request(target, subprotocol), mask: Mask(0x9e37_79b9) }
    }

    /// Lets the talker do something by itself, within [`crate::SocketPool::act`]; whether the WebSocket
    /// was open.
    pub fn speak(
        &mut self,
        seat: &mut WebSeat<T::Seat>,
        line: &mut Line<'_>,
        speak: impl FnOnce(&mut T, &mut T::Seat, &mut Voice<'_, '_>),
    ) -> bool {
        if seat.open {
            speak(&mut self.talker, &mut seat.own, &mut Voice { line, mask: &mut self.mask });
        }
        seat.open
    }

    /// Serves one frame; its length, or `None` if it is not there yet or nothing can follow.
    fn frame(
        &mut self,
        seat: &mut WebSeat<T::Seat>,
        bytes: &[u8],
        line: &mut Line<'_>,
    ) -> Option<usize> {
        let (opcode, from, to) = match server_frame(bytes) {
            Ok(frame) => frame?,
            Err(why) => {
                line.end_with(why.into());
                return None;
            }
        };
        let payload = &bytes[from..to];
        let mut voice = Voice { line, mask: &mut self.mask };
        match opcode {
            Opcode::Text => {
                self.talker.message(&mut seat.own, Message::Text(payload), &mut voice);
            }
            Opcode::Binary => {
                self.talker.message(&mut seat.own, Message::Binary(payload), &mut voice);
            }
            Opcode::Ping => voice.frame(Opcode::Pong, payload),
            Opcode::Pong => self.talker.pong(&mut seat.own, payload, &mut voice),
            Opcode::Close => {
                voice.frame(Opcode::Close, payload);
                let code = payload.first_chunk().map(|code| u16::from_be_bytes(*code));
                line.end_with(End::Closed { code });
            }
        }
        Some(to)
    }
}

impl<T: Talker> Player for Web<T> {
    type Seat = WebSeat<T::Seat>;

    fn connected(&mut self, seat: &mut Self::Seat, line: &mut Line<'_>) {
        seat.open = false;
        line.out().extend_from_slice(&self.request);
    }

    fn received(&mut self, seat: &mut Self::Seat, bytes: &[u8], line: &mut Line<'_>) -> usize {
        let mut done = 0;
        if !seat.open {
            match upgrade::upgraded(bytes) {
                Ok(None) => return 0,
                Ok(Some(answer)) => done = answer,
                Err(why) => {
                    line.end_with(why.into());
                    return bytes.len();
                }
            }
            seat.open = true;
            let mut voice = Voice { line, mask: &mut self.mask };
            self.talker.opened(&mut seat.own, &mut voice);
        }
        while line.end.is_none() {
            match self.frame(seat, &bytes[done..], line) {
                Some(frame) => done += frame,
                None => break,
            }
        }
        done
    }

    fn ended(&mut self, seat: &mut Self::Seat, number: u32, end: End) {
        seat.open = false;
        self.talker.ended(&mut seat.own, number, end);
    }
}
