//! One connection as the gateway knows it.

use std::{net::IpAddr, sync::Arc};

use stampede_domain::{DropId, HoldId, UnixMillis};
use stampede_engine::Viewer;
use stampede_wire::{Subprotocol, ticket::Ticket};

use super::{outbox::Outbox, slab::Token};
use crate::admission::{Addresses, Admission, MessageLimits, Pass, Sent};

/// What is kept for one connection, whatever moves its frames.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) subprotocol: Subprotocol,
    pub(crate) stage: Stage,
    pub(crate) outbox: Outbox,
    /// Its share in what its address may do.
    pub(crate) pass: Pass,
    /// Where its client is, behind all trusted proxies.
    pub(crate) address: IpAddr,
    pub(crate) sent: Sent,
    /// When the client last gave a sign of life.
    pub(crate) heard_at: UnixMillis,
    /// Whether it was asked for one since.
    pub(crate) pinged: bool,
    /// Whether it is among those whose output has to be written.
    pub(crate) is_listed: bool,
    /// Whether it is among those that have news.
    pub(crate) has_news: bool,
}

/// How far a session has come.
#[derive(Debug)]
pub(crate) enum Stage {
    /// Nothing but a hello is expected, until then.
    Greeting { until: UnixMillis },
    /// The viewer is known.
    Joined(Box<Membership>),
    /// What waits is written, then the close; nothing is read. Dropped then.
    Closing { until: UnixMillis },
}

/// What a hello has made known.
#[derive(Debug)]
pub(crate) struct Membership {
    pub(crate) viewer: Arc<Viewer>,
    pub(crate) ticket: Ticket,
    /// The audience that the session belongs to.
    pub(crate) audience: Token,
    /// Its place among the audience's members.
    pub(crate) place: usize,
    /// The audience's latest tick that was written, or was current at the welcome.
    pub(crate) seen_tick: u64,
    /// Drops of the welcome that its first message had no room for, the next one last.
    pub(crate) owed: Option<Box<OwedDrops>>,
    /// Holds of releases and payments that were handed over and are not answered yet: the server's
    /// stop waits for them, a failed commit leaves nobody knowing what became of them.
    pub(crate) asked: Vec<HoldId>,
}

/// Drops that follow the welcome one by one, each once the socket has taken the one before: a viewer
/// who does not read costs no more than a message, however long the stream's list is.
#[derive(Debug)]
pub(crate) struct OwedDrops(pub(crate) Vec<DropId>);

impl Session {
    pub(crate) fn new(
        subprotocol: Subprotocol,
        pass: Pass,
        address: IpAddr,
        (now, until): (UnixMillis, UnixMillis),
    ) -> Self {
        Self {
            subprotocol,
            stage: Stage::Greeting { until },
            outbox: Outbox::default(),
            pass,
            address,
            sent: Sent::default(),
            heard_at: now,
            pinged: false,
            is_listed: false,
            has_news: false,
        }
    }

    /// Counts a message.
    pub(crate) fn admit(
        &mut self,
        limits: MessageLimits,
        addresses: &Addresses,
        now: UnixMillis,
    ) -> Admission {
        let viewer = match &self.stage {
            Stage::Joined(joined) => Some(&*joined.viewer),
            _ => None,
        };
        self.sent.admit(limits, viewer, (addresses, &self.pass), now)
    }

    pub(crate) fn is_closing(&self) -> bool {
        matches!(self.stage, Stage::Closing { .. })
    }

    pub(crate) fn joined(&self) -> Option<&Membership> {
        match &self.stage {
            Stage::Joined(joined) => Some(joined),
            _ => None,
        }
    }

    pub(crate) fn joined_mut(&mut self) -> Option<&mut Membership> {
        match &mut self.stage {
            Stage::Joined(joined) => Some(joined),
            _ => None,
        }
    }

    /// The client gave a sign of life.
    pub(crate) fn hear(&mut self, now: UnixMillis) {
        (self.heard_at, self.pinged) = (now, false);
    }
}
