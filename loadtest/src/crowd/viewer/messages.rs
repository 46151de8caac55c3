//! A viewer's reactions to the server's messages.

use stampede_domain::{HoldId, IdempotencyKey, RefusalCode};
use stampede_wire::{Refused, Request, ServerMessage, Welcome};

use super::{KnownHold, Resend, Viewer};
use crate::crowd::{mailbox::Act, schedule::Temper};

/// When a failed or refused payment is tried again.
const PAY_AGAIN_US: u64 = 100_000;

impl Viewer {
    /// Takes over what the server says is there.
    pub(crate) fn enter(&mut self, welcome: &Welcome, asked_us: u64) {
        for drop in &welcome.drops {
            self.state.see_drop(drop);
        }
        for held in &welcome.holds {
            self.promised_held(held, Some(asked_us));
        }
        for order in &welcome.orders {
            self.promised_order(order, Some(asked_us));
        }
        let there = |hold: &HoldId| welcome.holds.iter().any(|held| held.hold == *hold);
        let known = self.holds.iter().map(|known| known.hold);
        let gone: Vec<HoldId> = known.filter(|hold| !there(hold)).collect();
        for hold in gone {
            self.ended(hold);
        }
        // A payment that was under way may have been lost with the connection.
        if matches!(self.script().temper, Temper::Pays) {
            for known in &self.holds {
                self.mailbox.push(Act::Pay(known.hold));
            }
        }
    }

    pub(crate) fn hear(&mut self, message: ServerMessage) {
        match message {
            ServerMessage::Held(held) => {
                let asked_us = held.key.as_ref().and_then(|key| self.answer(key));
                let retry = held.retry;
                if held.key.is_some() {
                    self.state.count(
                        |counts| {
                            if retry { counts.retries += 1 } else { counts.held += 1 }
                        },
                    );
                }
                self.promised_held(&held, asked_us);
            }
            ServerMessage::Order(order) => {
                let asked_us = order.key.as_ref().and_then(|key| self.answer(key));
                if order.key.is_some() {
                    self.state.count(|counts| counts.retries += 1);
                }
                self.promised_order(&order, asked_us);
            }
            ServerMessage::Refused(refused) => self.refused(&refused),
            ServerMessage::Released(ended) => {
                self.promised_end(&ended, false);
                self.ended(ended.hold);
            }
            ServerMessage::Expired(ended) => {
                self.promised_end(&ended, true);
                self.ended(ended.hold);
            }
            ServerMessage::PaymentFailed(failed) => {
                self.state.count(|counts| counts.payments_failed += 1);
                if failed.is_final {
                    self.ended(failed.hold);
                } else {
                    self.again(Act::Pay(failed.hold), PAY_AGAIN_US);
                }
            }
            ServerMessage::Phase(notice) => self.state.see_notice(&notice),
            ServerMessage::Welcome(_)
            | ServerMessage::Refreshed(_)
            | ServerMessage::Stock(_)
            | ServerMessage::DropInfo(_)
            | ServerMessage::Pong(_)
            | ServerMessage::Error(_) => {}
        }
    }

    fn refused(&mut self, refused: &Refused) {
        let retry_us = refused.retry_after_ms.map_or(PAY_AGAIN_US, |ms| ms.saturating_mul(1000));
        match (refused.request, refused.hold) {
            (Request::Buy, _) => self.buy_refused(refused),
            (Request::Pay, Some(hold)) if is_busy(refused) => self.again(Act::Pay(hold), retry_us),
            (Request::Release, Some(hold)) if is_busy(refused) => {
                self.again(Act::Release(hold), retry_us);
            }
            (_, Some(hold)) if refused.refusal_code() == Some(RefusalCode::HoldEnded) => {
                self.ended(hold);
            }
            (Request::Pay, _) if refused.refusal_code() == Some(RefusalCode::PayNotOffered) => {
                self.state.count(|counts| counts.pays_not_offered += 1);
            }
            _ if refused.temporary => {}
            (request, _) => {
                self.state
                    .trouble(|| format!("{}: {request:?} refused: {}", self.name, refused.code));
            }
        }
    }

    fn buy_refused(&mut self, refused: &Refused) {
        if let Some(key) = &refused.key {
            self.answer(key);
        }
        // A repeated buy whose hold is over is told so; nothing new was decided.
        let code = refused.refusal_code();
        let replay = matches!(code, Some(RefusalCode::HoldEnded | RefusalCode::HoldConfirmed));
        self.state.count(|counts| {
            if replay {
                counts.retries += 1;
            } else {
                *counts.refused.entry(refused.code.to_string()).or_default() += 1;
            }
        });
    }

    /// Notes an answer to a buy; returns when the buy was sent.
    fn answer(&mut self, key: &IdempotencyKey) -> Option<u64> {
        let Some(index) = self.pending.iter().position(|one| one.key == *key) else {
            self.state.trouble(|| format!("{}: an answer to {key}, which awaits none", self.name));
            return None;
        };
        let pending = &mut self.pending[index];
        let sent_us = pending.sent_us;
        pending.awaiting -= 1;
        self.state.answered(pending.planned_us);
        if pending.awaiting == 0 {
            self.pending.swap_remove(index);
        }
        Some(sent_us)
    }

    /// The answers on this connection will not come; with [`Resend::Never`], not on another one either.
    pub(crate) fn lose_answers(&mut self, resend: Resend) {
        for pending in &mut self.pending {
            self.state.forget_unanswered(u64::from(pending.awaiting));
            pending.awaiting = 0;
            pending.resend = resend;
        }
    }

    /// A hold that the viewer did not know: does with it what the temper says.
    pub(crate) fn adopt(&mut self, hold: HoldId, amount_minor: u64) {
        self.holds.push(KnownHold { hold, amount_minor });
        self.state.add_hold();
        let temper = self.script().temper;
        let unpaid = matches!(temper, Temper::NeverPays | Temper::WalksAway { .. });
        self.state.count(|counts| {
            counts.holds += 1;
            counts.holds_unpaid += u64::from(unpaid);
        });
        match temper {
            Temper::Pays => self.mailbox.push(Act::Pay(hold)),
            Temper::PaysLater { after_us } => self.again(Act::Pay(hold), after_us),
            Temper::NeverPays => {}
            Temper::WalksAway { after_us } => self.again(Act::WalkAway, after_us),
            Temper::Releases { after_us } => self.again(Act::Release(hold), after_us),
        }
    }

    /// A hold is over without an order.
    fn ended(&mut self, hold: HoldId) {
        if self.forget(hold) {
            let pays = matches!(self.script().temper, Temper::Pays | Temper::PaysLater { .. });
            self.gave_up |= !pays;
        }
    }

    /// Whether the hold was there.
    pub(crate) fn forget(&mut self, hold: HoldId) -> bool {
        let before = self.holds.len();
        self.holds.retain(|known| known.hold != hold);
        self.state.remove_holds(before - self.holds.len());
        before > self.holds.len()
    }

    fn again(&self, act: Act, after_us: u64) {
        self.state.later(self.state.clock.us() + after_us, self.place, act);
    }
}

fn is_busy(refused: &Refused) -> bool {
    matches!(refused.refusal_code(), Some(RefusalCode::Busy | RefusalCode::RateLimited))
}
