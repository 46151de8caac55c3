//! Tickets: the hello that opens a session, the refresh that keeps it open.

use std::sync::Arc;

use stampede_domain::UnixMillis;
use stampede_wire::{CloseCode, Refreshed, ServerMessage, Welcome, ticket::Ticket};

use super::{
    Sessions, list,
    session::{Membership, OwedDrops, Stage},
    slab::Token,
    view,
};
use crate::admission::Admission;

impl Sessions {
    /// Checks the ticket, joins the stream, welcomes the viewer.
    pub(super) fn hello(&mut self, token: Token, ticket: &str, client: Option<&str>) {
        if self.poisoned {
            return self.close(token, CloseCode::Unavailable, UNAVAILABLE);
        }
        let now = self.port.moment();
        let ticket = match self.shared.verify(ticket, now.wall) {
            Ok(ticket) => ticket,
            Err(error) => return self.close(token, CloseCode::from(&error), &error.to_string()),
        };
        if let Some((code, notice)) = self.turn_away(token, &ticket, now.sale) {
            return self.close_with(token, code, notice);
        }
        if let Some(client) = client {
            tracing::debug!(stream = %ticket.stream, client, "hello");
        }
        // Joining comes before reading the holds: what changes in between is told as an event.
        let viewer = self.port.join(&ticket.viewer, (&ticket.stream, ticket.mode), token);
        let sales = || self.port.stream(&ticket.stream);
        let (audience, place) = self.audiences.join(&ticket.stream, ticket.mode, token, sales);
        self.by_viewer.entry(viewer.number()).or_default().push(token);
        let joined = self.audiences.get_mut(audience).expect("it was just joined");
        let (seen_tick, drops) = (joined.tick(), joined.infos(now));

        let mut welcome = self.welcome(&ticket, now.wall, drops);
        for status in self.port.holds_of(&viewer, &ticket.stream) {
            let Some(sale) = self.port.sale(status.hold.drop_id()) else { continue };
            if sale.plan().mode != ticket.mode {
                continue;
            }
            if status.confirmed {
                welcome.orders.push(view::order(sale, &status));
            } else {
                welcome.holds.push(view::held(sale, &status, now.sale));
            }
        }
        let session = self.slab.get_mut(token).expect("the session that said hello");
        session.stage = Stage::Joined(Box::new(Membership {
            viewer,
            ticket,
            audience,
            place,
            seen_tick,
            owed: None,
            asked: Vec::new(),
        }));
        self.send_welcome(token, welcome);
    }

    /// The welcome is not held against the bound of what waits: it is the state that the viewer
    /// would ask for again after a close.
    fn send_welcome(&mut self, token: Token, welcome: Welcome) {
        let mut owed = Vec::new();
        for message in welcome.into_messages() {
            if let ServerMessage::DropInfo(info) = &message {
                owed.push(info.drop);
                continue;
            }
            let Some(session) = self.slab.get_mut(token) else { return };
            let encoded = session.subprotocol.encode_server(&message);
            session.outbox.push_welcome(session.subprotocol, &encoded);
            self.metrics.answers.increment(1);
            list(&mut self.listed, token, session);
        }
        if !owed.is_empty() {
            owed.reverse();
            let joined = self.slab.get_mut(token).and_then(|session| session.joined_mut());
            joined.expect("the session that is welcomed").owed = Some(Box::new(OwedDrops(owed)));
        }
    }

    fn welcome(
        &self,
        ticket: &Ticket,
        wall: UnixMillis,
        drops: Vec<Arc<stampede_wire::DropInfo>>,
    ) -> Welcome {
        Welcome {
            viewer: ticket.viewer.clone(),
            stream: ticket.stream.clone(),
            channel: ticket.channel.clone(),
            mode: ticket.mode,
            server_time_ms: wall.get(),
            heartbeat_ms: self.shared.config.heartbeat.get(),
            ticket_expires_in_ms: ticket.expires_at.since(wall).get(),
            drops,
            holds: Vec::new(),
            orders: Vec::new(),
        }
    }

    /// Puts a newer ticket of the same bearer in place of the old one.
    pub(super) fn refresh(&mut self, token: Token, ticket: &str, admission: Admission) {
        // A signature costs more than any other request, so none is checked over the limit. There is
        // no refusal for a refresh; a client needs one in minutes.
        if matches!(admission, Admission::Over { .. }) {
            let why = "a refresh came over the rate limit; wait when told to";
            return self.close(token, CloseCode::Flooding, why);
        }
        let wall = self.port.wall();
        let fresh = match self.shared.verify(ticket, wall) {
            Ok(ticket) => ticket,
            Err(error) => return self.close(token, CloseCode::from(&error), &error.to_string()),
        };
        let Some(joined) = self.slab.get_mut(token).and_then(|s| s.joined_mut()) else { return };
        if !joined.ticket.same_bearer(&fresh) {
            let why = "the ticket is for another viewer, stream, channel or mode; connect anew";
            return self.close(token, CloseCode::TicketMismatch, why);
        }
        let ticket_expires_in_ms = fresh.expires_at.since(wall).get();
        joined.ticket = fresh;
        let refreshed = Refreshed { server_time_ms: wall.get(), ticket_expires_in_ms };
        self.send(token, &ServerMessage::Refreshed(refreshed));
    }
}

pub(super) const UNAVAILABLE: &str = "the server cannot promise anything until it is restarted";
