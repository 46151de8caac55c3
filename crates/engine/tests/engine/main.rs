//! The engine as its interfaces see it, on a ledger that fails on order.

#![allow(clippy::unwrap_used, reason = "a test that meets the unexpected should stop there")]

mod amended;
mod bans;
mod brake;
mod cancellations;
mod channels;
mod clocks;
mod crowds;
mod extensions;
mod follow;
mod hidden;
mod host_plans;
mod memory;
mod on_air;
mod outage;
mod over;
mod payments;
mod payments_too_late;
mod range;
mod recovery;
mod requests;
mod rooms;
mod sale;
mod seen;
mod starts;
mod streams;
mod support;
mod suspension;
mod taken_back;
mod tallies;
mod undone;
mod video;
mod view;
mod wind_downs;
