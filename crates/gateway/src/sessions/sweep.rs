//! Deadlines of sessions: hello, heartbeat, ticket, close.

use rand::Rng;
use stampede_domain::DurationMs;
use stampede_engine::Moment;
use stampede_wire::{CloseCode, ErrorNotice};

use super::{
    Sessions, list,
    session::{Session, Stage},
    slab::Token,
};
use crate::shared::GatewayState;

/// What is due for a session.
enum DueStep {
    Ping,
    Drop,
    Close(CloseCode, &'static str),
}

impl Sessions {
    /// Looks at every session's deadlines.
    ///
    /// One pass over all of them costs less than a timer for each: 15,000 sessions take well under a
    /// millisecond, four times a second.
    pub(crate) fn sweep(&mut self) {
        let now = self.port.moment();
        let mut closes: Vec<(Token, CloseCode, &'static str)> = Vec::new();
        for (token, session) in self.slab.iter_mut() {
            match due(session, &self.shared, now) {
                None => {}
                Some(DueStep::Drop) => list(&mut self.listed, token, session),
                Some(DueStep::Ping) => {
                    session.pinged = true;
                    session.outbox.ping();
                    list(&mut self.listed, token, session);
                }
                Some(DueStep::Close(code, why)) => closes.push((token, code, why)),
            }
        }
        for (token, code, why) in closes {
            self.close(token, code, why);
        }
    }

    /// Takes nothing from now on; what was taken goes on.
    pub(crate) fn drain(&mut self) {
        self.draining = true;
    }

    /// Closes every session, because the server stops.
    pub(crate) fn close_all(&mut self) {
        let tokens: Vec<Token> = self.slab.iter_mut().map(|(token, _)| token).collect();
        for token in tokens {
            self.send_away(token);
        }
    }

    /// Closes a session because the server stops. Each gets its own time to come back, so that the
    /// crowd does not return in one wave.
    pub(super) fn send_away(&mut self, token: Token) {
        let spread = self.shared.config.reconnect_spread.get();
        let notice = ErrorNotice::new(CloseCode::GoingAway, "the server stops; connect again");
        let notice = match spread {
            0 => notice,
            _ => notice.after(DurationMs::new(rand::rng().random_range(0..=spread))),
        };
        self.close_with(token, CloseCode::GoingAway, notice);
    }

    /// Bytes that wait for a connection, behind its welcome.
    #[cfg(fuzzing)]
    pub(crate) fn waiting(&self, token: Token) -> usize {
        self.slab.get(token).map_or(0, |session| session.outbox.bytes())
    }

    /// Sessions whose connection still exists.
    pub(crate) fn len(&self) -> usize {
        self.slab.len()
    }
}

fn due(session: &Session, shared: &GatewayState, moment: Moment) -> Option<DueStep> {
    let (config, now) = (&shared.config, moment.sale);
    let joined = match &session.stage {
        Stage::Closing { until } => return (*until <= now).then_some(DueStep::Drop),
        Stage::Greeting { until } => {
            let late = DueStep::Close(CloseCode::HelloLate, "no hello came in time");
            return (*until <= now).then_some(late);
        }
        Stage::Joined(joined) => joined,
    };
    if joined.ticket.expires_at.plus(config.ticket_grace) <= moment.wall {
        let why = "the ticket expired; connect with a new one";
        return Some(DueStep::Close(CloseCode::TicketExpired, why));
    }
    let silent = now.since(session.heard_at);
    if silent >= DurationMs::new(config.heartbeat.get().saturating_mul(2)) {
        return Some(DueStep::Close(CloseCode::Silent, "nothing came for too long"));
    }
    (silent >= config.heartbeat && !session.pinged).then_some(DueStep::Ping)
}
