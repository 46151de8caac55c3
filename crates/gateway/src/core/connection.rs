//! One connection: what its socket brings goes to its session, what that says goes back.

use std::io;

use stampede_wire::frame::{Frame, FrameReader};

use super::transport::Transport;
use crate::sessions::{Input, Sessions, Token, WriteOutcome};

/// Bytes that are thrown away after a close before the connection is dropped.
const LINGER_BYTES_MAX: usize = 64 << 10;

/// What a core keeps for a connection besides its session.
pub(super) struct Connection {
    token: Token,
    transport: Transport,
    reader: FrameReader,
    /// The start of a frame whose end has not come yet.
    partial: Vec<u8>,
    /// The kernel took less than it was given; it says when there is room again.
    blocked: bool,
    /// Bytes thrown away since the close was written, which the other side has to answer.
    lingering: Option<usize>,
}

/// Whether a connection goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Fate {
    Stays,
    /// The other side is gone, or has to be dropped.
    Gone,
}

impl Connection {
    pub(super) fn new(token: Token, transport: Transport) -> Self {
        Self {
            token,
            transport,
            reader: FrameReader::default(),
            partial: Vec::new(),
            blocked: false,
            lingering: None,
        }
    }

    pub(super) fn token(&self) -> Token {
        self.token
    }

    pub(super) fn transport(&self) -> &Transport {
        &self.transport
    }

    pub(super) fn is_blocked(&self) -> bool {
        self.blocked
    }

    /// Hands in bytes that came with the handshake.
    pub(super) fn feed(&mut self, early: &mut [u8], sessions: &mut Sessions) {
        let used = self.frames(early, sessions);
        self.partial = early[used..].to_vec();
    }

    /// Reads once into `buffer`, hands in the frames that are whole.
    ///
    /// One read for each readiness: a socket that has more stays ready, so others get their turn.
    pub(super) fn read(&mut self, buffer: &mut [u8], sessions: &mut Sessions) -> Fate {
        let kept = self.partial.len();
        buffer[..kept].copy_from_slice(&self.partial);
        let came = match self.transport.read(&mut buffer[kept..]) {
            Ok(0) => return Fate::Gone,
            Ok(came) => came,
            Err(why) if would_wait(&why) => return Fate::Stays,
            Err(_) => return Fate::Gone,
        };
        if let Some(thrown_away) = &mut self.lingering {
            *thrown_away += came;
            return if *thrown_away > LINGER_BYTES_MAX { Fate::Gone } else { Fate::Stays };
        }
        let bytes = &mut buffer[..kept + came];
        let used = self.frames(bytes, sessions);
        let rest = &bytes[used..];
        if kept > 0 || !rest.is_empty() {
            self.partial = rest.to_vec();
        }
        Fate::Stays
    }

    /// Hands in whole frames; gives where the first unfinished one begins. Behind the end of a
    /// session everything counts as used.
    fn frames(&mut self, bytes: &mut [u8], sessions: &mut Sessions) -> usize {
        let mut used = 0;
        while sessions.is_reading(self.token) {
            match self.reader.next(&mut bytes[used..]) {
                Ok(None) => return used,
                Ok(Some((length, frame))) => {
                    used += length;
                    let input = match frame {
                        Frame::Text(text) => Input::Text(text.as_bytes()),
                        Frame::Binary(message) => Input::Binary(message),
                        Frame::Part | Frame::Pong => Input::Quiet,
                        Frame::Ping(content) => Input::Ping(content),
                        Frame::Close(code) => Input::Close(code),
                    };
                    sessions.receive(self.token, input);
                }
                Err(error) => sessions.fail(self.token, error),
            }
        }
        bytes.len()
    }

    /// Writes what waits, as far as the kernel takes it.
    pub(super) fn write(&mut self, sessions: &mut Sessions) -> Fate {
        let Self { transport, .. } = self;
        // What is sealed already leaves first; only then there is room for more.
        let mut gone = transport.flush().is_err_and(|why| !would_wait(&why));
        let written = sessions.write(self.token, |bytes| match transport.write(bytes) {
            Ok(taken) => taken,
            Err(why) => {
                gone |= !would_wait(&why);
                0
            }
        });
        if gone {
            return Fate::Gone;
        }
        self.blocked = written == WriteOutcome::Blocked || self.transport.is_behind();
        match written {
            WriteOutcome::All | WriteOutcome::Blocked => Fate::Stays,
            WriteOutcome::Gone => Fate::Gone,
            // Closing with unread bytes would reset the connection, which can cost the client the
            // close frame; so the other side closes first.
            WriteOutcome::Over if self.lingering.is_some() || self.blocked => Fate::Stays,
            WriteOutcome::Over => {
                self.lingering = Some(0);
                self.partial = Vec::new();
                if self.transport.finish().is_ok() { Fate::Stays } else { Fate::Gone }
            }
        }
    }
}

fn would_wait(why: &io::Error) -> bool {
    matches!(why.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}
