//! The shell around the settlement books: whatever waits for a payment provider, asks it, or asks it again.
//!
//! What was paid is the journal's alone. This crate's state can be lost: after a restart the engine names every
//! attempt that is under way. What providers say is read by pure functions: bytes and the time come in as arguments,
//! facts about payments go out. [`webhooks`] takes it from the network to the engine.

mod config;
pub mod metrics;
mod payments;
mod sandbox;
pub mod stripe;
pub mod webhooks;
mod worker;

pub use config::{ConfigError, Provider, SandboxConfig};
pub use payments::{Payments, StartError};
