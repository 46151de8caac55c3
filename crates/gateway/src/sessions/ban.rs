//! Who is kept out: the banned, whoever comes faster than is admitted.

use std::{collections::BTreeSet, net::IpAddr};

use rand::Rng;
use stampede_domain::{BanTarget, DurationMs, UnixMillis, ViewerNumber};
use stampede_engine::{Arrival, Ban};
use stampede_wire::{CloseCode, ErrorNotice, ticket::Ticket};

use super::{
    Sessions,
    session::{Session, Stage},
    slab::Token,
};

/// Shortest time after which a viewer who finds the server full is asked to come again.
const FULL_RETRY: DurationMs = DurationMs::from_secs(2);
/// Time for a hello that a connection has in any case: some round trips over a bad line.
const HELLO_GRACE: DurationMs = DurationMs::from_secs(2);

pub(super) const BANNED: &str = "you are banned here; do not connect again";

impl Sessions {
    /// Why the bearer of a sound ticket is not let in, if so.
    pub(super) fn turn_away(
        &self,
        token: Token,
        ticket: &Ticket,
        now: UnixMillis,
    ) -> Option<(CloseCode, ErrorNotice)> {
        let address = self.slab.get(token).map(|session| session.address);
        if self.port.brake().is_banned(arrival(ticket, address)) {
            return Some((CloseCode::Banned, ErrorNotice::new(CloseCode::Banned, BANNED)));
        }
        let wait = self.port.brake().admit_hello(now).err()?;
        let why = "too many viewers arrive at once; connect again when told to";
        let notice = ErrorNotice::new(CloseCode::Overloaded, why);
        Some((CloseCode::Overloaded, notice.after(spread(wait))))
    }

    /// The server has as many connections as it may. A viewer who is turned back is told when to come
    /// again, each at another time.
    pub(super) fn turn_back(&mut self, token: Token) {
        let why = "the server has as many connections as it may; connect again when told to";
        let notice = ErrorNotice::new(CloseCode::Overloaded, why).after(spread(FULL_RETRY));
        self.close_with(token, CloseCode::Overloaded, notice);
    }

    /// Makes room for a newcomer, if it can: the oldest of the connections that have not said hello has
    /// to go, once it has had some round trips' time.
    pub(super) fn displace(
        &mut self,
        oldest: Option<(Token, UnixMillis)>,
        now: UnixMillis,
    ) -> bool {
        let Some((token, until)) = oldest else { return false };
        let left = until.since(now).get();
        if left.saturating_add(HELLO_GRACE.get()) > self.shared.config.hello_timeout.get() {
            return false;
        }
        self.close(token, CloseCode::HelloLate, "no hello came while others wait for a place");
        true
    }

    /// The connection that has waited for its hello for the longest time, with the end of its time.
    pub(super) fn oldest_greeting(&mut self) -> Option<(Token, UnixMillis)> {
        loop {
            let token = *self.greeting.front()?;
            match self.slab.get(token).map(|session| &session.stage) {
                Some(Stage::Greeting { until }) => return Some((token, *until)),
                Some(Stage::Joined(_) | Stage::Closing { .. }) | None => {
                    self.greeting.pop_front();
                }
            }
        }
    }

    /// Closes the sessions that a new ban keeps out. What they had admitted goes on; whose holds
    /// the ban releases is known only here: of whoever is closed, or waits for an answer without a
    /// connection by now.
    pub(super) fn banned(&mut self, ban: &Ban) {
        let all = self.slab.iter_mut();
        let out = all.filter(|(_, session)| keeps_out(ban, session)).map(|(token, _)| token);
        let out: Vec<Token> = out.collect();
        if ban.releases_holds {
            let closed = out.iter().filter_map(|token| self.slab.get(*token)?.joined());
            let waiting = self.pending.iter().map(|(_, waiting)| waiting).chain(&self.awaiting);
            let waiting = waiting.filter(|waiting| {
                let (ticket, address) = &waiting.bearer;
                ban.keeps_out(arrival(ticket, Some(*address)))
            });
            let viewers = closed.map(|joined| &joined.viewer).chain(waiting.map(|w| &w.viewer));
            let viewers: BTreeSet<ViewerNumber> = viewers.map(|viewer| viewer.number()).collect();
            self.port.release_banned(viewers, ban.id);
        }
        for token in out {
            self.close(token, CloseCode::Banned, BANNED);
        }
    }

    /// Time between two looks at the stock.
    pub(crate) fn tick_interval(&self) -> DurationMs {
        self.port.brake().tick_interval().unwrap_or(self.shared.config.tick_interval)
    }
}

/// A time from `least` to twice that, so that those who are sent away together come back apart.
fn spread(least: DurationMs) -> DurationMs {
    DurationMs::new(rand::rng().random_range(least.get()..=least.get().saturating_mul(2)))
}

/// Those who have not said hello yet are known by their address alone.
fn keeps_out(ban: &Ban, session: &Session) -> bool {
    match (session.joined(), &ban.target) {
        (Some(joined), _) => ban.keeps_out(arrival(&joined.ticket, Some(session.address))),
        (None, BanTarget::Addresses(range)) => range.contains(session.address),
        (None, BanTarget::Viewer(_) | BanTarget::Channel { .. }) => false,
    }
}

fn arrival(ticket: &Ticket, address: Option<IpAddr>) -> Arrival<'_> {
    let Ticket { viewer, channel, stream, .. } = ticket;
    Arrival { viewer, channel: channel.as_ref(), stream, address }
}
