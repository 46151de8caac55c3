//! The reactions of an audience's people to messages.

use rand::Rng;
use stampede_domain::{DropId, HoldId, RefusalCode, SkuId};
use stampede_swarm::{End, Message, Talker, Voice};
use stampede_wire::{Ended, Held, Order, Refused, Request, ServerMessage, Stock, Welcome};

use super::{
    people::{Act, BACK_US, People, REACTION_US, SUBPROTOCOL, buy},
    seat::{KnownHold, Pending, Seat},
};
use crate::recorder::{Promise, Promised};

/// Time until a payment that failed is tried again, in microseconds.
const PAY_AGAIN_US: (u64, u64) = (400_000, 2_000_000);

impl People {
    fn welcome(&mut self, seat: &mut Seat, welcome: &Welcome, voice: &mut Voice<'_, '_>) {
        let (number, at_us) = (voice.number(), voice.now_us());
        seat.here = true;
        seat.failures = 0;
        self.coming -= 1;
        self.report.connected += 1;
        for info in &welcome.drops {
            let news = self.goods.see(info);
            self.news(info.drop, news, at_us);
        }
        for held in &welcome.holds {
            self.held(seat, held, number, at_us);
        }
        for order in &welcome.orders {
            self.ordered(seat, order, number);
        }
        seat.holds.retain(|known| welcome.holds.iter().any(|held| held.hold == known.hold));
        for known in seat.holds.iter().filter(|known| known.pays) {
            // Whether the payment went through meanwhile is for the till to know.
            let at_us = at_us + self.between(PAY_AGAIN_US);
            self.later(at_us, number, Act::Pay(known.hold));
        }
        for pending in &seat.pending {
            // The same key: whatever came of the first one, this takes nothing more.
            buy(voice, pending);
        }
    }

    fn hear(&mut self, seat: &mut Seat, message: ServerMessage, voice: &mut Voice<'_, '_>) {
        let (number, at_us) = (voice.number(), voice.now_us());
        match message {
            ServerMessage::Welcome(welcome) => self.welcome(seat, &welcome, voice),
            ServerMessage::Held(held) => {
                seat.answered(held.key.as_ref());
                self.held(seat, &held, number, at_us);
            }
            ServerMessage::Order(order) => {
                seat.answered(order.key.as_ref());
                self.ordered(seat, &order, number);
            }
            ServerMessage::Refused(refused) => self.refused(seat, &refused, number, at_us),
            ServerMessage::Released(ended) => self.ended(seat, &ended, Promised::Released, number),
            ServerMessage::Expired(ended) => self.ended(seat, &ended, Promised::Expired, number),
            ServerMessage::PaymentFailed(failed) if failed.is_final => {
                seat.forget(failed.hold);
            }
            ServerMessage::PaymentFailed(failed) => {
                let at_us = at_us + self.between(PAY_AGAIN_US);
                self.later(at_us, number, Act::Pay(failed.hold));
            }
            ServerMessage::Phase(notice) => {
                let news = self.goods.change(&notice);
                self.news(notice.drop, news, at_us);
            }
            ServerMessage::DropInfo(info) => {
                let news = self.goods.see(&info);
                self.news(info.drop, news, at_us);
            }
            ServerMessage::Error(notice) => self.trouble(|| notice.message.clone()),
            ServerMessage::Stock(_) | ServerMessage::Refreshed(_) | ServerMessage::Pong(_) => {}
        }
    }

    /// Writes a hold down once, decides what to do with it: most pay after some seconds, some late, a few
    /// give it back, a few forget it.
    fn held(&mut self, seat: &mut Seat, held: &Held, number: u32, at_us: u64) {
        let hold = held.hold;
        seat.content(held.drop);
        if seat.has(hold) || seat.orders.contains(&hold) {
            return;
        }
        let what = Promised::Held {
            key: held.key.as_ref().map(ToString::to_string),
            retry: held.retry,
            expires_in_ms: held.expires_in_ms,
            amount_minor: held.amount_minor,
        };
        self.promised(number, (held.drop, hold, &held.sku, held.units), what);
        self.report.holds += 1;
        let next = match self.rng.random_range(0..100) {
            0..6 => None,
            6..8 => Some((Act::Release(hold), (2_000_000, 8_000_000))),
            8..20 => Some((Act::Pay(hold), (7_000_000, 14_000_000))),
            _ => Some((Act::Pay(hold), (1_200_000, 7_000_000))),
        };
        let pays = matches!(next, Some((Act::Pay(_), _)));
        let (drop, amount_minor) = (held.drop, held.amount_minor);
        seat.holds.push(KnownHold { drop, hold, amount_minor, pays });
        if let Some((act, after)) = next {
            let at_us = at_us + self.between(after);
            self.later(at_us, number, act);
        }
    }

    fn ordered(&mut self, seat: &mut Seat, order: &Order, number: u32) {
        seat.forget(order.hold);
        seat.content(order.drop);
        if seat.orders.contains(&order.hold) {
            return;
        }
        seat.orders.push(order.hold);
        let what = Promised::Order {
            order: order.order.to_string(),
            key: order.key.as_ref().map(ToString::to_string),
            amount_minor: order.amount_minor,
        };
        self.promised(number, (order.drop, order.hold, &order.sku, order.units), what);
        self.report.orders += 1;
    }

    fn ended(&mut self, seat: &mut Seat, ended: &Ended, what: Promised, number: u32) {
        if let Some(known) = seat.forget(ended.hold) {
            if known.pays {
                // The time ran out before the payment came through: they try again.
                seat.want(ended.drop);
            }
            self.promised(number, (ended.drop, ended.hold, &ended.sku, ended.units), what);
        }
    }

    fn refused(&mut self, seat: &mut Seat, refused: &Refused, number: u32, at_us: u64) {
        if refused.request != Request::Buy {
            return;
        }
        let retry_us = refused.retry_after_ms.map(|ms| ms.saturating_mul(1_000));
        let Some(Pending { drop, .. }) = seat.answered(refused.key.as_ref()) else { return };
        match refused.refusal_code() {
            Some(RefusalCode::SoldOut) => {
                // Some look again: there may be units that others did not pay for.
                if seat.tries_again(drop) && self.rng.random_ratio(3, 5) {
                    let at_us = at_us + self.between((900_000, 6_000_000));
                    self.later(at_us, number, Act::Click(drop));
                }
            }
            Some(RefusalCode::Busy | RefusalCode::RateLimited) => {
                let after_us = retry_us.unwrap_or(BACK_US).max(REACTION_US);
                let at_us = at_us + self.between((after_us, 2 * after_us));
                self.later(at_us, number, Act::Click(drop));
            }
            Some(RefusalCode::OverViewerLimit) => seat.content(drop),
            _ if refused.temporary => {}
            _ => seat.content(drop),
        }
    }

    fn promised(
        &mut self,
        number: u32,
        (drop, hold, sku, units): (DropId, HoldId, &SkuId, u32),
        what: Promised,
    ) {
        let promise = Promise {
            at_ms: self.clock.unix_now().get(),
            asked_ms: None,
            viewer: self.name(number),
            hold: hold.to_string(),
            sku: sku.to_string(),
            units,
            what,
        };
        self.logs.write(drop, &promise);
        self.report.promises += 1;
    }

    fn tick(&mut self, message: &[u8], at_us: u64) {
        if *message == *self.last_tick {
            return;
        }
        message.clone_into(&mut self.last_tick);
        if let Ok(Some(ServerMessage::Stock(stock))) = SUBPROTOCOL.decode_server(message) {
            let Stock { drop, .. } = stock;
            let news = self.goods.stock(&stock);
            self.news(drop, news, at_us);
        }
    }
}

impl Talker for People {
    type Seat = Seat;

    fn opened(&mut self, _: &mut Seat, voice: &mut Voice<'_, '_>) {
        let now = self.clock.unix_now();
        let hello = self.book.hello(&self.name(voice.number()), SUBPROTOCOL, now);
        voice.binary(&hello.expect("a short prefix with a number is an id"));
    }

    fn message(&mut self, seat: &mut Seat, message: Message<'_>, voice: &mut Voice<'_, '_>) {
        let bytes = message.bytes();
        if SUBPROTOCOL.is_stock_tick(bytes) {
            return self.tick(bytes, voice.now_us());
        }
        match SUBPROTOCOL.decode_server(bytes) {
            Ok(Some(message)) => self.hear(seat, message, voice),
            Ok(None) => {}
            Err(error) => self.trouble(|| format!("a message cannot be read: {error}")),
        }
    }

    fn ended(&mut self, seat: &mut Seat, number: u32, end: End) {
        self.turned_away(seat, number, &end);
    }
}
