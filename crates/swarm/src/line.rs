//! A connection as a player sees it.

use std::io;

use crate::clock::Clock;
use crate::{FrameError, UpgradeError};

/// Says what travels on the connections of a pool.
pub trait Player {
    /// What the player keeps for each connection.
    type Seat;

    /// The connection stands.
    fn connected(&mut self, seat: &mut Self::Seat, line: &mut Line<'_>);

    /// Bytes have come. Returns how many of them are done with; the rest comes again with what
    /// follows.
    fn received(&mut self, seat: &mut Self::Seat, bytes: &[u8], line: &mut Line<'_>) -> usize;

    /// The connection has ended, or could not be made.
    fn ended(&mut self, seat: &mut Self::Seat, number: u32, end: End);
}

/// How a connection ended.
#[derive(Debug, thiserror::Error)]
pub enum End {
    /// This side hung up.
    #[error("this side hung up")]
    Here,
    /// The other side closed the socket.
    #[error("the server closed the connection")]
    There,
    /// The other side closed the WebSocket.
    #[error("the server closed the WebSocket with {code:?}")]
    Closed {
        /// The close code, if it sent one.
        code: Option<u16>,
    },
    /// The socket failed.
    #[error("the connection failed: {0}")]
    Failed(#[from] io::Error),
    /// The handshake failed.
    #[error(transparent)]
    Upgrade(#[from] UpgradeError),
    /// What came is no frame.
    #[error(transparent)]
    Frame(#[from] FrameError),
}

/// One connection for the length of one call.
#[derive(Debug)]
pub struct Line<'a> {
    pub(super) number: u32,
    pub(super) clock: &'a Clock,
    pub(super) out: &'a mut Vec<u8>,
    pub(super) deaf: &'a mut bool,
    pub(super) end: Option<End>,
}

impl Line<'_> {
    /// The connection's number, from 0 in the order of dialling.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// Microseconds since the pool was made.
    pub fn now_us(&self) -> u64 {
        self.clock.us()
    }

    /// Where bytes to send are appended; they leave in one write after the call.
    pub fn out(&mut self) -> &mut Vec<u8> {
        self.out
    }

    /// Reads no more from the socket, or reads again: a client that does not read.
    pub fn set_deaf(&mut self, deaf: bool) {
        *self.deaf = deaf;
    }

    /// Ends the connection after what was appended has been tried to send once.
    pub fn hang_up(&mut self) {
        self.end_with(End::Here);
    }

    pub(super) fn end_with(&mut self, end: End) {
        self.end.get_or_insert(end);
    }
}
