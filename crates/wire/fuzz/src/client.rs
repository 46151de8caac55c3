//! A connection from the client's side, which holds every message against the journal.

use std::collections::{HashMap, HashSet};

use stampede_domain::HoldId;
use stampede_ledger::{Record, fake::FakeLedger};
use stampede_wire::{ServerMessage, Subprotocol};

/// One connection from the client's side.
pub(crate) struct Client {
    pub(crate) token: u64,
    pub(crate) subprotocol: Subprotocol,
    /// What was written to it, up to the last whole frame.
    pub(crate) inbox: Vec<u8>,
    /// Buys without an answer, by key.
    pub(crate) asked: HashMap<String, u32>,
    welcomed: bool,
    pub(crate) closed: bool,
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
            asked: HashMap::new(),
            welcomed: false,
            closed: false,
        }
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
                self.answered(order.key.as_ref().map(ToString::to_string));
            }
            ServerMessage::Released(ended) | ServerMessage::Expired(ended) => {
                assert!(durable.ended.contains(&ended.hold), "ended before it is durable");
            }
            ServerMessage::Refused(refused) => {
                self.answered(refused.key.as_ref().map(ToString::to_string));
            }
            _ => {}
        }
        let early = matches!(message, ServerMessage::Welcome(_) | ServerMessage::Error(_));
        assert!(self.welcomed || early, "told before the welcome: {message:?}");
    }

    fn answered(&mut self, key: Option<String>) {
        let Some(key) = key else { return };
        let open = self.asked.get_mut(&key).expect("only what was asked is answered");
        *open = open.checked_sub(1).expect("each buy is answered once");
    }
}

impl Durable {
    pub(crate) fn catch_up(&mut self, ledger: &FakeLedger) {
        let rows = ledger.rows();
        for row in &rows[self.rows..] {
            for record in row.decode() {
                match record.expect("the ledger holds records") {
                    Record::Taken { hold, .. } => self.taken.insert(hold),
                    Record::Confirmed { hold, .. } => self.ordered.insert(hold),
                    Record::Released { hold, .. } | Record::Expired { hold, .. } => {
                        self.ended.insert(hold)
                    }
                    _ => false,
                };
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
