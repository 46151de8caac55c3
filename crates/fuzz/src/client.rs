//! A connection from the client's side, which holds every message against the journal.

use std::collections::{HashMap, HashSet};

use stampede_domain::HoldId;
use stampede_engine::Health;
use stampede_ledger::{HoldRecord, Record, fake::FakeLedger};
use stampede_wire::{ClientMessage, Request, ServerMessage, Subprotocol};

/// One connection from the client's side.
pub(crate) struct Client {
    pub(crate) token: u64,
    pub(crate) subprotocol: Subprotocol,
    /// What was written to it, up to the last whole frame.
    pub(crate) inbox: Vec<u8>,
    /// Buys without an answer, by key.
    bought: HashMap<String, u32>,
    /// What was asked, what was told.
    holds: HashMap<HoldId, About>,
    welcomed: bool,
    pub(crate) closed: bool,
}

/// One hold, as far as this connection asked about it or was told.
#[derive(Debug, Default)]
struct About {
    /// Releases that were not refused.
    releases: u32,
    /// Payments that were not refused.
    pays: u32,
    released: bool,
    /// Ordered, ended, or a payment failed.
    told: bool,
}

impl About {
    /// The payment provider never lets a hold live on, so one request of each kind succeeds at most.
    fn is_answered(&self) -> bool {
        self.releases <= u32::from(self.released) && self.pays <= u32::from(self.told)
    }

    /// Whether nobody waits to learn what has become of the hold.
    fn is_settled(&self) -> bool {
        self.told || (self.releases == 0 && self.pays == 0)
    }
}

/// What the journal holds, read as it grows.
#[derive(Default)]
pub(crate) struct Durable {
    rows: usize,
    taken: HashSet<HoldId>,
    ordered: HashSet<HoldId>,
    ended: HashSet<HoldId>,
}

impl Client {
    pub(crate) fn new(token: u64, subprotocol: Subprotocol) -> Self {
        Self {
            token,
            subprotocol,
            inbox: Vec::new(),
            bought: HashMap::new(),
            holds: HashMap::new(),
            welcomed: false,
            closed: false,
        }
    }

    /// Notes a request that the server listens to.
    pub(crate) fn ask(&mut self, message: &ClientMessage<'_>) {
        match message {
            ClientMessage::Buy { key, .. } => {
                *self.bought.entry(key.to_string()).or_default() += 1;
            }
            ClientMessage::Release { hold } => self.about(*hold).releases += 1,
            ClientMessage::Pay { hold, .. } => self.about(*hold).pays += 1,
            _ => {}
        }
    }

    fn about(&mut self, hold: HoldId) -> &mut About {
        self.holds.entry(hold).or_default()
    }

    /// Requests that have no answer, in words. Once the ledger has failed, whoever was told of a
    /// hold's end may not learn that another request came too late for it.
    pub(crate) fn unanswered(&self, health: Health) -> Vec<String> {
        let is_done = match health {
            Health::Ready => About::is_answered,
            Health::Poisoned => About::is_settled,
        };
        let buys = self.bought.iter().filter(|(_, open)| **open > 0);
        let holds = self.holds.iter().filter(|(_, about)| !is_done(about));
        let buys = buys.map(|(key, open)| format!("{open} buys with {key}"));
        buys.chain(holds.map(|(hold, about)| format!("{hold}: {about:?}"))).collect()
    }

    /// Holds a message against what is durable and what was asked.
    pub(crate) fn hear(
        &mut self,
        message: &ServerMessage,
        durable: &Durable,
        holds: &mut Vec<HoldId>,
    ) {
        match message {
            ServerMessage::Welcome(welcome) => {
                assert!(!std::mem::replace(&mut self.welcomed, true), "welcomed twice");
                welcome.holds.iter().for_each(|held| assert!(durable.taken.contains(&held.hold)));
                let ordered = |hold: &HoldId| durable.ordered.contains(hold);
                welcome.orders.iter().for_each(|order| assert!(ordered(&order.hold)));
            }
            ServerMessage::Held(held) => {
                assert!(durable.taken.contains(&held.hold), "held before it is durable");
                self.answered(held.key.as_ref().map(ToString::to_string));
                if !holds.contains(&held.hold) {
                    holds.push(held.hold);
                }
            }
            ServerMessage::Order(order) => {
                assert!(durable.ordered.contains(&order.hold), "ordered before it is durable");
                self.about(order.hold).told = true;
                self.answered(order.key.as_ref().map(ToString::to_string));
            }
            ServerMessage::Released(ended) | ServerMessage::Expired(ended) => {
                assert!(durable.ended.contains(&ended.hold), "ended before it is durable");
                let about = self.about(ended.hold);
                about.told = true;
                about.released |= matches!(message, ServerMessage::Released(_));
            }
            ServerMessage::PaymentFailed(failed) => {
                assert!(failed.is_final && durable.ended.contains(&failed.hold), "{failed:?}");
                self.about(failed.hold).told = true;
            }
            ServerMessage::Refused(refused) => {
                self.answered(refused.key.as_ref().map(ToString::to_string));
                if let Some(hold) = refused.hold {
                    self.refused(refused.request, hold);
                }
            }
            _ => {}
        }
        let early = matches!(message, ServerMessage::Welcome(_) | ServerMessage::Error(_));
        assert!(self.welcomed || early, "told before the welcome: {message:?}");
    }

    fn refused(&mut self, request: Request, hold: HoldId) {
        let about = self.about(hold);
        let open = match request {
            Request::Release => &mut about.releases,
            Request::Pay => &mut about.pays,
            Request::Buy => panic!("a buy has no hold yet"),
        };
        *open = open.checked_sub(1).expect("each request is refused once");
    }

    fn answered(&mut self, key: Option<String>) {
        let Some(key) = key else { return };
        let open = self.bought.get_mut(&key).expect("only what was asked is answered");
        *open = open.checked_sub(1).expect("each buy is answered once");
    }
}

impl Durable {
    pub(crate) fn catch_up(&mut self, ledger: &FakeLedger) {
        let rows = ledger.rows();
        for row in &rows[self.rows..] {
            for record in row.decode() {
                let record = record.expect("the ledger holds records");
                let Record::Hold(record) = record else { continue };
                let seen = match record {
                    HoldRecord::Taken { .. } => &mut self.taken,
                    HoldRecord::Confirmed { .. } => &mut self.ordered,
                    HoldRecord::Released { .. } | HoldRecord::Expired { .. } => &mut self.ended,
                };
                seen.insert(record.hold());
            }
        }
        self.rows = rows.len();
    }
}

/// Takes the first whole frame of a server off `bytes`.
pub(crate) fn next_frame(bytes: &mut Vec<u8>) -> Option<(u8, Vec<u8>)> {
    let (first, second) = (*bytes.first()?, *bytes.get(1)?);
    assert!(first & 0xf0 == 0x80 && second & 0x80 == 0, "whole, plain, unmasked");
    let (length, start) = match second {
        126 => (u64::from(u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?)), 4),
        127 => (u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?), 10),
        short => (u64::from(short), 2),
    };
    let end = start + usize::try_from(length).ok()?;
    let payload = bytes.get(start..end)?.to_vec();
    bytes.drain(..end);
    Some((first & 0x0f, payload))
}
