//! The viewers' WebSocket server: handshake, sessions, fan-out, backpressure.
//!
//! One thread for each core, each with a listener, a runtime and an engine port of its own; a
//! connection never changes its core. What a session does is decided without sockets in the module
//! `sessions`; a connection's task only moves frames between there and its socket, so another frame
//! layer can take its place.

mod bucket;
mod config;
mod connection;
mod fanout;
mod handshake;
mod listener;
pub mod metrics;
mod outbox;
mod runtime;
mod server;
mod session;
mod sessions;
mod signals;
mod slab;
mod view;

pub use config::{ConfigError, GatewayConfig};
pub use server::{Gateway, StartError};
pub use signals::CoreSignals;
