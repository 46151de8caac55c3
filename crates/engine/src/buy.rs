//! A core's requests to the engine, with the answers.

use stampede_domain::{ChannelId, DropId, HoldId, IdempotencyKey, Refusal};
use stampede_ledger::Position;

/// What a viewer asks to buy.
#[derive(Clone, Copy, Debug)]
pub struct BuyRequest<'a> {
    /// From which drop.
    pub drop: DropId,
    /// Which SKU, by its id.
    pub sku: &'a str,
    /// How many units.
    pub units: u64,
    /// The client's name for the request.
    pub key: &'a IdempotencyKey,
    /// Who gets the credit, as the viewer's ticket says.
    pub channel: Option<&'a ChannelId>,
}

/// What became of a buy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Buy {
    /// Units were taken; the answer may leave once [`CorePort::durable`](crate::CorePort::durable) reaches
    /// the position, which it cannot before a [`CorePort::flush`](crate::CorePort::flush): the caller
    /// owes it before it waits for anything.
    Pending {
        /// The new hold.
        hold: HoldId,
        /// Where its record stands on the way to the ledger.
        position: Position,
    },
    /// The same request took units before, and that is durable: answer with the hold as it is now.
    Replay {
        /// The hold of the first request.
        hold: HoldId,
    },
    /// The same request took units a moment ago, and that is not durable yet: call
    /// [`CorePort::await_durable`](crate::CorePort::await_durable) again after
    /// [`CoreEvent::Recheck`](crate::CoreEvent::Recheck).
    Awaiting {
        /// The hold of the first request.
        hold: HoldId,
    },
    /// Nothing was taken.
    Refused(Refusal),
}

/// How far a take has come on its way to the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Durability {
    /// Nothing is left to wait for; the hold may even have ended since.
    Durable,
    /// The core waits for it; [`CoreEvent::Recheck`](crate::CoreEvent::Recheck) follows.
    Awaited,
}
