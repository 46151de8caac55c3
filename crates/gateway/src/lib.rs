//! The viewers' WebSocket server: handshake, sessions, fan-out, backpressure.
//!
//! Two kinds of threads: a door accepts and shakes hands at low priority, so that a crowd that
//! arrives never slows the sale; a core, each with an engine port of its own, serves the connections
//! that a door hands over, each for as long as it lives. What a session does is decided without sockets
//! in the module `sessions`; the module `core` moves bytes between there and the sockets.

mod admission;
mod config;
mod core;
mod door;
mod fanout;
#[cfg(fuzzing)]
pub mod fuzzing;
pub mod metrics;
mod outbox;
mod server;
mod session;
mod sessions;
mod shared;
mod slab;
mod view;

pub use self::core::CoreSignals;
pub use config::{ConfigError, GatewayConfig};
pub use server::{Gateway, StartError, ViewerListeners};
