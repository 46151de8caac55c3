//! The reactions of a drill's viewers to messages.

use std::collections::HashMap;

use stampede_domain::{DropId, Phase};
use stampede_loadtest::{Latency, TROUBLES_MAX};
use stampede_swarm::{Clock, End, Message, Talker, Voice};
use stampede_wire::{ServerMessage, Subprotocol};

use super::{
    Wish,
    clicks::{Clicks, Moment},
    ticks::Ticks,
};

/// One viewer's place.
#[derive(Debug, Default)]
pub(crate) struct Seat {
    /// The hello, until it is sent.
    pub(super) hello: Vec<u8>,
    /// When the connection was asked for.
    pub(super) dialled_us: u64,
    pub(super) joined: bool,
    /// Whether somebody else counts what comes here.
    pub(super) hushed: bool,
    /// Clicks so far.
    pub(super) clicks: usize,
}

/// What viewers click on as soon as their last click is answered.
#[derive(Clone, Debug)]
pub(crate) struct Again {
    pub(super) wish: Wish,
    /// As soon as one viewer has clicked so often, nobody clicks again.
    pub(super) clicks_max: usize,
}

/// Joins everybody, reads what the drill wants to know.
#[derive(Debug)]
pub(crate) struct Viewers {
    pub(super) subprotocol: Subprotocol,
    pub(super) clock: Clock,
    /// Viewers that are in.
    pub(crate) joined: usize,
    /// From the request for a connection to the welcome.
    pub(crate) joining: Latency,
    /// Connections that ended though nobody asked them to.
    pub(crate) lost: u64,
    /// The first things that went wrong, in words.
    pub(crate) troubles: Vec<String>,
    phases: HashMap<DropId, Phase>,
    /// The clicks that answers belong to.
    pub(crate) clicks: Clicks,
    /// What is clicked on with each answer; nothing by default.
    pub(crate) again: Option<Again>,
    /// The ticks of the drop that is watched.
    pub(crate) ticks: Ticks,
    /// Supply of that drop, which tells the click behind a figure; none are read without it.
    pub(crate) watched_supply: Option<u32>,
}

impl Viewers {
    pub(super) fn new(subprotocol: Subprotocol) -> Self {
        Self {
            subprotocol,
            clock: Clock::start(),
            joined: 0,
            joining: Latency::new(),
            lost: 0,
            troubles: Vec::new(),
            phases: HashMap::new(),
            clicks: Clicks::new("none"),
            again: None,
            ticks: Ticks::default(),
            watched_supply: None,
        }
    }

    /// Whether viewers have been told that the drop is open.
    pub(crate) fn is_open(&self, drop: DropId) -> bool {
        self.phases.get(&drop) == Some(&Phase::Open)
    }

    /// Lets a viewer click.
    pub(super) fn click(
        &mut self,
        seat: &mut Seat,
        wish: &Wish,
        moment: Moment,
        voice: &mut Voice<'_, '_>,
    ) {
        let drop = wish.drop_of(seat.clicks);
        seat.clicks += 1;
        let message = self.clicks.make(moment, drop, wish.sku, self.subprotocol);
        voice.say(self.subprotocol.is_text(), &message);
    }

    fn trouble(&mut self, what: impl FnOnce() -> String) {
        if self.troubles.len() < TROUBLES_MAX {
            self.troubles.push(what());
        }
    }

    fn tick(&mut self, message: &[u8], at_us: u64) {
        let Some(supply) = self.watched_supply else { return };
        let Self { subprotocol, clicks, ticks, .. } = self;
        ticks.see(message, at_us, |message| {
            let Ok(Some(ServerMessage::Stock(stock))) = subprotocol.decode_server(message) else {
                return None;
            };
            // Each click takes one unit, so the units that are gone are the clicks that were made.
            let gone = supply.checked_sub(stock.skus.first()?.available)?;
            clicks.planned_us(usize::try_from(gone.checked_sub(1)?).ok()?)
        });
    }

    fn hear(&mut self, seat: &mut Seat, message: ServerMessage, at_us: u64) {
        match message {
            ServerMessage::Welcome(welcome) => {
                seat.joined = true;
                self.joined += 1;
                self.joining.record_us(at_us.saturating_sub(seat.dialled_us));
                for drop in &welcome.drops {
                    self.phases.insert(drop.drop, drop.phase);
                }
            }
            ServerMessage::DropInfo(drop) => {
                self.phases.insert(drop.drop, drop.phase);
            }
            ServerMessage::Phase(notice) => {
                self.phases.insert(notice.drop, notice.phase);
            }
            ServerMessage::Held(held) => {
                self.clicks.hear_held(&held, at_us, self.clock.unix_now().get());
            }
            ServerMessage::Refused(refused) => self.clicks.hear_refused(&refused, at_us),
            ServerMessage::Error(notice) => self.trouble(|| notice.message.clone()),
            _ => {}
        }
    }
}

impl Talker for Viewers {
    type Seat = Seat;

    fn opened(&mut self, seat: &mut Seat, voice: &mut Voice<'_, '_>) {
        voice.say(self.subprotocol.is_text(), &std::mem::take(&mut seat.hello));
    }

    fn message(&mut self, seat: &mut Seat, message: Message<'_>, voice: &mut Voice<'_, '_>) {
        let (bytes, at_us) = (message.bytes(), voice.now_us());
        if self.subprotocol.is_stock_tick(bytes) {
            return self.tick(bytes, at_us);
        }
        match self.subprotocol.decode_server(bytes) {
            Ok(Some(message)) => {
                let answers = self.clicks.answered();
                self.hear(seat, message, at_us);
                if self.clicks.answered() > answers
                    && let Some(again) = self.again.take()
                    && seat.clicks < again.clicks_max
                {
                    let moment = Moment { at_us, number: voice.number(), reads: true };
                    self.click(seat, &again.wish, moment, voice);
                    self.again = Some(again);
                }
            }
            Ok(None) => {}
            Err(error) => self.trouble(|| format!("a message cannot be read: {error}")),
        }
    }

    fn ended(&mut self, seat: &mut Seat, number: u32, end: End) {
        if seat.joined {
            seat.joined = false;
            self.joined -= 1;
        }
        self.lost += 1;
        self.trouble(|| format!("viewer {number}: {end}"));
    }
}
