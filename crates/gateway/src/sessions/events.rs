//! Events from the engine: durable takes, ends of holds, changes of drops.

use std::sync::Arc;

use stampede_domain::{DropId, HoldId, Refusal, UnixMillis, ViewerNumber};
use stampede_engine::{CoreEvent, Durability, HoldLook, ViewerEvent};
use stampede_wire::{CloseCode, Ended, PaymentFailed, Refused, ServerMessage};

use super::{
    Sessions, hello::UNAVAILABLE, list, session::Session, slab::Token, view, waiting::WaitingBuy,
};

impl Sessions {
    /// Lets durable answers leave, acts on what happened.
    pub(crate) fn act_on_events(&mut self) {
        // The events are taken before the position is read: an event about a hold follows its
        // take's commit, so the hold's answer is among those that leave first.
        let mut events = std::mem::take(&mut self.events);
        self.port.drain(&mut events);
        let now = self.port.now();
        let durable = self.port.durable();
        // Bans come first: whoever is answered below no longer waits where they look for takes.
        for event in &events {
            if let CoreEvent::Banned(ban) = event {
                self.banned(ban);
            }
        }
        while let Some((_, waiting)) = self.pending.pop_front_if(|(at, _)| *at <= durable) {
            self.answer_taken(waiting, now);
        }
        for event in events.drain(..) {
            self.act(&event, now);
        }
        self.events = events;
    }

    /// Answers that wait for a commit: buys, releases and payments that were handed over.
    pub(crate) fn pending(&mut self) -> usize {
        let asked = self.slab.iter_mut().filter_map(|(_, session)| session.joined());
        let asked: usize = asked.map(|joined| joined.asked.len()).sum();
        self.pending.len() + self.awaiting.len() + asked
    }

    /// The answer about a hold has come for all connections of its viewer.
    fn answered(&mut self, viewer: ViewerNumber, hold: HoldId) {
        for token in self.by_viewer.get(&viewer).into_iter().flatten() {
            if let Some(joined) = self.slab.get_mut(*token).and_then(Session::joined_mut) {
                joined.asked.retain(|asked| *asked != hold);
            }
        }
    }

    fn answer_taken(&mut self, waiting: WaitingBuy, now: UnixMillis) {
        let WaitingBuy { token, viewer, hold, key, came_us, .. } = waiting;
        let held = match (self.port.hold(hold), self.port.sale(hold.drop_id())) {
            (HoldLook::Known(status), Some(sale)) => view::held(sale, &status, now),
            // It has ended since, which its viewer learns right after this.
            _ => return self.answer_retry((token, came_us), hold, key, now),
        };
        let mut others = self.by_viewer.get(&viewer.number()).into_iter().flatten();
        if others.any(|other| *other != token) {
            let news = ServerMessage::Held(held.clone());
            self.tell_viewer(viewer.number(), hold, Some(token), &news);
        }
        if self.shared.cores > 1 {
            self.port.announce_held(&viewer, hold);
        }
        let answer = ServerMessage::Held(held.answer(key, false));
        self.answer((token, came_us), hold.drop_id(), &answer);
    }

    /// Tells a viewer's sessions on this core that belong to the hold's stream, except one.
    fn tell_viewer(
        &mut self,
        viewer: ViewerNumber,
        hold: HoldId,
        except: Option<Token>,
        message: &ServerMessage,
    ) {
        let Some(tokens) = self.by_viewer.get(&viewer) else { return };
        if tokens.iter().all(|token| Some(*token) == except) {
            return;
        }
        let tokens = tokens.clone();
        let Some(plan) = self.port.sale(hold.drop_id()).map(|sale| Arc::clone(sale.plan())) else {
            return;
        };
        for token in tokens.into_iter().filter(|token| Some(*token) != except) {
            let ticket = self.slab.get(token).and_then(Session::joined).map(|j| &j.ticket);
            if ticket.is_some_and(|t| t.stream == plan.stream && t.mode == plan.mode) {
                self.send(token, message);
            }
        }
    }

    fn act(&mut self, event: &CoreEvent, now: UnixMillis) {
        match *event {
            CoreEvent::ReleaseRefused { token, hold, refusal } => {
                if let Some(joined) = self.slab.get_mut(token).and_then(Session::joined_mut) {
                    joined.asked.retain(|asked| *asked != hold);
                }
                self.send(token, &ServerMessage::Refused(Refused::release(hold, &refusal)));
            }
            CoreEvent::PayRefused { token, hold, refusal } => {
                // An attempt that is under way is waited for all the same.
                if refusal != Refusal::PaymentPending
                    && let Some(joined) = self.slab.get_mut(token).and_then(Session::joined_mut)
                {
                    joined.asked.retain(|asked| *asked != hold);
                }
                self.send(token, &ServerMessage::Refused(Refused::pay(hold, &refusal)));
            }
            CoreEvent::Viewer { viewer, event } => self.tell(viewer, event, now),
            CoreEvent::DropChanged(drop) => self.show_drop(drop),
            CoreEvent::Evict { token } => {
                self.close(token, CloseCode::Replaced, "the viewer has too many connections");
            }
            CoreEvent::Banned(_) => {}
            CoreEvent::Recheck => self.recheck(now),
            CoreEvent::Poisoned => self.poison(),
        }
    }

    fn tell(&mut self, viewer: ViewerNumber, event: ViewerEvent, now: UnixMillis) {
        if !self.by_viewer.contains_key(&viewer) {
            return;
        }
        if !matches!(event, ViewerEvent::Held(_)) {
            self.answered(viewer, event.hold());
        }
        if let Some(message) = self.message(event, now) {
            self.tell_viewer(viewer, event.hold(), None, &message);
        }
    }

    fn message(&mut self, event: ViewerEvent, now: UnixMillis) -> Option<ServerMessage> {
        let look = self.port.hold(event.hold());
        let sale = self.port.sale(event.hold().drop_id())?;
        Some(match (event, look) {
            (ViewerEvent::Released { hold, units }, _) => {
                ServerMessage::Released(view::ended(sale, hold, units))
            }
            (ViewerEvent::CalledOff { hold, units }, _) => {
                let released = view::ended(sale, hold, units);
                ServerMessage::Released(Ended { called_off: true, ..released })
            }
            (ViewerEvent::Expired { hold, units }, _) => {
                ServerMessage::Expired(view::ended(sale, hold, units))
            }
            (ViewerEvent::Held(_), HoldLook::Known(status)) => {
                ServerMessage::Held(view::held(sale, &status, now))
            }
            (ViewerEvent::Ordered(_), HoldLook::Known(status)) => {
                ServerMessage::Order(view::order(sale, &status))
            }
            (ViewerEvent::PaymentFailed(hold), HoldLook::Known(status)) => {
                let expires_in_ms = Some(status.deadline.since(now).get());
                ServerMessage::PaymentFailed(PaymentFailed { hold, is_final: false, expires_in_ms })
            }
            (ViewerEvent::PaymentFailed(hold), _) => {
                let expires_in_ms = None;
                ServerMessage::PaymentFailed(PaymentFailed { hold, is_final: true, expires_in_ms })
            }
            // Another connection's hold that has ended already: that event follows.
            (ViewerEvent::Held(_) | ViewerEvent::Ordered(_), _) => return None,
        })
    }

    /// Tells the drop's audience where it stands now.
    fn show_drop(&mut self, drop: DropId) {
        let now = self.port.moment();
        let Some(sale) = self.port.sale(drop) else { return self.audiences.forget(drop) };
        let Some((members, mut news)) = self.audiences.news(sale, now) else { return };
        for token in members {
            if let Some(subprotocol) = self.slab.get(token).map(|session| session.subprotocol) {
                self.push_news(token, &news.frame(subprotocol));
            }
        }
    }

    /// Answers the replays whose takes are durable by now.
    fn recheck(&mut self, now: UnixMillis) {
        for waiting in std::mem::take(&mut self.awaiting) {
            match self.port.await_durable(waiting.hold) {
                Durability::Awaited => self.awaiting.push(waiting),
                Durability::Durable => {
                    let WaitingBuy { token, hold, key, came_us, .. } = waiting;
                    self.answer_retry((token, came_us), hold, key, now);
                }
            }
        }
    }

    /// Viewers who wait for an answer get none: whether it is durable is not known until the restart,
    /// where the same key leads to the truth, and the welcome lists what the viewer has.
    fn poison(&mut self) {
        self.poisoned = true;
        let pending = std::mem::take(&mut self.pending).into_iter().map(|(_, waiting)| waiting);
        let awaiting = std::mem::take(&mut self.awaiting);
        let buys = pending.chain(awaiting).map(|waiting| waiting.token);
        let asked = self.slab.iter_mut().filter_map(|(token, session)| {
            session.joined().is_some_and(|joined| !joined.asked.is_empty()).then_some(token)
        });
        let waiting: Vec<Token> = buys.chain(asked).collect();
        for token in waiting {
            self.close(token, CloseCode::Unavailable, UNAVAILABLE);
        }
    }

    /// Looks at the stock; who is shown a change learns of it by [`Sessions::spread`].
    pub(crate) fn tick(&mut self) {
        for audience in self.audiences.iter_mut() {
            audience.look();
        }
    }

    /// Whether there are sessions to which the latest tick was not spread yet.
    pub(crate) fn is_spreading(&self) -> bool {
        self.audiences.are_spreading()
    }

    /// Lists up to `count` sessions that have to be written the latest tick.
    pub(crate) fn spread(&mut self, count: usize) {
        for token in self.audiences.spread(count) {
            if let Some(session) = self.slab.get_mut(token) {
                list(&mut self.listed, token, session);
            }
        }
    }
}
