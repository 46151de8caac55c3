//! Payments for holds: attempts at a provider, with what follows from their results.
//!
//! A hold becomes an order only here. Viewers may start a payment themselves only with the sandbox
//! provider; every other provider reports on its own. What an attempt leads to is decided without a clock or randomness;
//! one thread acts on it.

mod attempts;
mod config;
pub mod metrics;
mod settlement;
mod shared;
mod worker;

pub use config::{ConfigError, Provider, SandboxConfig};
pub use settlement::{Settlement, StartError};
