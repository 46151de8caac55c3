//! Closed loops against servers that give back what they get.

use stampede_swarm::{End, Line, Message, Player, Talker, Voice, Web};

use crate::meter::{Meter, Metered};

/// Sends bytes, waits until as many have come back.
#[derive(Debug)]
pub(crate) struct TcpEcho {
    pub(crate) meter: Meter,
    pub(crate) payload: Vec<u8>,
}

/// A connection's request in flight.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Asked {
    sent_us: u64,
    came: usize,
}

impl TcpEcho {
    fn ask(&mut self, seat: &mut Asked, line: &mut Line<'_>, now_us: u64) {
        if !self.meter.stopping {
            *seat = Asked { sent_us: now_us, came: 0 };
            line.out().extend_from_slice(&self.payload);
            self.meter.sent();
        }
    }
}

impl Player for TcpEcho {
    type Seat = Asked;

    fn connected(&mut self, seat: &mut Asked, line: &mut Line<'_>) {
        self.meter.ready += 1;
        self.ask(seat, line, line.now_us());
    }

    fn received(&mut self, seat: &mut Asked, bytes: &[u8], line: &mut Line<'_>) -> usize {
        seat.came += bytes.len();
        if seat.came >= self.payload.len() {
            let now_us = line.now_us();
            self.meter.answered(seat.sent_us, now_us);
            self.ask(seat, line, now_us);
        }
        bytes.len()
    }

    fn ended(&mut self, _: &mut Asked, number: u32, end: End) {
        self.meter.trouble(|| format!("connection {number}: {end}"));
    }
}

impl Metered for TcpEcho {
    fn meter(&mut self) -> &mut Meter {
        &mut self.meter
    }
}

impl<T: Metered> Metered for Web<T> {
    fn meter(&mut self) -> &mut Meter {
        self.talker.meter()
    }
}

/// Sends a binary message, waits for its echo.
#[derive(Debug)]
pub(crate) struct WebEcho {
    pub(crate) meter: Meter,
    pub(crate) payload: Vec<u8>,
}

impl WebEcho {
    fn ask(&mut self, sent_us: &mut u64, voice: &mut Voice<'_, '_>, now_us: u64) {
        if !self.meter.stopping {
            *sent_us = now_us;
            voice.binary(&self.payload);
            self.meter.sent();
        }
    }
}

impl Talker for WebEcho {
    /// When the request in flight was sent.
    type Seat = u64;

    fn opened(&mut self, sent_us: &mut u64, voice: &mut Voice<'_, '_>) {
        self.meter.ready += 1;
        self.ask(sent_us, voice, voice.now_us());
    }

    fn message(&mut self, sent_us: &mut u64, message: Message<'_>, voice: &mut Voice<'_, '_>) {
        let now_us = voice.now_us();
        self.meter.answered(*sent_us, now_us);
        if message.bytes().len() != self.payload.len() {
            let bytes = message.bytes().len();
            self.meter.trouble(|| format!("an echo has {bytes} bytes"));
        }
        self.ask(sent_us, voice, now_us);
    }

    fn ended(&mut self, _: &mut u64, number: u32, end: End) {
        self.meter.trouble(|| format!("connection {number}: {end}"));
    }
}

impl Metered for WebEcho {
    fn meter(&mut self) -> &mut Meter {
        &mut self.meter
    }
}
