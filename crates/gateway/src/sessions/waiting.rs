//! An answer that waits for a commit, with what it needs then.

use std::{net::IpAddr, sync::Arc};

use stampede_domain::{HoldId, IdempotencyKey};
use stampede_engine::Viewer;
use stampede_wire::ticket::Ticket;

use super::{
    session::{Membership, Session},
    slab::Token,
};

/// An answer that waits for a hold to become durable.
pub(super) struct WaitingBuy {
    pub(super) token: Token,
    pub(super) viewer: Arc<Viewer>,
    /// Whom a ban may keep out, though the connection may be gone by then.
    pub(super) bearer: (Ticket, IpAddr),
    pub(super) hold: HoldId,
    pub(super) key: IdempotencyKey,
    /// When the request came, see [`super::Sessions::begin_round`].
    pub(super) came_us: u64,
}

impl WaitingBuy {
    pub(super) fn new(
        (token, came_us): (Token, u64),
        session: &Session,
        joined: &Membership,
        hold: HoldId,
        key: IdempotencyKey,
    ) -> Self {
        let viewer = Arc::clone(&joined.viewer);
        let bearer = (joined.ticket.clone(), session.address);
        Self { token, viewer, bearer, hold, key, came_us }
    }
}
