//! Tickets for the viewers of a pool.

use stampede_domain::{DurationMs, IdError, Mode, StreamId, UnixMillis, ViewerId};
use stampede_wire::{
    ClientMessage, Subprotocol,
    ticket::{KeyError, KeySpec, Ticket, TicketMinter},
};

/// How long tickets are good by default: longer than any drill.
const LIFETIME: DurationMs = DurationMs::from_secs(3_600);

/// Signs tickets for one stream.
#[derive(Clone, Debug)]
pub struct TicketBook {
    minter: TicketMinter,
    stream: StreamId,
    mode: Mode,
    lifetime: DurationMs,
}

impl TicketBook {
    /// Takes the server's key.
    ///
    /// # Errors
    /// [`KeyError`] if it cannot sign.
    pub fn new(key: &KeySpec, stream: StreamId) -> Result<Self, KeyError> {
        let (minter, mode) = (TicketMinter::new(key)?, Mode::Live);
        Ok(Self { minter, stream, mode, lifetime: LIFETIME })
    }

    /// The same with tickets of this mode; otherwise they are live.
    #[must_use]
    pub fn of_mode(self, mode: Mode) -> Self {
        Self { mode, ..self }
    }

    /// The same with tickets that are good for so long.
    #[must_use]
    pub fn lasting(self, lifetime: DurationMs) -> Self {
        Self { lifetime, ..self }
    }

    /// The `hello` of a viewer, ready for a frame.
    ///
    /// # Errors
    /// [`IdError`] if the viewer's name is no id.
    pub fn hello(
        &self,
        viewer: &str,
        subprotocol: Subprotocol,
        now: UnixMillis,
    ) -> Result<Vec<u8>, IdError> {
        let ticket = Ticket {
            viewer: viewer.parse::<ViewerId>()?,
            stream: self.stream.clone(),
            channel: None,
            mode: self.mode,
            expires_at: now.plus(self.lifetime),
        };
        let ticket = self.minter.mint(&ticket, now);
        let hello = ClientMessage::Hello { ticket: ticket.into(), client: None };
        Ok(subprotocol.encode_client(&hello))
    }
}
