//! Stripe's reports over a real port, into a real engine on a ledger in memory.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod facts;
mod limits;
mod over;
mod refusals;
mod world;
