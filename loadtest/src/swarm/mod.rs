//! A lean load generator: one thread, one epoll, tens of thousands of connections.
//!
//! [`Swarm`] owns sockets with some hundred bytes for each; a [`Player`] says what travels on them.
//! [`Web`] is the player that speaks WebSocket and leaves the messages to a [`Talker`]. All calls are
//! static. A closed loop is a talker that answers each message with its next request; for an open
//! loop the caller looks at its schedule between two [`Swarm::turn`]s and lets seats act with
//! [`Swarm::act`].

mod busy;
mod connection;
mod frames;
mod line;
mod pool;
mod tickets;
mod upgrade;
mod web;

pub use busy::{Busy, raise_descriptor_limit, stay_on_core};
pub use frames::{FrameError, Opcode, append_masked, append_server, server_frame};
pub use line::{End, Line, Player};
pub use pool::{Swarm, SwarmError};
pub use tickets::TicketBook;
pub use upgrade::{ANSWER_BYTES_MAX, UpgradeError, request, upgraded};
pub use web::{Message, Talker, Voice, Web, WebSeat};
