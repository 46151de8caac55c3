//! The client against a small server made of tungstenite.
#![allow(clippy::unwrap_used, reason = "a test that meets an error has failed")]

mod one;
mod server;
mod session;
