//! The requests of viewers: buy, release, pay.

use stampede_domain::{DropId, HoldId, IdempotencyKey, Refusal, RefusalCode, TestCard, UnixMillis};
use stampede_engine::{Buy, BuyRequest, HoldLook};
use stampede_wire::{Refused, ServerMessage};

use super::{Sessions, slab::Token, view, waiting::WaitingBuy};
use crate::admission::Admission;

/// A buy as it was sent.
pub(super) struct Wish<'a> {
    pub(super) drop: DropId,
    pub(super) sku: &'a str,
    pub(super) units: u64,
    pub(super) key: IdempotencyKey,
}

impl Sessions {
    pub(super) fn buy(
        &mut self,
        token: Token,
        wish: Wish<'_>,
        now: UnixMillis,
        admission: Admission,
    ) {
        let Wish { drop, sku, units, key } = wish;
        if let Some(refusal) = self.refuse_early(token, admission) {
            return self.refuse_buy(token, drop, key, refusal);
        }
        let session = self.slab.get(token);
        let Some((session, joined)) =
            session.and_then(|session| Some((session, session.joined()?)))
        else {
            return;
        };
        let arrival = (token, self.came_us);
        let channel = joined.ticket.channel.as_ref();
        let request = BuyRequest { drop, sku, units, key: &key, channel };
        match self.port.buy(&joined.viewer, &joined.ticket.stream, joined.ticket.mode, request) {
            Buy::Pending { hold, position } => {
                self.metrics.taken.increment(1);
                let waiting = WaitingBuy::new(arrival, session, joined, hold, key);
                self.pending.push_back((position, waiting));
            }
            Buy::Refused(refusal) => {
                self.metrics.refused.increment(1);
                let refused = ServerMessage::Refused(Refused::buy(key, &refusal));
                // What no drop counts has no drop whose answers could be timed.
                if refusal == Refusal::UnknownDrop {
                    self.send(token, &refused);
                } else {
                    self.answer(arrival, drop, &refused);
                }
            }
            Buy::Replay { hold } => {
                self.metrics.retries.increment(1);
                self.answer_retry(arrival, hold, key, now);
            }
            Buy::Awaiting { hold } => {
                self.metrics.retries.increment(1);
                if self.awaiting.len() < self.shared.config.awaiting_max {
                    self.awaiting.push(WaitingBuy::new(arrival, session, joined, hold, key));
                } else {
                    let busy = ServerMessage::Refused(Refused::buy(key, &self.port.busy()));
                    self.answer(arrival, drop, &busy);
                }
            }
        }
    }

    /// Answers a buy that the drop's tally counts: how long that took is counted with it.
    pub(super) fn answer(
        &mut self,
        (token, came_us): (Token, u64),
        drop: DropId,
        message: &ServerMessage,
    ) {
        if self.send(token, message) {
            self.port.answer_leaves(drop, came_us);
        }
    }

    /// Answers a retry with what has become of the hold that the first request made.
    pub(super) fn answer_retry(
        &mut self,
        arrival: (Token, u64),
        hold: HoldId,
        key: IdempotencyKey,
        now: UnixMillis,
    ) {
        let retaken = self.port.sale(hold.drop_id()).and_then(|sale| sale.retaken_by(hold));
        let look = self.port.hold(retaken.unwrap_or(hold));
        let busy = self.port.busy();
        let sale = self.port.sale(hold.drop_id());
        let message = match (look, sale) {
            (HoldLook::Known(status), Some(sale)) if status.confirmed => {
                ServerMessage::Order(view::order(sale, &status).answer(key))
            }
            // The order is on its way to the ledger. Whoever was told that the hold has ended would buy again.
            (HoldLook::Known(_), Some(_)) if retaken.is_some() => {
                ServerMessage::Refused(Refused::buy(key, &busy))
            }
            (HoldLook::Known(status), Some(sale)) => {
                ServerMessage::Held(view::held(sale, &status, now).answer(key, true))
            }
            _ => ServerMessage::Refused(Refused::buy(key, &Refusal::HoldEnded)),
        };
        self.answer(arrival, hold.drop_id(), &message);
    }

    /// A refusal of the gateway's own; the engine counts it with those that it makes.
    fn refuse_buy(&mut self, token: Token, drop: DropId, key: IdempotencyKey, refusal: Refusal) {
        self.metrics.refused.increment(1);
        let joined = self.slab.get(token).and_then(|session| session.joined());
        let refused = ServerMessage::Refused(Refused::buy(key, &refusal));
        let shown = joined.filter(|joined| self.audiences.shows(joined.audience, drop));
        if let Some(joined) = shown {
            self.port.count_refused(drop, joined.ticket.channel.as_ref(), refusal.code());
            self.answer((token, self.came_us), drop, &refused);
        } else {
            self.send(token, &refused);
        }
    }

    pub(super) fn release(&mut self, token: Token, hold: HoldId, admission: Admission) {
        let early = self.refuse_hold_early(token, hold, admission);
        let refusal = early.or_else(|| {
            let joined = self.slab.get_mut(token).and_then(|session| session.joined_mut())?;
            let refusal = self.port.release(&joined.viewer, hold, token).err();
            if refusal.is_none() {
                joined.asked.push(hold);
            }
            refusal
        });
        // Success comes as an event to all of the viewer's connections.
        if let Some(refusal) = refusal {
            self.send(token, &ServerMessage::Refused(Refused::release(hold, &refusal)));
        }
    }

    pub(super) fn pay(
        &mut self,
        token: Token,
        (hold, card): (HoldId, Option<TestCard>),
        admission: Admission,
    ) {
        let early = self.refuse_hold_early(token, hold, admission);
        let refusal = early.or_else(|| {
            let joined = self.slab.get_mut(token).and_then(|session| session.joined_mut())?;
            let refusal = self.port.pay(&joined.viewer, (hold, card), token).err();
            if refusal.is_none() {
                joined.asked.push(hold);
            }
            refusal
        });
        if let Some(refusal) = refusal {
            self.send(token, &ServerMessage::Refused(Refused::pay(hold, &refusal)));
        }
    }

    /// What stands in the way of a request about a hold: the ticket is good for the holds of its
    /// stream and mode only, whoever made them.
    fn refuse_hold_early(
        &mut self,
        token: Token,
        hold: HoldId,
        admission: Admission,
    ) -> Option<Refusal> {
        if let Some(refusal) = self.refuse_early(token, admission) {
            return Some(refusal);
        }
        let ticket = &self.slab.get(token).and_then(|session| session.joined())?.ticket;
        let is_within = self.port.is_within(hold, &ticket.stream, ticket.mode);
        (!is_within).then_some(Refusal::UnknownHold)
    }

    /// What stands in the way of every request, in the order of [`RefusalCode`].
    fn refuse_early(&self, token: Token, admission: Admission) -> Option<Refusal> {
        const _: () = assert!(RefusalCode::Busy.ordinal() < RefusalCode::RateLimited.ordinal());
        if self.draining || self.poisoned {
            return Some(self.port.busy());
        }
        if let Admission::Over { retry_after, .. } = admission {
            return Some(Refusal::RateLimited { retry_after });
        }
        let joined = self.slab.get(token).and_then(|session| session.joined())?;
        (joined.ticket.expires_at <= self.port.wall()).then_some(Refusal::TicketExpired)
    }
}
