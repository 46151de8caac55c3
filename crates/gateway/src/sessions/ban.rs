//! Who is kept out: the banned, whoever comes faster than is admitted.

use stampede_domain::{BanTarget, DurationMs, UnixMillis};
use stampede_engine::{Arrival, Ban};
use stampede_wire::{CloseCode, ticket::Ticket};

use super::Sessions;
use crate::{session::Session, slab::Token};

pub(super) const BANNED: &str = "you are banned here; do not connect again";

impl Sessions {
    /// Why the bearer of a sound ticket is not let in, if so.
    pub(super) fn turn_away(
        &self,
        token: Token,
        ticket: &Ticket,
        now: UnixMillis,
    ) -> Option<(CloseCode, String)> {
        let address = self.slab.get(token).map(|session| session.address);
        let Ticket { viewer, channel, stream, .. } = ticket;
        let who = Arrival { viewer, channel: channel.as_ref(), stream, address };
        if self.port.brake().is_banned(who) {
            return Some((CloseCode::Banned, BANNED.to_owned()));
        }
        let wait = self.port.brake().admit_hello(now).err()?;
        let why = format!("too many viewers arrive at once; connect again in {wait} or later");
        Some((CloseCode::Overloaded, why))
    }

    /// Closes the sessions that a new ban keeps out. What they had admitted goes on; whose holds
    /// the ban releases is known only here.
    pub(super) fn banned(&mut self, ban: &Ban) {
        let stream = match &ban.target {
            BanTarget::Channel { stream, .. } => stream.as_ref(),
            BanTarget::Viewer(_) | BanTarget::Addresses(_) => None,
        };
        let out: Vec<Token> = match &ban.target {
            BanTarget::Viewer(viewer) => self.sessions_of(|session| {
                session.joined().is_some_and(|joined| joined.ticket.viewer == *viewer)
            }),
            BanTarget::Channel { channel, .. } => self.sessions_of(|session| {
                let ticket = session.joined().map(|joined| &joined.ticket);
                ticket.is_some_and(|ticket| {
                    ticket.channel.as_ref() == Some(channel)
                        && stream.is_none_or(|stream| ticket.stream == *stream)
                })
            }),
            // Those who have not said hello yet go too.
            BanTarget::Addresses(range) => {
                self.sessions_of(|session| range.contains(session.address))
            }
        };
        let mut viewers = Vec::new();
        for token in out {
            viewers
                .extend(self.slab.get(token).and_then(Session::joined).map(|j| j.viewer.number()));
            self.close(token, CloseCode::Banned, BANNED);
        }
        if ban.releases_holds {
            self.port.release_banned(&viewers, stream);
        }
    }

    fn sessions_of(&mut self, kept_out: impl Fn(&Session) -> bool) -> Vec<Token> {
        let all = self.slab.iter_mut();
        all.filter(|(_, session)| kept_out(session)).map(|(token, _)| token).collect()
    }

    /// Time between two looks at the stock.
    pub(crate) fn tick_interval(&self) -> DurationMs {
        self.port.brake().tick_interval().unwrap_or(self.shared.config.tick_interval)
    }
}
