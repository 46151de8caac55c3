//! A load generator that costs little: one thread, one epoll, tens of thousands of connections.
//!
//! [`SocketPool`] owns sockets with some hundred bytes for each; a [`Player`] says what travels on them.
//! [`Web`] is the player that speaks WebSocket and leaves the messages to a [`Talker`]. All calls are
//! static. A closed loop is a talker that answers each message with its next request; for an open
//! loop the caller looks at its schedule between two [`SocketPool::turn`]s and lets seats act with
//! [`SocketPool::act`]. [`Busy`] and [`Process`] say what the generator and the server cost meanwhile.

mod busy;
mod clock;
mod connection;
mod frames;
mod line;
mod pool;
mod process;
mod tickets;
mod upgrade;
mod web;

pub use busy::{Busy, raise_descriptor_limit, stay_on_core};
pub use clock::Clock;
pub use frames::{FrameError, Opcode, append_masked, append_server, server_frame};
pub use line::{End, Line, Player};
pub use pool::{PoolError, SocketPool};
pub use process::{Memory, Process};
pub use tickets::TicketBook;
pub use upgrade::{ANSWER_BYTES_MAX, UpgradeError, request, upgraded};
pub use web::{Message, Talker, Voice, Web, WebSeat};
