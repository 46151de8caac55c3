//! Closed loops of viewers against Stampede: pings, buys.

use stampede_domain::UnixMillis;
use stampede_swarm::{End, Message, Talker, TicketBook, Voice};
use stampede_wire::{ServerMessage, Subprotocol};

use crate::{
    meter::{Meter, Metered},
    wish::{self, Course, Place},
};

/// Length of a hold's text.
const HOLD_BYTES: usize = 32;
/// Where the name of a message stands: behind the map's head and the field's name.
const KIND_AT: usize = 6;

/// What the viewers do.
#[derive(Debug)]
pub(crate) enum Deed {
    /// Pings with this content: the gateway's own echo.
    Ping(Vec<u8>),
    /// Buys unit after unit, each with a new key.
    Buy(Course),
    /// Buys one unit, no more.
    BuyOne,
    /// Buys where nothing is left.
    BuySoldOut,
}

/// A promise as it came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kept {
    pub(crate) seat: u32,
    pub(crate) place: Place,
    pub(crate) hold: [u8; HOLD_BYTES],
}

/// Says hello, then does its deed again and again.
#[derive(Debug)]
pub(crate) struct Viewers {
    pub(crate) meter: Meter,
    pub(crate) promises: Vec<Kept>,
    deed: Deed,
    tickets: TicketBook,
    now: UnixMillis,
    /// The buy of each drop, ready but for the key.
    buys: Vec<Vec<u8>>,
}

/// A connection's viewer.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Viewer {
    place: Place,
    sent_us: u64,
}

impl Viewers {
    pub(crate) fn new(
        deed: Deed,
        tickets: TicketBook,
        now: UnixMillis,
        buys: Vec<Vec<u8>>,
    ) -> Self {
        Self { meter: Meter::default(), promises: Vec::new(), deed, tickets, now, buys }
    }

    fn ask(&mut self, seat: &mut Viewer, voice: &mut Voice<'_, '_>) {
        if self.meter.stopping {
            return;
        }
        seat.sent_us = voice.now_us();
        self.meter.sent();
        if let Deed::Ping(content) = &self.deed {
            return voice.ping(content);
        }
        let Place { drop, .. } = seat.place;
        let buy = usize::try_from(drop).ok().and_then(|drop| self.buys.get_mut(drop));
        let buy = buy.expect("each drop of the course has a buy");
        wish::put_key_number(buy, wish::key_number(seat.place));
        voice.binary(buy);
    }

    /// Goes on to the next buy; a new viewer takes the seat where this one has all it may have.
    fn go_on(&mut self, seat: &mut Viewer, voice: &mut Voice<'_, '_>) {
        let round = seat.place.round;
        match &self.deed {
            Deed::Ping(_) => {}
            Deed::BuyOne => return,
            Deed::Buy(course) => seat.place = course.next(seat.place),
            Deed::BuySoldOut => seat.place.buy += 1,
        }
        if seat.place.round == round {
            return self.ask(seat, voice);
        }
        voice.hang_up();
        if !self.meter.stopping {
            self.meter.redials.push(voice.number());
        }
    }

    fn held(&mut self, seat: &mut Viewer, message: &[u8], voice: &mut Voice<'_, '_>) {
        self.meter.answered(seat.sent_us, voice.now_us());
        match hold_of(message) {
            Some(hold) => {
                let (seat, place) = (voice.number(), seat.place);
                self.promises.push(Kept { seat, place, hold });
            }
            None => self.meter.trouble(|| format!("no hold in {:?}", words(message))),
        }
        self.go_on(seat, voice);
    }

    fn refused(&mut self, seat: &mut Viewer, message: &[u8], voice: &mut Voice<'_, '_>) {
        match self.deed {
            Deed::BuySoldOut if contains(message, b"\xa8sold_out") => {
                self.meter.answered(seat.sent_us, voice.now_us());
                self.go_on(seat, voice);
            }
            _ if contains(message, b"\xa4busy") => {
                self.meter.refused += 1;
                self.meter.in_flight -= 1;
                self.ask(seat, voice);
            }
            _ => self.meter.trouble(|| words(message)),
        }
    }
}

impl Talker for Viewers {
    type Seat = Viewer;

    fn opened(&mut self, seat: &mut Viewer, voice: &mut Voice<'_, '_>) {
        let viewer = wish::viewer(voice.number(), seat.place);
        let hello = self.tickets.hello(&viewer, Subprotocol::MsgPack, self.now);
        voice.binary(&hello.expect("the viewer's name is an id"));
    }

    fn message(&mut self, seat: &mut Viewer, message: Message<'_>, voice: &mut Voice<'_, '_>) {
        let message = message.bytes();
        match kind(message) {
            b"held" => self.held(seat, message, voice),
            b"refused" => self.refused(seat, message, voice),
            b"welcome" => {
                if seat.place.round == 0 {
                    self.meter.ready += 1;
                }
                self.ask(seat, voice);
            }
            b"stock" | b"phase" | b"drop" => {}
            _ => self.meter.trouble(|| words(message)),
        }
    }

    fn pong(&mut self, seat: &mut Viewer, _: &[u8], voice: &mut Voice<'_, '_>) {
        self.meter.answered(seat.sent_us, voice.now_us());
        self.go_on(seat, voice);
    }

    fn ended(&mut self, _: &mut Viewer, number: u32, end: End) {
        if !matches!(end, End::Here) {
            self.meter.trouble(|| format!("connection {number}: {end}"));
        }
    }
}

impl Metered for Viewers {
    fn meter(&mut self) -> &mut Meter {
        &mut self.meter
    }
}

/// The message's type, which the server writes first.
fn kind(message: &[u8]) -> &[u8] {
    let Some((head, rest)) = message.get(KIND_AT..).and_then(|rest| rest.split_first()) else {
        return b"";
    };
    rest.get(..usize::from(head & 0x1f)).unwrap_or(b"")
}

/// The hold that the message names.
fn hold_of(message: &[u8]) -> Option<[u8; HOLD_BYTES]> {
    const FIELD: &[u8] = b"\xa4hold\xd9\x20";
    let at = message.windows(FIELD.len()).position(|bytes| bytes == FIELD)? + FIELD.len();
    message.get(at..at + HOLD_BYTES)?.try_into().ok()
}

fn contains(message: &[u8], part: &[u8]) -> bool {
    message.windows(part.len()).any(|bytes| bytes == part)
}

/// A message for people.
fn words(message: &[u8]) -> String {
    match Subprotocol::MsgPack.decode_server(message) {
        Ok(Some(ServerMessage::Refused(refused))) => {
            format!("refused as {}: {}", refused.code, refused.message)
        }
        decoded => format!("{decoded:?}"),
    }
}

#[cfg(test)]
mod tests {
    use stampede_wire::Held;

    use super::*;

    #[test]
    fn the_kind_and_the_hold_are_found_in_the_servers_bytes() {
        let hold = "00000011000000c000000a400000002a";
        let held = Held {
            key: Some(stampede_domain::IdempotencyKey::new("k").unwrap()),
            retry: false,
            hold: hold.parse().unwrap(),
            drop: "d17".parse().unwrap(),
            sku: wish::SKU.parse().unwrap(),
            units: 1,
            amount_minor: 499,
            currency: "EUR".parse().unwrap(),
            expires_in_ms: 1,
        };
        let message = Subprotocol::MsgPack.encode_server(&ServerMessage::Held(held));
        assert_eq!(kind(&message), b"held");
        assert_eq!(hold_of(&message).as_ref().map(|hold| &hold[..]), Some(hold.as_bytes()));
        assert_eq!(kind(b"\x81"), b"");
        assert_eq!(hold_of(b"\x81\xa4type\xa4held\xa4hold\xd9\x20short"), None);
    }
}
