//! The viewers' WebSocket server: handshake, sessions, fan-out, backpressure.
//!
//! There are two kinds of threads. A door accepts and shakes hands at low priority, so that an
//! arriving crowd never slows the sale. A core, with an engine port of its own, serves the connections
//! that a door hands over, each for as long as it lives.
//!
//! Each room knows only those below it:
//!
//! | room | what it holds |
//! |---|---|
//! | `server` | how the threads start and stop |
//! | `door` | a connection's way in: listener, PROXY header, TLS, handshake |
//! | `core` | sockets past their handshake: loop, poller, transport, signals |
//! | `sessions` | what a connection means, decided without sockets |
//! | `origin` | web origins as browsers write them |
//! | `shared` | what all threads of a gateway see alike |
//! | `admission` | how much clients may send: by connection, by viewer, by address |

mod admission;
mod config;
mod core;
mod door;
#[cfg(fuzzing)]
pub mod fuzzing;
pub mod metrics;
mod origin;
mod server;
mod sessions;
mod shared;

pub use self::core::CoreSignals;
pub use config::{ConfigError, GatewayConfig};
pub use origin::{OriginError, check_origin};
pub use server::{Gateway, StartError, ViewerListeners};
