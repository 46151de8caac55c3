//! The protocol from outside: bytes, strictness, tickets, documents.

#![allow(clippy::unwrap_used, reason = "a test that meets an error has failed")]

mod asyncapi;
mod docs;
mod golden;
mod properties;
mod samples;
mod seeds;
mod strict;
mod tickets;
mod welcome;
