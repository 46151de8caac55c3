//! The protocol from outside: bytes, strictness, tickets, documents.

mod common;
mod golden;
mod properties;
mod strict;
mod tickets;
mod welcome;
